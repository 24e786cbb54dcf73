import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Kafka } from 'kafkajs';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { kafkajs, temporaryDirectory, until } from '../kafka/fixture.ts';
import { classPath, type JavaProcess, JavaTools, whatJavaLacks } from './java.ts';
import { RestartableBroker } from './restartable-broker.ts';

// Kafka Streams with exactly_once_v2: state stores and their changelogs, repartition topics, windows, a join; members, and the broker, that are killed.

const STREAMS = ['org.apache.kafka:kafka-streams:4.3.1', 'org.slf4j:slf4j-nop:2.0.17'];
const TOOLS = ['org.apache.kafka:kafka-tools:4.1.0', 'org.apache.kafka:kafka_2.13:4.1.0'];
const APPLICATION = fileURLToPath(new URL('java/WordStreams.java', import.meta.url));

const PARTITIONS = 3;
const LINES = 600;
const WORDS_OF_A_LINE = 4;
const VOCABULARY = Array.from({ length: 15 }, (_, i) => `word${i}`);
const WINDOW_MS = 10_000;
const LINE_EVERY_MS = 150;
const FIRST_TIME = Date.UTC(2026, 0, 1);

const lack = whatJavaLacks();
if (lack !== undefined) process.stderr.write(`skipped: Kafka Streams: ${lack}\n`);

interface StreamsEvent {
  readonly state: string;
  readonly error?: string;
}

interface Line {
  readonly id: string;
  readonly words: readonly string[];
  readonly timestamp: number;
}

function makeLines(): readonly Line[] {
  const random = new SeededRandom(7);
  return Array.from({ length: LINES }, (_, i) => ({
    id: `line${i}`,
    words: Array.from({ length: WORDS_OF_A_LINE }, () => VOCABULARY[random.below(VOCABULARY.length)] ?? ''),
    timestamp: FIRST_TIME + i * LINE_EVERY_MS,
  }));
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i + 1}`);

/** What each of the application's topics should have: of each key its values, in their order. */
function expected(lines: readonly Line[]) {
  const words = lines.flatMap(({ id, words: of, timestamp }) => of.map((word) => ({ id, word, timestamp })));
  const windowOf = (timestamp: number) => timestamp - (timestamp % WINDOW_MS);
  const steps = (keys: readonly string[]) =>
    Object.fromEntries(
      Array.from(
        Map.groupBy(keys, (key) => key),
        ([key, all]) => [key, numbers(all.length)],
      ),
    );
  return {
    counts: steps(words.map(({ word }) => word)),
    windows: steps(words.map(({ word, timestamp }) => `${word}@${windowOf(timestamp)}`)),
    coloured: words.map(({ id, word }) => `${word} ${id} colour-of-${word}`).sort(),
  };
}

describe.skipIf(lack !== undefined)('Kafka Streams with exactly_once_v2', () => {
  let java: JavaTools;
  let tools: JavaTools;
  beforeAll(async () => {
    java = new JavaTools(await classPath(STREAMS));
    tools = new JavaTools(await classPath(TOOLS));
  }, 300_000);

  /** Every record of a committed transaction, as `[KEY, VALUE]`. */
  async function read(address: string, topic: string): Promise<string[][]> {
    const output = await tools.run('org.apache.kafka.tools.consumer.ConsoleConsumer', [
      ...['--bootstrap-server', address, '--topic', topic, '--from-beginning', '--timeout-ms', '4000'],
      ...['--consumer-property', 'isolation.level=read_committed'],
      ...['--property', 'print.key=true', '--property', 'key.separator=:'],
    ]);
    return output.split('\n').flatMap((line) => (line.includes(':') ? [line.split(':')] : []));
  }

  async function valuesByKey(address: string, topic: string) {
    const records = Map.groupBy(await read(address, topic), ([key = '']) => key);
    return Object.fromEntries(Array.from(records, ([key, of]) => [key, of.map(([, value]) => value)]));
  }

  test('counts, windows and joins each word once, whatever is killed meanwhile', async () => {
    const broker = await RestartableBroker.start();
    const kafka = kafkajs(broker.address);
    await makeTopics(kafka);
    const lines = makeLines();
    const part = (n: number) => lines.slice((n * LINES) / 6, ((n + 1) * LINES) / 6);
    const seen = await colouredWords(kafka);
    const wordsOf = (parts: number) => (parts * LINES * WORDS_OF_A_LINE) / 6;

    const directories = [await temporaryDirectory(), await temporaryDirectory()] as const;
    const start = async (directory: string) => {
      const application = java.start<StreamsEvent>(APPLICATION, [broker.address, directory]);
      await until(() => application.events.some(({ state }) => state === 'RUNNING'));
      return application;
    };
    const first = await start(directories[0]);
    await produce(kafka, part(0));
    await until(() => seen.size >= wordsOf(1));

    // A second member takes half of the work.
    const second = await start(directories[1]);
    await produce(kafka, part(1));
    await until(() => seen.size >= wordsOf(1) + 50);

    // The first is killed in the middle, and comes back without its state.
    await first.kill();
    await rm(directories[0], { recursive: true });
    await produce(kafka, part(2));
    const third = await start(directories[0]);
    await until(() => seen.size >= wordsOf(3));

    // The broker is killed under both.
    await produce(kafka, part(3));
    await until(() => seen.size >= wordsOf(3) + 20);
    await broker.killAndStartAgain();
    await produce(kafka, part(4));
    await until(() => seen.size >= wordsOf(5));

    // An orderly restart, with the state kept.
    await second.stop();
    await produce(kafka, part(5));
    const fourth = await start(directories[1]);
    await until(() => seen.size >= wordsOf(6));
    await Promise.all([third.stop(), fourth.stop()]);

    const { counts, windows, coloured } = expected(lines);
    expect(await valuesByKey(broker.address, 'counts')).toEqual(counts);
    expect(await valuesByKey(broker.address, 'windows')).toEqual(windows);
    expect((await read(broker.address, 'coloured')).map(([word, rest]) => `${word} ${rest}`).sort()).toEqual(coloured);
    for (const application of [first, second, third, fourth]) expect(failuresOf(application)).toEqual([]);
    expect(broker.log).not.toMatch(/internal|unhandled/i);
  });
});

const failuresOf = ({ events }: JavaProcess<StreamsEvent>) => events.filter(({ error }) => error !== undefined);

async function makeTopics(kafka: Kafka): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const names = ['lines', 'colours', 'counts', 'windows', 'coloured'];
  await admin.createTopics({ topics: names.map((topic) => ({ topic, numPartitions: PARTITIONS })) });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  const colours = VOCABULARY.map((word) => ({ key: word, value: `colour-of-${word}`, timestamp: `${FIRST_TIME - 1}` }));
  await producer.send({ topic: 'colours', messages: colours });
  await producer.disconnect();
}

async function produce(kafka: Kafka, lines: readonly Line[]): Promise<void> {
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  const messages = lines.map(({ id, words, timestamp }) => ({
    key: id,
    value: words.join(' '),
    timestamp: `${timestamp}`,
  }));
  await producer.send({ topic: 'lines', messages });
  await producer.disconnect();
}

/** The places of all committed records in `coloured` so far: a reader that a broker left behind reads some of them again. */
async function colouredWords(kafka: Kafka): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  const consumer = kafka.consumer({ groupId: 'watching', readUncommitted: false });
  await consumer.connect();
  await consumer.subscribe({ topic: 'coloured', fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      seen.add(`${partition} ${message.offset}`);
    },
  });
  onTestFinished(() => consumer.disconnect());
  return seen;
}
