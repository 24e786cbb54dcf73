import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import { createBroker } from '../src/index.ts';
import { createTopics } from '../src/protocols/kafka/codec/apis/create-topics.ts';
import { fetch } from '../src/protocols/kafka/codec/apis/fetch.ts';
import { joinGroup } from '../src/protocols/kafka/codec/apis/join-group.ts';
import { listGroups } from '../src/protocols/kafka/codec/apis/list-groups.ts';
import { listOffsets } from '../src/protocols/kafka/codec/apis/list-offsets.ts';
import { produce } from '../src/protocols/kafka/codec/apis/produce.ts';
import { syncGroup } from '../src/protocols/kafka/codec/apis/sync-group.ts';
import { encodeBatch } from '../src/records/index.ts';
import { until } from './kafka/fixture.ts';
import { ask, frameOf, RawClient } from './kafka/raw-client.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function brokerOnVirtualClock() {
  const broker = await createBroker({ clock: 'virtual', listeners: ['kafka://127.0.0.1:0'] });
  onTestFinished(() => broker.close());
  const connect = async () => {
    const client = await RawClient.connect(broker.listeners[0]?.port ?? 0);
    onTestFinished(() => client.destroy());
    return client;
  };
  return { broker, connect };
}

async function makeTopic(client: RawClient, name: string, configs: { name: string; value: string }[] = []) {
  const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs };
  await ask(client, createTopics, 5, { topics: [topic], timeoutMs: 1000, validateOnly: false });
}

function append(client: RawClient, name: string, timestamp: number) {
  const records = encodeBatch({ records: [{ timestamp, value: Buffer.from('v') }] });
  const topicData = [{ name, partitionData: [{ index: 0, records }] }];
  return ask(client, produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData });
}

async function earliest(client: RawClient, name: string): Promise<number | undefined> {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -2 }];
  const { topics } = await ask(client, listOffsets, 4, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name, partitions }],
  });
  return topics[0]?.partitions[0]?.offset;
}

function fetchOf(topic: string, maxWaitMs: number) {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }];
  const topics = [{ topic, partitions }];
  return { maxWaitMs, minBytes: 1, maxBytes: 1000, sessionId: 0, sessionEpoch: -1, topics, forgottenTopicsData: [] };
}

const joinOf = (groupId: string, sessionTimeoutMs: number) => ({
  groupId,
  sessionTimeoutMs,
  rebalanceTimeoutMs: MINUTE,
  memberId: '',
  protocolType: 'consumer',
  // What kafkajs calls its own.
  protocols: [{ name: 'RoundRobinAssigner', metadata: Buffer.alloc(0) }],
});

test('a long poll ends when the clock has been turned by its time, and not before', async () => {
  const { broker, connect } = await brokerOnVirtualClock();
  const client = await connect();
  await makeTopic(client, 'empty');
  client.send(frameOf(fetch, 11, 1, fetchOf('empty', 30_000)));
  await broker.idle();
  await broker.clock.advance(29_999);
  await broker.idle();
  expect(client.frames).toHaveLength(1);
  await broker.clock.advance(1);
  await client.received(2);
});

test('the broker is idle while a long poll waits, whatever is behind it', async () => {
  const { broker, connect } = await brokerOnVirtualClock();
  const [client, other] = [await connect(), await connect()];
  await makeTopic(other, 'here');
  client.send(Buffer.concat([1, 2, 3].map((id) => frameOf(fetch, 11, id, fetchOf('here', 30_000)))));
  client.send(frameOf(listGroups, 2, 4, {}));
  await broker.idle();
  expect(client.frames).toHaveLength(0);
  await append(other, 'here', broker.clock.now());
  await broker.idle();
  expect(client.frames).toHaveLength(4);
});

test('a member whose heartbeats stay away is gone when its session is over', async () => {
  const { broker, connect } = await brokerOnVirtualClock();
  const client = await connect();
  const joining = ask(client, joinGroup, 3, joinOf('readers', 10_000));
  await broker.idle();
  await broker.clock.advance(100);
  const { memberId, generationId } = await joining;
  const assignments = [{ memberId, assignment: Buffer.alloc(0) }];
  await ask(client, syncGroup, 2, { groupId: 'readers', generationId, memberId, assignments });
  const state = async () => (await ask(client, listGroups, 4, { statesFilter: [] })).groups[0]?.groupState;
  await broker.clock.advance(9_999);
  expect(await state()).toBe('Stable');
  await broker.clock.advance(1);
  expect(await state()).toBe('Empty');
});

test('records go when they are older than retention says', async () => {
  const { broker, connect } = await brokerOnVirtualClock();
  const client = await connect();
  await makeTopic(client, 'short', [{ name: 'retention.ms', value: `${HOUR}` }]);
  await append(client, 'short', broker.clock.now());
  await broker.clock.advance(HOUR / 2);
  await append(client, 'short', broker.clock.now());
  expect(await earliest(client, 'short')).toBe(0);
  await broker.clock.advance(HOUR / 2 + 5 * MINUTE);
  expect(await earliest(client, 'short')).toBe(1);
  await broker.clock.advance(HOUR);
  expect(await earliest(client, 'short')).toBe(2);
});

test('a month goes by in little time', async () => {
  const { broker } = await brokerOnVirtualClock();
  const started = broker.clock.now();
  await broker.clock.advance(30 * 24 * HOUR);
  expect(broker.clock.now() - started).toBe(30 * 24 * HOUR);
});

// As a user's test would be written, with a client that knows nothing of the clock.
test('a kafkajs consumer is given the partitions of a member that hangs when its time is over', async () => {
  const { broker, connect } = await brokerOnVirtualClock();
  const hung = await connect();
  const joining = ask(hung, joinGroup, 3, joinOf('shipping', 30_000));
  await broker.idle();
  await broker.clock.advance(100);
  expect((await joining).errorCode).toBe(0);

  const kafka = new Kafka({ brokers: [`127.0.0.1:${broker.listeners[0]?.port}`], logLevel: logLevel.NOTHING });
  const [admin, producer, consumer] = [kafka.admin(), kafka.producer(), kafka.consumer({ groupId: 'shipping' })];
  await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
  await admin.createTopics({ topics: [{ topic: 'orders' }] });
  await producer.send({ topic: 'orders', messages: [{ value: 'first' }] });
  await consumer.subscribe({ topic: 'orders', fromBeginning: true });
  const seen: string[] = [];
  const eachMessage = async ({ message }: { message: KafkaMessage }) => void seen.push(String(message.value));
  const running = consumer.run({ eachMessage });

  // Its join waits for the other member, until the session of that is over: 30 seconds.
  const state = async () => (await admin.describeGroups(['shipping'])).groups[0]?.state;
  await until(async () => (await state()) === 'PreparingRebalance');
  await broker.idle();
  await broker.clock.advance(29_999);
  expect(await state()).toBe('PreparingRebalance');
  await broker.clock.advance(1);
  await running;
  await until(() => seen.length > 0);
  expect(seen).toEqual(['first']);

  // A consumer that stops waits for its poll, and that for the clock.
  const stopped = consumer.disconnect();
  await broker.idle();
  await broker.clock.advance(10_000);
  await Promise.all([stopped, admin.disconnect(), producer.disconnect()]);
});
