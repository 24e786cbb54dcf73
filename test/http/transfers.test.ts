import { expect, test } from 'vitest';
import type { MessagePage, ShownTransfer } from '../../src/protocols/http/shapes/queue-messages.ts';
import { makeUser } from './fixture.ts';
import { ended, startQueues } from './queue-fixture.ts';

const MOVE = '/api/queues/%2F/from/move';
const BODIES = Array.from({ length: 500 }, (_, i) => `m${i}`);

async function twoQueues(from: Record<string, unknown> = {}, to: Record<string, unknown> = {}) {
  const api = await startQueues();
  await api.channel.assertQueue('from', { durable: true, arguments: from });
  await api.channel.assertQueue('to', { durable: true, arguments: to });
  return api;
}

test('all messages move, in their order, with their addresses and properties', async () => {
  const api = await twoQueues();
  const { channel, post } = api;
  await channel.bindQueue('from', 'amq.topic', '#');
  channel.publish('amq.topic', 'some.key', Buffer.from('first'), { persistent: true, headers: { h: 1 } });
  await api.send('from', ...BODIES);
  const transfer = await post<ShownTransfer>(MOVE, { to: { queue: 'to' }, wait_ms: 20_000 });
  expect(transfer).toMatchObject({
    ...{ kind: 'move', vhost: '/', source: 'from', destination: 'queue to', user: 'guest', state: 'done' },
    ...{ looked_at: 501, matched: 501, moved: 501, copied: 0, skipped: {}, targets: { to: 501 }, error: null },
  });
  expect(await api.payloads('from')).toEqual([]);
  expect(await channel.get('to')).toMatchObject({
    content: Buffer.from('first'),
    fields: { exchange: 'amq.topic', routingKey: 'some.key', redelivered: false },
    properties: { headers: { h: 1 } },
  });
  expect((await api.payloads('to')).slice(1)).toEqual(BODIES.slice(0, 499));
});

test('the first so many, those that match, or some by their ids', async () => {
  const api = await twoQueues();
  await api.send('from', 'a1', 'b2', 'a3', 'b4', 'a5');
  await api.post(MOVE, { to: { queue: 'to' }, count: 1 });
  expect(await api.payloads('to')).toEqual(['a1']);
  await api.post(MOVE, { to: { queue: 'to' }, filter: { text: 'b' }, count: 1 });
  expect(await api.payloads('to')).toEqual(['a1', 'b2']);
  const { items } = await api.get<MessagePage>('/api/queues/%2F/from/messages');
  const ids = [items[2]?.id, items[0]?.id, '0-77-abc'];
  expect(await api.post(MOVE, { to: { queue: 'to' }, ids })).toMatchObject({ moved: 2, skipped: { gone: 1 } });
  expect(await api.payloads('to')).toEqual(['a1', 'b2', 'a5', 'a3']);
  expect(await api.payloads('from')).toEqual(['b4']);
});

test('to an exchange they are published anew; what it sends nowhere stays', async () => {
  const api = await twoQueues();
  const { channel } = api;
  await channel.assertExchange('x', 'direct');
  await channel.bindQueue('to', 'x', 'wanted');
  await channel.bindQueue('from', 'amq.topic', '#');
  channel.publish('amq.topic', 'wanted', Buffer.from('a'), { persistent: true });
  channel.publish('amq.topic', 'other', Buffer.from('b'), { persistent: true });
  await channel.waitForConfirms();
  const dry = await api.post<ShownTransfer>(MOVE, { to: { exchange: 'x' }, dry_run: true });
  expect(dry).toMatchObject({ dry_run: true, moved: 0, matched: 2, targets: { to: 1 }, skipped: { unroutable: 1 } });
  expect(await api.payloads('from')).toEqual(['a', 'b']);
  expect(await api.post(MOVE, { to: { exchange: 'x' } })).toMatchObject({ moved: 1, skipped: { unroutable: 1 } });
  expect(await channel.get('to')).toMatchObject({ fields: { exchange: 'x', routingKey: 'wanted' } });
  expect(await api.post(MOVE, { to: { exchange: 'x', routing_key: 'wanted' } })).toMatchObject({ moved: 1 });
  expect(await channel.get('to')).toMatchObject({ content: Buffer.from('b') });
});

test('what comes back to the queue by the exchange is not moved again', async () => {
  const api = await twoQueues();
  await api.channel.bindQueue('from', 'amq.fanout', '');
  await api.send('from', 'a', 'b');
  expect(await api.post(MOVE, { to: { exchange: 'amq.fanout' } })).toMatchObject({ state: 'done', moved: 2 });
  expect(await api.payloads('from')).toEqual(['a', 'b']);
});

test.each([
  ['a queue that does not outlive a restart', { durable: false, exclusive: true }],
  ['a stream', { durable: true, arguments: { 'x-queue-type': 'stream' } }],
])('to %s they are published first, and leave afterwards', async (_what, options) => {
  const api = await startQueues();
  await api.channel.assertQueue('from', { durable: true });
  await api.channel.assertQueue('far', options);
  await api.channel.bindQueue('far', 'amq.fanout', '');
  await api.send('from', ...BODIES);
  const transfer = await api.post<ShownTransfer>(MOVE, { to: { exchange: 'amq.fanout' }, wait_ms: 20_000 });
  expect(transfer).toMatchObject({ state: 'done', moved: 500, copied: 0 });
  expect(await api.payloads('from')).toEqual([]);
  const { messages } = await api.get<{ messages: number }>('/api/queues/%2F/far');
  expect(messages).toBe(500);
});

test('a queue that refuses more ends it, and nothing is lost', async () => {
  const api = await twoQueues({}, { 'x-max-length': 300, 'x-overflow': 'reject-publish' });
  await api.send('from', ...BODIES);
  const transfer = await api.post<ShownTransfer>(MOVE, { to: { queue: 'to' }, wait_ms: 20_000 });
  expect(transfer).toMatchObject({
    state: 'failed',
    moved: 300,
    error: "queue 'to' is full, and refuses what is published",
  });
  expect(await api.payloads('to')).toEqual(BODIES.slice(0, 300));
  expect(await api.payloads('from')).toEqual(BODIES.slice(300));
});

test('what a consumer has stays with it', async () => {
  const api = await twoQueues();
  await api.send('from', 'a', 'b');
  const first = await api.channel.get('from');
  expect(await api.post(MOVE, { to: { queue: 'to' } })).toMatchObject({ moved: 1, skipped: { unacknowledged: 1 } });
  if (first !== false) api.channel.ack(first);
  expect(await api.payloads('to')).toEqual(['b']);
});

test('one with a rate goes slowly, is seen while it goes, and can be stopped by who began it', async () => {
  const api = await twoQueues();
  await api.send('from', ...BODIES);
  const how = await makeUser(api, 'other', 'management', ['/']);
  const begun = await api.post<ShownTransfer>(MOVE, { to: { queue: 'to' }, rate: 10, wait_ms: 0 });
  expect(begun).toMatchObject({ state: 'running', rate: 10, total: 500 });
  expect(await api.ask('POST', MOVE, { to: { queue: 'to' } })).toMatchObject({ status: 400 });
  await expect
    .poll(() => api.get<ShownTransfer>(`/api/transfers/${begun.id}`))
    .toMatchObject({ moved: expect.any(Number) });
  expect(await api.get('/api/transfers')).toMatchObject([{ id: begun.id, state: 'running' }]);
  expect(await api.ask('DELETE', `/api/transfers/${begun.id}`, undefined, how)).toMatchObject({ status: 401 });
  expect(await api.ask('DELETE', `/api/transfers/${begun.id}`)).toMatchObject({ status: 200 });
  const { state, moved } = await ended(api, begun);
  expect(state).toBe('stopped');
  expect(moved).toBeLessThan(500);
  expect([...(await api.payloads('to')), ...(await api.payloads('from'))]).toEqual(BODIES);
  expect(await api.ask('GET', '/api/transfers/none')).toMatchObject({ status: 404 });
});

test('what cannot be is refused: no such place, the same queue, no permission to publish there', async () => {
  const api = await twoQueues();
  const how = await makeUser(api, 'other', 'management', ['/']);
  await api.ask('PUT', '/api/permissions/%2F/other', { configure: '.*', write: '^x$', read: '.*' });
  const status = async (body: object, who = {}) => (await api.ask('POST', MOVE, body, who)).status;
  expect(await status({ to: { queue: 'none' } })).toBe(404);
  expect(await status({ to: { exchange: 'none' } })).toBe(404);
  expect(await status({ to: { queue: 'from' } })).toBe(400);
  expect(await status({ to: { exchange: 'amq.rabbitmq.trace' } })).toBe(400);
  expect(await status({})).toBe(400);
  expect(await status({ to: { queue: 'to' }, rate: 0 })).toBe(400);
  expect(await status({ to: { queue: 'to' }, ids: ['x'] })).toBe(400);
  expect(await status({ to: { queue: 'to' } }, how)).toBe(401);
  expect(await status({ to: { exchange: 'amq.fanout' } }, how)).toBe(401);
});
