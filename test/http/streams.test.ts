import { CompressionTypes } from 'kafkajs';
import { expect, test } from 'vitest';
import type { PartitionSummary, RecordPage, ShownRecord } from '../../src/protocols/http/shapes/streams.ts';
import { listen, type StreamsBroker, startStreams } from './streams-fixture.ts';

const PAGE = '/api/streams/orders/messages';

async function withOrders(partitions = 1, config = {}): Promise<StreamsBroker> {
  const api = await startStreams();
  expect(await api.ask('PUT', '/api/streams/orders', { partitions, config })).toMatchObject({ status: 201 });
  return api;
}

async function pageOf({ ask }: StreamsBroker, query = '', path = PAGE): Promise<RecordPage> {
  const { status, body } = await ask('GET', `${path}?${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as RecordPage;
}

const values = ({ items }: RecordPage) => items.map(({ value }) => value?.data);

test('a stream is made, seen, changed, given partitions, trimmed and deleted', async () => {
  const api = await withOrders(2, { 'retention.ms': 1000 });
  const { ask, kafka } = api;
  expect(await ask('PUT', '/api/streams/orders', { partitions: 2 })).toMatchObject({ status: 204 });
  expect(await ask('PUT', '/api/streams/orders', { partitions: 3 })).toMatchObject({ status: 400 });
  expect(await ask('PUT', '/api/streams/bad%20name', {})).toMatchObject({ status: 400 });
  expect(await ask('PUT', '/api/streams/wrong', { config: { 'retention.ms': 'long' } })).toMatchObject({ status: 400 });
  expect(await ask('PUT', '/api/streams/__consumer_offsets', {})).toMatchObject({ status: 403 });

  await api.send('orders', [
    { partition: 0, value: 'a' },
    { partition: 1, value: 'b' },
    { partition: 1, value: 'c' },
  ]);
  expect((await ask('GET', '/api/streams/orders')).body).toMatchObject({
    ...{ name: 'orders', partitions: 2, records: 3, cleanup_policy: 'delete', retention_ms: 1000, internal: false },
  });
  expect((await ask('GET', '/api/streams?page=1&name=ord')).body).toMatchObject({
    ...{ filtered_count: 1, items: [{ name: 'orders', records: 3 }] },
  });
  const partitions = (await ask('GET', '/api/streams/orders/partitions')).body as PartitionSummary[];
  expect(partitions).toMatchObject([
    { partition: 0, start_offset: 0, high_watermark: 1, last_stable_offset: 1, records: 1, open_transactions: 0 },
    { partition: 1, start_offset: 0, high_watermark: 2, last_stable_offset: 2, records: 2 },
  ]);

  const setting = async (name: string) => {
    const { body } = await ask('GET', '/api/streams/orders/config');
    return (body as { name: string }[]).find((entry) => entry.name === name);
  };
  expect(await setting('retention.ms')).toMatchObject({ value: '1000', default: '604800000', source: 'stream' });
  expect(await setting('preallocate')).toMatchObject({ source: 'default', in_force: false });
  const changed = { config: { 'retention.ms': null, 'max.message.bytes': 2000 } };
  expect(await ask('PUT', '/api/streams/orders/config', changed)).toMatchObject({ status: 204 });
  expect(await setting('retention.ms')).toMatchObject({ value: '604800000', source: 'default' });
  expect(await setting('max.message.bytes')).toMatchObject({ value: '2000', source: 'stream', in_force: true });
  expect(await ask('PUT', '/api/streams/orders/config', { config: { none: 1 } })).toMatchObject({ status: 400 });

  expect(await ask('POST', '/api/streams/orders/partitions', { count: 4 })).toMatchObject({ body: { partitions: 4 } });
  expect(await ask('POST', '/api/streams/orders/partitions', { count: 2 })).toMatchObject({ status: 400 });
  expect(await ask('POST', '/api/streams/orders/trim', { partitions: [1], before_offset: 1 })).toMatchObject({
    body: { partitions: [{ partition: 1, start_offset: 1 }] },
  });
  expect(await ask('POST', '/api/streams/orders/trim', { before_timestamp: 1 })).toMatchObject({ status: 200 });
  expect((await ask('GET', '/api/streams/orders')).body).toMatchObject({ records: 2 });
  expect(await ask('POST', '/api/streams/orders/trim', { before_offset: 'end' })).toMatchObject({ status: 200 });
  expect((await ask('GET', '/api/streams/orders')).body).toMatchObject({ records: 0 });
  expect(await ask('POST', '/api/streams/orders/trim', {})).toMatchObject({ status: 400 });

  expect(await ask('DELETE', '/api/streams/orders')).toMatchObject({ status: 204 });
  expect(await ask('GET', '/api/streams/orders')).toMatchObject({ status: 404 });
  const admin = kafka.admin();
  await admin.connect();
  expect(await admin.listTopics()).not.toContain('orders');
  await admin.disconnect();
});

test('records are shown decompressed, with key, headers and what they are', async () => {
  const api = await withOrders();
  const producer = api.kafka.producer({ idempotent: true });
  await producer.connect();
  await producer.send({
    topic: 'orders',
    compression: CompressionTypes.GZIP,
    messages: [
      {
        key: 'k',
        value: '{"total": 12}',
        headers: { source: 'shop', raw: Buffer.of(0xff) },
        timestamp: '1700000000000',
      },
      { key: null, value: Buffer.of(0xfe, 0xff) },
      { key: 'k', value: null },
      { value: 'plain' },
    ],
  });
  await producer.disconnect();
  const { items, more } = await pageOf(api);
  expect(more).toBe(false);
  expect(items).toMatchObject([
    {
      ...{ partition: 0, offset: 0, timestamp: 1_700_000_000_000, compression: 'gzip', transaction: 'none' },
      key: { format: 'text', data: 'k', bytes: 1, truncated: false },
      value: { format: 'json', data: '{"total": 12}' },
      headers: [
        { name: 'source', value: { format: 'text', data: 'shop' } },
        { name: 'raw', value: { format: 'binary', data: '/w==' } },
      ],
      ...{ control: null, message: null, producer: { epoch: 0, sequence: 0 } },
    },
    { key: null, value: { format: 'binary', data: '/v8=', bytes: 2 } },
    { key: { data: 'k' }, value: null },
    { offset: 3, value: { format: 'text', data: 'plain' }, producer: { sequence: 3 } },
  ]);
});

test('large values are cut, and had whole by themselves and as bytes', async () => {
  const api = await withOrders();
  const large = 'ä'.repeat(50_000);
  await api.send('orders', [{ key: '<script>', value: large }]);
  const [cut] = (await pageOf(api, 'truncate=101')).items;
  expect(cut?.value).toEqual({ format: 'text', data: 'ä'.repeat(50), bytes: 100_000, truncated: true });
  const whole = await api.ask('GET', `${PAGE}/0/0`);
  expect(whole.body as ShownRecord).toMatchObject({ value: { data: large, truncated: false } });
  const raw = await api.ask('GET', `${PAGE}/0/0/value`);
  expect(raw).toMatchObject({ status: 200, body: large });
  expect(raw.headers.get('content-type')).toBe('application/octet-stream');
  expect(raw.headers.get('content-disposition')).toContain('attachment');
  expect(await api.ask('GET', `${PAGE}/0/0/key`)).toMatchObject({ body: '<script>' });
  for (const path of ['0/1', '1/0', 'x/0', '0/x/value'])
    expect((await api.ask('GET', `${PAGE}/${path}`)).status).toBe(404);
});

test('pages go on from their cursors, oldest first and newest first, by offset, time, key and text', async () => {
  const api = await withOrders(3);
  const all = Array.from({ length: 30 }, (_, i) => ({
    ...{ partition: i % 3, key: `k${i % 4}`, value: `v${i}`, timestamp: String(1_700_000_000_000 + i * 1000) },
  }));
  for (const message of all) await api.send('orders', [message]);
  const collect = async (query: string) => {
    const found: (string | undefined)[] = [];
    for (let cursor = '', more = true; more; ) {
      const page = await pageOf(api, `${query}&count=4${cursor && `&cursor=${cursor}`}`);
      found.push(...values(page));
      ({ cursor, more } = page);
    }
    return found;
  };
  const inOrder = all.map(({ value }) => value);
  expect(await collect('')).toEqual(inOrder);
  expect(await collect('order=newest')).toEqual(inOrder.toReversed());
  expect(values(await pageOf(api, 'order=newest&count=3'))).toEqual(['v29', 'v28', 'v27']);
  expect(await collect('partition=1')).toEqual(inOrder.filter((_, i) => i % 3 === 1));
  expect(await collect('offset=8')).toEqual(inOrder.slice(24));
  expect(await collect('order=newest&offset=1')).toEqual(inOrder.slice(0, 6).toReversed());
  expect(await collect(`timestamp=${1_700_000_000_000 + 20_000}`)).toEqual(inOrder.slice(20));
  expect(await collect('timestamp=2023-11-14T22:13:40Z')).toEqual(inOrder.slice(20));
  expect(await collect('key=k1')).toEqual(inOrder.filter((_, i) => i % 4 === 1));
  expect(await collect('filter=v2')).toEqual(inOrder.filter((value) => value.includes('v2')));
  expect(await collect('filter=v2&filter_in=key,headers')).toEqual([]);
  expect(await collect('key=azE=&key_encoding=base64')).toHaveLength(8);

  const last = await pageOf(api, 'timestamp=2030-01-01');
  expect(last).toMatchObject({ items: [], more: false });
  await api.send('orders', [{ partition: 2, value: 'new' }]);
  expect(values(await pageOf(api, `cursor=${last.cursor}`))).toEqual(['new']);
  for (const query of [
    'partition=7',
    'offset=x',
    'count=0',
    'count=501',
    'cursor=%25',
    'cursor=z.1',
    'order=best',
    'timestamp=soon',
    'filter_in=all',
    'offset=1&timestamp=1',
    'truncate=-1',
  ])
    expect((await api.ask('GET', `${PAGE}?${query}`)).status, query).toBe(400);
});

test('what was aborted is marked, left out when asked, and markers are shown when asked', async () => {
  const api = await withOrders();
  const producer = api.kafka.producer({ transactionalId: 'payments', maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  for (const [value, commit] of [
    ['kept', true],
    ['dropped', false],
  ] as const) {
    const transaction = await producer.transaction();
    await transaction.send({ topic: 'orders', messages: [{ value }] });
    if (commit) await transaction.commit();
    else await transaction.abort();
  }
  const open = await producer.transaction();
  await open.send({ topic: 'orders', messages: [{ value: 'open' }] });
  const fates = ({ items }: RecordPage) => items.map(({ value, transaction }) => [value?.data, transaction]);
  expect(fates(await pageOf(api))).toEqual([
    ['kept', 'committed'],
    ['dropped', 'aborted'],
    ['open', 'open'],
  ]);
  expect(fates(await pageOf(api, 'isolation=read_committed'))).toEqual([['kept', 'committed']]);
  const { items } = await pageOf(api, 'control=true');
  expect(items.map(({ control }) => control?.type)).toEqual([undefined, 'commit', undefined, 'abort', undefined]);
  const [first] = (await api.ask('GET', '/api/streams/orders/producers')).body as object[];
  expect(first).toMatchObject({ partition: 0, transaction_start_offset: 4 });
  await open.abort();
  await producer.disconnect();
});

test('what was published to an exchange is shown with its properties', async () => {
  const api = await startStreams();
  await api.ask('PUT', '/api/queues/%2F/log', { durable: true, arguments: { 'x-queue-type': 'stream' } });
  await api.ask('POST', '/api/exchanges/%2F/amq.default/publish', {
    routing_key: 'log',
    ...{ properties: { content_type: 'text/plain', headers: { n: 1 } }, payload: 'hello', payload_encoding: 'string' },
  });
  expect((await pageOf(api, '', '/api/streams/log/messages')).items).toMatchObject([
    {
      value: { data: 'hello' },
      message: { exchange: '', routing_key: 'log', properties: { content_type: 'text/plain', headers: { n: 1 } } },
    },
  ]);
});

test('a tail shows what comes, tells how much it passed over, and ends with its stream', async () => {
  const api = await withOrders(2);
  await api.send('orders', [{ partition: 0, value: 'before' }]);
  const tail = await listen(`${api.url}/api/streams/orders/tail?max_rate=5`);
  expect(tail.response.headers.get('content-type')).toContain('text/event-stream');
  expect(await tail.next()).toMatchObject({ event: 'ready' });
  await api.send('orders', [{ partition: 1, key: 'k', value: 'after' }]);
  expect(await tail.next()).toMatchObject({ event: 'message', data: { partition: 1, value: { data: 'after' } } });
  await api.send(
    'orders',
    Array.from({ length: 100 }, (_, i) => ({ partition: 0, value: `${i}` })),
  );
  let seen = 0;
  for (;;) {
    const { event, data } = await tail.next();
    if (event === 'skipped') {
      expect(seen + data.records).toBe(100);
      break;
    }
    seen++;
  }
  expect(seen).toBeLessThan(7);
  await api.ask('DELETE', '/api/streams/orders');
  expect(await tail.next()).toMatchObject({ event: 'error' });
  await expect(tail.next()).rejects.toThrow('no more events');
});

test('a tail filters, and a broker that closes ends it', async () => {
  const api = await withOrders();
  const tail = await listen(`${api.url}/api/streams/orders/tail?filter=yes`);
  await tail.next();
  await api.send('orders', [{ value: 'no' }, { value: 'yes' }]);
  expect(await tail.next()).toMatchObject({ data: { offset: 1 } });
  await api.sluice.close();
  await expect(tail.next()).rejects.toThrow();
});

test('of what a reader does not take in time it is told how much that was', async () => {
  const api = await withOrders();
  const tail = await listen(`${api.url}/api/streams/orders/tail?max_rate=1000&truncate=1000000&max_bytes=16000000`);
  await tail.next();
  const value = 'x'.repeat(100_000);
  // Nobody reads meanwhile: what waits for the reader is no more than its connection takes.
  for (let i = 0; i < 30; i++)
    await api.ask('POST', '/api/streams/orders/produce', { messages: Array(10).fill({ value }) });
  let [seen, skipped] = [0, 0];
  while (seen + skipped < 300) {
    const { event, data } = await tail.next();
    if (event === 'skipped') skipped += data.records;
    else seen++;
  }
  expect(seen + skipped).toBe(300);
  expect(skipped).toBeGreaterThan(0);
});

test('there are no more than so many tails', async () => {
  const api = await withOrders();
  const tails = await Promise.all(Array.from({ length: 100 }, () => listen(`${api.url}/api/streams/orders/tail`)));
  for (const { response } of tails) expect(response.status).toBe(200);
  expect(await api.ask('GET', '/api/streams/orders/tail')).toMatchObject({ status: 503 });
  for (const tail of tails) tail.close();
  await expect
    .poll(async () => {
      const again = await listen(`${api.url}/api/streams/orders/tail`);
      again.close();
      return again.response.status;
    })
    .toBe(200);
});
