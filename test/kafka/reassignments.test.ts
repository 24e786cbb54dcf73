import { Kafka, type Admin as KafkaJsAdmin, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KafkaClient } from '../../src/client/index.ts';
import { createBroker, type RunningBroker } from '../../src/create-broker.ts';
import { alterPartitionReassignments } from '../../src/protocols/kafka/codec/apis/alter-partition-reassignments.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';

// Where replicas are: on the one broker, so that there is nothing to move and nothing on the move.

let broker: RunningBroker;
let kafkajs: KafkaJsAdmin;
let client: KafkaClient;

beforeAll(async () => {
  broker = await createBroker({ listeners: ['kafka://127.0.0.1:0'], settings: { kafka: { brokerId: 7 } } });
  const { host, port } = broker.listeners[0] ?? { host: '', port: 0 };
  kafkajs = new Kafka({ brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
  client = await KafkaClient.connect({ host, port });
  await kafkajs.connect();
  await kafkajs.createTopics({ topics: [{ topic: 'placed', numPartitions: 2 }] });
});

afterAll(async () => {
  await Promise.all([kafkajs.disconnect(), client.close()]);
  await broker.close();
});

async function alter(name: string, partitionIndex: number, replicas: readonly number[] | null) {
  const topics = [{ name, partitions: [{ partitionIndex, replicas: replicas && [...replicas] }] }];
  const { errorCode, responses } = await client.request(alterPartitionReassignments, { topics });
  expect(errorCode).toBe(KafkaError.NONE);
  expect(responses).toMatchObject([{ name, partitions: [{ partitionIndex }] }]);
  return responses[0]?.partitions[0]?.errorCode;
}

test('no reassignment is ever under way', async () => {
  const topics = [{ topic: 'placed', partitions: [0, 1] }];
  expect(await kafkajs.listPartitionReassignments({ topics })).toEqual({ topics: [] });
  expect(await kafkajs.listPartitionReassignments({})).toEqual({ topics: [] });
});

test('partitions stay where they are when they are told to', async () => {
  const partitionAssignment = [0, 1].map((partition) => ({ partition, replicas: [7] }));
  await kafkajs.alterPartitionReassignments({ topics: [{ topic: 'placed', partitionAssignment }] });
});

test('partitions go to no other broker', async () => {
  expect(await alter('placed', 0, [8])).toBe(KafkaError.INVALID_REPLICA_ASSIGNMENT);
  expect(await alter('placed', 0, [7, 8])).toBe(KafkaError.INVALID_REPLICA_ASSIGNMENT);
  expect(await alter('placed', 0, [7, 7])).toBe(KafkaError.INVALID_REPLICA_ASSIGNMENT);
  expect(await alter('placed', 0, [])).toBe(KafkaError.INVALID_REPLICA_ASSIGNMENT);
});

test('there is nothing to cancel', async () => {
  expect(await alter('placed', 0, null)).toBe(KafkaError.NO_REASSIGNMENT_IN_PROGRESS);
});

test('what is not there cannot be moved', async () => {
  expect(await alter('nowhere', 0, [7])).toBe(KafkaError.UNKNOWN_TOPIC_OR_PARTITION);
  expect(await alter('placed', 2, [7])).toBe(KafkaError.UNKNOWN_TOPIC_OR_PARTITION);
  expect(await alter('placed', -1, null)).toBe(KafkaError.UNKNOWN_TOPIC_OR_PARTITION);
});
