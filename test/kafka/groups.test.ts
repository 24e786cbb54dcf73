import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  MessagesStreamFallbackModes,
  MessagesStreamModes,
  Consumer as PlatformaticConsumer,
  stringDeserializers,
} from '@platformatic/kafka';
import type { Consumer } from 'kafkajs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasConfluent, PYTHON } from './clients/available.ts';
import { kafkajs, startBroker, temporaryDirectory, until } from './fixture.ts';

const TOPIC = 'work';
const PARTITIONS = 6;

/** One member of a group, whatever its client: what it got, and how it leaves. */
interface Member {
  readonly got: { readonly partition: number; readonly value: string }[];
  leave(): Promise<void>;
}

type Join = (address: string, groupId: string) => Promise<Member>;

const joinByKafkajs: Join = async (address, groupId) => {
  const consumer: Consumer = kafkajs(address).consumer({
    groupId,
    sessionTimeout: 6000,
    heartbeatInterval: 100,
    maxWaitTimeInMs: 50,
  });
  const got: Member['got'] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: PARTITIONS,
    eachMessage: async ({ partition, message }) => {
      got.push({ partition, value: `${message.value}` });
    },
  });
  return { got, leave: () => consumer.disconnect() };
};

const joinByPlatformatic: Join = async (address, groupId) => {
  const consumer = new PlatformaticConsumer({
    clientId: 'c',
    groupId,
    bootstrapBrokers: [address],
    deserializers: stringDeserializers,
    sessionTimeout: 6000,
    heartbeatInterval: 100,
    maxWaitTime: 50,
  });
  const stream = await consumer.consume({
    topics: [TOPIC],
    mode: MessagesStreamModes.COMMITTED,
    fallbackMode: MessagesStreamFallbackModes.EARLIEST,
    autocommit: true,
  });
  const got: Member['got'] = [];
  stream.on('data', ({ partition, value }) => got.push({ partition, value }));
  return {
    got,
    async leave() {
      await stream.close();
      await consumer.close();
    },
  };
};

function joinByLibrdkafka(strategy: string): Join {
  return async (address, groupId) => {
    const script = new URL('clients/confluent.py', import.meta.url).pathname;
    const child: ChildProcess = spawn(PYTHON, [script, 'group', address, TOPIC, groupId, strategy], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const got: Member['got'] = [];
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [partition, , value] = line.split(' ');
        got.push({ partition: Number(partition), value: value ?? '' });
      }
    });
    return {
      got,
      async leave() {
        child.stdin?.end();
        if (child.exitCode === null) await once(child, 'close');
      },
    };
  };
}

const clients: [name: string, join: Join][] = [
  ['kafkajs', joinByKafkajs],
  ['@platformatic/kafka', joinByPlatformatic],
];
if (hasConfluent) {
  clients.push(
    ['librdkafka, range', joinByLibrdkafka('range')],
    ['librdkafka, cooperative-sticky', joinByLibrdkafka('cooperative-sticky')],
  );
}

async function createTopic(address: string): Promise<void> {
  const admin = kafkajs(address).admin();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: PARTITIONS }] });
  await admin.disconnect();
}

/** Sends so many values, spread evenly over the partitions. */
async function send(address: string, name: string, count: number): Promise<string[]> {
  const producer = kafkajs(address).producer({ idempotent: true });
  await producer.connect();
  const values = Array.from({ length: count }, (_, i) => `${name}-${i}`);
  await producer.send({ topic: TOPIC, messages: values.map((value, i) => ({ value, partition: i % PARTITIONS })) });
  await producer.disconnect();
  return values;
}

/** Waits until the group has so many members, and no rebalance is under way. */
async function settled(address: string, groupId: string, members: number): Promise<void> {
  const admin = kafkajs(address).admin();
  await until(async () => {
    const { groups } = await admin.describeGroups([groupId]);
    return groups[0]?.state === 'Stable' && groups[0].members.length === members;
  });
  await admin.disconnect();
}

async function committed(address: string, groupId: string): Promise<number> {
  const admin = kafkajs(address).admin();
  const [topic] = await admin.fetchOffsets({ groupId, topics: [TOPIC] });
  await admin.disconnect();
  return (topic?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

const valuesOf = (...members: Member[]) => members.flatMap(({ got }) => got.map(({ value }) => value));

describe.each(clients)('a group of %s', (_name, join) => {
  it('shares the partitions among its members, as they come and go, and misses nothing', async () => {
    const { address } = await startBroker();
    await createTopic(address);
    const first = await join(address, 'team');
    await settled(address, 'team', 1);
    const alone = await send(address, 'alone', 60);
    await until(() => new Set(valuesOf(first)).size === 60);
    expect(new Set(valuesOf(first))).toEqual(new Set(alone));

    const second = await join(address, 'team');
    const third = await join(address, 'team');
    await settled(address, 'team', 3);
    const before = [first, second, third].map(({ got }) => got.length);
    const shared = await send(address, 'shared', 60);
    await until(() => shared.every((value) => valuesOf(first, second, third).includes(value)));
    // Each of the three works, on partitions of its own.
    const owners = [first, second, third].map(
      ({ got }, i) => new Set(got.slice(before[i]).map(({ partition }) => partition)),
    );
    for (const owned of owners) expect(owned.size).toBeGreaterThan(0);

    await second.leave();
    await first.leave();
    await settled(address, 'team', 1);
    const left = await send(address, 'left', 60);
    await until(() => left.every((value) => valuesOf(third).includes(value)));
    await third.leave();
    expect(new Set(valuesOf(first, second, third))).toEqual(new Set([...alone, ...shared, ...left]));
  });

  it('goes on where it had committed when it comes back, also after the broker was started again', async () => {
    const directory = await temporaryDirectory();
    const { address, close } = await startBroker({ storage: 'disk', directory });
    await createTopic(address);
    const first = await join(address, 'team');
    await send(address, 'before', 30);
    await until(() => new Set(valuesOf(first)).size === 30);
    await first.leave();
    await until(async () => (await committed(address, 'team')) === 30);
    await close();

    const again = await startBroker({ storage: 'disk', directory });
    const after = await send(again.address, 'after', 30);
    const second = await join(again.address, 'team');
    await until(() => after.every((value) => valuesOf(second).includes(value)));
    expect(new Set(valuesOf(second))).toEqual(new Set(after));
    await second.leave();
  });
});

it('members go on in their generation when the broker is started again under them', async () => {
  const directory = await temporaryDirectory();
  const started = await startBroker({ storage: 'disk', directory });
  const { address } = started;
  const listeners = [`kafka://${address}`];
  await createTopic(address);
  const member = await joinByKafkajs(address, 'team');
  await settled(address, 'team', 1);
  await started.close();
  await startBroker({ storage: 'disk', directory, listeners });
  await settled(address, 'team', 1);
  const values = await send(address, 'after', 12);
  await until(() => values.every((value) => valuesOf(member).includes(value)));
  await member.leave();
});
