import { ACCEPT, type AcquireMode, GAP, REJECT, RELEASE, RENEW } from '../../src/broker/share-groups/acquisition.ts';
import type { SharePartition } from '../../src/broker/share-groups/share-partition.ts';
import { wholeBatches } from '../../src/broker/share-groups/whole-batches.ts';
import type { Partition } from '../../src/broker/streams/partition.ts';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { SimulatedDisk } from '../../src/environment/simulated-files.ts';
import { VirtualClock } from '../../src/environment/virtual-clock.ts';
import { BrokerError } from '../../src/errors.ts';
import { decodeRecords, encodeBatch, encodeMarkerBatch, type LogRecord } from '../../src/records/index.ts';
import { turn, withHistory } from '../queues/simulated-message.ts';
import { LETTERS_NAME, openSimulatedShares, type SimulatedShares, TOPIC } from './simulated-storage.ts';

const PARTITIONS = 2;
/** Records. */
const MAX_BATCH = 6;
const MEMBERS = ['m1', 'm2', 'm3'];
const GROUP = 'group';

interface Transaction {
  readonly producerId: number;
  readonly partition: number;
  readonly outcome: 'commit' | 'abort';
  /** Its marker is not there, may be there, is there. */
  ended: 'no' | 'unsure' | 'yes';
}

/** What is known of a record. */
interface Fate {
  readonly name: string;
  readonly partition: number;
  readonly transaction: Transaction | undefined;
  offset: number;
  /** Done with: that lasts, or may last. */
  done: 'lasting' | 'unsure' | undefined;
  /** The group gave it up, or may have; and whether there is a dead letter for certain. */
  archived: 'lasting' | 'unsure' | undefined;
  /** How often it was delivered; how often at least and at most that is known after a crash. */
  count: number | undefined;
  sureCount: number;
  mostCount: number;
  lock: Lock | undefined;
  /** It was to be done with, and the storage failed: that may come back once, after a crash before the failed file was cut. */
  doubtful: boolean;
}

interface Lock {
  readonly member: string;
  until: number;
  /** What the member said of it, which has not been answered. */
  said: number | undefined;
}

/** One start of the broker. */
interface Life {
  readonly number: number;
  readonly clock: VirtualClock;
  readonly broker: SimulatedShares;
  readonly shares: readonly SharePartition[];
  /** Of each partition, by offset. */
  readonly records: readonly Map<number, Fate>[];
  /** Storage was made to fail: what is refused with its error is as before. */
  failing: boolean;
}

/**
 * The real delivery state, streams and shards over a disk that fails and loses its power at any operation, with members that do as they like,
 * beside a simple model: nobody gets what another has locked, nor what was done with for certain, nor what was aborted; counts go up one by one;
 * what is given up has its dead letter; and in the end nothing was kept from all of them.
 */
export class ShareSimulation {
  readonly history: string[] = [];
  readonly #random: SeededRandom;
  readonly #disk: SimulatedDisk;
  readonly #fates = new Map<string, Fate>();
  readonly #transactions: Transaction[] = [];
  readonly #shards: number;
  readonly #config;
  #now = Date.UTC(2000, 0, 1);
  #crashed = false;
  #failure: Error | undefined;

  constructor(seed: number) {
    const random = new SeededRandom(seed);
    this.#random = random;
    this.#disk = new SimulatedDisk(seed + 0.5 * 2 ** 32);
    this.#shards = 1 + random.below(2);
    this.#config = {
      shareRecordLockDurationMs: 100 + random.below(900),
      shareDeliveryCountLimit: 1 + random.below(5),
      sharePartitionMaxRecordLocks: 1 + random.below(30),
      shareAutoOffsetReset: { at: 'earliest' },
      shareIsolationLevel: random.chance(0.5) ? 'read_committed' : 'read_uncommitted',
      deadLetterTopic: random.chance(0.5) ? LETTERS_NAME : '',
      deadLetterCopiesRecord: random.chance(0.5),
    } as const;
  }

  async run(lives: number, steps: number): Promise<void> {
    this.history.push(JSON.stringify({ shards: this.#shards, ...this.#config }));
    for (let i = 0; i < lives; i++) {
      const life = await this.#start();
      await this.#live(life, steps);
    }
    const life = await this.#start();
    await this.#endTransactions(life);
    await this.#drain(life);
    await this.#checkLetters(life);
  }

  async #start(): Promise<Life> {
    const clock = new VirtualClock(this.#now);
    const broker = await openSimulatedShares({
      ...{ disk: this.#disk, clock, shards: this.#shards, partitions: PARTITIONS, config: this.#config },
    });
    const records = await Promise.all(broker.partitions.map((partition) => this.#look(partition)));
    const pending = broker.partitions.map((_, index) => broker.groups.partition(GROUP, TOPIC, index));
    const shares = await Promise.all(pending);
    this.#crashed = false;
    for (const fate of this.#fates.values()) {
      // What was said and not answered may count, and so may the end of a last lock.
      if (fate.lock?.said === ACCEPT || fate.lock?.said === GAP) fate.done ??= 'unsure';
      const mayBeArchived = fate.archived === 'unsure' || fate.mostCount >= this.#config.shareDeliveryCountLimit;
      if (mayBeArchived || fate.doubtful) fate.done ??= 'unsure';
      fate.lock = undefined;
      fate.count = undefined;
    }
    for (const transaction of this.#transactions) {
      const { open } = broker.partitions[transaction.partition]?.producers.transactions ?? { open: new Map() };
      // Also one that has ended may seem open, when all of it went with the beginning of the log: the broker's coordinators end it then.
      transaction.ended = open.has(transaction.producerId) ? 'no' : 'yes';
    }
    const starts = shares.map((share) => share.startOffset).join(' and ');
    this.history.push(`start ${this.#disk.life}: at ${starts}`);
    return { number: this.#disk.life, clock, broker, shares, records, failing: false };
  }

  /** The records that are there. */
  async #look(partition: Partition): Promise<Map<number, Fate>> {
    const records = new Map<number, Fate>();
    for (const record of await recordsOf(partition)) {
      const fate = this.#fates.get(String(record.value));
      if (fate === undefined) throw new Error(`a record that was never produced: ${record.value}`);
      fate.offset = record.offset;
      records.set(record.offset, fate);
    }
    return records;
  }

  async #live(life: Life, steps: number): Promise<void> {
    const random = this.#random;
    const ending = random.below(10);
    if (ending < 6)
      void this.#disk.crashAt(1 + random.below(steps)).then(() => {
        this.#crashed ||= this.#disk.life === life.number + 1;
      });
    for (let step = 0; step < steps && this.#alive(life); step++) {
      await this.#step(life);
      if (this.#failure !== undefined) throw this.#failure;
    }
    if (this.#alive(life) && ending >= 8) await settled(life);
    this.history.push('stop');
    const stopping = this.#alive(life);
    this.#now = life.clock.now() + random.below(500);
    if (stopping && ending >= 8) {
      await life.broker.groups.close();
      await Promise.all(life.broker.shards.map((shard) => shard.close()));
    }
    if (stopping && ending < 7) this.#disk.crash();
    else if (stopping) this.#disk.kill();
    else void life.broker.groups.close();
  }

  #alive(life: Life): boolean {
    return !this.#crashed && this.#disk.life === life.number;
  }

  async #step(life: Life): Promise<void> {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 25) this.#produce(life);
    else if (dice < 50) this.#acquire(life);
    else if (dice < 76) this.#acknowledge(life);
    else if (dice < 79) this.#release(life);
    else if (dice < 81) this.#endOne(life);
    else if (dice < 85) await life.clock.advance(random.below(400));
    else if (dice < 88) void life.broker.shards[random.below(this.#shards)]?.flush();
    else if (dice < 90) this.#deleteRecords(life);
    else if (dice < 91) this.#failDisk(life);
    else for (let jobs = random.below(40); jobs > 0; jobs--) await undefined;
    if (random.chance(0.4)) await turn();
  }

  #failDisk(life: Life): void {
    life.failing = true;
    this.history.push('the disk fails');
    this.#disk.fail(this.#random.chance(0.5) ? 'write' : 'sync', this.#random.below(3));
  }

  #produce(life: Life): void {
    const random = this.#random;
    const index = random.below(PARTITIONS);
    const partition = life.broker.partitions[index] as Partition;
    const transaction = random.chance(0.2) ? this.#begin(index) : undefined;
    const fates = Array.from({ length: 1 + random.below(MAX_BATCH) }, () => this.#newFate(index, transaction));
    const batch = encodeBatch({
      records: fates.map(({ name }) => ({ timestamp: life.clock.now(), value: Buffer.from(name) })),
      ...(transaction && {
        producerId: transaction.producerId,
        producerEpoch: 0,
        baseSequence: 0,
        transactional: true,
      }),
    });
    const records = life.records[index] as Map<number, Fate>;
    try {
      const transactional = transaction !== undefined;
      const { baseOffset, settled } = partition.append(batch, 'durable', { transactional });
      this.history.push(`${index}:${baseOffset} are ${fates.map(({ name }) => name).join(', ')}`);
      for (const [i, fate] of fates.entries()) {
        fate.offset = baseOffset + i;
        records.set(fate.offset, fate);
      }
      settled.catch(() => {
        if (transaction !== undefined) transaction.ended = 'yes';
        for (const fate of fates) if (records.get(fate.offset) === fate) records.delete(fate.offset);
      });
      if (transaction !== undefined && random.chance(0.5)) this.#end(life, transaction);
    } catch (error) {
      this.#expectStorageError(life, error);
    }
  }

  #newFate(partition: number, transaction: Transaction | undefined): Fate {
    const fate: Fate = {
      ...{ name: `r${this.#fates.size}`, partition, transaction, offset: -1, done: undefined, archived: undefined },
      ...{ count: undefined, sureCount: 0, mostCount: 0, lock: undefined, doubtful: false },
    };
    this.#fates.set(fate.name, fate);
    return fate;
  }

  /** Each transaction is of a producer of its own, and of one batch. */
  #begin(partition: number): Transaction {
    const outcome = this.#random.chance(0.5) ? 'commit' : 'abort';
    const transaction: Transaction = { producerId: this.#transactions.length, partition, outcome, ended: 'no' };
    this.#transactions.push(transaction);
    return transaction;
  }

  #endOne(life: Life): void {
    const open = this.#transactions.filter(({ ended }) => ended === 'no');
    const transaction = open[this.#random.below(open.length)];
    if (transaction !== undefined) this.#end(life, transaction);
  }

  #end(life: Life, transaction: Transaction): void {
    const { producerId, outcome } = transaction;
    const partition = life.broker.partitions[transaction.partition] as Partition;
    const timestamp = life.clock.now();
    const batch = encodeMarkerBatch({ producerId, producerEpoch: 0, outcome, coordinatorEpoch: 0, timestamp });
    transaction.ended = 'unsure';
    try {
      const { baseOffsets, settled } = partition.shard.append([{ log: partition.log, batch }]);
      partition.markerAppended(batch, baseOffsets[0] ?? -1);
      settled.then(
        () => {
          transaction.ended = 'yes';
        },
        () => {
          transaction.ended = partition.producers.transactions.open.has(producerId) ? 'no' : 'yes';
        },
      );
    } catch (error) {
      transaction.ended = 'no';
      this.#expectStorageError(life, error);
    }
  }

  async #endTransactions(life: Life): Promise<void> {
    for (const transaction of this.#transactions) if (transaction.ended === 'no') this.#end(life, transaction);
    await settled(life);
  }

  #acquire(life: Life): void {
    const random = this.#random;
    const index = random.below(PARTITIONS);
    const member = MEMBERS[random.below(MEMBERS.length)] ?? 'm1';
    const mode: AcquireMode = random.chance(0.5) ? 'record-limit' : 'batch-optimized';
    const maxRecords = 1 + random.below(12);
    void this.#take(life, index, member, {
      maxRecords,
      maxBytes: random.below(600),
      batchSize: 1 + random.below(6),
      mode,
    });
  }

  /** Acquires, and looks at what came. Answers it. */
  async #take(life: Life, index: number, member: string, options: Parameters<SharePartition['acquire']>[1]) {
    const until = life.clock.monotonic() + this.#config.shareRecordLockDurationMs;
    const got: Fate[] = [];
    try {
      const { read, ranges } = await (life.shares[index] as SharePartition).acquire(member, options);
      if (!this.#alive(life)) return got;
      const records = new Map<number, LogRecord>();
      for (const batch of wholeBatches(read))
        for (const record of decodeRecords(batch.bytes)) records.set(record.offset, record);
      let taken = 0;
      for (const { firstOffset, lastOffset, deliveryCount } of ranges) {
        this.history.push(`${member} gets ${index}:${firstOffset}-${lastOffset}×${deliveryCount}`);
        taken += lastOffset - firstOffset + 1;
        for (let offset = firstOffset; offset <= lastOffset; offset++) {
          const fate = this.#fates.get(String(records.get(offset)?.value));
          if (fate === undefined) throw new Error(`${member} got ${index}:${offset} without its record`);
          this.#delivered(life, fate, { member, until, said: undefined }, deliveryCount);
          got.push(fate);
        }
      }
      const share = life.shares[index] as SharePartition;
      const reach = share.startOffset + this.#config.sharePartitionMaxRecordLocks + MAX_BATCH;
      if ((ranges.at(-1)?.lastOffset ?? 0) >= reach) throw new Error(`${member} got records from beyond ${reach}`);
      if (options.mode === 'record-limit' && taken > options.maxRecords)
        throw new Error(`${member} got ${taken} records, and wanted ${options.maxRecords}`);
    } catch (error) {
      this.#expectStorageError(life, error);
    }
    return got;
  }

  #delivered(life: Life, fate: Fate, lock: Lock, count: number): void {
    const { name, transaction } = fate;
    const now = life.clock.monotonic();
    if (fate.done === 'lasting') throw new Error(`${name} came again, which was done with`);
    const held = fate.lock;
    if (held !== undefined && held.until > now && held.said !== RELEASE)
      throw new Error(`${lock.member} got ${name}, which ${held.member} has until ${held.until}`);
    if (this.#config.shareIsolationLevel === 'read_committed' && transaction !== undefined) {
      if (transaction.ended === 'no' || transaction.outcome === 'abort')
        throw new Error(`${name} came, whose transaction was not committed`);
    }
    const [least, most] =
      fate.count === undefined ? [fate.sureCount + 1, fate.mostCount + 1] : [fate.count + 1, fate.count + 1];
    if (count < least || count > most) throw new Error(`${name} came for the ${count}th time, not ${least} to ${most}`);
    if (count > this.#config.shareDeliveryCountLimit) throw new Error(`${name} came for the ${count}th time`);
    if (fate.count === undefined) fate.doubtful = false;
    fate.done = undefined;
    fate.count = count;
    fate.mostCount = Math.max(fate.mostCount, count);
    fate.lock = lock;
  }

  /** What a member has, as far as the model knows. */
  #held(life: Life, member: string, index: number): Fate[] {
    const now = life.clock.monotonic();
    return [...(life.records[index]?.values() ?? [])].filter(
      ({ lock }) => lock?.member === member && lock.until > now && lock.said === undefined,
    );
  }

  #acknowledge(life: Life): void {
    const random = this.#random;
    const index = random.below(PARTITIONS);
    const member = MEMBERS[random.below(MEMBERS.length)] ?? 'm1';
    const held = new Set(this.#held(life, member, index).filter(() => random.chance(0.7)));
    const stranger = random.chance(0.1) ? [...(life.records[index]?.values() ?? [])][random.below(20)] : undefined;
    if (stranger !== undefined) held.add(stranger);
    const said = [...held]
      .sort((a, b) => a.offset - b.offset)
      .map((fate) => ({
        fate,
        type: [ACCEPT, ACCEPT, ACCEPT, GAP, RELEASE, RELEASE, REJECT, RENEW][random.below(8)] ?? 1,
      }));
    if (said.length > 0) void this.#say(life, member, index, said);
  }

  async #say(life: Life, member: string, index: number, said: readonly { fate: Fate; type: number }[]): Promise<void> {
    const share = life.shares[index] as SharePartition;
    const now = life.clock.monotonic();
    const { startOffset } = share;
    const counted = said.filter(({ fate }) => fate.offset >= startOffset);
    const good = counted.every(
      ({ fate: { lock } }) => lock?.member === member && lock.until > now && lock.said === undefined,
    );
    const { shareDeliveryCountLimit: limit, shareRecordLockDurationMs: lockMs } = this.#config;
    this.history.push(`${member} says ${said.map(({ fate, type }) => `${index}:${fate.offset} ${type}`).join(', ')}`);
    const locks = new Map(counted.map(({ fate }) => [fate, fate.lock]));
    const counts = new Map(counted.map(({ fate }) => [fate, fate.count ?? 0]));
    if (good)
      for (const { fate, type } of counted) {
        const { lock } = fate;
        if (lock === undefined) continue;
        if (type === RENEW) lock.until = now + lockMs;
        else lock.said = type;
        if (type === REJECT || (type === RELEASE && (fate.count ?? 0) >= limit)) {
          lock.said = REJECT;
          fate.archived ??= 'unsure';
        }
      }
    try {
      await share.acknowledge(
        member,
        said.map(({ fate: { offset }, type }) => ({ firstOffset: offset, lastOffset: offset, types: [type] })),
      );
      if (!this.#alive(life)) return;
      if (!good && !life.failing) throw new Error(`${member} acknowledged what it does not have`);
      for (const { fate, type } of counted) {
        if (type === RENEW) continue;
        const lock = locks.get(fate);
        // Where the storage failed, it may be told only now that a member had kept what it gave back.
        const what = lock?.said ?? type;
        if (what === RELEASE) fate.sureCount = Math.max(fate.sureCount, counts.get(fate) ?? 0);
        else fate.done = 'lasting';
        if (what === REJECT) fate.archived = 'lasting';
        if (fate.lock === lock) fate.lock = undefined;
      }
    } catch (error) {
      if (!this.#alive(life)) return;
      const { code } = error as BrokerError;
      if (!good && (code === 'invalid-record-state' || code === 'invalid-argument')) return;
      for (const { fate, type } of counted) {
        const lock = locks.get(fate);
        if (type === RENEW) continue;
        if (lock?.said === REJECT && fate.archived === 'unsure') fate.archived = undefined;
        if (lock !== undefined) lock.said = undefined;
        fate.doubtful ||= type !== RELEASE;
      }
      this.#expectStorageError(life, error);
    }
  }

  #release(life: Life): void {
    const index = this.#random.below(PARTITIONS);
    const member = MEMBERS[this.#random.below(MEMBERS.length)] ?? 'm1';
    this.history.push(`${member} goes from ${index}`);
    for (const fate of this.#held(life, member, index)) {
      if (fate.lock === undefined) continue;
      fate.lock.said = RELEASE;
      if ((fate.count ?? 0) >= this.#config.shareDeliveryCountLimit) fate.archived ??= 'unsure';
    }
    void (life.shares[index] as SharePartition).releaseAll(member);
  }

  #deleteRecords(life: Life): void {
    const index = this.#random.below(PARTITIONS);
    const partition = life.broker.partitions[index] as Partition;
    const { startOffset, highWatermark } = partition.log;
    const before = startOffset + this.#random.below(Math.min(6, highWatermark - startOffset) + 1);
    this.history.push(`${index} begins at ${before}`);
    const records = life.records[index] as Map<number, Fate>;
    partition.deleteRecords(before).then(
      () => {
        for (const [offset, fate] of records) if (offset < before) this.#forget(records, offset, fate);
      },
      () => {},
    );
  }

  /** The record is not there any more. */
  #forget(records: Map<number, Fate>, offset: number, fate: Fate): void {
    records.delete(offset);
    fate.lock = undefined;
  }

  /** In a life without failures, one member takes all that is left. */
  async #drain(life: Life): Promise<void> {
    this.history.push('drain');
    for (let index = 0; index < PARTITIONS; index++) {
      for (;;) {
        const options = { maxRecords: 10, maxBytes: 500, batchSize: 10, mode: 'batch-optimized' } as const;
        const got = await this.#take(life, index, 'm1', options);
        if (this.#failure !== undefined) throw this.#failure;
        if (got.length === 0) break;
        await this.#say(
          life,
          'm1',
          index,
          [...new Set(got)].map((fate) => ({ fate, type: ACCEPT })),
        );
        if (this.#failure !== undefined) throw this.#failure;
      }
      const share = life.shares[index] as SharePartition;
      const { highWatermark } = (life.broker.partitions[index] as Partition).log;
      if (share.startOffset !== highWatermark || share.lag !== 0)
        throw new Error(`partition ${index} is done up to ${share.startOffset} of ${highWatermark}, lag ${share.lag}`);
      for (const fate of life.records[index]?.values() ?? []) {
        const aborted = this.#config.shareIsolationLevel === 'read_committed' && fate.transaction?.outcome === 'abort';
        if (fate.done === undefined && !aborted) throw new Error(`${fate.name} is lost`);
      }
    }
  }

  async #checkLetters({ broker }: Life): Promise<void> {
    if (this.#config.deadLetterTopic === '') return;
    const letters = new Set<string>();
    for (const { headers } of await recordsOf(broker.letters)) {
      const context = new Map(headers.map(([name, value]) => [name, String(value)]));
      letters.add(`${context.get('__dlq.errors.partition')}:${context.get('__dlq.errors.offset')}`);
    }
    for (const { name, partition, offset, archived } of this.#fates.values())
      if (archived === 'lasting' && !letters.has(`${partition}:${offset}`))
        throw new Error(`${name} has no dead letter`);
  }

  #expectStorageError(life: Life, error: unknown): void {
    if (!this.#alive(life)) return;
    if (life.failing && error instanceof BrokerError && ['storage-failed', 'storage-full'].includes(error.code)) return;
    this.#failure ??= error as Error;
  }
}

async function recordsOf(partition: Partition): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (let at = partition.log.startOffset; at < partition.log.highWatermark; ) {
    for (const batch of wholeBatches(await partition.read(at, 100_000))) {
      if (!batch.isControl) records.push(...decodeRecords(batch.bytes).filter(({ offset }) => offset >= at));
      at = batch.lastOffset + 1;
    }
  }
  return records;
}

async function settled({ broker }: Life): Promise<void> {
  for (let quiet = 0; quiet < 5; ) {
    quiet = broker.shards.every((shard) => shard.idle) ? quiet + 1 : 0;
    await turn();
  }
}

/** Rejects with what went wrong for the seed, and how it came to that. */
export async function simulateShares(seed: number, lives = 5, steps = 150): Promise<void> {
  const simulation = new ShareSimulation(seed);
  await withHistory(seed, simulation.history, () => simulation.run(lives, steps));
}
