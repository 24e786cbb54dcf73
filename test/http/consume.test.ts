import amqplib from 'amqplib';
import { expect, onTestFinished, test } from 'vitest';
import type { ConsumedMessages, ConsumedRecords } from '../../src/protocols/http/shapes/consumption.ts';
import { makeUser } from './fixture.ts';
import { listen, type StreamsBroker, startStreams } from './streams-fixture.ts';

const QUEUE = '/api/queues/%2F/jobs';

async function withJobs(...values: string[]): Promise<StreamsBroker> {
  const api = await startStreams();
  await api.ask('PUT', QUEUE, { durable: true });
  await fill(api, ...values);
  return api;
}

async function fill({ ask }: StreamsBroker, ...values: string[]): Promise<void> {
  if (values.length > 0) await ask('POST', `${QUEUE}/produce`, { messages: values.map((value) => ({ value })) });
}

async function take({ ask }: StreamsBroker, body: object = {}, options = {}) {
  const answer = await ask('POST', `${QUEUE}/consume`, body, options);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return (answer.body as ConsumedMessages).messages;
}

const valuesOf = (messages: ConsumedMessages['messages']) => messages.map(({ value }) => value.data);

async function depth({ ask }: StreamsBroker) {
  const { messages_ready: ready, messages_unacknowledged: out } = (await ask('GET', QUEUE)).body as Record<
    string,
    number
  >;
  return [ready, out];
}

test('messages are taken from a queue, and gone when they were answered', async () => {
  const api = await withJobs('a', 'b', 'c');
  expect(await take(api, { count: 2 })).toMatchObject([
    { token: null, exchange: '', routing_key: 'jobs', redelivered: false, value: { format: 'text', data: 'a' } },
    { value: { data: 'b' } },
  ]);
  expect(valuesOf(await take(api, { count: 10 }))).toEqual(['c']);
  expect(await take(api)).toEqual([]);
  await expect.poll(() => depth(api)).toEqual([0, 0]);
});

test('a request waits for a message, as a consumer among others', async () => {
  const api = await withJobs();
  const waiting = take(api, { wait_ms: 60_000, count: 10 });
  await expect.poll(async () => ((await api.ask('GET', QUEUE)).body as { consumers: number }).consumers).toBe(1);
  await fill(api, 'x', 'y');
  expect(valuesOf(await waiting)).toEqual(['x', 'y']);
  await expect.poll(() => depth(api)).toEqual([0, 0]);
  expect((await api.ask('GET', QUEUE)).body).toMatchObject({ consumers: 0 });
});

test('a client that goes away while it waits takes nothing with it', async () => {
  const api = await withJobs();
  const controller = new AbortController();
  const headers = { authorization: `Basic ${btoa('guest:guest')}` };
  const waiting = fetch(`${api.url}${QUEUE}/consume`, {
    ...{ method: 'POST', headers, body: '{"wait_ms":60000}', signal: controller.signal },
  });
  await expect.poll(async () => ((await api.ask('GET', QUEUE)).body as { consumers: number }).consumers).toBe(1);
  controller.abort();
  await expect(waiting).rejects.toThrow();
  await expect.poll(async () => ((await api.ask('GET', QUEUE)).body as { consumers: number }).consumers).toBe(0);
  await fill(api, 'kept');
  expect(valuesOf(await take(api))).toEqual(['kept']);
});

test('messages with tokens are acknowledged, given back, rejected and locked for longer', async () => {
  const api = await withJobs('a', 'b', 'c', 'd');
  const settle = async (body: object, options = {}) => (await api.ask('POST', `${QUEUE}/settle`, body, options)).body;
  const messages = await take(api, { ack: 'manual', count: 4 });
  const [a, b, c, d] = messages.map(({ token }) => token ?? '');
  expect(await depth(api)).toEqual([0, 4]);
  expect(await settle({ acknowledge: [a], requeue: [b], reject: [c], renew: [d] })).toEqual({
    settled: 4,
    unknown: [],
  });
  expect(await depth(api)).toEqual([1, 1]);
  expect(await settle({ acknowledge: [a, 'nonsense', 'a.b.c'] })).toEqual({
    settled: 0,
    unknown: [a, 'nonsense', 'a.b.c'],
  });
  expect(await take(api)).toMatchObject([{ redelivered: true, value: { data: 'b' } }]);
  // A token is of nobody else's, and of no other queue.
  const other = await makeUser(api, 'anna', 'management', ['/']);
  expect(await settle({ acknowledge: [d] }, other)).toEqual({ settled: 0, unknown: [d] });
  await api.ask('PUT', '/api/queues/%2F/others', {});
  expect((await api.ask('POST', '/api/queues/%2F/others/settle', { acknowledge: [d] })).body).toMatchObject({
    settled: 0,
  });
  expect(await settle({ acknowledge: [d] })).toEqual({ settled: 1, unknown: [] });
  expect(await depth(api)).toEqual([0, 0]);
});

test('a message whose lock ran out is delivered again', async () => {
  const api = await withJobs('a');
  const [first] = await take(api, { ack: 'manual', lock_ms: 1000 });
  expect(await take(api, { wait_ms: 30_000 })).toMatchObject([{ redelivered: true, value: { data: 'a' } }]);
  const late = await api.ask('POST', `${QUEUE}/settle`, { acknowledge: [first?.token] });
  expect(late.body).toEqual({ settled: 0, unknown: [first?.token] });
});

test('a queue is listened to, with acknowledgements of its own or by tokens', async () => {
  const api = await withJobs('a');
  const url = `${api.url}${QUEUE}/consume`;
  const auto = await listen(url);
  expect(await auto.next()).toMatchObject({ data: { token: null, value: { data: 'a' } } });
  await fill(api, 'b');
  expect(await auto.next()).toMatchObject({ data: { value: { data: 'b' } } });
  await expect.poll(() => depth(api)).toEqual([0, 0]);
  auto.close();
  await expect.poll(async () => ((await api.ask('GET', QUEUE)).body as { consumers: number }).consumers).toBe(0);

  const manual = await listen(`${url}?ack=manual&prefetch=2`);
  await fill(api, 'c', 'd', 'e');
  const [c, d] = [await manual.next(), await manual.next()];
  expect(await depth(api)).toEqual([1, 2]);
  await api.ask('POST', `${QUEUE}/settle`, { acknowledge: [c.data.token] });
  expect(await manual.next()).toMatchObject({ data: { value: { data: 'e' } } });
  manual.close();
  await expect.poll(() => depth(api)).toEqual([2, 0]);
  expect((await api.ask('POST', `${QUEUE}/settle`, { acknowledge: [d.data.token] })).body).toMatchObject({
    settled: 0,
  });
});

test('who listens is told when the queue goes, and another site cannot have a browser listen', async () => {
  const api = await withJobs();
  const events = await listen(`${api.url}${QUEUE}/consume`);
  await expect.poll(async () => ((await api.ask('GET', QUEUE)).body as { consumers: number }).consumers).toBe(1);
  const forged = await api.ask('GET', `${QUEUE}/consume`, undefined, { headers: { 'sec-fetch-site': 'cross-site' } });
  expect(forged.status).toBe(403);
  await api.ask('DELETE', QUEUE);
  expect(await events.next()).toMatchObject({ event: 'error', data: { reason: 'the queue is gone' } });
});

test('what cannot be is refused, and so is who may not read', async () => {
  const api = await withJobs('a');
  for (const body of [{ count: 0 }, { count: 1001 }, { wait_ms: 60_001 }, { lock_ms: 10 }, { ack: 'perhaps' }])
    expect((await api.ask('POST', `${QUEUE}/consume`, body)).status, JSON.stringify(body)).toBe(400);
  const anna = await makeUser(api, 'anna', 'management');
  await api.ask('PUT', '/api/permissions/%2F/anna', { configure: '', write: '.*', read: '' });
  for (const [method, path] of [
    ['POST', 'consume'],
    ['GET', 'consume'],
    ['POST', 'settle'],
  ] as const)
    expect((await api.ask(method, `${QUEUE}/${path}`, method === 'POST' ? {} : undefined, anna)).status).toBe(401);
  await api.ask('PUT', '/api/queues/%2F/log', { durable: true, arguments: { 'x-queue-type': 'stream' } });
  expect((await api.ask('POST', '/api/queues/%2F/log/consume', {})).status).toBe(400);
  const connection = await amqplib.connect(`amqp://guest:guest@127.0.0.1:${api.sluice.listeners[2]?.port}`);
  onTestFinished(() => connection.close());
  const channel = await connection.createChannel();
  await channel.consume('jobs', () => {}, { exclusive: true });
  expect((await api.ask('POST', `${QUEUE}/consume`, { wait_ms: 100 })).status).toBe(401);
});

test('messages that wait to be settled are limited', async () => {
  const api = await withJobs();
  for (let i = 0; i < 11; i++) await fill(api, ...Array<string>(1000).fill('x'));
  let taken = 0;
  for (let i = 0; i < 10; i++) taken += (await take(api, { ack: 'manual', count: 1000 })).length;
  expect(taken).toBe(10_000);
  expect(await api.ask('POST', `${QUEUE}/consume`, { ack: 'manual' })).toMatchObject({ status: 429 });
  expect(await take(api)).toHaveLength(1);
});

const STREAM = '/api/streams/orders';

async function withOrders(partitions = 1): Promise<StreamsBroker> {
  const api = await startStreams();
  await api.ask('PUT', STREAM, { partitions });
  return api;
}

async function read({ ask }: StreamsBroker, body: object): Promise<ConsumedRecords> {
  const answer = await ask('POST', `${STREAM}/consume`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body as ConsumedRecords;
}

const recordsIn = ({ items }: ConsumedRecords) => items.map(({ value }) => value?.data);

test('a stream is read by cursors, without a group', async () => {
  const api = await withOrders();
  await api.send(
    'orders',
    ['a', 'b', 'c'].map((value) => ({ value, timestamp: '1700000000000' })),
  );
  const first = await read(api, { count: 2 });
  expect(recordsIn(first)).toEqual(['a', 'b']);
  expect(first.more).toBe(true);
  const second = await read(api, { cursor: first.cursor });
  expect(recordsIn(second)).toEqual(['c']);
  expect(recordsIn(await read(api, { from: { offset: 1 } }))).toEqual(['b', 'c']);
  expect(recordsIn(await read(api, { from: { timestamp: 1_700_000_000_001 } }))).toEqual([]);
  const waiting = read(api, { cursor: second.cursor, wait_ms: 60_000 });
  await api.send('orders', [{ value: 'd' }]);
  expect(recordsIn(await waiting)).toEqual(['d']);
  for (const body of [{ cursor: '%' }, { cursor: '9.9' }, { from: 'middle' }, { partitions: [4] }, { count: 1001 }])
    expect((await api.ask('POST', `${STREAM}/consume`, body)).status, JSON.stringify(body)).toBe(400);
});

test("a group goes on where it was, and shares its offsets with Kafka's consumers", async () => {
  const api = await withOrders(2);
  await api.send(
    'orders',
    Array.from({ length: 6 }, (_, i) => ({ partition: i % 2, value: `${i}`, timestamp: `${i + 1}` })),
  );
  expect(recordsIn(await read(api, { group: 'g', count: 4 }))).toEqual(['0', '1', '2', '3']);
  expect(recordsIn(await read(api, { group: 'g' }))).toEqual(['4', '5']);
  expect(recordsIn(await read(api, { group: 'g' }))).toEqual([]);
  expect((await api.ask('GET', '/api/groups/g')).body).toMatchObject({ lag: 0, members: 0, type: 'classic' });

  // What is acknowledged by its cursor is delivered again until that is sent.
  const manual = { group: 'm', commit: 'manual', count: 2 };
  const once = await read(api, manual);
  expect(recordsIn(await read(api, manual))).toEqual(recordsIn(once));
  const next = await read(api, { ...manual, cursor: once.cursor });
  expect(recordsIn(next)).toEqual(['2', '3']);

  const consumer = api.kafka.consumer({ groupId: 'm', maxWaitTimeInMs: 50 });
  onTestFinished(() => consumer.disconnect());
  const got: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: 'orders', fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void got.push(String(message.value)) });
  await expect.poll(() => got.toSorted(), { timeout: 10_000 }).toEqual(['2', '3', '4', '5']);
  // While the group has members, they alone commit.
  expect((await api.ask('POST', `${STREAM}/consume`, { ...manual, cursor: once.cursor })).status).toBe(409);
});

test('a stream is listened to, and gone on with by the id of the last event', async () => {
  const api = await withOrders(2);
  await api.send('orders', [{ partition: 0, value: 'before' }]);
  const url = `${api.url}${STREAM}/consume`;
  const events = await listen(url);
  // It listens when it has answered: what comes from now on is new.
  await api.send('orders', [
    { partition: 1, value: 'a' },
    { partition: 1, value: 'b' },
  ]);
  const a = await events.next();
  expect(a.data).toMatchObject({ partition: 1, value: { data: 'a' } });
  expect((await events.next()).data).toMatchObject({ value: { data: 'b' } });
  events.close();
  await api.send('orders', [{ partition: 0, value: 'c' }]);
  const again = await listen(url, { 'last-event-id': a.id ?? '' });
  const rest = [await again.next(), await again.next()].map(({ data }) => data.value.data);
  expect(rest.toSorted()).toEqual(['b', 'c']);
  const all = await listen(`${url}?from=earliest&partition=0`);
  expect((await all.next()).data).toMatchObject({ value: { data: 'before' } });
});

test('who listens for a group commits what was read', async () => {
  const api = await withOrders();
  await api.send('orders', [{ value: 'a' }, { value: 'b' }]);
  const events = await listen(`${api.url}${STREAM}/consume?group=g&from=earliest`);
  await events.next();
  await events.next();
  await expect.poll(async () => ((await api.ask('GET', '/api/groups/g')).body as { lag?: number }).lag).toBe(0);
  events.close();
  // What is read until the broker knows that the listener is gone, is lost to it.
  for (let i = 0; i < 3; i++) await api.ask('GET', STREAM);
  await api.send('orders', [{ value: 'c' }]);
  const again = await listen(`${api.url}${STREAM}/consume?group=g`);
  expect((await again.next()).data).toMatchObject({ value: { data: 'c' } });
  await api.ask('DELETE', STREAM);
  expect(await again.next()).toMatchObject({ event: 'error' });
});

test('a slow listener loses nothing of a stream, and has little waiting', async () => {
  const api = await withOrders();
  const value = 'x'.repeat(10_000);
  const messages = Array.from({ length: 2000 }, (_, i) => ({ value: `${i} ${value}` }));
  for (let i = 0; i < messages.length; i += 100)
    await api.ask('POST', `${STREAM}/produce`, { messages: messages.slice(i, i + 100) });
  const events = await listen(`${api.url}${STREAM}/consume?from=earliest`);
  for (let i = 0; i < messages.length; i++) {
    const { data } = await events.next();
    expect(data.offset).toBe(i);
  }
});

test('who listens is not taken for silent, and requests that wait are answered before the broker closes', async () => {
  const api = await startStreams({ clock: 'virtual' });
  await api.ask('PUT', QUEUE, {});
  const events = await listen(`${api.url}${QUEUE}/consume`);
  for (let i = 0; i < 30; i++) await api.sluice.clock.advance(10_000);
  await fill(api, 'late');
  expect(await events.next()).toMatchObject({ data: { value: { data: 'late' } } });
  const waiting = take(api, { wait_ms: 60_000 });
  await expect.poll(async () => ((await api.ask('GET', QUEUE)).body as { consumers: number }).consumers).toBe(2);
  await api.sluice.close();
  expect(await waiting).toEqual([]);
});
