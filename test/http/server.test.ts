import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { createBroker } from '../../src/index.ts';
import { startApi } from './fixture.ts';

describe('requests', () => {
  test('that are no JSON, too large, too deep, or for another method are refused', async () => {
    const { ask } = await startApi({ settings: { http: { maxBodyBytes: 2048 } } });
    const put = (body: string) => ask('PUT', '/api/queues/%2F/q', body);
    const notJson = { status: 400, body: { error: 'bad_request', reason: 'not_json' } };
    for (const body of ['{bad', '[]', '7', 'null', '"x"']) expect(await put(body), body).toMatchObject(notJson);
    expect(await put(`{"x":"${'y'.repeat(4096)}"}`)).toMatchObject({ status: 413 });
    expect(await put(`{"arguments":${'['.repeat(500)}${']'.repeat(500)}}`)).toMatchObject({ status: 400 });
    const patched = await ask('PATCH', '/api/queues/%2F/q');
    expect(patched.status).toBe(405);
    expect(patched.headers.get('allow')).toBe('HEAD, GET, PUT, DELETE, OPTIONS');
    expect(await ask('GET', '/api/none')).toMatchObject({ status: 404, body: { error: 'Object Not Found' } });
    expect(await ask('GET', '/api/queues/%zz')).toMatchObject({ status: 400, body: { error: 'bad_request' } });
    expect(await ask('GET', '/api/queues/')).toMatchObject({ status: 200, body: [] });
  });

  test('for a name that means something to JavaScript are like any other', async () => {
    const { ask } = await startApi();
    expect(await ask('PUT', '/api/queues/%2F/__proto__', { arguments: { constructor: 1 } })).toMatchObject({
      status: 201,
    });
    expect((await ask('GET', '/api/queues/%2F/__proto__')).body).toMatchObject({ name: '__proto__' });
    expect(await ask('PUT', '/api/queues/%2F/q', '{"__proto__":{"durable":true}}')).toMatchObject({ status: 201 });
    expect((await ask('GET', '/api/queues/%2F/q')).body).toMatchObject({ durable: false });
    expect((await ask('GET', '/api/queues?columns=constructor,name&sort=__proto__.x')).body).toHaveLength(2);
  });

  test('with a regular expression that takes long are refused in time', async () => {
    const { ask } = await startApi();
    await ask('PUT', `/api/queues/%2F/${'a'.repeat(60)}b`, {});
    expect(await ask('GET', '/api/queues?page=1&use_regex=true&name=(a%2B)%2B%24')).toMatchObject({ status: 400 });
  });
});

describe('probes', () => {
  test('answer without a login', async () => {
    const { ask } = await startApi();
    for (const path of ['/healthz', '/readyz'])
      expect(await ask('GET', path, undefined, { as: '' })).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  test('health checks say what listens, and what does not', async () => {
    const { ask, port } = await startApi();
    for (const check of ['alarms', 'local-alarms', 'virtual-hosts', `port-listener/${port}`, 'protocol-listener/amqp'])
      expect(await ask('GET', `/api/health/checks/${check}`), check).toMatchObject({
        status: 200,
        body: { status: 'ok' },
      });
    expect(await ask('GET', '/api/health/checks/port-listener/1')).toMatchObject({
      status: 503,
      body: { status: 'failed', missing: 1 },
    });
    expect(await ask('GET', '/api/aliveness-test/%2F')).toMatchObject({ body: { status: 'ok' } });
  });

  test('what the broker is can be asked for', async () => {
    const { ask, port } = await startApi();
    expect((await ask('GET', '/api/overview')).body).toMatchObject({
      product_name: 'Sluice',
      listeners: [{ protocol: 'http', port }, { protocol: 'amqp' }],
    });
    const [node] = (await ask('GET', '/api/nodes')).body as { name: string }[];
    expect(node).toMatchObject({ running: true, mem_alarm: false });
    expect((await ask('GET', `/api/nodes/${node?.name}`)).body).toMatchObject({ name: node?.name });
    expect(await ask('GET', '/api/nodes/other')).toMatchObject({ status: 404 });
  });
});

describe('connections', () => {
  test('that say nothing are closed after a minute', async () => {
    const { sluice, port } = await startApi({ clock: 'virtual' });
    const silent = connect(port, '127.0.0.1');
    const half = connect(port, '127.0.0.1');
    half.write('PUT /api/queues/%2F/q HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{');
    await Promise.all([once(silent, 'connect'), once(half, 'connect')]);
    await sluice.idle();
    const gone = Promise.all([once(silent, 'close'), once(half, 'close')]);
    silent.on('error', () => {});
    half.on('error', () => {});
    half.resume();
    await sluice.clock.advance(61_000);
    await gone;
  });

  test('several requests come by one, one after the other', async () => {
    const { port } = await startApi();
    const socket = connect(port, '127.0.0.1');
    const get = 'GET /healthz HTTP/1.1\r\nhost: x\r\n';
    socket.write(`${get}\r\n${get}\r\n${get}connection: close\r\n\r\n`);
    const answers = await text(socket);
    expect(answers.match(/HTTP\/1.1 200 OK/g)).toHaveLength(3);
  });

  test('too many requests on one, before any is answered, end it', async () => {
    const { sluice, port, ask } = await startApi();
    await ask('PUT', '/api/queues/%2F/empty', {});
    const login = `host: x\r\nauthorization: Basic ${Buffer.from('guest:guest').toString('base64')}\r\n`;
    const wait = `POST /api/queues/%2F/empty/consume HTTP/1.1\r\n${login}content-length: 17\r\n\r\n{"wait_ms":60000}`;
    const declare = (name: string) => `PUT /api/queues/%2F/${name} HTTP/1.1\r\n${login}content-length: 2\r\n\r\n{}`;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    const closed = once(socket, 'close');
    socket.write(wait + declare('first') + declare('x').repeat(14) + declare('last').repeat(500));
    socket.resume();
    await closed;
    await sluice.idle();
    expect(await ask('GET', '/api/queues/%2F/first')).toMatchObject({ status: 200 });
    expect(await ask('GET', '/api/queues/%2F/last')).toMatchObject({ status: 404 });
  });

  test('there are no more of than the settings say', async () => {
    const { port, ask } = await startApi({ settings: { limits: { connections: 1 } } });
    const first = connect(port, '127.0.0.1');
    await once(first, 'connect');
    const second = connect(port, '127.0.0.1');
    second.on('error', () => {});
    await once(second, 'close');
    const closed = once(first, 'close');
    first.end();
    await closed;
    while ((await ask('GET', '/healthz').catch(() => undefined))?.status !== 200);
  });

  test('end when the broker closes, and so does the broker', async () => {
    const broker = await createBroker({ listeners: ['http://127.0.0.1:0'] });
    const [listener] = broker.listeners;
    const kept = connect(listener?.port ?? 0, '127.0.0.1');
    kept.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(kept, 'data');
    const gone = once(kept, 'close');
    await broker.close();
    await gone;
  });
});
