import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KafkaClient } from '../../src/client/index.ts';
import { createBroker, type RunningBroker } from '../../src/index.ts';
import { alterReplicaLogDirs } from '../../src/protocols/kafka/codec/apis/alter-replica-log-dirs.ts';
import { createDelegationToken } from '../../src/protocols/kafka/codec/apis/create-delegation-token.ts';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { describeDelegationToken } from '../../src/protocols/kafka/codec/apis/describe-delegation-token.ts';
import { describeLogDirs } from '../../src/protocols/kafka/codec/apis/describe-log-dirs.ts';
import { describeQuorum } from '../../src/protocols/kafka/codec/apis/describe-quorum.ts';
import { electLeaders } from '../../src/protocols/kafka/codec/apis/elect-leaders.ts';
import { expireDelegationToken } from '../../src/protocols/kafka/codec/apis/expire-delegation-token.ts';
import { incrementalAlterConfigs } from '../../src/protocols/kafka/codec/apis/incremental-alter-configs.ts';
import { listConfigResources } from '../../src/protocols/kafka/codec/apis/list-config-resources.ts';
import { renewDelegationToken } from '../../src/protocols/kafka/codec/apis/renew-delegation-token.ts';
import { unregisterBroker } from '../../src/protocols/kafka/codec/apis/unregister-broker.ts';
import { updateFeatures } from '../../src/protocols/kafka/codec/apis/update-features.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';

// What administrators of a cluster ask for, answered truthfully for a cluster of one broker.

let broker: RunningBroker;
let client: KafkaClient;
let port: number;

beforeAll(async () => {
  broker = await createBroker({ listeners: ['kafka://127.0.0.1:0'], settings: { kafka: { brokerId: 7 } } });
  port = broker.listeners[0]?.port ?? 0;
  client = await KafkaClient.connect({ host: '127.0.0.1', port });
  const topics = [{ name: 't', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }];
  await client.request(createTopics, { topics, timeoutMs: 5_000 });
});

afterAll(async () => {
  await client.close();
  await broker.close();
});

test('replicas stay in the one directory that there is', async () => {
  const { results } = await client.request(describeLogDirs, { topics: null });
  const path = results[0]?.logDir ?? '';
  const move = async (to: string, partitions: readonly number[]) => {
    const dirs = [{ path: to, topics: [{ name: 't', partitions: [...partitions] }] }];
    const answer = await client.request(alterReplicaLogDirs, { dirs });
    return answer.results[0]?.partitions.map(({ errorCode }) => errorCode);
  };
  expect(await move(path, [0, 2])).toEqual([KafkaError.NONE, KafkaError.UNKNOWN_TOPIC_OR_PARTITION]);
  expect(await move('/elsewhere', [0])).toEqual([KafkaError.LOG_DIR_NOT_FOUND]);
});

test.each([0, 1])('partitions have their leaders already: election of type %i', async (electionType) => {
  const topicPartitions = [{ topic: 't', partitions: [1, 2] }];
  const answer = await client.request(electLeaders, { electionType, topicPartitions, timeoutMs: 1_000 });
  expect(answer.replicaElectionResults[0]?.partitionResult.map(({ errorCode }) => errorCode)).toEqual([
    KafkaError.ELECTION_NOT_NEEDED,
    KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
  ]);
  const all = await client.request(electLeaders, { electionType, topicPartitions: null, timeoutMs: 1_000 });
  expect(all).toMatchObject({ errorCode: KafkaError.NONE, replicaElectionResults: [] });
});

describe('levels of features', () => {
  const update = (feature: string, maxVersionLevel: number, maxVersion?: number) =>
    client.request(
      updateFeatures,
      { featureUpdates: [{ feature, maxVersionLevel }] },
      maxVersion === undefined ? {} : { maxVersion },
    );

  test('are as they are', async () => {
    expect(await update('transaction.version', 2)).toMatchObject({ errorCode: KafkaError.NONE });
    expect(await update('transaction.version', 2, 1)).toMatchObject({
      results: [{ feature: 'transaction.version', errorCode: KafkaError.NONE }],
    });
  });

  test.each([
    ['transaction.version', 1],
    ['transaction.version', 0],
    ['metadata.version', 25],
  ])('%s does not become %i', async (feature, level) => {
    expect(await update(feature, level)).toMatchObject({ errorCode: KafkaError.INVALID_UPDATE_VERSION });
  });
});

test('this broker is the quorum', async () => {
  const partitions = [{ partitionIndex: 0 }];
  const topics = ['__cluster_metadata', 't'].map((topicName) => ({ topicName, partitions }));
  const answer = await client.request(describeQuorum, { topics });
  const [metadata, other] = answer.topics.map((topic) => topic.partitions[0]);
  expect(metadata).toMatchObject({ errorCode: KafkaError.NONE, leaderId: 7, observers: [] });
  expect(metadata?.currentVoters).toMatchObject([{ replicaId: 7, logEndOffset: metadata?.highWatermark }]);
  expect(metadata?.highWatermark).toBeGreaterThan(0);
  expect(other).toMatchObject({ errorCode: KafkaError.UNKNOWN_TOPIC_OR_PARTITION });
  expect(answer.nodes).toMatchObject([{ nodeId: 7, listeners: [{ host: '127.0.0.1', port }] }]);
});

test('no broker is taken out of the cluster', async () => {
  const unregister = async (brokerId: number) => (await client.request(unregisterBroker, { brokerId })).errorCode;
  expect(await unregister(7)).toBe(KafkaError.INVALID_REQUEST);
  expect(await unregister(8)).toBe(KafkaError.BROKER_ID_NOT_REGISTERED);
});

test('there are no delegation tokens', async () => {
  const hmac = Buffer.from('token');
  const answers = await Promise.all([
    client.request(createDelegationToken, { renewers: [], maxLifetimeMs: -1 }),
    client.request(renewDelegationToken, { hmac, renewPeriodMs: 1 }),
    client.request(expireDelegationToken, { hmac, expiryTimePeriodMs: 1 }),
    client.request(describeDelegationToken, { owners: null }),
  ]);
  for (const { errorCode } of answers) expect(errorCode).toBe(KafkaError.DELEGATION_TOKEN_AUTH_DISABLED);
});

test('what has settings is listed', async () => {
  const set = (resourceType: number, resourceName: string, name: string, value: string) => ({
    ...{ resourceType, resourceName },
    configs: [{ name, value, configOperation: 0 }],
  });
  const resources = [
    set(16, 'subscription', 'metrics', '*'),
    set(32, 'group', 'share.isolation.level', 'read_committed'),
  ];
  await client.request(incrementalAlterConfigs, { resources, validateOnly: false });
  const list = async (resourceTypes: readonly number[], maxVersion = 1) => {
    const answer = await client.request(listConfigResources, { resourceTypes: [...resourceTypes] }, { maxVersion });
    return [answer.errorCode, ...answer.configResources.map((each) => `${each.resourceType} ${each.resourceName}`)];
  };
  expect(await list([])).toEqual([0, '2 t', '4 7', '8 7', '16 subscription', '32 group']);
  expect(await list([32])).toEqual([0, '32 group']);
  expect(await list([], 0)).toEqual([0, '16 subscription']);
  expect(await list([64])).toEqual([KafkaError.UNSUPPORTED_VERSION]);
});
