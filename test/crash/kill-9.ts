import { consume, createTopic, earliestOffsets, KafkaClient, latestOffsets } from '../../src/client/index.ts';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { BrokerProcess, SluiceProcess, temporaryDirectory } from '../cli/sluice.ts';
import { VerifiedProducer } from './verified-producer.ts';

const TOPIC = 'verified';
const PARTITIONS = 3;
const PRODUCERS = 6;
/** Small, so that files are full and segments written all the time. */
const SMALL = {
  SLUICE_STORAGE_COMMIT_LOG_FILE_BYTES: String(1024 * 1024),
  SLUICE_STORAGE_TAIL_CACHE_BYTES: '100000',
  SLUICE_STORAGE_MIN_FREE_BYTES: '0',
};

export interface KilledBroker {
  readonly kills: number;
  readonly records: number;
}

/**
 * Kills a broker of its own process at random moments, starts it again on the same data, and has producers send again what
 * was not answered. Throws when a record that was acknowledged is missing, out of order or there twice.
 */
export async function killAgainAndAgain(kills: number, seed: number): Promise<KilledBroker> {
  const random = new SeededRandom(seed);
  const directory = await temporaryDirectory();
  const start = () => BrokerProcess.start(['--data', directory, '--log-level', 'warn'], { env: SMALL });
  let broker = await start();
  await withClient(broker.address, (client) => createTopic(client, { name: TOPIC, partitions: PARTITIONS }));

  const producers = Array.from({ length: PRODUCERS }, (_, i) => {
    const target = { topic: TOPIC, partition: i % PARTITIONS };
    return new VerifiedProducer(`producer-${i}`, target, new SeededRandom(seed * 100 + i), () => broker.address);
  });
  let failure: Error | undefined;
  const running = producers.map((producer) =>
    producer.run().catch((error: Error) => {
      failure ??= error;
    }),
  );
  for (let i = 0; i < kills && failure === undefined; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50 + random.below(600)));
    await kill(broker);
    if (random.chance(0.3)) await killWhileStarting(directory, random);
    broker = await start();
  }
  for (const producer of producers) producer.stop();
  await Promise.all(running);
  if (failure !== undefined) throw failure;
  const records = await withClient(broker.address, (client) => verify(client, producers));
  await broker.stop();
  check(broker.stderr);
  return { kills, records };
}

async function kill(broker: BrokerProcess): Promise<void> {
  const { stderr } = await broker.stop('SIGKILL');
  check(stderr);
}

/** A broker that is killed before it is ready, perhaps in the middle of its recovery. */
async function killWhileStarting(directory: string, random: SeededRandom): Promise<void> {
  const args = ['start', '--listen', 'kafka://127.0.0.1:0', '--data', directory, '--log-level', 'warn'];
  const starting = new SluiceProcess(args, { env: SMALL });
  await new Promise((resolve) => setTimeout(resolve, random.below(600)));
  check((await starting.stop('SIGKILL')).stderr);
}

function check(stderr: string): void {
  if (/damage|missing|internal|unhandled/i.test(stderr)) throw new Error(`the broker said:\n${stderr}`);
}

async function withClient<T>(address: string, use: (client: KafkaClient) => Promise<T>): Promise<T> {
  const [host = '', port = ''] = address.split(':');
  const client = await KafkaClient.connect({ host, port: Number(port) });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** Reads everything, and compares it with what was acknowledged. Answers how many records there are. */
async function verify(client: KafkaClient, producers: readonly VerifiedProducer[]): Promise<number> {
  const partitions = Array.from({ length: PARTITIONS }, (_, i) => i);
  const from = await earliestOffsets(client, TOPIC, partitions);
  const to = await latestOffsets(client, TOPIC, partitions);
  const next = new Map(partitions.map((partition) => [partition, 0]));
  const found = new Map<string, string[]>();
  for await (const records of consume(client, { topic: TOPIC, from, to })) {
    for (const { partition, offset, key } of records) {
      if (offset !== next.get(partition))
        throw new Error(`partition ${partition}: ${offset} follows ${(next.get(partition) ?? 0) - 1}`);
      next.set(partition, offset + 1);
      const value = String(key);
      const [producer = ''] = value.split(' ');
      const values = found.get(producer);
      if (values === undefined) found.set(producer, [value]);
      else values.push(value);
    }
  }
  let count = 0;
  for (const [i, { acknowledged }] of producers.entries()) {
    const values = found.get(`producer-${i}`) ?? [];
    const wrong = acknowledged.findIndex((value, at) => values[at] !== value);
    if (wrong >= 0)
      throw new Error(`'${acknowledged[wrong]}' was acknowledged, and '${values[wrong]}' stands in its place`);
    if (values.length !== acknowledged.length)
      throw new Error(`producer-${i}: ${values.length} records, of ${acknowledged.length}`);
    count += values.length;
  }
  return count;
}
