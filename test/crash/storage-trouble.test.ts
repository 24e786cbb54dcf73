import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { consume, createTopic, earliestOffsets, KafkaClient, latestOffsets } from '../../src/client/index.ts';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { BrokerProcess, temporaryDirectory } from '../cli/sluice.ts';
import { mountSmallDisk } from './disk.ts';
import { VerifiedProducer } from './verified-producer.ts';

const TOPIC = 'verified';
const KAFKA_STORAGE_ERROR = 56;
const MiB = 1024 * 1024;

async function connect(broker: BrokerProcess): Promise<KafkaClient> {
  const [host = '', port = ''] = broker.address.split(':');
  return KafkaClient.connect({ host, port: Number(port) });
}

/** The keys of all records of the topic's only partition. */
async function readAll(client: KafkaClient): Promise<string[]> {
  const [from, to] = [await earliestOffsets(client, TOPIC, [0]), await latestOffsets(client, TOPIC, [0])];
  const keys: string[] = [];
  for await (const records of consume(client, { topic: TOPIC, from, to }))
    keys.push(...records.map(({ key }) => String(key)));
  return keys;
}

it.for([
  ['before the device refuses', 4 * MiB],
  ['when the device refuses', 0],
] as const)(
  'refuses writers %s for lack of space, not readers, and recovers by itself',
  { timeout: 120_000 },
  async ([, minFreeBytes], { skip }) => {
    const disk = await mountSmallDisk(48);
    if (disk === undefined) return skip('this user may not mount a file system');
    try {
      await writeFile(join(disk.path, 'ballast'), Buffer.alloc(36 * MiB));
      const broker = await BrokerProcess.start(['--data', join(disk.path, 'data'), '--log-level', 'warn'], {
        env: {
          SLUICE_STORAGE_COMMIT_LOG_FILE_BYTES: String(MiB),
          SLUICE_STORAGE_MIN_FREE_BYTES: String(minFreeBytes),
        },
      });
      const client = await connect(broker);
      await createTopic(client, { name: TOPIC, partitions: 1 });
      const producer = new VerifiedProducer(
        'producer',
        { topic: TOPIC, partition: 0 },
        new SeededRandom(1),
        () => broker.address,
      );
      const running = producer.run();

      await expect.poll(() => producer.refusals.get(KAFKA_STORAGE_ERROR) ?? 0, { timeout: 30_000 }).toBeGreaterThan(2);
      const before = producer.acknowledged.length;
      expect((await readAll(client)).slice(0, before)).toEqual(producer.acknowledged.slice(0, before));

      await rm(join(disk.path, 'ballast'));
      await expect.poll(() => producer.acknowledged.length, { timeout: 30_000 }).toBeGreaterThan(before + 50);
      producer.stop();
      await running;
      expect(await readAll(client)).toEqual(producer.acknowledged);
      await client.close();
      expect((await broker.stop('SIGKILL')).stderr).not.toMatch(/damage|internal|unhandled/i);

      const again = await BrokerProcess.start(['--data', join(disk.path, 'data')]);
      const reader = await connect(again);
      expect(await readAll(reader)).toEqual(producer.acknowledged);
      await reader.close();
      await again.stop();
    } finally {
      await disk.unmount();
    }
  },
);

it('acknowledges nothing any more, soon after its data directory was removed', { timeout: 60_000 }, async () => {
  const directory = await temporaryDirectory();
  const broker = await BrokerProcess.start(['--data', directory, '--log-level', 'warn']);
  const client = await connect(broker);
  await createTopic(client, { name: TOPIC, partitions: 1 });
  const producer = new VerifiedProducer(
    'producer',
    { topic: TOPIC, partition: 0 },
    new SeededRandom(1),
    () => broker.address,
  );
  const running = producer.run().catch(() => {});
  await expect.poll(() => producer.acknowledged.length).toBeGreaterThan(10);
  await rm(directory, { recursive: true, force: true });
  await expect.poll(() => producer.refusals.get(KAFKA_STORAGE_ERROR) ?? 0, { timeout: 20_000 }).toBeGreaterThan(2);
  const acknowledged = producer.acknowledged.length;
  const refused = producer.refusals.get(KAFKA_STORAGE_ERROR) ?? 0;
  await expect.poll(() => producer.refusals.get(KAFKA_STORAGE_ERROR) ?? 0).toBeGreaterThan(refused + 5);
  expect(producer.acknowledged.length).toBe(acknowledged);
  expect(broker.stderr).toMatch(/taken away/);
  await client.close();
  await broker.stop('SIGKILL');
  producer.stop();
  void running;
});
