import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_DIRECTORY } from './cache-directory.ts';
import { kafkaConsume } from './kafka-consume.ts';
import { kafkaEndToEnd } from './kafka-e2e.ts';
import { kafkaProduce } from './kafka-produce.ts';
import { kafka, kafkaMissing } from './peers/kafka.ts';
import type { Peer } from './peers/peer.ts';
import { sluice } from './peers/sluice.ts';
import { describeProfile } from './profile.ts';
import { describe, describeRatios, describeStart, machine, ratios, withRates } from './report.ts';
import { type Started, startEmpty, startWithData } from './start.ts';
import type { Measurement, Work } from './work.ts';

interface CommonOptions {
  readonly storage: 'disk' | 'memory';
  readonly flush: 'always' | 'interval' | 'os';
  readonly data?: string;
  readonly against?: 'kafka';
  readonly json?: boolean;
}

/** What the command line says; a command has some of them. Bytes are bytes, times are seconds. */
export interface BenchOptions extends CommonOptions {
  readonly size: number;
  readonly batch: number;
  readonly acks?: 'all' | '1';
  readonly partitions: number;
  readonly connections: number;
  readonly inFlight?: number;
  readonly fetch?: number;
  readonly seconds: number;
  readonly warmUp?: number;
  readonly mb?: number;
  readonly rate?: number;
  readonly from?: 'tail' | 'cold';
  readonly rounds: number;
  readonly profile?: boolean;
}

export interface StartOptions extends CommonOptions {
  readonly dataGb?: number;
  readonly kill?: boolean;
  readonly starts: number;
}

type Bench = (peer: Peer, directory: string, work: Work) => Promise<Measurement>;

const BENCHES: ReadonlyMap<string, Bench> = new Map([
  ['kafka-produce', kafkaProduce],
  ['kafka-consume', kafkaConsume],
  ['kafka-e2e', kafkaEndToEnd],
]);

/** What a broker in memory takes in, unless told otherwise: it keeps all of it. */
const MEMORY_BYTES = 2e9;
const WARM_UP_SECONDS = 2;
/** Java's compilers take longer, and brokers that are compared get the same. */
const JAVA_WARM_UP_SECONDS = 10;
/** Requests of this size are what fills a data directory fastest. */
const FILL = { size: 1000, batch: 1024 * 1024, partitions: 4 };

/** Runs one bench, in rounds, on the broker and on what it is compared with. */
export async function runLoad(name: string, options: BenchOptions): Promise<void> {
  const bench = BENCHES.get(name);
  if (bench === undefined) throw new Error(`there is no bench ${name}`);
  const work = workOf(options);
  const places = new Places(options.data);
  const profileDirectory = options.profile ? join(CACHE_DIRECTORY, 'profiles') : undefined;
  const peers = await peersOf(options, work.partitions, profileDirectory);
  const measurements: Measurement[][] = peers.map(() => []);
  for (let round = 0; round < options.rounds; round++) {
    for (const [index, peer] of peers.entries()) {
      console.error(`${name}: ${peer.name}${options.rounds > 1 ? `, round ${round + 1} of ${options.rounds}` : ''}`);
      const measurement = await places.use((directory) => bench(peer, directory, work));
      measurements[index]?.push(measurement);
      if (!options.json) console.log(describe(measurement));
      if (index === 0 && profileDirectory !== undefined) console.error(describeProfile(profileDirectory));
    }
  }
  const [ours = [], ...others] = measurements;
  const compared = others.map((theirs, index) => ({
    broker: peers[0]?.name ?? '',
    against: peers[index + 1]?.name ?? '',
    ratios: ratios(ours, theirs),
  }));
  if (options.json) print({ machine: machine(), work, measurements: measurements.flat().map(withRates), compared });
  else for (const each of compared) console.log(`\n${describeRatios(each.broker, each.against, each.ratios)}`);
}

/** Starts the broker, on empty data or on as much as it was told. */
export async function runStart(options: StartOptions): Promise<void> {
  const places = new Places(options.data);
  const started: Started[] = [];
  for (const peer of await peersOf(options, options.dataGb === undefined ? 1 : FILL.partitions)) {
    console.error(`start: ${peer.name}`);
    const one = await places.use((directory) => startOne(peer, directory, options));
    started.push(one);
    if (!options.json) console.log(describeStart(one));
  }
  if (options.json) print({ machine: machine(), started });
}

function startOne(peer: Peer, directory: string, { dataGb, kill, starts }: StartOptions): Promise<Started> {
  if (dataGb === undefined) return startEmpty(peer, (round) => join(directory, String(round)), starts);
  const work = workOf({ ...SHORT, ...FILL, connections: 1, mb: dataGb * 1e9 });
  return startWithData(peer, directory, work, { rounds: starts, signal: kill ? 'SIGKILL' : 'SIGTERM' });
}

const SHORT = {
  size: 100,
  batch: 16 * 1024,
  partitions: 2,
  connections: 2,
  seconds: 1,
  warmUp: 0.2,
  rounds: 1,
} as const;

/** Everything once, for about a second each: figures of so short a time mean nothing, but what does not work shows. */
export async function runShort({ storage: _, ...options }: CommonOptions): Promise<void> {
  for (const storage of ['disk', 'memory'] as const) {
    const short = { ...options, ...SHORT, storage, mb: 50e6 };
    await runLoad('kafka-produce', short);
    await runLoad('kafka-consume', { ...short, from: 'tail' });
    if (storage === 'disk') await runLoad('kafka-consume', { ...short, from: 'cold' });
    await runLoad('kafka-e2e', short);
    await runLoad('kafka-e2e', { ...short, rate: 10_000, batch: 1024 });
    await runStart({ ...options, storage, starts: 1 });
  }
  await runStart({ ...options, storage: 'disk', starts: 1, dataGb: 0.1, kill: true });
}

type WorkOptions = Omit<BenchOptions, keyof CommonOptions | 'rounds'> & Partial<CommonOptions>;

function workOf(options: WorkOptions): Work {
  const { partitions, connections, storage } = options;
  if (connections > partitions)
    throw new Error(`${connections} connections share ${partitions} partitions: raise --partitions to as many`);
  return {
    recordBytes: options.size,
    batchBytes: options.batch,
    acks: options.acks ?? 'all',
    partitions,
    connections,
    inFlight: options.inFlight ?? 8,
    fetchBytes: options.fetch ?? 4 * 1024 * 1024,
    seconds: options.seconds,
    warmUpSeconds: options.warmUp ?? (options.against === undefined ? WARM_UP_SECONDS : JAVA_WARM_UP_SECONDS),
    totalBytes: options.mb ?? (storage === 'memory' ? MEMORY_BYTES : Number.POSITIVE_INFINITY),
    rate: options.rate ?? Number.POSITIVE_INFINITY,
    from: options.from ?? 'tail',
  };
}

/** The broker first, then what it is compared with: a Kafka that flushes as the broker does, and one as it comes. */
async function peersOf(options: CommonOptions, partitions: number, profileDirectory?: string): Promise<Peer[]> {
  const { storage, flush, against } = options;
  const own = sluice({ storage, flush, partitions, profileDirectory });
  if (against === undefined) return [own];
  const missing = kafkaMissing();
  if (missing !== undefined) {
    console.error(`Apache Kafka is skipped: ${missing}`);
    return [own];
  }
  return [own, await kafka({ partitions, flush: 'always' }), await kafka({ partitions, flush: 'os' })];
}

/** Where brokers keep their data while they are measured. */
class Places {
  readonly #parent: string;

  constructor(parent: string = CACHE_DIRECTORY) {
    mkdirSync(parent, { recursive: true });
    this.#parent = parent;
  }

  /** A new directory that is removed afterwards, however that comes about. */
  async use<T>(body: (directory: string) => Promise<T>): Promise<T> {
    const directory = mkdtempSync(join(this.#parent, 'data-'));
    const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
    process.once('exit', remove);
    try {
      return await body(directory);
    } finally {
      process.off('exit', remove);
      remove();
    }
  }
}

function print(figures: unknown): void {
  console.log(JSON.stringify(figures, undefined, 2));
}
