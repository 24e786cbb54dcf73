import { expect, it } from 'vitest';
import { kafkajs, startBroker, temporaryDirectory, until } from './fixture.ts';

/** Everything in the topic, from the beginning to where its end was: `offset:key=value`. */
async function consumeAll(address: string, topic: string): Promise<string[]> {
  const admin = kafkajs(address).admin();
  await admin.connect();
  const [{ high } = { high: '0' }] = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const consumer = kafkajs(address).consumer({ groupId: `g-${Math.random()}`, maxWaitTimeInMs: 20 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const found: string[] = [];
  let last = -1;
  await consumer.run({
    eachMessage: async ({ message: { offset, key, value } }) => {
      found.push(`${offset}:${key}=${value}`);
      last = Number(offset);
    },
  });
  await until(() => last >= Number(high) - 1);
  await consumer.disconnect();
  return found;
}

it.each(['memory', 'disk'] as const)(
  'leaves consumers the last record of each key, over storage %s',
  async (storage) => {
    const directory = await temporaryDirectory();
    const { address } = await startBroker({ storage, directory, settings: { compaction: { checkMs: 20 } } });
    const kafka = kafkajs(address);
    const admin = kafka.admin();
    await admin.connect();
    const configEntries = [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'segment.bytes', value: '20000' },
      // What is in memory yet does not wait either.
      { name: 'max.compaction.lag.ms', value: '1' },
    ];
    await admin.createTopics({ topics: [{ topic: 'table', numPartitions: 1, configEntries }] });
    const producer = kafka.producer({ idempotent: true });
    await producer.connect();
    const updates = 3000;
    for (let from = 0; from < updates; from += 100) {
      const messages = Array.from({ length: 100 }, (_, i) => ({ key: `k${(from + i) % 30}`, value: `v${from + i}` }));
      await producer.send({ topic: 'table', messages });
    }
    const expected = Array.from({ length: 30 }, (_, i) => {
      const last = updates - 30 + i;
      return `${last}:k${last % 30}=v${last}`;
    });
    await until(async () => (await consumeAll(address, 'table')).length === expected.length);
    expect(await consumeAll(address, 'table')).toEqual(expected);
    // The producer goes on where it was.
    await producer.send({ topic: 'table', messages: [{ key: 'k0', value: 'new' }] });
    expect((await consumeAll(address, 'table')).at(-1)).toBe(`${updates}:k0=new`);
    await producer.disconnect();
    await admin.disconnect();
  },
  60_000,
);
