import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Consumer, MessagesStreamModes, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';
import { CompressionTypes } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { hasConfluent, hasKcat, PYTHON } from './clients/available.ts';
import { kafkajs, startBroker, until } from './fixture.ts';

/** What every client is to send and to find: `count` records, numbered in key, value and a header. */
interface Received {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
  readonly number: string;
}

const COUNT = 500;
const PARTITIONS = 3;

type Produce = (address: string, topic: string) => Promise<void>;
type Read = (address: string, topic: string) => Promise<Received[]>;

async function run(command: string, args: readonly string[], stdin = ''): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdin.end(stdin);
  const [code] = await once(child, 'close');
  expect(code, `${command} ${args.join(' ')}`).toBe(0);
  return output;
}

const confluent = (...args: string[]) =>
  run(PYTHON, [new URL('clients/confluent.py', import.meta.url).pathname, ...args]);

function produceByKafkajs(compression: CompressionTypes, idempotent: boolean): Produce {
  return async (address, topic) => {
    const producer = kafkajs(address).producer({ idempotent, maxInFlightRequests: 5 });
    await producer.connect();
    const messages = Array.from({ length: COUNT }, (_, i) => ({
      key: `key-${i}`,
      value: `value-${i}`,
      headers: { number: `${i}` },
    }));
    for (let i = 0; i < COUNT; i += 100)
      await producer.send({ topic, compression, messages: messages.slice(i, i + 100) });
    await producer.disconnect();
  };
}

function produceByPlatformatic(compression: 'none' | 'snappy' | 'lz4' | 'zstd' | 'gzip'): Produce {
  return async (address, topic) => {
    const producer = new Producer({
      clientId: 'p',
      bootstrapBrokers: [address],
      serializers: stringSerializers,
      idempotent: true,
    });
    const messages = Array.from({ length: COUNT }, (_, i) => ({
      topic,
      key: `key-${i}`,
      value: `value-${i}`,
      headers: { number: `${i}` },
    }));
    await producer.send({ messages, compression });
    await producer.close();
  };
}

function produceByLibrdkafka(compression: string): Produce {
  return async (address, topic) => {
    expect(JSON.parse(await confluent('produce', address, topic, compression, `${COUNT}`))).toEqual({
      failed: [],
      unsent: 0,
    });
  };
}

const produceByKcat: Produce = async (address, topic) => {
  for (let i = 0; i < 5; i++) {
    const lines = Array.from({ length: COUNT / 5 }, (_, k) => `key-${i * 100 + k}:value-${i * 100 + k}`);
    // kcat has one set of headers for all messages of a run.
    await run('kcat', ['-P', '-b', address, '-t', topic, '-K', ':', '-X', 'compression.codec=lz4'], lines.join('\n'));
  }
};

const readByKafkajs: Read = async (address, topic) => {
  const consumer = kafkajs(address).consumer({ groupId: 'kafkajs', maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const received: Received[] = [];
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      received.push({
        partition,
        offset: Number(message.offset),
        key: `${message.key}`,
        value: `${message.value}`,
        number: `${message.headers?.['number'] ?? ''}`,
      });
    },
  });
  await until(() => received.length >= COUNT);
  await consumer.disconnect();
  return received;
};

const readByPlatformatic: Read = async (address, topic) => {
  const consumer = new Consumer({
    clientId: 'c',
    groupId: 'platformatic',
    bootstrapBrokers: [address],
    deserializers: stringDeserializers,
  });
  const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: true });
  const received: Received[] = [];
  for await (const { partition, offset, key, value, headers } of stream) {
    received.push({ partition, offset: Number(offset), key, value, number: headers.get('number') ?? '' });
    if (received.length === COUNT) break;
  }
  await consumer.close(true);
  return received;
};

const readByLibrdkafka: Read = async (address, topic) =>
  JSON.parse(await confluent('read', address, topic, `${COUNT}`)) as Received[];

const readByKcat: Read = async (address, topic) => {
  const format = '{"partition":%p,"offset":%o,"key":"%k","value":"%s","number":"%h"}\\n';
  const output = await run('kcat', ['-C', '-b', address, '-t', topic, '-e', '-q', '-f', format]);
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Received)
    .map((record) => ({ ...record, number: record.number.replace('number=', '') }));
};

const producers: [name: string, produce: Produce, headers: boolean][] = [
  ['kafkajs', produceByKafkajs(CompressionTypes.None, false), true],
  ['kafkajs, idempotent, gzip', produceByKafkajs(CompressionTypes.GZIP, true), true],
  ['@platformatic/kafka, idempotent', produceByPlatformatic('none'), true],
  ['@platformatic/kafka, zstd', produceByPlatformatic('zstd'), true],
  ['@platformatic/kafka, snappy', produceByPlatformatic('snappy'), true],
];
const readers: [name: string, read: Read][] = [
  ['kafkajs', readByKafkajs],
  ['@platformatic/kafka', readByPlatformatic],
];
if (hasConfluent) {
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    producers.push([`librdkafka, idempotent, ${compression}`, produceByLibrdkafka(compression), true]);
  }
  readers.push(['librdkafka', readByLibrdkafka]);
}
if (hasKcat) {
  producers.push(['kcat, lz4', produceByKcat, false]);
  readers.push(['kcat', readByKcat]);
}

/** kafkajs brings gzip only; other codecs are the application's to plug in. */
function canRead(reader: string, producer: string): boolean {
  return reader !== 'kafkajs' || !/snappy|lz4|zstd/.test(producer);
}

describe.each(producers)('what %s produces', (producer, produce, headers) => {
  it.each(readers.filter(([reader]) => canRead(reader, producer)))(
    '%s reads whole, in order, once',
    async (_name, read) => {
      const broker = await startBroker();
      const admin = kafkajs(broker.address).admin();
      await admin.createTopics({ topics: [{ topic: 'records', numPartitions: PARTITIONS }] });
      await admin.disconnect();
      await produce(broker.address, 'records');
      const received = await read(broker.address, 'records');

      const numbers = received.map(({ key }) => Number(key.slice('key-'.length))).sort((a, b) => a - b);
      expect(numbers).toEqual(Array.from({ length: COUNT }, (_, i) => i));
      for (const { key, value, number } of received) {
        expect(value).toBe(key.replace('key', 'value'));
        if (headers) expect(`key-${number}`).toBe(key);
      }
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const mine = received.filter((record) => record.partition === partition);
        expect(mine.map(({ offset }) => offset)).toEqual(mine.map((_, i) => i));
        const inOrder = mine.map(({ key }) => Number(key.slice('key-'.length)));
        expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
      }
    },
  );
});
