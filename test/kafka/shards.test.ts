import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { kafkajs, startBroker, temporaryDirectory, until } from './fixture.ts';

const PARTITIONS = 6;
const VALUES = Array.from({ length: 60 }, (_, i) => `value-${i}`);

/** Reads as the group until it has that many, commits, and leaves. */
async function read(address: string, groupId: string, count: number): Promise<string[]> {
  const consumer = kafkajs(address).consumer({ groupId, maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topic: 'spread', fromBeginning: true });
  const values: string[] = [];
  await consumer.run({ eachMessage: async ({ message }) => void values.push(`${message.value}`) });
  await until(() => values.length >= count);
  await consumer.disconnect();
  return values.sort();
}

async function send(address: string, values: readonly string[]): Promise<void> {
  const producer = kafkajs(address).producer({ idempotent: true });
  await producer.connect();
  await producer.send({ topic: 'spread', messages: values.map((value, i) => ({ value, partition: i % PARTITIONS })) });
  await producer.disconnect();
}

it('spreads partitions and groups over three shards, and finds all of them again when it is started with one', async () => {
  const directory = await temporaryDirectory();
  const first = await startBroker({ storage: 'disk', directory, settings: { storage: { shards: 3 } } });
  const admin = kafkajs(first.address).admin();
  await admin.createTopics({ topics: [{ topic: 'spread', numPartitions: PARTITIONS }] });
  await admin.disconnect();
  await send(first.address, VALUES);
  const groups = ['a', 'b', 'c', 'd'];
  for (const group of groups) expect(await read(first.address, group, VALUES.length)).toEqual([...VALUES].sort());
  await first.close();
  expect((await readdir(directory)).filter((name) => name.startsWith('shard-')).sort()).toEqual([
    'shard-0',
    'shard-1',
    'shard-2',
  ]);

  const again = await startBroker({ storage: 'disk', directory });
  const later = VALUES.map((value) => `later-${value}`);
  await send(again.address, later);
  for (const group of groups) expect(await read(again.address, group, later.length)).toEqual([...later].sort());
  const fresh = await read(again.address, 'fresh', 2 * VALUES.length);
  expect(fresh).toEqual([...VALUES, ...later].sort());
});
