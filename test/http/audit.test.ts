import { connect } from 'amqplib';
import { describe, expect, test } from 'vitest';
import { ROUTES } from '../../src/protocols/http/routes/index.ts';
import type { AuditEntryShape, AuditPageShape } from '../../src/protocols/http/shapes/audit.ts';
import { type ApiBroker, makeUser, startApi } from './fixture.ts';

async function audit(api: ApiBroker, query = ''): Promise<readonly AuditEntryShape[]> {
  await api.sluice.idle();
  const { body, status } = await api.ask('GET', `/api/audit?${query}`);
  expect(status).toBe(200);
  return (body as AuditPageShape).items;
}

const acts = (entries: readonly AuditEntryShape[]) =>
  entries.map(({ act, object, outcome }) => `${act} ${object} ${outcome}`).reverse();

test('who did what, on what, and how it went', async () => {
  const api = await startApi();
  await api.ask('PUT', '/api/queues/%2F/orders', { durable: true, arguments: { 'x-max-length': 5 } });
  await api.ask('PUT', '/api/queues/%2F/orders', { durable: true, arguments: { 'x-max-length': 5 } });
  await api.ask('DELETE', '/api/queues/%2F/none');
  await api.ask('DELETE', '/api/queues/%2F/orders');
  const [deleted, declared, login] = await audit(api);
  expect(deleted).toMatchObject({ act: 'queue.delete', object: 'orders', vhost: '/', outcome: 'done' });
  expect(declared).toEqual({
    id: expect.any(Number),
    time: expect.any(Number),
    user: 'guest',
    address: '127.0.0.1',
    protocol: 'http',
    act: 'queue.declare',
    object: 'orders',
    vhost: '/',
    outcome: 'done',
    reason: null,
    details: { durable: true, arguments: { 'x-max-length': 5 } },
    repeated: 0,
  });
  expect(login).toMatchObject({ act: 'login', user: 'guest', outcome: 'done' });
  expect(await audit(api)).toHaveLength(3);
});

test('what was refused is told too, before the request is read and after', async () => {
  const api = await startApi();
  const user = await makeUser(api, 'user', 'management', ['/']);
  await api.ask('PUT', '/api/permissions/%2F/user', { configure: '^own', write: '', read: '' });
  await api.ask('PUT', '/api/users/other', { password: 'secret-1', tags: '' }, user);
  await api.ask('PUT', '/api/queues/%2F/theirs', {}, user);
  await api.ask('GET', '/api/whoami', undefined, { as: 'user:secret-2' });
  const entries = await audit(api, 'user=user&outcome=refused');
  expect(acts(entries)).toEqual(['user.change other refused', 'queue.declare theirs refused', 'login  refused']);
  expect(entries.map(({ reason }) => reason)).toEqual([
    null,
    "configure access to queue 'theirs' in vhost '/' refused for user 'user'",
    'Not administrator user',
  ]);
  expect(JSON.stringify(await audit(api))).not.toContain('secret-');
  expect(await api.ask('GET', '/api/audit', undefined, user)).toMatchObject({ status: 401 });
});

test('it is filtered, and read by pages or as lines', async () => {
  const api = await startApi();
  for (const name of ['a', 'b', 'c']) await api.ask('PUT', `/api/vhosts/${name}`, {});
  await api.ask('PUT', '/api/exchanges/a/x', { type: 'fanout' });
  expect(acts(await audit(api, 'act=vhost'))).toEqual([
    'vhost.create a done',
    'vhost.create b done',
    'vhost.create c done',
  ]);
  expect(acts(await audit(api, 'vhost=a&act=exchange.declare'))).toEqual(['exchange.declare x done']);
  expect(acts(await audit(api, 'object=B'))).toEqual(['vhost.create b done']);
  expect(await audit(api, 'protocol=kafka')).toEqual([]);
  expect(await audit(api, 'until=1')).toEqual([]);
  expect(await audit(api, 'since=2100-01-01T00:00:00Z')).toEqual([]);
  const first = (await api.ask('GET', '/api/audit?act=vhost&limit=2')).body as AuditPageShape;
  expect(acts(first.items)).toEqual(['vhost.create b done', 'vhost.create c done']);
  const second = (await api.ask('GET', `/api/audit?act=vhost&limit=2&before=${first.next}`)).body as AuditPageShape;
  expect(acts(second.items)).toEqual(['vhost.create a done']);
  expect(second.next).toBeNull();
  const lines = await api.ask('GET', '/api/audit?format=jsonl&act=vhost');
  expect(lines.headers.get('content-type')).toBe('application/x-ndjson');
  expect(
    acts(
      String(lines.body)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ),
  ).toHaveLength(3);
  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'before=-1', 'since=yesterday'])
    expect(await api.ask('GET', `/api/audit?${query}`), query).toMatchObject({ status: 400 });
});

describe('AMQP', () => {
  test('acts are recorded as far as they change something that others use', async () => {
    const api = await startApi();
    const connection = await connect(api.sluice.listeners[1]?.url.replace('amqp://', 'amqp://guest:guest@') ?? '');
    const channel = await connection.createChannel();
    for (let again = 0; again < 2; again++) {
      await channel.assertExchange('ex', 'topic');
      await channel.assertExchange('ex2', 'topic');
      await channel.assertQueue('orders', { arguments: { 'x-max-length': 3 } });
      await channel.bindQueue('orders', 'ex', 'key');
      await channel.bindExchange('ex2', 'ex', 'key');
      await channel.checkQueue('orders');
    }
    const { queue: reply } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(reply, 'ex', 'reply');
    await channel.deleteQueue(reply);
    await channel.assertQueue('own', { exclusive: true });
    await channel.purgeQueue('orders');
    channel.sendToQueue('orders', Buffer.from('x'));
    await channel.purgeQueue('orders');
    await channel.unbindQueue('orders', 'ex', 'key');
    await channel.unbindQueue('orders', 'ex', 'key');
    await channel.unbindExchange('ex2', 'ex', 'key');
    await channel.deleteQueue('orders');
    await channel.deleteQueue('orders');
    await channel.deleteExchange('ex');
    await channel.deleteExchange('ex');
    await connection.close();
    const entries = await audit(api, 'protocol=amqp');
    expect(acts(entries)).toEqual([
      'login  done',
      'exchange.declare ex done',
      'exchange.declare ex2 done',
      'queue.declare orders done',
      'binding.make ex q orders done',
      'binding.make ex e ex2 done',
      'queue.purge orders done',
      'binding.remove ex q orders done',
      'binding.remove ex e ex2 done',
      'queue.delete orders done',
      'exchange.delete ex done',
    ]);
    expect(entries.at(-4)).toMatchObject({
      ...{ user: 'guest', vhost: '/', address: '127.0.0.1' },
      details: { durable: true, auto_delete: false, arguments: { 'x-max-length': 3 } },
    });
  });

  test('so are refusals, and logins that fail', async () => {
    const api = await startApi();
    await makeUser(api, 'user', '', ['/']);
    await api.ask('PUT', '/api/permissions/%2F/user', { configure: '', write: '', read: '' });
    const url = (password: string) => api.sluice.listeners[1]?.url.replace('amqp://', `amqp://user:${password}@`) ?? '';
    const connection = await connect(url('user'));
    const channel = await connection.createChannel();
    channel.on('error', () => {});
    await expect(channel.assertQueue('q')).rejects.toThrow('ACCESS_REFUSED');
    await expect(connect(url('secret-1'))).rejects.toThrow();
    await connection.close();
    const entries = await audit(api, 'protocol=amqp&user=user');
    expect(acts(entries)).toEqual(['login  done', 'queue.declare q refused', 'login  refused']);
    expect(JSON.stringify(entries)).not.toContain('secret-1');
  });
});

test('each route that changes something is in the log when it is refused', async () => {
  const api = await startApi();
  await makeUser(api, 'nobody', 'management');
  const paths = ROUTES.filter(({ method, access }) => method !== 'GET' && access === 'administrator');
  expect(paths.length).toBeGreaterThan(10);
  for (const { method, path } of paths) {
    await api.ask(method, path.replaceAll(/:\w+/g, 'x'), undefined, { as: 'nobody:nobody' });
    const [entry] = await audit(api, 'limit=1&user=nobody');
    expect(entry, `${method} ${path}`).toMatchObject({ outcome: 'refused', reason: 'Not administrator user' });
  }
});
