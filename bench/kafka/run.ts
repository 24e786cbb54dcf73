import { join } from 'node:path';
import type { Compression } from '../../src/records/index.ts';
import type { Measurement } from '../measurement.ts';
import { type CommonOptions, compared, type LoadOptions, warmUpSeconds } from '../options.ts';
import { kafka, kafkaMissing } from '../peers/kafka.ts';
import type { Peer } from '../peers/peer.ts';
import { sluice } from '../peers/sluice.ts';
import { machine, measurementReporting, stagesReporting } from '../report.ts';
import { Places, PROFILE_DIRECTORY, print, runRounds } from '../rounds.ts';
import { IDLE_SECONDS } from '../stage.ts';
import { kafkaConsume } from './consume.ts';
import { kafkaEndToEnd } from './end-to-end.ts';
import { kafkaProduce } from './produce.ts';
import { kafkaRebalance, type RebalanceWork } from './rebalance.ts';
import { describeStart, type Started, startEmpty, startWithData } from './start.ts';
import type { TransactionProtocol } from './transaction-load.ts';
import { kafkaTransactions, type TransactionWork } from './transactions.ts';
import type { Work } from './work.ts';

/** What the command line says; a command has some of them. Bytes are bytes, times are seconds. */
export interface KafkaOptions extends LoadOptions {
  readonly size: number;
  readonly batch: number;
  readonly compression?: Compression;
  readonly acks?: 'all' | '1';
  readonly partitions: number;
  readonly connections: number;
  readonly inFlight?: number;
  readonly fetch?: number;
  readonly sessions?: boolean;
  readonly mb?: number;
  readonly rate?: number;
  readonly from?: 'tail' | 'cold';
}

export interface TransactionOptions extends LoadOptions {
  readonly producers: number;
  readonly records: number;
  readonly size: number;
  readonly partitions: number;
  readonly protocol: TransactionProtocol;
}

export interface RebalanceOptions extends Omit<LoadOptions, 'seconds' | 'warmUp'> {
  readonly members: number;
  readonly partitions: number;
  readonly protocol: RebalanceWork['protocol'];
  /** Milliseconds. */
  readonly heartbeat?: number;
}

export interface StartOptions extends CommonOptions {
  readonly dataGb?: number;
  readonly kill?: boolean;
  readonly starts: number;
  readonly idle?: number;
}

type Bench = (peer: Peer, directory: string, work: Work) => Promise<Measurement>;

const BENCHES: ReadonlyMap<string, Bench> = new Map([
  ['kafka-produce', kafkaProduce],
  ['kafka-consume', kafkaConsume],
  ['kafka-e2e', kafkaEndToEnd],
]);

/** What a broker in memory takes in, unless told otherwise: it keeps all of it. */
const MEMORY_BYTES = 2e9;
/** How often members of groups come, unless told otherwise: Kafka's own defaults. */
const HEARTBEAT_MS = { classic: 3_000, consumer: 5_000 };
/** Requests of this size are what fills a data directory fastest. */
const FILL = { size: 1000, batch: 1024 * 1024, partitions: 4 };

/** Runs one bench on the broker and on what it is compared with. */
export async function runLoad(name: string, options: KafkaOptions): Promise<void> {
  const bench = BENCHES.get(name);
  if (bench === undefined) throw new Error(`there is no bench ${name}`);
  const work = workOf(options);
  const peers = await peersOf(options, work);
  await runRounds({ ...options, name, work, peers }, measurementReporting, (peer, directory) =>
    bench(peer, directory, work),
  );
}

/** Commits transactions on the broker and on what it is compared with. */
export async function runTransactions(options: TransactionOptions): Promise<void> {
  const { producers, records, partitions, size, protocol, seconds } = options;
  if (records < partitions) throw new Error(`${records} records are too few for ${partitions} partitions`);
  const times = { seconds, warmUpSeconds: warmUpSeconds(options) };
  const work: TransactionWork = { connections: producers, records, partitions, recordBytes: size, protocol, ...times };
  const peers = await peersOf(options, work);
  await runRounds({ ...options, name: 'kafka-transactions', work, peers }, measurementReporting, (peer, directory) =>
    kafkaTransactions(peer, directory, work),
  );
}

/** Has a group gain and lose members on the broker and on what it is compared with. */
export async function runRebalance(options: RebalanceOptions): Promise<void> {
  const { members, partitions, protocol, heartbeat: heartbeatMs = HEARTBEAT_MS[protocol] } = options;
  if (members < 2) throw new Error('a group that one member leaves needs two: raise --members');
  if (members >= partitions)
    throw new Error(`${members} members and one more share ${partitions} partitions: raise --partitions`);
  const work: RebalanceWork = { members, partitions, protocol, heartbeatMs };
  // Members of the classic protocol come as often as they see fit.
  const peers = await peersOf(options, protocol === 'consumer' ? work : { partitions });
  await runRounds({ ...options, name: 'kafka-rebalance', work, peers }, stagesReporting, (peer, directory) =>
    kafkaRebalance(peer, directory, work),
  );
}

/** Starts the broker, on empty data or on as much as it was told. */
export async function runStart(options: StartOptions): Promise<void> {
  const places = new Places(options.data);
  const started: Started[] = [];
  for (const peer of await peersOf(options, { partitions: options.dataGb === undefined ? 1 : FILL.partitions })) {
    console.error(`start: ${peer.name}`);
    const one = await places.use((directory) => startOne(peer, directory, options));
    started.push(one);
    if (!options.json) console.log(describeStart(one));
  }
  if (options.json) print({ machine: machine(), started });
}

function startOne(
  peer: Peer,
  directory: string,
  { dataGb, kill, starts, idle: idleSeconds = IDLE_SECONDS }: StartOptions,
): Promise<Started> {
  if (dataGb === undefined) return startEmpty(peer, (round) => join(directory, String(round)), { starts, idleSeconds });
  const work = workOf({ ...SHORT, ...FILL, connections: 1, mb: dataGb * 1e9 });
  return startWithData(peer, directory, work, { starts, idleSeconds, signal: kill ? 'SIGKILL' : 'SIGTERM' });
}

const SHORT = {
  size: 100,
  batch: 16 * 1024,
  partitions: 2,
  connections: 2,
  seconds: 1,
  warmUp: 0.2,
  idle: 0.2,
  rounds: 1,
} as const;

/** Everything once, for about a second each. */
export async function runShortKafka({ storage: _, ...options }: CommonOptions): Promise<void> {
  for (const storage of ['disk', 'memory'] as const) {
    const short = { ...options, ...SHORT, storage, mb: 50e6 };
    await runLoad('kafka-produce', short);
    await runLoad('kafka-consume', { ...short, from: 'tail' });
    if (storage === 'disk') await runLoad('kafka-consume', { ...short, from: 'cold' });
    await runLoad('kafka-e2e', short);
    await runLoad('kafka-e2e', { ...short, rate: 10_000, batch: 1024 });
    const sessions = storage === 'memory';
    await runLoad('kafka-e2e', { ...short, rate: 10_000, batch: 1024, partitions: 100, compression: 'zstd', sessions });
    await runTransactions({ ...short, producers: 2, records: 10, protocol: storage === 'disk' ? 'v2' : 'v1' });
    const protocol = storage === 'disk' ? 'consumer' : 'classic';
    await runRebalance({ ...short, members: 10, partitions: 25, protocol, heartbeat: 100 });
    await runStart({ ...options, storage, starts: 1, idle: SHORT.idle });
  }
  await runStart({ ...options, storage: 'disk', starts: 1, idle: SHORT.idle, dataGb: 0.1, kill: true });
}

type WorkOptions = Omit<KafkaOptions, keyof CommonOptions | 'rounds'> & Partial<CommonOptions>;

function workOf(options: WorkOptions): Work {
  const { partitions, connections, storage } = options;
  if (connections > partitions)
    throw new Error(`${connections} connections share ${partitions} partitions: raise --partitions to as many`);
  return {
    recordBytes: options.size,
    batchBytes: options.batch,
    compression: options.compression ?? 'none',
    acks: options.acks ?? 'all',
    partitions,
    connections,
    inFlight: options.inFlight ?? 8,
    fetchBytes: options.fetch ?? 4 * 1024 * 1024,
    fetchSessions: options.sessions ?? true,
    seconds: options.seconds,
    warmUpSeconds: warmUpSeconds(options),
    totalBytes: options.mb ?? (storage === 'memory' ? MEMORY_BYTES : Number.POSITIVE_INFINITY),
    rate: options.rate ?? Number.POSITIVE_INFINITY,
    from: options.from ?? 'tail',
  };
}

/** The broker first, then what it is compared with: a Kafka that flushes as the broker does, and one as it comes. */
function peersOf(
  options: CommonOptions & { readonly profile?: boolean },
  { partitions, heartbeatMs }: { readonly partitions: number; readonly heartbeatMs?: number },
): Promise<Peer[]> {
  const profileDirectory = options.profile ? PROFILE_DIRECTORY : undefined;
  const own = sluice({ ...options, listen: 'kafka', partitions, heartbeatMs, profileDirectory });
  return compared(options, own, 'Apache Kafka', kafkaMissing, async () => [
    await kafka({ partitions, heartbeatMs, flush: 'always' }),
    await kafka({ partitions, heartbeatMs, flush: 'os' }),
  ]);
}
