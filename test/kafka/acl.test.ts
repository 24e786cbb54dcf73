import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
  type SASLOptions,
} from 'kafkajs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificate } from '../../scripts/suites/certificate.ts';
import { alterReplicaLogDirs } from '../../src/protocols/kafka/codec/apis/alter-replica-log-dirs.ts';
import { createAcls } from '../../src/protocols/kafka/codec/apis/create-acls.ts';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { deleteTopics } from '../../src/protocols/kafka/codec/apis/delete-topics.ts';
import { describeAcls } from '../../src/protocols/kafka/codec/apis/describe-acls.ts';
import { describeCluster } from '../../src/protocols/kafka/codec/apis/describe-cluster.ts';
import { describeConfigs } from '../../src/protocols/kafka/codec/apis/describe-configs.ts';
import { describeQuorum } from '../../src/protocols/kafka/codec/apis/describe-quorum.ts';
import { describeTopicPartitions } from '../../src/protocols/kafka/codec/apis/describe-topic-partitions.ts';
import { electLeaders } from '../../src/protocols/kafka/codec/apis/elect-leaders.ts';
import { fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { findCoordinator } from '../../src/protocols/kafka/codec/apis/find-coordinator.ts';
import { getTelemetrySubscriptions } from '../../src/protocols/kafka/codec/apis/get-telemetry-subscriptions.ts';
import { incrementalAlterConfigs } from '../../src/protocols/kafka/codec/apis/incremental-alter-configs.ts';
import { initProducerId } from '../../src/protocols/kafka/codec/apis/init-producer-id.ts';
import { joinGroup } from '../../src/protocols/kafka/codec/apis/join-group.ts';
import { listConfigResources } from '../../src/protocols/kafka/codec/apis/list-config-resources.ts';
import { listOffsets } from '../../src/protocols/kafka/codec/apis/list-offsets.ts';
import { metadata } from '../../src/protocols/kafka/codec/apis/metadata.ts';
import { offsetFetch } from '../../src/protocols/kafka/codec/apis/offset-fetch.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { unregisterBroker } from '../../src/protocols/kafka/codec/apis/unregister-broker.ts';
import { updateFeatures } from '../../src/protocols/kafka/codec/apis/update-features.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { ZERO_UUID } from '../../src/protocols/kafka/codec/uuid.ts';
import { encodeBatch } from '../../src/records/index.ts';
import { startBroker, temporaryDirectory } from './fixture.ts';
import { ask, frameOf, type RawClient } from './raw-client.ts';
import { kafkajsAs, PASSWORDS, plain, rawAs, startSecured } from './secured.ts';

const TOPIC = 2;
const GROUP = 3;
const CLUSTER = 4;
const TRANSACTIONAL_ID = 5;
const LITERAL = 3;
const PREFIXED = 4;
const OPERATION = { all: 2, read: 3, write: 4, create: 5, describe: 8, idempotentWrite: 12 } as const;
const ALLOW = 3;
const DENY = 2;

/** A broker with access-control lists, its super user and anna, who may do nothing yet. */
async function start() {
  const { port, address } = await startSecured({ kafka: { authorizer: 'acl' } });
  const [root, anna] = await Promise.all([rawAs(port, 'root'), rawAs(port, 'anna')]);
  onTestFinished(() => {
    root.destroy();
    anna.destroy();
  });
  return { root, anna, port, address };
}

async function grant(
  root: RawClient,
  resourceType: number,
  resourceName: string,
  operation: number,
  { permission = ALLOW, pattern = LITERAL, principal = 'User:anna' } = {},
) {
  const acl = { resourceType, resourceName, resourcePatternType: pattern, principal, host: '*' };
  const creations = [{ ...acl, operation, permissionType: permission }];
  const { results } = await ask(root, createAcls, 3, { creations });
  expect(results).toEqual([{ errorCode: 0, errorMessage: null }]);
}

const makeTopics = (client: RawClient, ...names: string[]) =>
  ask(client, createTopics, 7, {
    topics: names.map((name) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })),
  });
const errorsOf = (items: readonly { readonly errorCode: number }[]) => items.map(({ errorCode }) => errorCode);

function produceTo(client: RawClient, ...names: string[]) {
  const records = encodeBatch({ records: [{ timestamp: 1, key: null, value: Buffer.from('v') }] });
  const topicData = names.map((name) => ({ name, partitionData: [{ index: 0, records }] }));
  return ask(client, produce, 9, { acks: -1, timeoutMs: 1000, topicData });
}

function fetchFrom(client: RawClient, session: { sessionId?: number; sessionEpoch?: number }, ...names: string[]) {
  const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6, replicaDirectoryId: undefined };
  const topics = names.map((topic) => ({ topic, partitions: [partition] }));
  return ask(client, fetch, 12, { ...session, maxWaitMs: 0, minBytes: 0, topics });
}

const { TOPIC_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED } = KafkaError;

describe('without permission', () => {
  it('a topic can be neither seen, written, read nor made', async () => {
    const { root, anna } = await start();
    await makeTopics(root, 'secret');
    const all = await ask(anna, metadata, 9, { topics: null });
    expect(all.topics).toEqual([]);
    expect(all.brokers).toHaveLength(1);
    const named = await ask(anna, metadata, 9, { topics: [{ name: 'secret' }, { name: 'missing' }] });
    expect(errorsOf(named.topics)).toEqual([TOPIC_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED]);
    expect((await ask(root, metadata, 9, { topics: null })).topics).toHaveLength(1);
    const pages = await ask(anna, describeTopicPartitions, 0, {
      ...{ topics: [], responsePartitionLimit: 1, cursor: null },
    });
    expect(pages).toMatchObject({ topics: [], nextCursor: null });
    const { responses } = await produceTo(anna, 'secret');
    expect(errorsOf(responses[0]?.partitionResponses ?? [])).toEqual([TOPIC_AUTHORIZATION_FAILED]);
    const fetched = await fetchFrom(anna, {}, 'secret', 'missing');
    expect(fetched.responses.flatMap(({ partitions }) => errorsOf(partitions))).toEqual([29, 29]);
    const made = await makeTopics(anna, 'mine');
    expect(errorsOf(made.topics)).toEqual([TOPIC_AUTHORIZATION_FAILED]);
    const deleted = await ask(anna, deleteTopics, 5, { topicNames: ['secret'], timeoutMs: 1000 });
    expect(errorsOf(deleted.responses)).toEqual([TOPIC_AUTHORIZATION_FAILED]);
    const id = (await ask(root, metadata, 12, { topics: null })).topics[0]?.topicId;
    const byId = await ask(anna, deleteTopics, 6, { topics: [{ name: null, topicId: id ?? '' }], timeoutMs: 1000 });
    expect(byId.responses).toEqual([expect.objectContaining({ name: null, errorCode: TOPIC_AUTHORIZATION_FAILED })]);
    const seen = [{ name: 'missing', topicId: id ?? '' }];
    expect((await ask(anna, metadata, 12, { topics: seen })).topics).toMatchObject([
      { name: null, topicId: id, errorCode: TOPIC_AUTHORIZATION_FAILED },
    ]);
    const early = await ask(anna, metadata, 11, { topics: [{ name: null, topicId: id ?? '' }] });
    expect(errorsOf(early.topics)).toEqual([KafkaError.INVALID_REQUEST]);
    const partitions = [{ partitionIndex: 0, timestamp: -1 }];
    const listed = await ask(anna, listOffsets, 6, { replicaId: -1, topics: [{ name: 'secret', partitions }] });
    expect(errorsOf(listed.topics[0]?.partitions ?? [])).toEqual([TOPIC_AUTHORIZATION_FAILED]);
  });

  it('groups, producers, transactions and the cluster are refused in their own words', async () => {
    const { anna } = await start();
    const join = { groupId: 'g', sessionTimeoutMs: 10_000, memberId: '', protocolType: 'consumer', protocols: [] };
    expect((await ask(anna, joinGroup, 3, { ...join, rebalanceTimeoutMs: 1 })).errorCode).toBe(
      GROUP_AUTHORIZATION_FAILED,
    );
    const coordinators = await ask(anna, findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] });
    expect(errorsOf(coordinators.coordinators)).toEqual([GROUP_AUTHORIZATION_FAILED]);
    const committed = await ask(anna, offsetFetch, 8, { groups: [{ groupId: 'g', topics: null }] });
    expect(errorsOf(committed.groups)).toEqual([GROUP_AUTHORIZATION_FAILED]);
    const init = (transactionalId: string | null) =>
      ask(anna, initProducerId, 2, { transactionalId, transactionTimeoutMs: 1000 });
    expect((await init(null)).errorCode).toBe(CLUSTER_AUTHORIZATION_FAILED);
    expect((await init('t')).errorCode).toBe(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    const configs = await ask(anna, describeConfigs, 4, {
      resources: [
        { resourceType: 2, resourceName: 't', configurationKeys: null },
        { resourceType: 4, resourceName: '1', configurationKeys: null },
      ],
    });
    expect(errorsOf(configs.results)).toEqual([TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED]);
    const cluster = await ask(anna, describeCluster, 0, { includeClusterAuthorizedOperations: true });
    expect(cluster).toMatchObject({ errorCode: 0, clusterAuthorizedOperations: 0 });
    const acls = await ask(anna, describeAcls, 3, {
      ...{ resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, principalFilter: null },
      ...{ hostFilter: null, operation: 1, permissionType: 1 },
    });
    expect(acls.errorCode).toBe(CLUSTER_AUTHORIZATION_FAILED);
  });

  it('what administrators of the cluster ask for is refused, and what a client says of itself is not', async () => {
    const { anna } = await start();
    const refused = [
      await ask(anna, listConfigResources, 1, { resourceTypes: [] }),
      await ask(anna, describeQuorum, 2, { topics: [] }),
      await ask(anna, updateFeatures, 2, { featureUpdates: [], validateOnly: false }),
      await ask(anna, unregisterBroker, 0, { brokerId: 1 }),
      await ask(anna, electLeaders, 2, { topicPartitions: null }),
    ];
    expect(new Set(errorsOf(refused))).toEqual(new Set([CLUSTER_AUTHORIZATION_FAILED]));
    const moved = await ask(anna, alterReplicaLogDirs, 2, {
      dirs: [{ path: 'sluice', topics: [{ name: 't', partitions: [0] }] }],
    });
    expect(moved.results[0]?.partitions).toMatchObject([{ errorCode: CLUSTER_AUTHORIZATION_FAILED }]);
    const resources = [4, 8, 16, 32].map((resourceType) => ({ resourceType, resourceName: '1', configs: [] }));
    const changed = await ask(anna, incrementalAlterConfigs, 1, { resources, validateOnly: false });
    expect(changed.responses.map(({ errorCode }) => errorCode).sort()).toEqual([
      ...[GROUP_AUTHORIZATION_FAILED, ...Array.from({ length: 3 }, () => CLUSTER_AUTHORIZATION_FAILED)],
    ]);
    const asked = await ask(anna, getTelemetrySubscriptions, 0, { clientInstanceId: ZERO_UUID });
    expect(asked.errorCode).toBe(KafkaError.NONE);
  });

  it('a produce that nobody waits for ends the connection', async () => {
    const { anna } = await start();
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: Buffer.from('x') }] }];
    anna.send(frameOf(produce, 9, 1, { acks: 0, timeoutMs: 1, topicData }));
    await anna.closed;
  });
});

describe('with permission', () => {
  it('is done what may be, and no more: the rest of a request does not spoil it', async () => {
    const { root, anna } = await start();
    await makeTopics(root, 'open-1', 'open-2', 'secret');
    await grant(root, TOPIC, 'open-', OPERATION.write, { pattern: PREFIXED });
    await grant(root, TOPIC, 'open-2', OPERATION.all, { permission: DENY });
    const { responses } = await produceTo(anna, 'open-1', 'open-2', 'secret');
    const outcome = new Map(responses.map(({ name, partitionResponses: [first] }) => [name, first?.errorCode]));
    expect(outcome).toEqual(
      new Map([
        ['open-1', 0],
        ['open-2', 29],
        ['secret', 29],
      ]),
    );
    const { topics } = await ask(anna, metadata, 9, { topics: null, includeTopicAuthorizedOperations: true });
    expect(topics.map(({ name, topicAuthorizedOperations }) => [name, topicAuthorizedOperations])).toEqual([
      ['open-1', (1 << OPERATION.write) | (1 << OPERATION.describe)],
    ]);
    // Whoever may write anywhere may be an idempotent producer.
    const init = { transactionalId: null, transactionTimeoutMs: 1000 };
    expect((await ask(anna, initProducerId, 2, init)).errorCode).toBe(0);
  });

  it('what changes holds at once, also within a fetch session', async () => {
    const { root, anna } = await start();
    await makeTopics(root, 't', 'empty');
    await produceTo(root, 't');
    await grant(root, TOPIC, '*', OPERATION.read);
    const first = await fetchFrom(anna, { sessionId: 0, sessionEpoch: 0 }, 't', 'empty');
    expect(first.responses[0]?.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 1 });
    for (const topic of ['t', 'empty'])
      await grant(root, TOPIC, topic, OPERATION.read, { permission: DENY, principal: 'User:*' });
    const second = await fetchFrom(anna, { sessionId: first.sessionId, sessionEpoch: 1 });
    for (const { partitions } of second.responses) expect(errorsOf(partitions)).toEqual([TOPIC_AUTHORIZATION_FAILED]);
    expect(second.responses).toHaveLength(2);
    // Nobody denies anything to a super user.
    expect(errorsOf((await fetchFrom(root, {}, 't')).responses[0]?.partitions ?? [])).toEqual([0]);
  });

  it('topics can be made by name or all over the cluster, by asking for them too', async () => {
    const { root, anna } = await start();
    await grant(root, TOPIC, 'mine-', OPERATION.create, { pattern: PREFIXED });
    const made = await makeTopics(anna, 'mine-1', 'yours');
    expect(made.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['mine-1', 0],
      ['yours', 29],
    ]);
    // It may not look at their settings.
    expect(made.topics[0]).toMatchObject({ topicConfigErrorCode: TOPIC_AUTHORIZATION_FAILED, numPartitions: -1 });
    await grant(root, TOPIC, '*', OPERATION.describe);
    const asked = async () => errorsOf((await ask(anna, metadata, 9, { topics: [{ name: 'other' }] })).topics);
    expect(await asked()).toEqual([TOPIC_AUTHORIZATION_FAILED]);
    await grant(root, CLUSTER, 'kafka-cluster', OPERATION.create);
    expect(await asked()).toEqual([0]);
  });

  it('consumers and transactional producers of kafkajs work with what Kafka asks of them', async () => {
    const { root, address } = await start();
    await makeTopics(root, 'orders');
    await grant(root, TOPIC, 'orders', OPERATION.write);
    await grant(root, TRANSACTIONAL_ID, 'tx', OPERATION.all);
    await grant(root, TOPIC, 'orders', OPERATION.read, { principal: 'User:berta' });
    await grant(root, GROUP, 'readers', OPERATION.read, { principal: 'User:berta' });
    const producer = kafkajsAs(address, plain('anna')).producer({ transactionalId: 'tx', maxInFlightRequests: 1 });
    onTestFinished(() => producer.disconnect());
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: 'orders', messages: [{ value: 'hello' }] });
    await transaction.commit();
    const consumer = kafkajsAs(address, plain('berta')).consumer({ groupId: 'readers' });
    onTestFinished(() => consumer.disconnect());
    await consumer.connect();
    await consumer.subscribe({ topic: 'orders', fromBeginning: true });
    const value = await new Promise((resolve) => {
      void consumer.run({ eachMessage: async ({ message }) => resolve(message.value?.toString()) });
    });
    expect(value).toBe('hello');
  });
});

describe('entries', () => {
  it('are made, described and deleted by kafkajs', async () => {
    const { address } = await start();
    const admin = kafkajsAs(address, plain('root')).admin();
    onTestFinished(() => admin.disconnect());
    await admin.connect();
    const acl = {
      resourceType: AclResourceTypes.TOPIC,
      resourceName: 'orders',
      resourcePatternType: ResourcePatternTypes.PREFIXED,
      principal: 'User:anna',
      host: '*',
      operation: AclOperationTypes.READ,
      permissionType: AclPermissionTypes.ALLOW,
    };
    expect(await admin.createAcls({ acl: [acl, { ...acl, operation: AclOperationTypes.WRITE }] })).toBe(true);
    const { resources } = await admin.describeAcls({ ...acl, operation: AclOperationTypes.ANY });
    expect(resources).toHaveLength(1);
    expect(resources[0]?.acls.map(({ operation }) => operation).sort()).toEqual([3, 4]);
    const { filterResponses } = await admin.deleteAcls({ filters: [{ ...acl, operation: AclOperationTypes.ANY }] });
    expect(filterResponses[0]?.matchingAcls).toHaveLength(2);
    await expect(admin.createAcls({ acl: [{ ...acl, principal: 'anna' }] })).rejects.toThrow();
  });

  it('are none without an authorizer', async () => {
    const { port } = await startSecured();
    const anna = await rawAs(port, 'anna');
    onTestFinished(() => anna.destroy());
    const { results } = await ask(anna, createAcls, 3, {
      creations: [
        {
          ...{ resourceType: TOPIC, resourceName: 't', resourcePatternType: LITERAL, principal: 'User:a', host: '*' },
          ...{ operation: OPERATION.read, permissionType: ALLOW },
        },
      ],
    });
    expect(errorsOf(results)).toEqual([KafkaError.SECURITY_DISABLED]);
  });
});

it.each([
  ['as it is', 'DEFAULT', 'User:CN=anna,O=Shop\\, Inc,C=DE'],
  ['as rules make it', 'RULE:^CN=(.*?),O=Other.*$/$1/,RULE:^CN=(.*?),O=Shop.*$/$1/U,DEFAULT', 'User:ANNA'],
  ['by no rule: nobody', 'RULE:^CN=berta,.*$/berta/', undefined],
])('a client that shows a certificate is who that names, %s', async (_, principalMappingRules, principal) => {
  const { server, cert, key } = await certificates();
  const { address } = await startBroker({
    listeners: ['kafka+tls://127.0.0.1:0'],
    settings: {
      ...(server && { tls: { ...server, ca: cert, clientCertificates: 'optional' } }),
      kafka: { authorizer: 'acl', principalMappingRules, superUsers: [principal ?? 'User:ANONYMOUS'] },
    },
  });
  const topicsOf = async (ssl: object) => {
    const admin = kafkajsAs(address, undefined, { ssl: { ...ssl, ca: [await readFile(server?.cert ?? '')] } }).admin();
    onTestFinished(() => admin.disconnect());
    await admin.connect();
    return admin.createTopics({ topics: [{ topic: 'orders' }] });
  };
  const byCertificate = topicsOf({ cert: await readFile(cert), key: await readFile(key) });
  if (principal === undefined) await expect(byCertificate).rejects.toThrow();
  else {
    expect(await byCertificate).toBe(true);
    await expect(topicsOf({})).rejects.toThrow();
  }
});

/** A server's certificate, and one that a client shows, signed by itself. */
async function certificates() {
  const directory = await temporaryDirectory();
  const server = makeCertificate(directory);
  const cert = join(directory, 'client.pem');
  const key = join(directory, 'client.key');
  const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/C=DE/O=Shop, Inc/CN=anna'];
  spawnSync('openssl', ['req', ...options, '-keyout', key, '-out', cert]);
  return { server, cert, key };
}

it('each listener has its own ways to log in, and makes its own principals of certificates', async () => {
  const { server, cert, key } = await certificates();
  const tls = { ca: cert, clientCertificates: 'optional' } as const;
  const broker = await startBroker({
    listeners: [
      'kafka://127.0.0.1:0',
      { url: 'kafka://127.0.0.1:0', sasl: 'required', saslMechanisms: ['SCRAM-SHA-512'] },
      { url: 'kafka+tls://127.0.0.1:0', tls, sasl: 'off' },
      { url: 'kafka+tls://127.0.0.1:0', tls, principalMappingRules: 'RULE:^CN=(.*?),.*$/$1/' },
    ],
    settings: {
      ...(server && { tls: server }),
      kafka: { authorizer: 'acl', superUsers: ['User:anna'] },
    },
  });
  await broker.importDefinitions({ users: [{ name: 'anna', password: PASSWORDS.anna, tags: [] }] });
  const ports = broker.listeners.map(({ port }) => port);
  const ca = [await readFile(server?.cert ?? '')];
  const ssl = { ca, cert: await readFile(cert), key: await readFile(key) };
  const create = async (index: number, sasl?: SASLOptions, ssl?: object) => {
    const admin = kafkajsAs(`127.0.0.1:${ports[index]}`, sasl, { ...(ssl && { ssl }) }).admin();
    onTestFinished(() => admin.disconnect());
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: `t${index}` }] });
  };
  const scram = { ...plain('anna'), mechanism: 'scram-sha-512' } as SASLOptions;

  await create(0, plain('anna'));
  await expect(create(0)).rejects.toThrow();
  await create(1, scram);
  await expect(create(1, plain('anna'))).rejects.toThrow(/mechanism/i);
  await expect(create(1)).rejects.toThrow();
  // The certificate's whole name is nobody who may do anything; the rule makes a super user of it.
  await expect(create(2, undefined, ssl)).rejects.toThrow();
  await create(3, undefined, ssl);
});
