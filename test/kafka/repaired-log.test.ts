import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Consumer, stringDeserializers } from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import { createBroker, type RunningBroker } from '../../src/create-broker.ts';
import { realEnvironment } from '../../src/environment/real.ts';
import { Aside } from '../../src/storage/repair/aside.ts';
import { examineShard } from '../../src/storage/repair/repair.ts';

const MESSAGES = 400;

async function start(directory: string): Promise<{ broker: RunningBroker; address: string }> {
  const settings = { storage: { commitLogFileBytes: 1024 * 1024, tailCacheBytes: 0, minFreeBytes: 0 } };
  const broker = await createBroker({ storage: 'disk', directory, listeners: ['kafka://127.0.0.1:0'], settings });
  const address = `127.0.0.1:${broker.listeners[0]?.port}`;
  return { broker, address };
}

function kafkajs(address: string): Kafka {
  return new Kafka({ clientId: 'test', brokers: [address], logLevel: logLevel.NOTHING });
}

/** Produces the numbers from `from` to before `to`, padded to 10 KB, each in a batch of its own. */
async function produce(address: string, topic: string, from: number, to: number): Promise<void> {
  const producer = kafkajs(address).producer();
  await producer.connect();
  for (let i = from; i < to; i++)
    await producer.send({ topic, messages: [{ value: `${i} `.padEnd(10_000, String(i)) }] });
  await producer.disconnect();
}

const numberOf = (value: string | undefined) => Number.parseInt(value ?? '', 10);

async function readWithKafkajs(address: string, topic: string, last: number): Promise<number[]> {
  const consumer = kafkajs(address).consumer({ groupId: 'kafkajs' });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: number[] = [];
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    void consumer.run({
      eachMessage: async ({ message }) => {
        values.push(numberOf(message.value?.toString()));
        if (values.at(-1) === last) resolve();
      },
    });
  });
  await consumer.disconnect();
  return values;
}

async function readWithPlatformatic(address: string, topic: string, last: number): Promise<number[]> {
  const consumer = new Consumer({
    groupId: 'platformatic',
    clientId: 'test',
    bootstrapBrokers: [address],
    deserializers: stringDeserializers,
  });
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: false });
  const values: number[] = [];
  for await (const { value } of stream) {
    values.push(numberOf(value));
    if (values.at(-1) === last) break;
  }
  await consumer.close(true);
  return values;
}

test('consumers step over what a repair took out of a segment', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-repaired-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const first = await start(directory);
  for (const topic of ['one', 'other']) await produce(first.address, topic, 0, MESSAGES);
  await first.broker.close();

  const segments = join(directory, 'shard-0/segments');
  const logs = (await readdir(segments, { recursive: true })).filter((name) => name.endsWith('.log'));
  let hurt: { path: string; bytes: Buffer; at: number } | undefined;
  for (const name of logs.sort()) {
    const path = join(segments, name);
    const bytes = await readFile(path);
    const at = bytes.indexOf('5050505050');
    if (hurt === undefined && at >= 0) hurt = { path, bytes, at };
  }
  if (hurt === undefined) throw new Error('the messages are in no segment');
  hurt.bytes.write('x', hurt.at);
  await writeFile(hurt.path, hurt.bytes);

  const environment = realEnvironment();
  const found = await examineShard({ environment, data: directory, shard: 'shard-0' });
  expect(found.damages.flatMap(({ lost }) => lost)).toEqual([{ log: expect.any(String), from: 50, to: 51 }]);
  await found.mend(await Aside.next(environment.files, directory));

  const { broker, address } = await start(directory);
  onTestFinished(() => broker.close());
  for (const topic of ['one', 'other']) await produce(address, topic, MESSAGES, MESSAGES + 1);
  const all = Array.from({ length: MESSAGES + 1 }, (_, i) => i);
  const left = all.filter((i) => i !== 50);
  for (const read of [readWithKafkajs, readWithPlatformatic]) {
    const outcomes = [await read(address, 'one', MESSAGES), await read(address, 'other', MESSAGES)];
    // One of the two topics lost a message, whichever it was.
    outcomes.sort((a, b) => b.length - a.length);
    expect(outcomes).toEqual([all, left]);
  }
});
