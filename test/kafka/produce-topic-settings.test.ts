import { expect, onTestFinished, test } from 'vitest';
import { KafkaClient } from '../../src/client/index.ts';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { type Compression, compression, decodeRecords, encodeBatch, type NewRecord } from '../../src/records/index.ts';
import { startBroker } from './fixture.ts';

// What a topic's settings make of produced batches. The APIs are used in versions that know topics by name.

const TOPIC = 't';

async function topicWith(config: Readonly<Record<string, string>>): Promise<KafkaClient> {
  const { listeners } = await startBroker();
  const { host, port } = listeners[0] ?? { host: '', port: 0 };
  const client = await KafkaClient.connect({ host, port });
  onTestFinished(() => client.close());
  const configs = Object.entries(config).map(([name, value]) => ({ name, value }));
  const topic = { name: TOPIC, numPartitions: 1, replicationFactor: 1, assignments: [], configs };
  const { topics } = await client.request(createTopics, { topics: [topic], timeoutMs: 5_000, validateOnly: false });
  expect(topics[0]?.errorCode).toBe(KafkaError.NONE);
  return client;
}

async function send(client: KafkaClient, batch: Buffer) {
  const topicData = [{ name: TOPIC, partitionData: [{ index: 0, records: batch }] }];
  const body = { acks: -1, timeoutMs: 5_000, topicData };
  const { responses } = await client.request(produce, body, { maxVersion: 12 });
  return responses[0]?.partitionResponses[0];
}

async function received(client: KafkaClient): Promise<Buffer> {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }];
  const body = { maxWaitMs: 0, minBytes: 0, topics: [{ topic: TOPIC, partitions }] };
  const { responses } = await client.request(fetch, body, { maxVersion: 12 });
  return responses[0]?.partitions[0]?.records ?? Buffer.alloc(0);
}

const keyed = (key: string): NewRecord => ({ key: Buffer.from(key), value: Buffer.from('v') });

test('a compacted topic says which records of a batch lack a key, and takes none of it', async () => {
  const client = await topicWith({ 'cleanup.policy': 'compact' });
  const keyless = { value: Buffer.from('v') };
  const refused = await send(
    client,
    encodeBatch({ records: [keyless, keyed('a'), keyless], compression: 'gzip', timestamp: 1 }),
  );
  expect(refused?.errorCode).toBe(KafkaError.INVALID_RECORD);
  expect(refused?.recordErrors?.map(({ batchIndex }) => batchIndex)).toEqual([0, 2]);
  const taken = await send(client, encodeBatch({ records: [keyed('a')], timestamp: 1 }));
  expect(taken).toMatchObject({ errorCode: KafkaError.NONE, baseOffset: 0, recordErrors: [] });
});

test.each<[string, Compression]>([
  ['uncompressed', 'none'],
  ['gzip', 'gzip'],
  ['snappy', 'snappy'],
  ['lz4', 'lz4'],
  ['zstd', 'zstd'],
])('with compression.type=%s whatever is produced is kept so', async (setting, codec) => {
  const client = await topicWith({ 'compression.type': setting });
  const batch = () =>
    encodeBatch({ records: [keyed('a'), keyed('b')], compression: codec === 'lz4' ? 'none' : 'lz4', timestamp: 1 });
  await send(client, batch());
  const kept = await received(client);
  expect(compression(kept, 0)).toBe(codec);
  expect(decodeRecords(kept)).toEqual(decodeRecords(batch()));
});

test('a batch that is too large once it is kept as the topic wants it is refused', async () => {
  const client = await topicWith({ 'compression.type': 'uncompressed', 'max.message.bytes': '1000' });
  const record = { value: Buffer.alloc(10_000) };
  const refused = await send(client, encodeBatch({ records: [record], compression: 'zstd', timestamp: 1 }));
  expect(refused?.errorCode).toBe(KafkaError.MESSAGE_TOO_LARGE);
});

test('with LogAppendTime records have the time at which they were appended, and the producer is told', async () => {
  const client = await topicWith({ 'message.timestamp.type': 'LogAppendTime', 'message.timestamp.before.max.ms': '0' });
  const before = Date.now();
  const sent = await send(client, encodeBatch({ records: [keyed('a'), keyed('b')], timestamp: 1 }));
  const after = Date.now();
  const [appended = 0, ...others] = decodeRecords(await received(client)).map(({ timestamp }) => timestamp);
  expect(appended).toBeGreaterThanOrEqual(before);
  expect(appended).toBeLessThanOrEqual(after);
  expect(others).toEqual([appended]);
  expect(sent).toMatchObject({ errorCode: KafkaError.NONE, logAppendTimeMs: appended });
});

test('with CreateTime records keep the time of their producer', async () => {
  const client = await topicWith({});
  expect(await send(client, encodeBatch({ records: [keyed('a')], timestamp: 5 }))).toMatchObject({
    logAppendTimeMs: -1,
  });
  expect(decodeRecords(await received(client)).map(({ timestamp }) => timestamp)).toEqual([5]);
});

test.each([
  ['too long ago', 'message.timestamp.before.max.ms', -3_600_000],
  ['too far ahead', 'message.timestamp.after.max.ms', 3_600_000],
])('a batch from %s is refused, and nothing of it is there', async (_, setting, distance) => {
  const client = await topicWith({ [setting]: '60000' });
  const refused = await send(client, encodeBatch({ records: [keyed('a')], timestamp: Date.now() + distance }));
  expect(refused?.errorCode).toBe(KafkaError.INVALID_TIMESTAMP);
  expect(await received(client)).toHaveLength(0);
  const taken = await send(client, encodeBatch({ records: [keyed('a')], timestamp: Date.now() }));
  expect(taken).toMatchObject({ errorCode: KafkaError.NONE, baseOffset: 0 });
});
