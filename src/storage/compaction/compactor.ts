import type { Clock, Threads } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { batchesIn } from '../../records/index.ts';
import type { Flusher } from '../flusher.ts';
import type { Log } from '../log.ts';
import type { Segment, SegmentReader } from '../segment.ts';
import type { SegmentStore } from '../segment-store.ts';
import { CleaningElsewhere, CleaningHere, type CleaningWork } from './cleaning-work.ts';
import { Rewrite } from './rewrite.ts';
import { Throttle } from './throttle.ts';
import { DirtyScan } from './transactions.ts';

export interface CompactorOptions {
  readonly store: SegmentStore;
  readonly clock: Clock;
  readonly reader: SegmentReader;
  readonly flusher: Flusher;
  readonly threads?: Threads | undefined;
}

export interface CompactionOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Batches younger than this stay as they are, and what follows them. */
  readonly minLagMs: number;
  /** How long tombstones stay after they were first cleaned. */
  readonly deleteRetentionMs: number;
  /** Memory for keys; a log with more of them takes several passes. */
  readonly mapBytes: number;
  /** Read and written, on average. */
  readonly bytesPerSecond: number;
}

/** What a compaction did. */
export interface Compacted {
  /** The log is compacted up to here. */
  readonly cleanedOffset: number;
  readonly passes: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** Read at a time, and worked on in one go. */
const CHUNK_BYTES = 1024 * 1024;
/** A log that is smaller is done before a thread would have started: about as long as a few fetches. */
const WITHOUT_THREAD_BYTES = 256 * 1024;
/** A new segment is put together in memory. */
const MAX_SEGMENT_BYTES = 32 * 1024 * 1024;

/**
 * Compacts logs of a shard, one at a time. A pass reads what was appended since the last one for its keys, as many as fit the memory; then it
 * writes the log's segments again, a few at a time, from the oldest on. Each few take the place of the former ones when they are whole:
 * a crash costs the work since then, and at no time is a record gone that a later one does not replace.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  /** Logs of which this process knows that no objects are left of a compaction that a crash ended. */
  readonly #swept = new WeakSet<Log>();
  #running: Promise<unknown> = Promise.resolve();
  #throttle: Throttle | undefined;
  #closed = false;

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  /** Compacts a log as far as it can be. Rejects when it has to stop; what is done until then is kept. */
  compact(log: Log, options: CompactionOptions): Promise<Compacted> {
    const compacted = this.#running.then(() => this.#compact(log, options));
    this.#running = compacted.catch(() => {});
    return compacted;
  }

  /** Stops at the next chunk, and waits for that. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#throttle?.stop();
    await this.#running;
  }

  async #compact(log: Log, options: CompactionOptions): Promise<Compacted> {
    const { flusher, clock } = this.#options;
    this.#check(log);
    const claimed = flusher.claim(log);
    const bytesBefore = sizeOf(log.segments);
    const work = this.#work(bytesBefore);
    this.#throttle = new Throttle(clock, options.bytesPerSecond);
    try {
      await this.#sweep(log);
      let passes = 0;
      for (let more = true; more; passes++) more = await this.#pass(log, claimed, options, work);
      return { cleanedOffset: log.cleanedOffset, passes, bytesBefore, bytesAfter: sizeOf(log.segments) };
    } finally {
      log.claimedOffset = 0;
      await work.close();
    }
  }

  #work(bytes: number): CleaningWork {
    const { threads } = this.#options;
    return threads === undefined || bytes < WITHOUT_THREAD_BYTES ? new CleaningHere() : new CleaningElsewhere(threads);
  }

  /** Answers whether there is something left that could be cleaned. */
  async #pass(log: Log, claimed: number, options: CompactionOptions, work: CleaningWork): Promise<boolean> {
    const { flusher } = this.#options;
    const from = Math.max(log.cleanedOffset, log.startOffset);
    const { now, minLagMs, deleteRetentionMs, mapBytes } = options;
    const scan = new DirtyScan(from, minLagMs > 0 ? now - minLagMs : Number.POSITIVE_INFINITY);
    await this.#read(log, from, claimed, async (chunk) => {
      for (const batch of batchesIn(chunk)) if (!scan.add(batch)) return false;
      return true;
    });
    if (scan.end <= from) return false;
    await work.begin({ from, to: scan.end, keys: scan.records, mapBytes, aborted: scan.aborted });
    let end = scan.end;
    await this.#read(log, from, scan.end, async (chunk) => {
      const full = await work.index(chunk);
      if (full !== undefined) end = full;
      return full === undefined;
    });
    const retained = log.derived?.retainedOffsets?.() ?? [];
    await work.prepare({ end, now, deleteHorizon: now + deleteRetentionMs, retained });
    const segments = log.segments.filter(({ baseOffset, nextOffset }) => baseOffset < end && nextOffset <= claimed);
    const limit = Math.min(log.segmentLimits.bytes, MAX_SEGMENT_BYTES);
    const groups = groupsOf(segments, limit);
    for (const [i, group] of groups.entries()) {
      const fresh = await this.#rewrite(log, group, { end, limit }, work);
      const cleanedOffset = i === groups.length - 1 ? end : log.cleanedOffset;
      if (fresh !== undefined) await flusher.replace(log, group, fresh, cleanedOffset);
      else if (cleanedOffset > log.cleanedOffset) await flusher.replace(log, [], [], cleanedOffset);
    }
    return end < scan.end;
  }

  /** Answers the segments that are to take the place of the group; undefined when that can stay. */
  async #rewrite(
    log: Log,
    group: readonly Segment[],
    bounds: { readonly end: number; readonly limit: number },
    work: CleaningWork,
  ): Promise<readonly Segment[] | undefined> {
    const { store, flusher } = this.#options;
    const rewrite = new Rewrite({ store, log, group, ...bounds });
    const goneMarkers: number[] = [];
    try {
      for (const segment of group)
        await this.#readSegment(log, segment, segment.baseOffset, async (chunk) => {
          const filtered = await work.filter(chunk);
          goneMarkers.push(...filtered.goneMarkers);
          await rewrite.add(filtered);
          await this.#throttle?.spend(filtered.bytes.length);
          return true;
        });
      const fresh = await rewrite.finish();
      // Who is told of an aborted transaction waits for its marker.
      if (goneMarkers.length > 0) await flusher.forgetMarkers(log, goneMarkers);
      return fresh;
    } catch (error) {
      flusher.discard(rewrite.objects);
      throw error;
    }
  }

  /** Reads what segments hold between two offsets, in whole batches and in order, until `take` has had enough. */
  async #read(log: Log, from: number, to: number, take: (chunk: Buffer) => Promise<boolean>): Promise<void> {
    const segments = log.segments.filter(({ baseOffset, nextOffset }) => nextOffset > from && baseOffset < to);
    for (const segment of segments)
      if (!(await this.#readSegment(log, segment, Math.max(from, segment.baseOffset), take))) return;
  }

  async #readSegment(
    log: Log,
    segment: Segment,
    from: number,
    take: (chunk: Buffer) => Promise<boolean>,
  ): Promise<boolean> {
    const { reader } = this.#options;
    for (let offset = from; offset < segment.nextOffset; ) {
      this.#check(log);
      const chunk = await reader.read(segment, offset, CHUNK_BYTES).catch((error: unknown) => {
        // It may have been trimmed meanwhile.
        if (!log.segments.includes(segment)) throw gone(log);
        throw error;
      });
      await this.#throttle?.spend(chunk.length);
      for (const batch of batchesIn(chunk)) offset = batch.lastOffset + 1;
      if (!(await take(chunk))) return false;
    }
    return true;
  }

  /** Removes what a crash left of the segments that were being written then: the manifest speaks of lower generations only. */
  async #sweep(log: Log): Promise<void> {
    if (this.#swept.has(log)) return;
    const { store } = this.#options;
    for (const name of await store.list(`${log.id}/`)) {
      const [, generation = ''] = /-(\d+)\.[a-z]+$/.exec(name) ?? [];
      if (Number(generation) >= log.generation) await store.delete(name);
    }
    this.#swept.add(log);
  }

  #check(log: Log): void {
    if (this.#closed) throw new BrokerError('closed', 'the shard is closing');
    if (log.deleted) throw gone(log);
  }
}

function gone(log: Log): BrokerError {
  return new BrokerError('not-found', `log ${log.id} was trimmed or deleted while it was compacted`);
}

function sizeOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { size }) => sum + size, 0);
}

/** Segments that follow one another and together are no larger than one. */
function groupsOf(segments: readonly Segment[], limit: number): Segment[][] {
  const groups: Segment[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const segment of segments) {
    bytes += segment.size;
    if (bytes <= limit) groups.at(-1)?.push(segment);
    else {
      groups.push([segment]);
      bytes = segment.size;
    }
  }
  return groups;
}
