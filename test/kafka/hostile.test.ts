import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Broker, type BrokerSettings } from '../../src/broker/index.ts';
import { KafkaClient } from '../../src/client/index.ts';
import { completeSettings } from '../../src/config/index.ts';
import type { Network } from '../../src/environment/environment.ts';
import { realEnvironment } from '../../src/environment/real.ts';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { VirtualClock } from '../../src/environment/virtual-clock.ts';
import type { CreateBrokerOptions } from '../../src/index.ts';
import { openStorage } from '../../src/open-storage.ts';
import type { Api } from '../../src/protocols/kafka/codec/api.ts';
import { addPartitionsToTxn } from '../../src/protocols/kafka/codec/apis/add-partitions-to-txn.ts';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { describeConfigs } from '../../src/protocols/kafka/codec/apis/describe-configs.ts';
import { describeGroups } from '../../src/protocols/kafka/codec/apis/describe-groups.ts';
import { endTxn } from '../../src/protocols/kafka/codec/apis/end-txn.ts';
import { fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { initProducerId } from '../../src/protocols/kafka/codec/apis/init-producer-id.ts';
import { joinGroup } from '../../src/protocols/kafka/codec/apis/join-group.ts';
import { listOffsets } from '../../src/protocols/kafka/codec/apis/list-offsets.ts';
import { metadata } from '../../src/protocols/kafka/codec/apis/metadata.ts';
import { offsetFetch } from '../../src/protocols/kafka/codec/apis/offset-fetch.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { syncGroup } from '../../src/protocols/kafka/codec/apis/sync-group.ts';
import { decodeResponse } from '../../src/protocols/kafka/codec/frames.ts';
import type { ConnectionLimits } from '../../src/protocols/kafka/connection.ts';
import { HANDLERS } from '../../src/protocols/kafka/handlers/index.ts';
import { embeddedProtocol, KafkaListener } from '../../src/protocols/kafka/index.ts';
import { encodeBatch } from '../../src/records/index.ts';
import { startBroker, temporaryDirectory, until } from './fixture.ts';
import { LONGEST_WAIT_MS, mutated, numbersNamed, type Present, requestsFor } from './hostile-requests.ts';
import { ask, frameOf, RawClient, recordingLogger } from './raw-client.ts';

/** What `createBroker` gives requests that are under way. */
const CLOSE_GRACE_MS = 5_000;
const TOPICS = ['here', 'compacted', 'wide'];
const GROUPS = ['readers', 'others'];
const TRANSACTIONAL_IDS = ['open', 'ended'];

/** A broker with some topics and a group with a member, on a clock that the test turns. */
async function hostileBroker() {
  const logger = recordingLogger();
  const broker = await startBroker({
    logger,
    clock: 'virtual',
    settings: { groups: { minSessionTimeoutMs: 1, initialRebalanceDelayMs: 0 }, limits: { frameBytes: 1024 * 1024 } },
  });
  const port = broker.listeners[0]?.port ?? 0;
  const client = await RawClient.connect(port);
  onTestFinished(() => client.destroy());
  const configs = [{ name: 'cleanup.policy', value: 'compact' }];
  await ask(client, createTopics, 7, {
    topics: TOPICS.map((name) => ({
      name,
      numPartitions: name === 'wide' ? 4 : 1,
      replicationFactor: 1,
      assignments: [],
      configs: name === 'compacted' ? configs : [],
    })),
    timeoutMs: 1000,
    validateOnly: false,
  });
  const { topics } = await ask(client, metadata, 12, { topics: null });
  const joining = ask(client, joinGroup, 3, {
    groupId: 'readers',
    sessionTimeoutMs: 1_800_000,
    rebalanceTimeoutMs: 1000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  });
  await broker.idle();
  await broker.clock.advance(1);
  const member = await joining;
  for (const transactionalId of TRANSACTIONAL_IDS) {
    const producer = await ask(client, initProducerId, 5, { transactionalId, transactionTimeoutMs: 900_000 });
    const topics = [{ name: 'wide', partitions: [0, 1] }];
    await ask(client, addPartitionsToTxn, 3, {
      ...{ v3AndBelowTransactionalId: transactionalId, v3AndBelowProducerId: producer.producerId },
      ...{ v3AndBelowProducerEpoch: producer.producerEpoch, v3AndBelowTopics: topics },
    });
    if (transactionalId === 'ended') await ask(client, endTxn, 4, { transactionalId, ...producer, committed: true });
  }
  const present: Present = {
    topics: TOPICS,
    topicIds: topics.map(({ topicId }) => topicId),
    groups: GROUPS,
    members: [member.memberId, ''],
    transactionalIds: TRANSACTIONAL_IDS,
  };
  return { broker, logger, port, present };
}

async function connected(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  onTestFinished(() => client.destroy());
  return client;
}

/** A broker with the sockets of its clients, as it has them. */
async function brokerWithSockets(options: CreateBrokerOptions = {}) {
  const sockets: Socket[] = [];
  const environment = realEnvironment();
  const network: Network = {
    listen: (options, onConnection) =>
      environment.network.listen(options, (socket) => {
        sockets.push(socket);
        onConnection(socket);
      }),
  };
  const broker = await startBroker({ ...options, environment: { ...environment, network } });
  return { broker, sockets, port: broker.listeners[0]?.port ?? 0 };
}

/** What `createBroker` is made of, on a clock that the test turns. */
async function brokerAndListener(limits: Partial<ConnectionLimits> = {}, given: Partial<BrokerSettings> = {}) {
  const clock = new VirtualClock();
  const environment = { ...realEnvironment(), clock };
  const logger = recordingLogger();
  const storage = await openStorage(completeSettings({ storage: { kind: 'memory' } }).storage, environment);
  const settings = { groups: { initialRebalanceDelayMs: 60_000 }, ...given };
  const broker = await Broker.open({ environment, logger, settings, embeddedProtocol, ...storage });
  const listen = { host: '127.0.0.1', port: 0 };
  const kafka = await KafkaListener.open({ broker, logger, listen, limits });
  onTestFinished(async () => {
    await kafka.close(100);
    await broker.close();
  });
  return { broker, clock, kafka, logger };
}

function produceTo(name: string, records: Buffer) {
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name, partitionData: [{ index: 0, records }] }],
  };
}

function fetchOf(topic: string, maxBytes: number, maxWaitMs = 0, fetchOffset = 0) {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: maxBytes }];
  return {
    replicaId: -1,
    maxWaitMs,
    minBytes: 1,
    maxBytes,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, partitions }],
    forgottenTopicsData: [],
  };
}

function joinOf(groupId: string) {
  return {
    groupId,
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  };
}

/** Round trips of somebody who does nothing wrong, until told to stop; answers how many there were. */
function healthyClient(port: number): () => Promise<number> {
  let going = true;
  const work = (async () => {
    const client = await KafkaClient.connect({ host: '127.0.0.1', port });
    let trips = 0;
    while (going) {
      const { brokers } = await client.request(metadata, { topics: [], allowAutoTopicCreation: false });
      expect(brokers).toHaveLength(1);
      trips++;
      // So that the broker is idle now and then.
      for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
    }
    await client.close();
    return trips;
  })();
  return () => {
    going = false;
    return work;
  };
}

/** Whether requests of an API may wait for what others do. */
const mayWait = ({ key, request }: Api) =>
  'maxWaitMs' in request.fields || key === joinGroup.key || key === syncGroup.key;

const HEADER_BYTES = 4 + 8 + 2 + 'raw'.length;
const SUPPORTED = [...HANDLERS.values()].map(({ api }) => api);
const versionsOf = ({ versions: [first], lastStable }: Api) =>
  Array.from({ length: lastStable - first + 1 }, (_, i) => first + i);

describe('requests', () => {
  test.each(SUPPORTED.map((api) => [api.name, api] as const))(
    '%s: valid and mutated ones are answered by the schema, or the log says why the connection was closed',
    async (_, api) => {
      const { broker, logger, port, present } = await hostileBroker();
      const stop = healthyClient(port);
      const random = new SeededRandom(api.key + 1);
      const frameless = (request: { acks?: number }) => api.key === produce.key && request.acks === 0;

      /** Sends one request on a connection of its own; answers what came of it. */
      const send = async (frame: Buffer, version: number): Promise<'answered' | 'closed' | 'silent'> => {
        const client = await RawClient.connect(port);
        const { address } = client;
        client.send(frame);
        await Promise.race([client.received(1), broker.idle()]);
        if (client.frames.length === 0 && !client.isClosed) {
          // It waits for others, or for the time to be over.
          await broker.clock.advance(LONGEST_WAIT_MS);
          await broker.clock.advance(300_000);
          await Promise.race([client.received(1), broker.idle()]);
        }
        const [answer] = client.frames;
        if (answer !== undefined) {
          const { correlationId, body } = decodeResponse(api, version, answer);
          expect(correlationId).toBe(7);
          expect(numbersNamed(body, 'errorCode'), 'UNKNOWN_SERVER_ERROR').not.toContain(-1);
          client.destroy();
          return 'answered';
        }
        if (!client.isClosed) {
          client.destroy();
          return 'silent';
        }
        expect(logger.lines.filter(({ facts }) => facts['client'] === address)).toMatchObject([
          { level: 'warn', message: expect.stringMatching(/^connection closed/) },
        ]);
        return 'closed';
      };

      for (const version of versionsOf(api)) {
        for (const request of requestsFor(api, version, 8, random, present)) {
          const frame = frameOf(api, version, 7, request);
          const outcome = await send(frame, version);
          const what = JSON.stringify(request).slice(0, 2000);
          if (frameless(request)) expect(outcome, what).not.toBe('answered');
          else expect(outcome, what).toBe('answered');
          const changed = await send(mutated(frame, HEADER_BYTES, random), version);
          // A changed number may be a time to wait, or acks=0.
          if (changed === 'silent') expect(mayWait(api) || api.key === produce.key).toBe(true);
        }
      }
      expect(await stop()).toBeGreaterThan(0);
      expect(logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
      expect(logger.lines.filter(({ facts }) => String(facts['err']).includes(' response '))).toEqual([]);
    },
  );
});

describe('frames', () => {
  test.each([-1, -0x8000_0000, 1024 * 1024 + 1, 0x7fff_ffff])(
    'one of %i bytes closes the connection before any of it is there, and the log says why',
    async (size) => {
      const { logger, port } = await hostileBroker();
      const client = await connected(port);
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(size);
      client.send(bytes);
      await client.closed;
      expect(logger.lines.at(-1)).toMatchObject({
        level: 'warn',
        message: 'connection closed: bad request',
        facts: { client: client.address, err: expect.stringContaining('limits.frameBytes') },
      });
    },
  );

  test('one that is cut short by the end of the connection is no request', async () => {
    const { broker, logger, port } = await hostileBroker();
    const client = await connected(port);
    client.send(frameOf(metadata, 12, 1, { topics: [{ name: 'unborn' }] }).subarray(0, -1));
    client.socket.end();
    await client.closed;
    await broker.idle();
    const { topics } = await ask(await connected(port), metadata, 12, { topics: null });
    expect(topics.map(({ name }) => name)).not.toContain('unborn');
    expect(logger.lines).toEqual([]);
  });

  test('one that comes byte by byte is answered like any other', async () => {
    const { port } = await hostileBroker();
    const client = await connected(port);
    for (const byte of frameOf(metadata, 12, 1, { topics: [] })) {
      client.send(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.received(1);
    expect(client.frames).toHaveLength(1);
  });

  test('10 000 in one write are all answered, in their order', async () => {
    const { port } = await hostileBroker();
    const client = await connected(port);
    client.send(Buffer.concat(Array.from({ length: 10_000 }, (_, i) => frameOf(metadata, 12, i, { topics: [] }))));
    await client.received(10_000);
    expect(client.frames.map((frame) => frame.readInt32BE(0))).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  });
});

describe('clients that do not read', () => {
  const MiB = 1024 * 1024;

  test('hold one large answer and what may be unsent, however much they ask for, and are not read from', async () => {
    const { port, sockets, broker } = await brokerWithSockets({
      settings: { kafka: { topicDefaults: { 'max.message.bytes': 4 * MiB } } },
    });
    const writer = await connected(port);
    const batch = () => encodeBatch({ records: [{ timestamp: 0, value: Buffer.alloc(2 * MiB) }] });
    await ask(writer, metadata, 4, { topics: [{ name: 'big' }], allowAutoTopicCreation: true });
    for (let i = 0; i < 10; i++) await ask(writer, produce, 9, produceTo('big', batch()));
    const client = await connected(port);
    const [server] = sockets.slice(-1);
    client.socket.pause();
    const requests = Array.from({ length: 50_000 }, (_, i) => frameOf(fetch, 11, i, fetchOf('big', 20 * MiB)));
    const sent = Buffer.concat(requests);
    client.send(sent);
    const healthy = await connected(port);
    let most = 0;
    for (let round = 0; round < 200; round++) {
      await ask(healthy, metadata, 12, { topics: [] });
      most = Math.max(most, server?.writableLength ?? 0);
    }
    expect(most).toBeGreaterThan(8 * MiB);
    expect(most).toBeLessThan(8 * MiB + 21 * MiB);
    expect(server?.isPaused()).toBe(true);
    expect(server?.bytesRead).toBeLessThan(sent.length / 4);
    client.destroy();
    await broker.idle();
  });

  test('may go on producing: what they send is appended, and they find their answers in order', async () => {
    const { port, broker } = await brokerWithSockets();
    const client = await connected(port);
    await ask(client, metadata, 4, { topics: [{ name: 'much' }], allowAutoTopicCreation: true });
    client.socket.pause();
    const batch = () => encodeBatch({ records: [{ timestamp: 0, value: Buffer.alloc(20_000) }] });
    const count = 2000;
    for (let i = 1; i <= count; i++) client.send(frameOf(produce, 9, i, produceTo('much', batch())));
    const reader = await connected(port);
    await until(async () => {
      const { topics } = await ask(reader, listOffsets, 4, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: 'much', partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1 }] }],
      });
      return topics[0]?.partitions[0]?.offset === count;
    });
    client.socket.resume();
    await client.received(count + 1);
    const answers = client.frames.slice(1).map((frame) => decodeResponse(produce, 9, frame));
    expect(answers.map(({ correlationId }) => correlationId)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    expect(answers.at(-1)?.body.responses[0]?.partitionResponses[0]).toMatchObject({
      errorCode: 0,
      baseOffset: count - 1,
    });
    await broker.idle();
  });
});

test('answers come in the order of the requests, slow and fast ones mixed', async () => {
  const { broker, port } = await hostileBroker();
  const client = await connected(port);
  const slow = [
    frameOf(fetch, 11, 1, fetchOf('here', 1000, 5000)),
    frameOf(joinGroup, 3, 3, joinOf('others')),
    frameOf(fetch, 11, 5, fetchOf('here', 1000, 9000)),
  ];
  const fast = [0, 2, 4, 6].map((id) => frameOf(metadata, 12, id, { topics: [] }));
  client.send(Buffer.concat(fast.flatMap((frame, i) => (slow[i] === undefined ? [frame] : [frame, slow[i]]))));
  await client.received(1);
  await broker.idle();
  expect(client.frames).toHaveLength(1);
  await broker.clock.advance(60_000);
  await client.received(7);
  expect(client.frames.map((frame) => frame.readInt32BE(0))).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

describe('connections', () => {
  test('beyond limits.connections are refused, until others have gone', async () => {
    const logger = recordingLogger();
    const broker = await startBroker({ logger, settings: { limits: { connections: 3 } } });
    const port = broker.listeners[0]?.port ?? 0;
    const clients = await Promise.all([connected(port), connected(port), connected(port)]);
    for (const client of clients) await ask(client, metadata, 12, { topics: [] });
    // The log says it once.
    for (const refused of [await connected(port), await connected(port)]) await refused.closed;
    expect(logger.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('limits.connections') }]);
    clients[0]?.destroy();
    await until(async () => {
      const client = await connected(port);
      client.send(frameOf(metadata, 12, 1, { topics: [] }));
      await client.received(1);
      return client.frames.length === 1;
    });
  });

  test('2000 that go while they wait leave nothing behind', async () => {
    const { clock, broker, kafka } = await brokerAndListener();
    const { log } = (await broker.streams.create({ name: 'here', partitions: 1 })).partitions[0]!;
    let waiters = 0;
    const { onGrowth } = log;
    log.onGrowth = (callback) => {
      waiters++;
      const stop = onGrowth.call(log, callback);
      return () => {
        waiters--;
        return stop();
      };
    };
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 200 }, () => connected(kafka.port)));
      clients.forEach((client, i) => {
        client.send(
          i % 2 === 0
            ? frameOf(fetch, 11, 1, fetchOf('here', 1000, 0x7fff_ffff, 0))
            : frameOf(joinGroup, 3, 1, joinOf(`group-${i % 10}`)),
        );
      });
      await until(() => waiters === 100 && kafka.idle);
      for (const client of clients) client.destroy();
      await until(() => kafka.connections === 0);
      expect(waiters).toBe(0);
    }
    expect(kafka.idle).toBe(true);
    await clock.advance(3_600_000);
    expect(broker.groups.list()).toEqual([]);
    // Retention, compaction, samples, free space of the shard and of the one in memory, and what expires of offsets and of transactional ids go on.
    expect(clock.pending).toBe(7);
  });

  test('that are silent for too long are closed, unless something is waited for', async () => {
    const { kafka } = await brokerAndListener({ maxIdleMs: 50 });
    const silent = await connected(kafka.port);
    const waiting = await connected(kafka.port);
    waiting.send(frameOf(joinGroup, 3, 1, joinOf('group')));
    await silent.closed;
    await until(() => kafka.connections === 1);
    expect(waiting.isClosed).toBe(false);
  });
});

describe('closing the broker', () => {
  test('answers what is under way, and lets go of those who wait', async () => {
    const directory = await temporaryDirectory();
    const logger = recordingLogger();
    const settings = { groups: { initialRebalanceDelayMs: 60_000 } };
    const { broker, port, sockets } = await brokerWithSockets({ storage: 'disk', directory, logger, settings });
    const [fetching, joining, producing, idle] = [
      await connected(port),
      await connected(port),
      await connected(port),
      await connected(port),
    ];
    await ask(producing, metadata, 4, { topics: [{ name: 'here' }], allowAutoTopicCreation: true });
    fetching.send(frameOf(fetch, 11, 1, fetchOf('here', 1000, 600_000)));
    joining.send(frameOf(joinGroup, 3, 1, joinOf('group')));
    await broker.idle();
    const count = 200;
    const batch = () => encodeBatch({ records: [{ timestamp: 0, value: Buffer.alloc(30_000) }] });
    for (let i = 1; i <= count; i++) producing.send(frameOf(produce, 9, i, produceTo('here', batch())));
    await producing.received(2);
    const started = performance.now();
    await broker.close();
    expect(performance.now() - started).toBeLessThan(CLOSE_GRACE_MS);
    expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);
    await Promise.all([fetching.closed, joining.closed, producing.closed, idle.closed]);
    expect(fetching.frames).toHaveLength(1);
    expect(joining.frames).toHaveLength(1);
    const acknowledged = producing.frames.slice(1).map((frame) => decodeResponse(produce, 9, frame).body);
    for (const { responses } of acknowledged) expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
    expect(logger.lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
    // What was appended and what was answered are the same.
    const again = await startBroker({ storage: 'disk', directory });
    const reader = await connected(again.listeners[0]?.port ?? 0);
    const { topics } = await ask(reader, listOffsets, 4, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: 'here', partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1 }] }],
    });
    expect(topics[0]?.partitions[0]?.offset).toBe(acknowledged.length);
  });

  test('does not wait for ever for a client that takes no answers, whatever the clock says', async () => {
    const { kafka, broker } = await brokerAndListener();
    const { partitions } = await broker.streams.create({ name: 'big', partitions: 1 });
    for (let i = 0; i < 10; i++) {
      const batch = encodeBatch({ records: [{ timestamp: 0, value: Buffer.alloc(1_000_000) }] });
      await partitions[0]?.append(batch, 'durable').settled;
    }
    const client = await connected(kafka.port);
    client.socket.pause();
    client.send(frameOf(fetch, 11, 1, fetchOf('big', 10_000_000)));
    await broker.groups.close();
    await until(() => kafka.idle);
    await kafka.close(100);
    expect(kafka.connections).toBe(0);
    client.destroy();
  });
});

describe('what takes little to ask', () => {
  const many = 20_000;

  test('is answered once where it is asked for often', async () => {
    const { port } = await hostileBroker();
    const client = await connected(port);
    const { topics } = await ask(client, metadata, 12, { topics: Array(many).fill({ name: 'wide' }) });
    expect(topics).toHaveLength(1);
    const { groups } = await ask(client, describeGroups, 5, { groups: Array(many).fill('readers') });
    expect(groups).toHaveLength(1);
    const fetched = await ask(client, offsetFetch, 8, {
      groups: Array(many).fill({ groupId: 'readers', topics: null }),
      requireStable: false,
    });
    expect(fetched.groups).toHaveLength(1);
  });

  test('of settings is answered for as many topics and brokers as are reasonable', async () => {
    const { port } = await hostileBroker();
    const { results } = await ask(await connected(port), describeConfigs, 1, {
      resources: Array(many).fill({ resourceType: 2, resourceName: 'wide', configurationKeys: ['retention.ms'] }),
      includeSynonyms: false,
    });
    expect(results.filter(({ errorCode }) => errorCode === 0)).toHaveLength(10_000);
    expect(results).toHaveLength(many);
  });

  test('and is too much of it, closes the connection before it is decoded', async () => {
    const logger = recordingLogger();
    const broker = await startBroker({ logger });
    const client = await connected(broker.listeners[0]?.port ?? 0);
    const partitionIndexes = new Array(1_000_001).fill(0);
    client.send(
      frameOf(offsetFetch, 7, 1, { groupId: 'g', topics: [{ name: 't', partitionIndexes }], requireStable: false }),
    );
    await client.closed;
    expect(logger.lines.at(-1)?.facts['err']).toContain('more than 1000000 elements');
  });

  test('of topics that cannot be made is one line of the log', async () => {
    const { broker, kafka, logger } = await brokerAndListener({}, { streamLimits: { maxStreams: 1 } });
    await broker.streams.create({ name: 'one', partitions: 1 });
    const topics = Array.from({ length: 100 }, (_, i) => ({ name: `topic-${i}` }));
    await ask(await connected(kafka.port), metadata, 4, { topics, allowAutoTopicCreation: true });
    expect(logger.lines).toMatchObject([{ facts: { topics: 100, code: 'limit-exceeded' } }]);
  });

  test('a batch that came in a large frame keeps nothing of it but itself', async () => {
    const { broker, kafka } = await brokerAndListener();
    const { partitions } = await broker.streams.create({ name: 'here', partitions: 1 });
    const good = encodeBatch({ records: [{ timestamp: 0, value: Buffer.alloc(10_000) }] });
    const records = (index: number, bytes: Buffer) => ({ index, records: bytes });
    const topicData = [{ name: 'here', partitionData: [records(0, good), records(1, Buffer.alloc(4_000_000))] }];
    await ask(await connected(kafka.port), produce, 9, { ...produceTo('here', good), topicData });
    const { chunks } = await partitions[0]!.read(0, 100_000);
    expect(chunks[0]?.buffer.byteLength).toBeLessThan(100_000);
  });
});
