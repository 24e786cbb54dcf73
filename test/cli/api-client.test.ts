import { createServer } from 'node:http';
import { createServer as createTcp, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ApiClient, apiUrl, path } from '../../src/cli/api/index.ts';
import { type ApiBroker, startApi } from '../http/fixture.ts';

function clientOf(url: string, login: { readonly user?: string; readonly password?: string } = {}): ApiClient {
  const { user = 'guest', password = user } = login;
  const client = new ApiClient({ url: apiUrl(url), user, password, userGiven: login.user !== undefined });
  onTestFinished(() => client.close());
  return client;
}

async function declareQueues({ ask }: ApiBroker, count: number): Promise<void> {
  const queues = Array.from({ length: count }, (_, n) => ({
    ...{ name: `q${String(n).padStart(4, '0')}`, vhost: '/', durable: true, auto_delete: false, arguments: {} },
  }));
  await ask('POST', '/api/definitions', { queues });
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

test('a long list comes whole, by pages, sorted and with the columns that were asked for', async () => {
  const broker = await startApi();
  await declareQueues(broker, 1203);
  const client = clientOf(broker.url);
  const pages: number[] = [];
  const query = { columns: 'name', sort: 'name', sort_reverse: true };
  for await (const page of client.pages('/queues', { query })) pages.push(page.length);
  expect(pages).toEqual([500, 500, 203]);
  const all = await client.all<{ readonly name: string }>('/queues', { query });
  expect([all.length, all[0], all.at(-1)]).toEqual([1203, { name: 'q1202' }, { name: 'q0000' }]);
  expect(await client.count('/queues', { query: { name: 'Q00' } })).toBe(100);
  // This one has no pages.
  expect(await client.count('/bindings')).toBe(1203);
  expect(await client.all('/queues', { query: { name: 'nothing' } })).toEqual([]);
});

test('names may have anything in them', async () => {
  const { url } = await startApi();
  const client = clientOf(url);
  const name = 'a/b c?d#e%2F ö';
  await client.put(path`/queues/${'/'}/${name}`, {});
  expect(await client.get(path`/queues/${'/'}/${name}`)).toMatchObject({ name, vhost: '/' });
  expect(await client.find(path`/queues/${'/'}/${'other'}`)).toBeUndefined();
});

test('errors say what to do', async () => {
  const { url, ask } = await startApi();
  await ask('PUT', '/api/users/anna', { password: 'anna', tags: 'management' });
  const client = clientOf(url);
  await expect(client.get('/queues/%2F/x', { subject: "queue 'x'" })).rejects.toMatchObject({
    ...{ code: 'not-found', status: 404, message: "there is no queue 'x'" },
  });
  await expect(client.get('/nowhere')).rejects.toMatchObject({ code: 'not-found' });
  await expect(clientOf(url, { user: 'anna', password: 'x' }).get('/overview')).rejects.toMatchObject({
    ...{ code: 'not-authorized', message: expect.stringContaining("'anna'") },
  });
  await expect(clientOf(url, { password: 'x' }).get('/overview')).rejects.toMatchObject({
    ...{ code: 'not-authorized', message: expect.stringContaining('--user') },
  });
  await expect(clientOf(url, { user: 'anna' }).get('/users')).rejects.toMatchObject({
    ...{ code: 'access-refused', message: expect.stringContaining('Not administrator user') },
  });
  await expect(client.put('/exchanges/%2F/x', { type: 'odd' })).rejects.toMatchObject({ code: 'invalid-argument' });
});

test('whoever is no HTTP API is told from one that is not there', async () => {
  const gone = createTcp();
  const port = await portOf(gone);
  await new Promise((resolve) => gone.close(resolve));
  await expect(clientOf(`127.0.0.1:${port}`).get('/overview')).rejects.toMatchObject({
    ...{ code: 'closed', message: expect.stringContaining('nothing listens there') },
  });
  const babble = await portOf(createTcp((socket) => socket.on('error', () => {}).end('SSH-2.0-x\r\n')));
  await expect(clientOf(`127.0.0.1:${babble}`).get('/overview')).rejects.toMatchObject({
    message: expect.stringContaining('is not the HTTP API'),
  });
  const page = await portOf(createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<p>')));
  await expect(clientOf(`127.0.0.1:${page}`).get('/overview')).rejects.toMatchObject({
    message: expect.stringContaining('is not the HTTP API'),
  });
});

test('an event stream is read as it comes, until it is broken off', async () => {
  const port = await portOf(
    createServer((_, answer) => {
      answer.setHeader('content-type', 'text/event-stream');
      answer.write('data: 1\n\ndata: 2\n\ndata: half');
    }),
  );
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const { data } of clientOf(`http://127.0.0.1:${port}`).events('/x', { signal: stop.signal })) {
    seen.push(data);
    if (data === '2') stop.abort();
  }
  expect(seen).toEqual(['1', '2']);
});

test('a password has no place in a URL', () => {
  expect(() => apiUrl('http://guest:secret@localhost:15672')).toThrow('on the terminal');
  expect(() => apiUrl('ftp://localhost')).toThrow('is wanted');
  expect(apiUrl('broker:80').href).toBe('http://broker/');
  expect(apiUrl('https://[::1]:15671').host).toBe('[::1]:15671');
});
