import { expect, it } from 'vitest';
import { Partition } from '../../src/broker/streams/partition.ts';
import { streamConfig } from '../../src/broker/streams/stream-config.ts';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { SimulatedDisk } from '../../src/environment/simulated-files.ts';
import { VirtualClock } from '../../src/environment/virtual-clock.ts';
import { BrokerError } from '../../src/errors.ts';
import {
  batchesIn,
  type Compression,
  encodeBatch,
  encodeMarkerBatch,
  recordsIn,
  verifyIntegrity,
} from '../../src/records/index.ts';
import { DiskCommitLog } from '../../src/storage/commit-log/disk.ts';
import { Shard } from '../../src/storage/index.ts';
import { DirectorySegmentStore } from '../../src/storage/segment-store/directory.ts';
import { LOG_A } from './fixture.ts';

/*
 * A compacted log over a bad disk: keyed records, tombstones, transactions, idempotent producers, every codec, and compaction at any time, through power
 * losses and failing operations. Whatever happens, a reader from the beginning learns the last value of every key, and nothing
 * that was deleted comes back. `SEED=123 npm test -- compaction.simulation` runs one seed alone.
 */

const SEEDS = 60;
const HOME = '/data/shard-0';
const CODECS: readonly Compression[] = ['none', 'none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** A record as it was appended, at its offset; undefined for a marker. */
interface Written {
  readonly key: string;
  readonly value: string | undefined;
  /** 0 for none; 1 to 3 are idempotent, 4 to 6 have transactions. */
  readonly producerId: number;
}

type Slot = Written | { readonly marker: 'abort' | 'commit'; readonly producerId: number };

class Simulation {
  readonly #random: SeededRandom;
  readonly #disk: SimulatedDisk;
  /** What was appended, by offset; what is durable for certain lies before `#durable`. */
  #log: Slot[] = [];
  #durable = 0;
  #values = 0;
  #now = 1_000_000;
  compactions = 0;
  /** What lies below may be compacted: a compaction that did not end may have got beyond the point up to which the log is clean. */
  #reached = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#disk = new SimulatedDisk(seed + 2 ** 33);
  }

  async run(): Promise<void> {
    for (let i = 0; i < 5; i++) await this.#generation(this.#random.chance(0.8));
    await this.#generation(false);
  }

  async #generation(crashing: boolean): Promise<void> {
    const random = this.#random;
    this.#now += random.below(4000);
    const clock = new VirtualClock(this.#now);
    let over = false;
    if (crashing) {
      void this.#disk.crashAt(1 + random.below(300)).then(() => {
        over = true;
      });
      if (random.chance(0.4))
        this.#disk.fail(
          (['write', 'sync', 'rename', 'read', 'remove'] as const)[random.below(5)] ?? 'sync',
          random.below(60),
        );
    }
    const open = await this.#until(clock, () => over, this.#open(clock).catch(this.#tolerated(crashing)));
    if (open === undefined) {
      if (!over) this.#disk.kill();
      return;
    }
    const { shard, partition } = open;
    // A beginning of what was appended is there, with all that was durable.
    const { highWatermark } = partition.log;
    expect(highWatermark).toBeGreaterThanOrEqual(this.#durable);
    this.#log = this.#log.slice(0, highWatermark);
    this.#durable = highWatermark;
    if ((await this.#until(clock, () => over, this.#check(partition).catch(this.#tolerated(crashing)))) === undefined) {
      if (!over) this.#disk.kill();
      return;
    }
    let compacting: Promise<unknown> | undefined;
    for (let step = 0; step < 80 && !over; step++) {
      const dice = random.below(100);
      if (dice < 60) await this.#append(partition, clock, () => over);
      else if (dice < 70) void shard.flush();
      else if (dice < 85) {
        compacting ??= this.#compact(shard, partition, clock.now())
          .catch(this.#tolerated(crashing))
          .finally(() => {
            compacting = undefined;
          });
      } else if (dice < 88 && !over)
        await this.#until(clock, () => over, this.#check(partition).catch(this.#tolerated(crashing)));
      else await clock.advance(random.below(10) === 0 ? 3000 : 5);
    }
    this.#now = clock.now();
    if (over) return;
    if (!crashing) {
      await this.#until(clock, () => false, compacting ?? Promise.resolve());
      await this.#until(
        clock,
        () => false,
        shard.flush().then(() => this.#compact(shard, partition, clock.now())),
      );
      await this.#check(partition, true);
      await this.#until(clock, () => false, shard.close());
    }
    this.#disk.kill();
  }

  async #open(clock: VirtualClock) {
    const random = this.#random;
    const environment = { files: this.#disk.files(), clock, random: this.#disk.random };
    const store = await DirectorySegmentStore.open({ environment, directory: `${HOME}/segments` });
    const shard = await Shard.open({
      commitLog: new DiskCommitLog({
        environment,
        directory: `${HOME}/commit-log`,
        fileBytes: 500 + random.below(20_000),
      }),
      store,
      clock,
      random: this.#disk.random,
      settings: { flushBytes: 300 + random.below(3000), tailCacheBytes: random.below(2) * 2000, minFreeBytes: 0 },
    });
    const config = streamConfig({ 'segment.bytes': String(400 + random.below(4000)), 'cleanup.policy': 'compact' }, {});
    const partition = await Partition.open({ index: 0, shard, logId: LOG_A, config, now: () => clock.now() });
    return { shard, partition };
  }

  /** A fault that was injected may be felt anywhere; then nothing is said but that. */
  #tolerated(crashing: boolean) {
    return (error: unknown): undefined => {
      if (!(error instanceof BrokerError)) throw error;
      if (error.code === 'closed' || (crashing && error.code === 'storage-failed')) return undefined;
      throw error;
    };
  }

  async #compact(shard: Shard, { log }: Partition, now: number): Promise<void> {
    const random = this.#random;
    this.compactions++;
    const before = this.#reached;
    this.#reached = Math.max(before, log.nextOffset);
    await shard.compact(log, {
      now,
      minLagMs: random.below(4) === 0 ? random.below(3000) : 0,
      deleteRetentionMs: random.below(3) * 1500,
      // Some have to take several passes.
      mapBytes: random.chance(0.3) ? 24 : 1 << 20,
      bytesPerSecond: random.chance(0.2) ? 100_000 : Number.POSITIVE_INFINITY,
    });
    this.#reached = Math.max(before, log.cleanedOffset);
  }

  /** Appends a batch of a few records, or a marker, and takes note of them when that is durable. */
  async #append(partition: Partition, clock: VirtualClock, over: () => boolean): Promise<void> {
    const random = this.#random;
    const producerId = random.below(7);
    const transactional = producerId > 3;
    const open = transactional && isOpen(this.#log, producerId);
    if (open && random.chance(0.4)) {
      const outcome = random.chance(0.5) ? 'abort' : 'commit';
      const batch = encodeMarkerBatch({
        outcome,
        coordinatorEpoch: 0,
        producerId,
        producerEpoch: 0,
        timestamp: clock.now(),
      });
      await this.#settle(partition, batch, [{ marker: outcome, producerId }], clock, over);
      return;
    }
    const written = Array.from({ length: 1 + random.below(4) }, (): Written => {
      const value = random.chance(0.2) ? undefined : `${this.#values++}-${'v'.repeat(random.below(100))}`;
      return { key: `k${random.below(12)}`, value, producerId };
    });
    const sequence = this.#log.filter((slot) => slot.producerId === producerId && !('marker' in slot)).length;
    const batch = encodeBatch({
      records: written.map(({ key, value }) => ({
        key: Buffer.from(key),
        value: value === undefined ? null : Buffer.from(value),
      })),
      timestamp: clock.now(),
      compression: CODECS[random.below(CODECS.length)] ?? 'none',
      ...(producerId > 0 && { producerId, producerEpoch: 0, baseSequence: sequence }),
      transactional,
    });
    await this.#settle(partition, batch, written, clock, over);
  }

  /** Appends, and waits until it is known what became of it. */
  async #settle(
    partition: Partition,
    batch: Buffer,
    slots: Slot[],
    clock: VirtualClock,
    over: () => boolean,
  ): Promise<void> {
    const { log, shard } = partition;
    const before = log.nextOffset;
    const isMarker = slots.some((slot) => 'marker' in slot);
    const copy = Buffer.from(batch);
    const send = (bytes: Buffer) => {
      const { baseOffsets, settled } = shard.append([{ log, batch: bytes }]);
      partition.producers.appended(bytes, baseOffsets[0] ?? -1, settled);
      return settled;
    };
    const settled = isMarker || batch.readInt16BE(21) & 0x10 ? send(batch) : partition.append(batch, 'durable').settled;
    this.#log.push(...slots);
    let outcome: 'durable' | 'failed' | undefined;
    settled.then(
      () => {
        outcome = 'durable';
      },
      () => {
        outcome = 'failed';
      },
    );
    for (let i = 0; outcome === undefined && !over(); i++) {
      if (i > 2000) throw new Error('an append is never settled');
      await clock.advance(i < 100 ? 1 : 20);
    }
    if (outcome === 'failed') this.#log.length = Math.min(this.#log.length, before);
    if (outcome !== 'durable') return;
    this.#durable = this.#log.length;
    // It is known, however much was compacted since.
    if (!isMarker && copy.readInt32BE(53) >= 0 && partition.producers.check(copy) === undefined)
      throw new Error('a batch that was appended is not known');
  }

  /** Reads all of it, and compares it with what was written. */
  async #check(partition: Partition, compacted = false): Promise<true> {
    const { log } = partition;
    const end = log.highWatermark;
    const clean = this.#reached;
    const aborted = abortedOffsets(this.#log);
    const found = new Map<number, { key: string; value: string | undefined }>();
    let next = log.startOffset;
    while (next < end) {
      const { chunks } = await log.read(next, 1 + this.#random.below(5000));
      for (const batch of batchesIn(Buffer.concat(chunks))) {
        verifyIntegrity(batch.bytes, 0, batch.size);
        if (batch.lastOffset < next) throw new Error(`offsets went back to ${batch.lastOffset} at ${next}`);
        next = batch.lastOffset + 1;
        if (batch.isControl) continue;
        for (const { offset, key, value } of recordsIn(batch.bytes))
          found.set(offset, { key: String(key), value: value === null ? undefined : String(value) });
      }
    }
    for (const [offset, record] of found) {
      const slot = this.#log[offset];
      if (slot === undefined || 'marker' in slot || slot.key !== record.key || slot.value !== record.value)
        throw new Error(`offset ${offset} has ${record.key}=${record.value}, which was not written there`);
    }
    const expected = new Map<string, string>();
    const seen = new Map<string, string>();
    for (let offset = 0; offset < end; offset++) {
      const slot = this.#log[offset];
      if (slot === undefined || 'marker' in slot) continue;
      // Above the point that it is clean up to, nothing is missing.
      if (offset >= clean && !found.has(offset) && !aborted.has(offset))
        throw new Error(`offset ${offset} is missing, clean up to ${clean}`);
      if (aborted.has(offset)) continue;
      if (slot.value === undefined) expected.delete(slot.key);
      else expected.set(slot.key, slot.value);
      const record = found.get(offset);
      if (record === undefined) continue;
      if (record.value === undefined) seen.delete(record.key);
      else seen.set(record.key, record.value);
    }
    // When compaction has ended, nothing is left below that point which a later record there replaces, or which never counted.
    const replaced = new Set<string>();
    for (let offset = log.cleanedOffset - 1; compacted && offset >= 0; offset--) {
      const slot = this.#log[offset];
      if (slot === undefined || 'marker' in slot) continue;
      if (found.has(offset) && (replaced.has(slot.key) || aborted.has(offset)))
        throw new Error(`offset ${offset} is still there, clean up to ${log.cleanedOffset}`);
      if (!aborted.has(offset)) replaced.add(slot.key);
    }
    expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(expected));
    return true;
  }

  async #until<T>(clock: VirtualClock, over: () => boolean, promise: Promise<T>): Promise<T | undefined> {
    let done = false;
    const end = () => {
      done = true;
    };
    promise.then(end, end);
    for (let i = 0; !done && !over(); i++) {
      if (i > 5000) throw new Error('nothing happens any more');
      await clock.advance(20);
    }
    return done ? promise : undefined;
  }
}

function isOpen(log: readonly Slot[], producerId: number): boolean {
  const last = log.findLast((slot) => slot.producerId === producerId);
  return last !== undefined && !('marker' in last);
}

/** Those of records whose transaction was aborted. */
function abortedOffsets(log: readonly Slot[]): Set<number> {
  const open = new Map<number, number[]>();
  const aborted = new Set<number>();
  for (const [offset, slot] of log.entries()) {
    const offsets = open.get(slot.producerId) ?? [];
    if ('marker' in slot) {
      if (slot.marker === 'abort') for (const own of offsets) aborted.add(own);
      open.delete(slot.producerId);
    } else if (slot.producerId > 3) open.set(slot.producerId, [...offsets, offset]);
  }
  return aborted;
}

it('keeps the last value of every key, through compaction, crashes and faults', { timeout: 300_000 }, async () => {
  const { SEED } = process.env;
  if (SEED !== undefined) return new Simulation(Number(SEED)).run();
  const failures: string[] = [];
  let compactions = 0;
  for (let seed = 1; seed <= SEEDS && failures.length < 5; seed++) {
    const simulation = new Simulation(seed);
    await simulation.run().catch((error: Error) => failures.push(`seed ${seed}: ${error.message}`));
    compactions += simulation.compactions;
  }
  expect(failures).toEqual([]);
  expect(compactions).toBeGreaterThan(SEEDS);
});
