import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  GroupProtocols,
  MessagesStreamFallbackModes,
  MessagesStreamModes,
  Consumer as PlatformaticConsumer,
  stringDeserializers,
} from '@platformatic/kafka';
import type { Consumer } from 'kafkajs';
import { onTestFinished } from 'vitest';
import { hasConfluent, PYTHON } from './clients/available.ts';
import { kafkajs } from './fixture.ts';

// Members of groups, of several clients, and the topic that they consume.

export const TOPIC = 'work';
export const PARTITIONS = 6;

/** One member of a group, whatever its client: what it got, and how it leaves. */
export interface Member {
  readonly got: { readonly partition: number; readonly value: string }[];
  leave(): Promise<void>;
}

export type Join = (address: string, groupId: string) => Promise<Member>;

export const joinByKafkajs: Join = async (address, groupId) => {
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

/** By the classic protocol, or by that of KIP-848. */
export const joinByPlatformatic = async (
  address: string,
  groupId: string,
  protocol: 'classic' | 'consumer' = 'classic',
): Promise<Member> => {
  const consumer = new PlatformaticConsumer({
    clientId: 'c',
    groupId,
    groupProtocol: protocol === 'classic' ? GroupProtocols.CLASSIC : GroupProtocols.CONSUMER,
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
        const [partition, , ...value] = line.split(' ');
        got.push({ partition: Number(partition), value: value.join(' ') });
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

/** Clients of the classic protocol. */
export const clients: [name: string, join: Join][] = [
  ['kafkajs', joinByKafkajs],
  ['@platformatic/kafka', (address, groupId) => joinByPlatformatic(address, groupId)],
];
if (hasConfluent) {
  clients.push(
    ['librdkafka, range', joinByLibrdkafka('range')],
    ['librdkafka, cooperative-sticky', joinByLibrdkafka('cooperative-sticky')],
  );
}

export async function createTopic(address: string): Promise<void> {
  const admin = kafkajs(address).admin();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: PARTITIONS }] });
  await admin.disconnect();
}

/** Sends so many values, spread evenly over the partitions. */
export async function send(address: string, name: string, count: number): Promise<string[]> {
  const producer = kafkajs(address).producer({ idempotent: true });
  await producer.connect();
  const values = Array.from({ length: count }, (_, i) => `${name}-${i}`);
  await producer.send({ topic: TOPIC, messages: values.map((value, i) => ({ value, partition: i % PARTITIONS })) });
  await producer.disconnect();
  return values;
}

export const valuesOf = (...members: Member[]) => members.flatMap(({ got }) => got.map(({ value }) => value));
