import { connect } from 'amqplib';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { SluiceProcess, temporaryDirectory } from '../cli/sluice.ts';
import { until } from '../kafka/fixture.ts';
import { VerifiedConsumer } from './amqp-consumer.ts';
import { type MessageName, VerifiedPublisher } from './amqp-publisher.ts';

const EXCHANGE = 'verified';
/** Messages that go by it go to all queues. */
const ALL = 'all';
const DEAD = 'dead';
const REJECTING = 'rejecting';
const QUEUES: readonly { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> }[] = [
  { name: 'classic', arguments: {} },
  { name: 'quorum', arguments: { 'x-queue-type': 'quorum' } },
  // What its consumer rejects is dead, and consumed from there.
  { name: REJECTING, arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': DEAD } },
];
const PUBLISHERS = 4;
/** Small, so that files are full and segments written all the time. */
const SMALL = {
  SLUICE_STORAGE_COMMIT_LOG_FILE_BYTES: String(1024 * 1024),
  SLUICE_STORAGE_TAIL_CACHE_BYTES: '100000',
  SLUICE_STORAGE_MIN_FREE_BYTES: '0',
};
/** A broker lives until it has confirmed so many messages at least, and up to twenty times as many. */
export const CONFIRMED_PER_LIFE = 30;
/** So often an empty queue is looked at again before what is missing counts as lost. */
const LOOKS = 20;

export interface Killed {
  readonly kills: number;
  readonly confirmed: number;
  /** Deliveries of what was acknowledged already, none of which was safe. */
  readonly repeated: number;
}

/**
 * Kills a broker of its own process at random moments while persistent messages are published and acknowledged, and starts it
 * again on the same data. Throws when a message that was confirmed never came, when one came back whose acknowledgement was
 * safe, or when messages of one publisher came out of order.
 */
export async function killUnderConfirms(kills: number, seed: number): Promise<Killed> {
  const random = new SeededRandom(seed);
  const directory = await temporaryDirectory();
  let broker = await start(directory);
  const url = () => broker.url;
  await declare(url());

  const keys = [...QUEUES.map(({ name }) => name), ALL];
  const publishers = Array.from({ length: PUBLISHERS }, (_, i) => {
    return new VerifiedPublisher(`publisher-${i}`, EXCHANGE, keys, new SeededRandom(seed * 100 + i), url);
  });
  const consumers = new Map(
    [...QUEUES.map(({ name }) => name), DEAD].map((name, i) => {
      // Messages die in whatever order their consumer likes.
      const does = { rejects: name === REJECTING, ordered: name !== DEAD };
      return [name, new VerifiedConsumer(name, does, new SeededRandom(seed * 200 + i), url)] as const;
    }),
  );
  const confirmedCount = () => publishers.reduce((sum, publisher) => sum + publisher.confirmed.length, 0);
  let failure: Error | undefined;
  const noted = (error: Error) => {
    failure ??= error;
  };
  const publishing = publishers.map((publisher) => publisher.run().catch(noted));
  const consuming = [...consumers.values()].map((consumer) => consumer.run().catch(noted));

  for (let i = 0; i < kills && failure === undefined; i++) {
    const enough = confirmedCount() + CONFIRMED_PER_LIFE + random.below(20 * CONFIRMED_PER_LIFE);
    await until(() => confirmedCount() >= enough || failure !== undefined);
    await kill(broker);
    if (random.chance(0.3)) await killWhileStarting(directory, random);
    broker = await start(directory);
  }
  for (const publisher of publishers) publisher.stop();
  await Promise.all(publishing);
  for (const consumer of consumers.values()) consumer.drain();
  const confirmed = publishers.flatMap((publisher) => publisher.confirmed);
  if (failure === undefined) await allDone(url(), confirmed, consumers, () => failure !== undefined).catch(noted);
  for (const consumer of consumers.values()) consumer.stop();
  await Promise.all(consuming);
  if (failure !== undefined) throw failure;
  const { stderr } = await broker.process.stop();
  check(stderr);
  const repeated = [...consumers.values()].reduce((sum, consumer) => sum + consumer.repeated, 0);
  return { kills, confirmed: confirmed.length, repeated };
}

interface Started {
  readonly process: SluiceProcess;
  readonly url: string;
}

function spawn(directory: string): SluiceProcess {
  const args = ['start', '--listen', 'amqp://127.0.0.1:0', '--data', directory, '--log-level', 'warn'];
  return new SluiceProcess(args, { env: SMALL });
}

async function start(directory: string): Promise<Started> {
  const process = spawn(directory);
  const [, address] = await process.says(/^sluice ready amqp:\/\/(\S+)\n/m);
  return { process, url: `amqp://guest:guest@${address}` };
}

async function kill({ process }: Started): Promise<void> {
  check((await process.stop('SIGKILL')).stderr);
}

/** A broker that is killed before it is ready, perhaps in the middle of its recovery. */
async function killWhileStarting(directory: string, random: SeededRandom): Promise<void> {
  const starting = spawn(directory);
  await new Promise((resolve) => setTimeout(resolve, random.below(600)));
  check((await starting.stop('SIGKILL')).stderr);
}

function check(stderr: string): void {
  if (/damage|missing|internal|unhandled/i.test(stderr)) throw new Error(`the broker said:\n${stderr}`);
}

async function declare(url: string): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  await channel.assertExchange(EXCHANGE, 'direct');
  await channel.assertQueue(DEAD);
  for (const { name, arguments: args } of QUEUES) {
    await channel.assertQueue(name, { arguments: args });
    for (const key of [name, ALL]) await channel.bindQueue(name, EXCHANGE, key);
  }
  await connection.close();
}

/** Waits until every confirmed message was acknowledged in each queue that it went to; throws when the queues are empty before. */
async function allDone(
  url: string,
  confirmed: readonly MessageName[],
  consumers: ReadonlyMap<string, VerifiedConsumer>,
  hasFailed: () => boolean,
): Promise<void> {
  const isDone = (queue: string, { publisher, number }: MessageName) => {
    const name = `${publisher} ${number}`;
    const places = queue === REJECTING ? [queue, DEAD] : [queue];
    return places.some((place) => consumers.get(place)?.done.has(name));
  };
  const missing = () =>
    QUEUES.flatMap(({ name }) =>
      confirmed
        .filter((message) => message.key === ALL || message.key === name)
        .filter((message) => !isDone(name, message))
        .map(({ publisher, number }) => `${name}: ${publisher} ${number}`),
    );
  const connection = await connect(url);
  const channel = await connection.createChannel();
  try {
    for (let looks = 0; looks < LOOKS && !hasFailed(); ) {
      if (missing().length === 0) return;
      const waiting = await Promise.all(
        [...consumers.keys()].map(async (name) => (await channel.checkQueue(name)).messageCount),
      );
      looks = waiting.every((count) => count === 0) ? looks + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const lost = missing();
    if (lost.length > 0) throw new Error(`${lost.length} were confirmed and are lost: ${lost.slice(0, 10).join(', ')}`);
  } finally {
    await connection.close();
  }
}
