import { Admin } from '@platformatic/kafka';
import { Kafka, type Admin as KafkaJsAdmin, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KafkaClient } from '../../src/client/index.ts';
import { createBroker, type RunningBroker } from '../../src/create-broker.ts';
import { describeCluster } from '../../src/protocols/kafka/codec/apis/describe-cluster.ts';
import { describeGroups } from '../../src/protocols/kafka/codec/apis/describe-groups.ts';
import { describeLogDirs } from '../../src/protocols/kafka/codec/apis/describe-log-dirs.ts';
import { describeTopicPartitions } from '../../src/protocols/kafka/codec/apis/describe-topic-partitions.ts';
import { metadata } from '../../src/protocols/kafka/codec/apis/metadata.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { ZERO_UUID } from '../../src/protocols/kafka/codec/uuid.ts';

// What there is: the cluster, the space that partitions take, topics in pages. Nothing here changes anything.

const NODE_ID = 5;

let broker: RunningBroker;
let host: string;
let port: number;
let kafkajs: KafkaJsAdmin;
let platformatic: Admin;
let client: KafkaClient;

beforeAll(async () => {
  broker = await createBroker({
    listeners: ['kafka://127.0.0.1:0'],
    settings: { kafka: { brokerId: NODE_ID, clusterId: 'the-cluster' } },
  });
  ({ host, port } = broker.listeners[0] ?? { host: '', port: 0 });
  const kafka = new Kafka({ brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  kafkajs = kafka.admin();
  platformatic = new Admin({ clientId: 'test', bootstrapBrokers: [`${host}:${port}`], retries: 0 });
  client = await KafkaClient.connect({ host, port });
  await kafkajs.connect();
  await kafkajs.createTopics({
    topics: [
      { topic: 'b', numPartitions: 3 },
      { topic: 'a', numPartitions: 2 },
      { topic: 'c', numPartitions: 1 },
    ],
  });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: 'b', messages: [{ partition: 1, value: 'x'.repeat(1_000) }] });
  await producer.disconnect();
});

afterAll(async () => {
  await Promise.all([kafkajs.disconnect(), platformatic.close(), client.close()]);
  await broker.close();
});

describe('DescribeCluster', () => {
  test('this broker is the cluster, and its controller', async () => {
    const body = { includeClusterAuthorizedOperations: false };
    expect(await client.request(describeCluster, body)).toMatchObject({
      errorCode: KafkaError.NONE,
      clusterId: 'the-cluster',
      controllerId: NODE_ID,
      brokers: [{ brokerId: NODE_ID, host, port, rack: null, isFenced: false }],
      clusterAuthorizedOperations: -2147483648,
    });
    expect(await kafkajs.describeCluster()).toEqual({
      clusterId: 'the-cluster',
      controller: NODE_ID,
      brokers: [{ nodeId: NODE_ID, host, port }],
    });
  });

  test('who asks for allowed operations is told all', async () => {
    const { clusterAuthorizedOperations } = await client.request(
      describeCluster,
      { includeClusterAuthorizedOperations: true },
      { maxVersion: 0 },
    );
    expect(clusterAuthorizedOperations).toBe(0b1_1111_1010_0000);
  });

  test.each([
    [2, KafkaError.MISMATCHED_ENDPOINT_TYPE],
    [9, KafkaError.UNSUPPORTED_ENDPOINT_TYPE],
  ])('endpoint type %i is not what listens here', async (endpointType, errorCode) => {
    const body = { includeClusterAuthorizedOperations: false, endpointType };
    expect(await client.request(describeCluster, body)).toMatchObject({ errorCode, brokers: [] });
  });
});

test('Metadata of topics by their ids, as Java asks: with empty names', async () => {
  const byName = await client.request(metadata, { topics: [{ name: 'a' }, { name: 'b' }] });
  const topics = byName.topics.map(({ topicId }) => ({ name: '', topicId }));
  const byId = await client.request(metadata, { topics });
  expect(byId.topics.map(({ name, topicId }) => ({ name, topicId }))).toEqual(
    byName.topics.map(({ name, topicId }) => ({ name, topicId })),
  );
});

describe('what a client may do (KIP-430)', () => {
  const NOT_ASKED_FOR = -2147483648;
  const operations = (...numbers: readonly number[]) => numbers.reduce((bits, number) => bits | (1 << number), 0);
  const onTopics = operations(3, 4, 5, 6, 7, 8, 10, 11);
  const onGroups = operations(3, 6, 8, 10, 11);

  test('with topics there are, by Metadata', async () => {
    const names = [{ name: 'a' }, { name: 'not-there' }];
    const ask = (include: boolean) =>
      client.request(
        metadata,
        { topics: names, allowAutoTopicCreation: false, includeTopicAuthorizedOperations: include },
        { maxVersion: 12 },
      );
    expect((await ask(true)).topics.map((topic) => topic.topicAuthorizedOperations)).toEqual([onTopics, NOT_ASKED_FOR]);
    expect((await ask(false)).topics[0]?.topicAuthorizedOperations).toBe(NOT_ASKED_FOR);
  });

  test('with the cluster, by versions of Metadata that tell', async () => {
    const body = { topics: [], includeClusterAuthorizedOperations: true };
    const { clusterAuthorizedOperations } = await client.request(metadata, body, { maxVersion: 10 });
    expect(clusterAuthorizedOperations).toBe(operations(5, 7, 8, 9, 10, 11, 12));
  });

  test('with groups, by DescribeGroups', async () => {
    const ask = (include: boolean) =>
      client.request(describeGroups, { groups: ['g'], includeAuthorizedOperations: include }, { maxVersion: 5 });
    expect((await ask(true)).groups[0]?.authorizedOperations).toBe(onGroups);
    expect((await ask(false)).groups[0]?.authorizedOperations).toBe(NOT_ASKED_FOR);
  });
});

describe('DescribeLogDirs', () => {
  const place = { errorCode: KafkaError.NONE, logDir: 'sluice', totalBytes: -1, usableBytes: -1 };

  test('all partitions of all topics, with their sizes, are in one place', async () => {
    const { errorCode, results } = await client.request(describeLogDirs, { topics: null });
    expect(errorCode).toBe(KafkaError.NONE);
    expect(results).toMatchObject([place]);
    const sizes = new Map<string, number[]>();
    for (const { name, partitions } of results[0]?.topics ?? [])
      sizes.set(
        name,
        partitions.map(({ partitionSize }) => partitionSize),
      );
    expect([...sizes.keys()].sort()).toEqual(['a', 'b', 'c']);
    expect(sizes.get('a')).toEqual([0, 0]);
    expect(sizes.get('b')).toEqual([0, expect.any(Number), 0]);
    expect(sizes.get('b')?.[1]).toBeGreaterThan(1_000);
  });

  test('of chosen partitions, those that are not there are left out', async () => {
    const topics = [
      { name: 'b', partitions: [1, 7] },
      { name: 'nowhere', partitions: [0] },
      { name: 'c', partitions: [3] },
    ];
    const [described] = await platformatic.describeLogDirs({ topics });
    expect(described?.broker).toBe(NODE_ID);
    expect(described?.results).toMatchObject([{ logDir: 'sluice', topics: [{ name: 'b' }] }]);
    const partitions = described?.results[0]?.topics[0]?.partitions;
    expect(partitions).toMatchObject([{ partitionIndex: 1, offsetLag: 0n, isFutureKey: false }]);
    expect(partitions?.[0]?.partitionSize).toBeGreaterThan(1_000n);
  });

  test('version 1, of old clients, is served too', async () => {
    const body = { topics: [{ topic: 'a', partitions: [0] }] };
    const { results } = await client.request(describeLogDirs, body, { maxVersion: 1 });
    expect(results).toMatchObject([{ topics: [{ name: 'a', partitions: [{ partitionIndex: 0, partitionSize: 0 }] }] }]);
  });
});

describe('DescribeTopicPartitions', () => {
  async function page(
    names: readonly string[],
    responsePartitionLimit: number,
    cursor: { topicName: string; partitionIndex: number } | null = null,
  ) {
    const body = { topics: names.map((name) => ({ name })), responsePartitionLimit, cursor };
    const { topics, nextCursor } = await client.request(describeTopicPartitions, body);
    const partitions = topics.flatMap(({ name, partitions }) =>
      partitions.map((each) => `${name}-${each.partitionIndex}`),
    );
    return { topics, nextCursor, partitions };
  }

  test('all topics by name, with leader, replicas and id', async () => {
    const { topics, nextCursor, partitions } = await page([], 2000);
    expect(partitions).toEqual(['a-0', 'a-1', 'b-0', 'b-1', 'b-2', 'c-0']);
    expect(nextCursor).toBeNull();
    expect(topics[0]?.topicId).not.toBe(ZERO_UUID);
    expect(topics[0]).toMatchObject({ errorCode: KafkaError.NONE, isInternal: false });
    expect(topics[0]?.partitions[0]).toMatchObject({
      errorCode: KafkaError.NONE,
      leaderId: NODE_ID,
      replicaNodes: [NODE_ID],
      isrNodes: [NODE_ID],
      eligibleLeaderReplicas: [],
      offlineReplicas: [],
    });
  });

  test.each([0, 1, 2, 3, 4, 6])('pages of %i partitions make up the whole, each partition once', async (limit) => {
    const seen: string[] = [];
    let cursor: Parameters<typeof page>[2] = null;
    do {
      const { partitions, nextCursor } = await page([], limit, cursor);
      expect(partitions.length).toBeLessThanOrEqual(Math.max(limit, 1));
      seen.push(...partitions);
      cursor = nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(['a-0', 'a-1', 'b-0', 'b-1', 'b-2', 'c-0']);
  });

  test('chosen topics come by name and once, with errors for those that are not there', async () => {
    const { topics } = await page(['c', 'nowhere', 'a', 'c', 'no name'], 2000);
    expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['a', KafkaError.NONE],
      ['c', KafkaError.NONE],
      ['no name', KafkaError.INVALID_TOPIC_EXCEPTION],
      ['nowhere', KafkaError.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
  });

  test('a cursor must lie in the topics that are asked for', async () => {
    expect((await page(['a', 'b'], 2000, { topicName: 'b', partitionIndex: 2 })).partitions).toEqual(['b-2']);
    for (const cursor of [
      { topicName: 'c', partitionIndex: 0 },
      { topicName: 'b', partitionIndex: -1 },
    ]) {
      const { topics, nextCursor } = await page(['a', 'b'], 2000, cursor);
      expect(topics.map(({ errorCode }) => errorCode)).toEqual(Array(2).fill(KafkaError.INVALID_REQUEST));
      expect(nextCursor).toBeNull();
    }
  });
});
