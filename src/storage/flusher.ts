import type { Clock, Timer } from '../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../errors.ts';
import type { CommitLog, Position } from './commit-log.ts';
import type { Log } from './log.ts';
import { saveManifest } from './manifest.ts';
import type { MemoryBatch } from './memory-table.ts';
import { ObjectHold } from './object-hold.ts';
import { type Segment, type SegmentReader, segmentObjects } from './segment.ts';
import { type Batches, SegmentBuilder } from './segment-builder.ts';
import type { SegmentStore } from './segment-store.ts';
import { TailCache } from './tail-cache.ts';

export interface FlusherOptions {
  readonly store: SegmentStore;
  readonly clock: Clock;
  readonly commitLog: CommitLog;
  readonly reader: SegmentReader;
  readonly logs: ReadonlyMap<string, Log>;
  readonly tailCacheBytes: number;
  readonly durablePosition: () => Position;
  /** So many bytes that were only in the commit log are in segments now. */
  readonly onFlushed: (bytes: number) => void;
  readonly onRoundEnd: () => void;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** How many logs are written out at a time. */
const CONCURRENCY = 4;
/** A segment below this size is merged with what comes next, while it is not much larger than that. */
const MERGE_BYTES = 8 * 1024 * 1024;
const RETRY_MS = 2_000;

/**
 * Writes what the commit log holds to segments, log by log, in the background; then records that in the manifest; then
 * lets the commit log go. A crash at any point repeats at most the work, over the same names.
 */
export class Flusher {
  readonly #options: FlusherOptions;
  /** Objects (or prefixes) that nothing refers to any more, and that are not known to be gone. */
  readonly #garbage = new Set<string>();
  /** Objects that the next manifest will not refer to, but the last one does. */
  readonly #replaced = new Set<string>();
  readonly #collecting = new Set<Promise<void>>();
  /** Segments that are being written again under the name of the first of them: not to be deleted meanwhile. */
  readonly #merging = new Set<string>();
  readonly #tails: TailCache;
  readonly #holds = new Set<ObjectHold>();
  /** The manifest is being saved, which is done by one at a time. */
  #recording: Promise<void> = Promise.resolve();
  #shardId = '';
  #restored = false;
  #flushedTo: Position = 0;
  #running: Promise<void> | undefined;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: FlusherOptions) {
    this.#options = options;
    this.#tails = new TailCache(options.tailCacheBytes);
  }

  /** What came to the commit log at or before this position is in segments, and a manifest says so. */
  get flushedTo(): Position {
    return this.#flushedTo;
  }

  /** The shard's identity. */
  get shardId(): string {
    return this.#shardId;
  }

  /** Objects, and their bytes, that are not deleted before they are released. */
  hold(objects: Iterable<readonly [name: string, bytes: number]>): ObjectHold {
    const hold = new ObjectHold(objects, {
      deleteAgain: (names) => {
        // A merge may have given the name to another segment meanwhile.
        if (!this.#closed) this.#collectLater(names.filter((name) => !this.#isLive(name)));
      },
      onEnd: () => this.#holds.delete(hold),
    });
    this.#holds.add(hold);
    return hold;
  }

  /**
   * Goes on with what the manifest says, once the commit log is replayed. Until then nothing is deleted: a trim that is
   * replayed is durable for certain only when the replay has ended.
   */
  restore(shardId: string, garbage: readonly string[], replayFrom: Position): void {
    this.#shardId = shardId;
    this.#flushedTo = replayFrom;
    this.#restored = true;
    this.discard([...this.#garbage, ...garbage]);
  }

  /** Deletes objects that nothing refers to any more; a name that ends in `/` stands for all below it. */
  discard(names: readonly string[]): void {
    for (const name of names) this.#garbage.add(name);
    if (names.length > 0 && this.#restored && !this.#closed) this.#collectLater(names);
  }

  discardSegments(segments: readonly Segment[]): void {
    this.discard(segments.filter(({ name }) => !this.#merging.has(name)).flatMap(segmentObjects));
  }

  /**
   * Keeps the segments that a log has from being merged with later ones, but for those that are being merged already. Answers the
   * offset before which they lie.
   */
  claim(log: Log): number {
    const free = log.segments.findIndex(({ name }) => this.#merging.has(name));
    log.claimedOffset = (free < 0 ? log.segments : log.segments.slice(0, free)).at(-1)?.nextOffset ?? 0;
    return log.claimedOffset;
  }

  /**
   * Puts segments in the place of others that were claimed, as far as the log still has them, and records that with the offset up
   * to which the log is compacted.
   */
  async replace(log: Log, old: readonly Segment[], fresh: readonly Segment[], cleanedOffset: number): Promise<void> {
    const left = old.filter((segment) => log.segments.includes(segment));
    if (log.deleted) {
      this.discard(fresh.flatMap(segmentObjects));
      return;
    }
    for (const segment of left) this.#options.reader.forget(segment);
    log.replaced(left, fresh);
    log.cleanedOffset = cleanedOffset;
    const live = new Set(log.segments);
    for (const segment of [...left, ...fresh])
      if (!live.has(segment)) for (const name of segmentObjects(segment)) this.#replaced.add(name);
    await this.#record();
  }

  /** Has a log's derived state forget transactions of which the log will know nothing any more. */
  async forgetMarkers(log: Log, offsets: readonly number[]): Promise<void> {
    log.derived?.forgetMarkers?.(offsets);
    await this.#saveDerived(log);
  }

  /** Runs one round, or waits for the one that is running. What fails is tried again a little later. */
  flush(): Promise<void> {
    if (!this.#restored || this.#closed || this.#retry !== undefined) return Promise.resolve();
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined;
      this.#options.onRoundEnd();
    });
    return this.#running;
  }

  /** Writes nothing any more, but for what is on its way. */
  stop(): void {
    this.#closed = true;
    this.#retry?.cancel();
  }

  /** Stops, and waits for what is under way. */
  async close(): Promise<void> {
    this.stop();
    await this.#running;
    await this.#recording;
    await Promise.all(this.#collecting);
  }

  async #round(): Promise<void> {
    const { clock, durablePosition } = this.#options;
    try {
      await this.#flushTo(durablePosition());
    } catch (error) {
      this.#options.onTrouble(toBrokerError(error), 'segments are not written; tried again later');
      if (this.#closed) return;
      this.#retry = clock.setTimer(RETRY_MS, () => {
        this.#retry = undefined;
        void this.flush();
      });
    }
  }

  async #flushTo(upTo: Position): Promise<void> {
    const { logs, commitLog } = this.#options;
    await commitLog.sync?.();
    const due = [...logs.values()].filter((log) => log.isFlushDue(upTo));
    this.#tails.beginRound(due.reduce((sum, log) => sum + log.unflushedExtent.bytes, 0));
    let next = 0;
    const worker = async () => {
      for (let log = due[next++]; log !== undefined && !this.#closed; log = due[next++])
        await this.#flushLog(log, upTo);
    };
    // None may be at work any more when the next round begins, so that this waits for all of them also when one fails.
    const outcomes = await Promise.allSettled(Array.from({ length: CONCURRENCY }, worker));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    if (this.#closed) return;
    await this.#record(upTo);
    if (this.#closed) return;
    this.#flushedTo = upTo;
    await commitLog.truncate(upTo);
  }

  /** Saves what the logs consist of now, and lets go of the objects that no log refers to any more. */
  #record(replayFrom?: Position): Promise<void> {
    const recorded = this.#recording.then(() => this.#saveManifest(replayFrom));
    this.#recording = recorded.catch(() => {});
    return recorded;
  }

  async #saveManifest(replayFrom = this.#flushedTo): Promise<void> {
    const { logs, commitLog, store } = this.#options;
    if (this.#closed) return;
    const replaced = [...this.#replaced];
    for (const name of replaced) this.#garbage.add(name);
    const states = [...logs.values()].map((log) => log.state());
    const garbage = [...this.#garbage];
    // The trims and deletions that the states know of.
    await commitLog.sync?.();
    if (this.#closed) return;
    await saveManifest(store, { shardId: this.#shardId, replayFrom, logs: states, garbage });
    for (const name of replaced) this.#replaced.delete(name);
    this.#collectLater(replaced);
  }

  /** Writes a log's batches to segments, together with the last of those it has where they are small. */
  async #flushLog(log: Log, upTo: Position): Promise<void> {
    const merging = mergeable(log, log.unflushed(upTo));
    for (const { name } of merging) this.#merging.add(name);
    try {
      await this.#saveDerived(log);
      const pieces = await this.#readSegments(log, merging);
      // While this was being read, and while it is being written, the log may be trimmed or deleted.
      const merged = pieces.filter(({ segment }) => log.segments.includes(segment));
      const batches = log.unflushed(upTo);
      if (batches.length > 0) await this.#replace(log, merged, batches);
    } finally {
      for (const { name } of merging) this.#merging.delete(name);
      // What was trimmed or deleted meanwhile was not discarded then.
      if (log.deleted) this.discard([`${log.id}/`]);
      const left = new Set(log.segments.flatMap(segmentObjects));
      for (const name of merging.flatMap(segmentObjects)) if (!left.has(name)) this.#replaced.add(name);
    }
  }

  #saveDerived(log: Log): Promise<void> {
    const saved = log.savingDerived.then(() => this.#putDerived(log));
    log.savingDerived = saved.catch(() => {});
    return saved;
  }

  async #putDerived(log: Log): Promise<void> {
    const offset = log.highWatermark;
    const derived = log.derived?.save();
    if (derived !== undefined) {
      await this.#options.commitLog.sync?.();
      await this.#options.store.put(`${log.id}/derived`, [derived]);
    }
    if (log.derived !== undefined) log.derivedOffset = offset;
  }

  /** What the segments hold; nothing when one of them cannot be read. */
  async #readSegments(log: Log, segments: readonly Segment[]): Promise<Piece[]> {
    const pieces: Piece[] = [];
    try {
      for (const segment of segments) pieces.push({ segment, bytes: await this.#options.reader.readAll(segment) });
    } catch (error) {
      // It is left as it is: it is its readers' trouble, and no reason to hold the others up.
      if (!log.deleted) this.#options.onTrouble(toBrokerError(error), 'the segment is not merged with later ones');
      return [];
    }
    return pieces;
  }

  /** Puts new segments in the place of the merged ones and the batches. */
  async #replace(log: Log, merged: readonly Piece[], batches: readonly MemoryBatch[]): Promise<void> {
    const fresh = await this.#writeSegments(log, merged, batches);
    if (log.deleted) return;
    const replaced = new Set(merged.map(({ segment }) => segment));
    for (const segment of replaced) this.#options.reader.forget(segment);
    const flushedOffset = (batches.at(-1)?.lastOffset ?? -1) + 1;
    log.flushed([...log.segments.filter((segment) => !replaced.has(segment)), ...fresh], flushedOffset);
    const live = new Set(log.segments.flatMap(segmentObjects));
    for (const name of fresh.flatMap(segmentObjects))
      if (live.has(name)) this.#garbage.delete(name);
      else this.#replaced.add(name);
    let bytes = 0;
    for (const batch of batches) if (batch.lastOffset >= log.startOffset) bytes += batch.bytes.length;
    this.#tails.flushed(log, batches, flushedOffset);
    this.#options.onFlushed(bytes);
  }

  /** Writes the merged segments' and the batches' bytes as new segments, each within the log's limits. */
  async #writeSegments(log: Log, merged: readonly Piece[], batches: readonly MemoryBatch[]): Promise<Segment[]> {
    const { store } = this.#options;
    const fresh: Segment[] = [];
    let builder = new SegmentBuilder(log.id, merged[0]?.segment.baseOffset ?? batches[0]?.baseOffset ?? 0);
    const makeRoom = async (piece: Batches) => {
      if (builder.fits(piece, log.segmentLimits)) return;
      fresh.push(await builder.store(store));
      builder = new SegmentBuilder(log.id, piece.baseOffset);
    };
    for (const { segment, bytes } of merged) {
      const { baseOffset, nextOffset, maxTimestamp } = segment;
      await makeRoom({ baseOffset, lastOffset: nextOffset - 1, maxTimestamp, bytes });
      builder.addSegment(bytes);
    }
    for (const batch of batches) {
      await makeRoom(batch);
      builder.addBatch(batch);
    }
    fresh.push(await builder.store(store));
    return fresh;
  }

  #isLive(object: string): boolean {
    const log = this.#options.logs.get(object.split('/', 1)[0] ?? '');
    return log?.segments.some((segment) => segmentObjects(segment).includes(object)) ?? false;
  }

  #isHeld(object: string, garbage: string): boolean {
    let held = false;
    for (const hold of this.#holds) held = hold.keep(object, garbage) || held;
    return held;
  }

  #collectLater(names: readonly string[]): void {
    const collecting = this.#collect(names).finally(() => this.#collecting.delete(collecting));
    this.#collecting.add(collecting);
  }

  async #collect(names: readonly string[]): Promise<void> {
    const { commitLog, store } = this.#options;
    try {
      await commitLog.sync?.();
      for (const name of names) {
        const objects = name.endsWith('/') ? await store.list(name) : [name];
        const free = objects.filter((object) => !this.#isHeld(object, name));
        for (const object of free) await store.delete(object);
        if (free.length === objects.length) this.#garbage.delete(name);
      }
    } catch (error) {
      this.#options.onTrouble(toBrokerError(error), 'objects no longer needed take space until the next start');
    }
  }
}

/** The log's last segments that are better written again together with the batches than left small. */
function mergeable(log: Log, batches: readonly MemoryBatch[]): Segment[] {
  const first = batches[0];
  let bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
  const merged: Segment[] = [];
  for (let i = log.segments.length - 1; i >= 0; i--) {
    const segment = log.segments[i];
    if (segment === undefined || first === undefined) break;
    const aged = first.maxTimestamp - segment.maxTimestamp > log.segmentLimits.ms;
    const adjacent = segment.nextOffset === (merged[0]?.baseOffset ?? first.baseOffset);
    if (
      segment.baseOffset < Math.max(log.claimedOffset, log.cleanedOffset) ||
      segment.size > MERGE_BYTES ||
      segment.size > bytes * 2 ||
      bytes + segment.size > log.segmentLimits.bytes ||
      aged ||
      !adjacent
    )
      break;
    merged.unshift(segment);
    bytes += segment.size;
  }
  return merged;
}

/** A segment and what it holds. */
interface Piece {
  readonly segment: Segment;
  readonly bytes: Buffer;
}
