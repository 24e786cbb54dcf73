import amqplib from 'amqplib';
import { expect, onTestFinished, test } from 'vitest';
import type { RecordPage } from '../../src/protocols/http/shapes/streams.ts';
import { alterClientQuotas } from '../../src/protocols/kafka/codec/apis/alter-client-quotas.ts';
import { ask } from '../kafka/raw-client.ts';
import { connectTo } from '../kafka/share-consumer.ts';
import { makeUser } from './fixture.ts';
import { type StreamsBroker, startStreams } from './streams-fixture.ts';

async function withOrders(config = {}): Promise<StreamsBroker> {
  const api = await startStreams();
  await api.ask('PUT', '/api/streams/orders', { partitions: 3, config });
  return api;
}

const produce = ({ ask }: StreamsBroker, body: unknown, options = {}) =>
  ask('POST', '/api/streams/orders/produce', body, options);

async function recordsOf({ ask }: StreamsBroker, stream = 'orders') {
  return ((await ask('GET', `/api/streams/${stream}/messages`)).body as RecordPage).items;
}

/** What a Kafka consumer gets of the topic. */
async function consumed({ kafka }: StreamsBroker, count: number) {
  const consumer = kafka.consumer({ groupId: 'reader', maxWaitTimeInMs: 50 });
  onTestFinished(() => consumer.disconnect());
  const got: {
    key: string | undefined;
    value: string | undefined;
    partition: number;
    headers: Record<string, string>;
  }[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: 'orders', fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message: { key, value, headers }, partition }) => {
      const texts = Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)]);
      got.push({ key: key?.toString(), value: value?.toString(), partition, headers: Object.fromEntries(texts) });
    },
  });
  await expect.poll(() => got.length, { timeout: 10_000 }).toBe(count);
  return got;
}

test("one message is answered with where it is, and is where Kafka's clients would send its key", async () => {
  const api = await withOrders();
  await api.send('orders', [{ key: 'anna', value: 'by kafka' }]);
  const { status, body } = await produce(api, {
    key: 'anna',
    value: { total: 12 },
    headers: { from: 'http', none: null },
  });
  const [{ partition } = { partition: -1 }] = await recordsOf(api);
  expect({ status, body }).toEqual({ status: 200, body: { results: [{ partition, offset: 1 }], failed: 0 } });
  const [, second] = await consumed(api, 2);
  expect(second).toEqual({ key: 'anna', value: '{"total":12}', partition, headers: { from: 'http', none: 'null' } });
});

test('several messages go in one request, of all kinds', async () => {
  const api = await withOrders();
  const messages = [
    { value: 'text', partition: 1 },
    { value: '/v8=', value_encoding: 'base64', partition: 1 },
    { value: 'quoted', value_encoding: 'json', partition: 1 },
    { key: 7, value: null, partition: 1, timestamp: 1_700_000_000_000 },
    {
      value: [1, 2],
      partition: 1,
      headers: [
        { name: 'h', value: 'YQ==', encoding: 'base64' },
        { name: 'h', value: 'b' },
      ],
    },
  ];
  expect((await produce(api, { messages, acks: 1 })).body).toEqual({
    ...{ failed: 0, results: messages.map((_, offset) => ({ partition: 1, offset })) },
  });
  expect(await recordsOf(api)).toMatchObject([
    { key: null, value: { data: 'text' } },
    { value: { format: 'binary', data: '/v8=' } },
    { value: { data: '"quoted"' } },
    { key: { data: '7' }, value: null, timestamp: 1_700_000_000_000 },
    {
      value: { format: 'json', data: '[1,2]' },
      headers: [
        { name: 'h', value: { data: 'a' } },
        { name: 'h', value: { data: 'b' } },
      ],
    },
  ]);
});

test('of several messages each is refused for itself', async () => {
  const api = await withOrders({ 'max.message.bytes': 1000, 'message.timestamp.before.max.ms': 60_000 });
  const messages = [
    { value: 'good', partition: 0 },
    { value: 'x'.repeat(2000), partition: 0 },
    { value: 'no base64', value_encoding: 'base64', partition: 0 },
    { value: 'nowhere', partition: 3 },
    { value: 'old', timestamp: 1, partition: 2 },
    { value: 'good too', partition: 0 },
  ];
  const { status, body } = await produce(api, { messages });
  expect(status).toBe(207);
  expect(body).toMatchObject({
    failed: 4,
    results: [
      { partition: 0 },
      { error: 'bad_request', reason: expect.stringContaining('max.message.bytes') },
      { error: 'bad_request' },
      { error: 'not_found' },
      { error: 'bad_request', reason: expect.stringContaining('timestamp') },
      { partition: 0 },
    ],
  });
  const values = (await recordsOf(api)).map(({ value }) => value?.data);
  expect(values.toSorted()).toEqual(['good', 'good too']);
  await api.ask('PUT', '/api/streams/orders/config', { config: { 'cleanup.policy': 'compact' } });
  expect(
    await produce(api, {
      messages: [
        { value: 'a', partition: 1 },
        { key: 'k', value: 'b', partition: 1 },
      ],
    }),
  ).toMatchObject({
    ...{ status: 207, body: { failed: 1, results: [{ error: 'bad_request' }, { partition: 1, offset: 0 }] } },
  });
});

test('what cannot be is refused', async () => {
  const api = await withOrders();
  for (const body of [
    {},
    { messages: [] },
    { value: 'x', acks: 2 },
    { value: 'x', partition: -1 },
    { value: 'x', key_encoding: 'rot13' },
    { messages: Array(10_001).fill({ value: 'x' }) },
  ])
    expect((await produce(api, body)).status, JSON.stringify(body).slice(0, 60)).toBe(400);
  expect(await produce(api, { value: 'x', partition: 9 })).toMatchObject({ status: 404, body: { error: 'not_found' } });
  expect(await api.ask('POST', '/api/streams/none/produce', { value: 'x' })).toMatchObject({ status: 404 });
  const user = await makeUser(api, 'anna', 'management');
  expect(await api.ask('POST', '/api/queues/%2F/none/produce', { value: 'x' }, user)).toMatchObject({ status: 401 });
  expect(await api.ask('POST', '/api/queues/%2F/none/produce', { value: 'x' })).toMatchObject({ status: 404 });
});

test('a body of any kind is the value, with what the request says of it', async () => {
  const api = await withOrders();
  const body = Buffer.of(0, 1, 0xff);
  const response = await fetch(`${api.url}/api/streams/orders/produce/raw?key=k&partition=2&timestamp=1700000000000`, {
    ...{ method: 'POST', body },
    headers: {
      ...{ authorization: `Basic ${btoa('guest:guest')}`, 'content-type': 'image/x', 'x-header-source': 'camera' },
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
  });
  expect(await response.json()).toEqual({ results: [{ partition: 2, offset: 0 }], failed: 0 });
  const [record] = await recordsOf(api);
  expect(record).toMatchObject({
    ...{ key: { data: 'k' }, value: { format: 'binary', data: body.toString('base64') }, timestamp: 1_700_000_000_000 },
    headers: [
      { name: 'content-type', value: { data: 'image/x' } },
      { name: 'source', value: { data: 'camera' } },
      { name: 'traceparent' },
    ],
  });
  const empty = await api.ask('POST', '/api/streams/orders/produce/raw?key=k&tombstone=true&acks=0', undefined);
  expect(empty).toMatchObject({ status: 200 });
});

test('messages are published to exchanges and queues, and got by an AMQP client', async () => {
  const api = await startStreams();
  const { ask } = api;
  const connection = await amqplib.connect(`amqp://guest:guest@127.0.0.1:${api.sluice.listeners[2]?.port}`);
  onTestFinished(() => connection.close());
  const channel = await connection.createChannel();
  await channel.assertQueue('jobs');
  await channel.bindQueue('jobs', 'amq.topic', 'jobs.#');
  const messages = [
    { routing_key: 'jobs.new', value: { id: 1 }, properties: { content_type: 'application/json', headers: { n: 1 } } },
    { routing_key: 'elsewhere', value: 'lost' },
    { routing_key: 'jobs.x', value: 'bad', properties: { expiration: 'soon' } },
  ];
  expect(await ask('POST', '/api/exchanges/%2F/amq.topic/produce', { messages })).toMatchObject({
    ...{ status: 207, body: { failed: 1, results: [{ routed: true }, { routed: false }, { error: 'bad_request' }] } },
  });
  expect(await ask('POST', '/api/queues/%2F/jobs/produce', { value: 'direct' })).toMatchObject({
    ...{ status: 200, body: { results: [{ routed: true }], failed: 0 } },
  });
  const raw = await fetch(`${api.url}/api/queues/%2F/jobs/produce/raw`, {
    ...{ method: 'POST', body: 'raw' },
    headers: {
      ...{ authorization: `Basic ${btoa('guest:guest')}`, 'content-type': 'text/plain', 'x-message-id': 'm1' },
      ...{ 'x-priority': '3', 'x-header-source': 'curl' },
    },
  });
  expect(raw.status).toBe(200);
  const get = async () => (await channel.get('jobs', { noAck: true })) || undefined;
  expect((await get())?.properties).toMatchObject({
    contentType: 'application/json',
    deliveryMode: 2,
    headers: { n: 1 },
  });
  expect((await get())?.content.toString()).toBe('direct');
  const last = await get();
  expect(last?.content.toString()).toBe('raw');
  expect(last?.properties).toMatchObject({
    ...{ contentType: 'text/plain', messageId: 'm1', priority: 3, headers: { source: 'curl' }, deliveryMode: 2 },
  });
  expect(await ask('POST', '/api/exchanges/%2F/none/produce', { value: 'x' })).toMatchObject({ status: 404 });
});

test('a quota that is used up is answered 429, with when to come again', async () => {
  const api = await withOrders();
  const client = await connectTo(api.address);
  const entity = [{ entityType: 'user', entityName: 'guest' }];
  const ops = [{ key: 'producer_byte_rate', value: 100, remove: false }];
  await ask(client, alterClientQuotas, 1, { entries: [{ entity, ops }], validateOnly: false });
  expect((await produce(api, { value: 'x'.repeat(100_000) })).status).toBe(200);
  const refused = await produce(api, { value: 'x' });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('a body that is too large is refused, raw or not', async () => {
  const api = await startStreams({ settings: { http: { maxBodyBytes: 10_000 } } });
  await api.ask('PUT', '/api/streams/orders', {});
  const large = 'x'.repeat(10_001);
  expect((await api.ask('POST', '/api/streams/orders/produce/raw', large)).status).toBe(413);
  expect((await api.ask('POST', '/api/streams/orders/produce', { value: large })).status).toBe(413);
  expect((await api.ask('GET', '/api/streams/orders')).body).toMatchObject({ records: 0 });
});
