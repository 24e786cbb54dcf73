import { BrokerError } from '../errors.ts';
import { batchesIn, partitionLeaderEpoch, rebase } from '../records/index.ts';
import type { Position } from './commit-log.ts';
import { parseLogId } from './entry-group.ts';
import { type MemoryBatch, MemoryTable, memoryBatch } from './memory-table.ts';
import type { Segment, SegmentReader } from './segment.ts';

/** Whole record batches, in order, with their base offsets stamped. */
export interface LogRead {
  readonly chunks: readonly Buffer[];
  readonly bytes: number;
}

const NOTHING: LogRead = { chunks: [], bytes: 0 };

/** From this offset on, batches were appended under this epoch. */
export interface EpochStart {
  readonly epoch: number;
  readonly startOffset: number;
}

/** What bounds the size and the age of a log's segments; Kafka's segment.bytes and segment.ms. */
export interface SegmentLimits {
  readonly bytes: number;
  readonly ms: number;
}

/** State that somebody derives from a log's batches, saved with its segments so that a start need not read them all. */
export interface DerivedState {
  /** The state as of the log's high watermark, in whatever form; undefined when there is nothing worth saving. */
  save(): Buffer | undefined;
  /** The batches from `nextOffset` on are gone: their append failed. */
  rollBack(nextOffset: number): void;
  /** Last offsets of durable batches that the state could not be made again without: compaction leaves at least their headers. */
  retainedOffsets?(): readonly number[];
  /** The transaction markers at these offsets are about to go: of their transactions nothing has been there for some time. */
  forgetMarkers?(offsets: readonly number[]): void;
}

/** Reading ahead of the high watermark is for those who asked for it. */
export type Visibility = 'durable' | 'appended';

/** What a log is made of, as the manifest has it. */
export interface LogState {
  readonly id: string;
  readonly startOffset: number;
  /** The offset after the last one that is in a segment (or was trimmed before it got there). */
  readonly flushedOffset: number;
  readonly segments: readonly Segment[];
  readonly epochs: readonly EpochStart[];
  /** Of a log that was compacted: up to where, and the generation that its next segments so written will have. */
  readonly cleaned?: { readonly offset: number; readonly generation: number };
}

/**
 * One append-only log of a shard: sealed segments, then the batches in memory. Its offsets are contiguous, but for those that
 * compaction has taken out of segments; they begin at `startOffset` (what came before was trimmed) and end before `nextOffset`. The owner of the log appends through its
 * `Shard`; this class only reads, and keeps account.
 */
export class Log {
  readonly id: string;
  readonly idBytes: Buffer;
  /** Set by the log's user before the first append; defaults are the largest a segment may be. */
  segmentLimits: SegmentLimits = { bytes: 1024 * 1024 * 1024, ms: Number.POSITIVE_INFINITY };
  derived: DerivedState | undefined;
  /** Told the offset from which on batches are gone, because their append failed. */
  onRollBack: ((nextOffset: number) => void) | undefined;
  /** The offset up to which the derived state is saved; the shard's. */
  derivedOffset = 0;
  /** What comes before it was compacted. */
  cleanedOffset = 0;
  /** Segments before it are not to be merged now. The shard's. */
  claimedOffset = 0;
  /** Its derived state is being saved, which is done by one at a time. The shard's. */
  savingDerived: Promise<void> = Promise.resolve();
  /** Its deletion was asked for and is not durable yet: nothing is appended any more. The shard's. */
  deleting = false;

  readonly #reader: SegmentReader;
  readonly #waiters = new Set<() => void>();
  #segments: readonly Segment[] = [];
  #table = new MemoryTable();
  #epochs: EpochStart[] = [];
  #startOffset = 0;
  #flushedOffset = 0;
  #nextOffset = 0;
  #highWatermark = 0;
  #deleted = false;
  /** That of the next segments which compaction writes; 0 until it does. */
  #generation = 0;

  constructor(id: string, reader: SegmentReader, state?: LogState) {
    this.id = id;
    this.idBytes = parseLogId(id);
    this.#reader = reader;
    if (state === undefined) return;
    this.#segments = state.segments;
    this.#epochs = [...state.epochs];
    this.#startOffset = state.startOffset;
    this.#flushedOffset = state.flushedOffset;
    this.#nextOffset = state.flushedOffset;
    this.#highWatermark = state.flushedOffset;
    this.derivedOffset = state.flushedOffset;
    this.cleanedOffset = state.cleaned?.offset ?? 0;
    this.#generation = state.cleaned?.generation ?? 0;
  }

  /** The first offset that is there. */
  get startOffset(): number {
    return this.#startOffset;
  }

  /** The offset that the next record appended will have; what lies at or beyond the high watermark may yet be lost. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** The offset after the last durable record. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** The offset after the last one that is in a segment. */
  get flushedOffset(): number {
    return this.#flushedOffset;
  }

  get deleted(): boolean {
    return this.#deleted;
  }

  get epochs(): readonly EpochStart[] {
    return this.#epochs;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Bytes of segments and of batches that are in memory only. */
  get sizeBytes(): number {
    let { bytes } = this.unflushedExtent;
    for (const segment of this.#segments) bytes += segment.size;
    return bytes;
  }

  /** What is in no segment yet: bytes, and the time of the oldest batch (milliseconds since the epoch; -1 for none). */
  get unflushedExtent(): { readonly bytes: number; readonly oldest: number } {
    const first = this.#table.indexOf(this.#flushedOffset);
    let bytes = 0;
    for (let i = first; i < this.#table.length; i++) bytes += this.#table.at(i)?.bytes.length ?? 0;
    return { bytes, oldest: this.#table.at(first)?.maxTimestamp ?? -1 };
  }

  /**
   * Whole batches from the one that holds `offset` on: as many as fit `maxBytes`, but at least one if there is any.
   * Answers at once when they are in memory. `offset-out-of-range` when it lies before the start or beyond the end.
   */
  read(offset: number, maxBytes: number, visibility: Visibility = 'durable'): LogRead | Promise<LogRead> {
    if (this.#deleted) throw new BrokerError('not-found', `log ${this.id} was deleted`);
    const end = visibility === 'durable' ? this.#highWatermark : this.#nextOffset;
    if (offset < this.#startOffset || offset > this.#nextOffset) {
      throw new BrokerError(
        'offset-out-of-range',
        `offset ${offset} is outside ${this.#startOffset} to ${this.#nextOffset}`,
      );
    }
    if (offset >= end) return NOTHING;
    const first = this.#table.first;
    if (first !== undefined && offset >= first.baseOffset) return this.#readMemory(offset, end, maxBytes);
    return this.#readSegments(offset, maxBytes);
  }

  /**
   * The batch that holds `offset`, when it is in memory; durable or not. In a shared one the base offset that is stamped in
   * its bytes may be another log's.
   */
  batchInMemory(offset: number): MemoryBatch | undefined {
    const batch = this.#table.at(this.#table.indexOf(offset));
    return batch !== undefined && batch.baseOffset <= offset ? batch : undefined;
  }

  /**
   * The first batch, among those with records at or after `from`, that has a record with a timestamp at or after `timestamp`
   * (the caller looks into it for the record, which may lie before `from`); undefined when all durable records are older.
   * Timestamps need not grow with offsets.
   */
  async batchForTimestamp(timestamp: number, from = 0): Promise<Buffer | undefined> {
    let offset = Math.max(from, this.#startOffset);
    // While it searches, batches go from memory to segments, and segments into others: it goes on from the offset that it is at.
    for (;;) {
      const segment = firstSegmentAfter(this.#segments, offset);
      if (segment === undefined) break;
      if (segment.maxTimestamp >= timestamp) {
        try {
          const batch = await this.#searchSegment(segment, timestamp, offset);
          if (batch !== undefined) return batch;
        } catch (error) {
          if (this.#segments.includes(segment)) throw error;
          offset = Math.max(offset, this.#startOffset);
          continue;
        }
      }
      offset = Math.max(segment.nextOffset, this.#startOffset);
    }
    for (let i = this.#table.indexOf(offset); i < this.#table.length; i++) {
      const batch = this.#table.at(i);
      if (batch === undefined || batch.lastOffset >= this.#highWatermark) break;
      if (batch.maxTimestamp >= timestamp) return Buffer.concat(whole(batch));
    }
    return undefined;
  }

  /** The batch that holds the largest timestamp of all durable records; undefined when there are none. */
  async batchWithMaxTimestamp(): Promise<Buffer | undefined> {
    let largest = -1;
    for (let i = this.#table.indexOf(this.#startOffset); i < this.#table.length; i++) {
      const batch = this.#table.at(i);
      if (batch !== undefined && batch.lastOffset < this.#highWatermark)
        largest = Math.max(largest, batch.maxTimestamp);
    }
    const times = new Set([largest]);
    for (const segment of this.#segments)
      if (segment.nextOffset > this.#startOffset && segment.maxTimestamp > largest) times.add(segment.maxTimestamp);
    // Compaction may have left nothing of what a segment had its time from.
    for (const timestamp of [...times].filter((time) => time >= 0).sort((a, b) => b - a)) {
      const batch = await this.batchForTimestamp(timestamp);
      if (batch !== undefined) return batch;
    }
    return undefined;
  }

  /** The end of the given epoch: the largest epoch at or below it that has records, and the offset after its last one. */
  endOfEpoch(epoch: number): { epoch: number; endOffset: number } | undefined {
    for (let i = this.#epochs.length - 1; i >= 0; i--) {
      const start = this.#epochs[i];
      if (start !== undefined && start.epoch <= epoch) {
        return { epoch: start.epoch, endOffset: this.#epochs[i + 1]?.startOffset ?? this.#highWatermark };
      }
    }
    return undefined;
  }

  /** The epoch under which the record at `offset` was appended; -1 when unknown. */
  epochOf(offset: number): number {
    for (let i = this.#epochs.length - 1; i >= 0; i--) {
      const start = this.#epochs[i];
      if (start !== undefined && start.startOffset <= offset) return start.epoch;
    }
    return -1;
  }

  /** Calls back whenever there is more to read, the log begins elsewhere, or it is deleted, until the answered function is called. */
  onGrowth(callback: () => void): () => void {
    this.#waiters.add(callback);
    return () => this.#waiters.delete(callback);
  }

  /**
   * Where the log would have to begin so that it keeps within `bytes` and `ms` (either Infinity for no bound), by whole
   * segments, or batches where they are in memory yet: like Kafka, a piece goes only when what is left is enough by size.
   */
  retentionOffset(now: number, bytes: number, ms: number): number {
    let start = this.#startOffset;
    let size = this.sizeBytes;
    const expired = (timestamp: number, pieceBytes: number) =>
      (timestamp >= 0 && now - timestamp > ms) || size - pieceBytes >= bytes;
    for (const segment of this.#segments) {
      if (!expired(segment.maxTimestamp, segment.size)) return start;
      start = Math.max(start, segment.nextOffset);
      size -= segment.size;
    }
    for (let i = this.#table.indexOf(this.#flushedOffset); i < this.#table.length; i++) {
      const batch = this.#table.at(i);
      if (
        batch === undefined ||
        batch.lastOffset >= this.#highWatermark ||
        !expired(batch.maxTimestamp, batch.bytes.length)
      )
        break;
      start = Math.max(start, batch.lastOffset + 1);
      size -= batch.bytes.length;
    }
    return start;
  }

  // What follows is for the shard alone.

  /** Takes a batch, at `nextOffset`; its position is set when its group is in the commit log. */
  appended(bytes: Buffer, shared: boolean, epoch: number): MemoryBatch {
    const batch = memoryBatch(bytes, this.#nextOffset, shared);
    if (this.#epochs.at(-1)?.epoch !== epoch) this.#epochs.push({ epoch, startOffset: batch.baseOffset });
    this.#table.push(batch);
    this.#nextOffset = batch.lastOffset + 1;
    return batch;
  }

  /** Takes the newest batch back, of which the commit log did not want to know. Answers its bytes. */
  takeBack(): number {
    const batch = this.#table.pop();
    if (batch === undefined) return 0;
    this.#nextOffset = batch.baseOffset;
    if ((this.#epochs.at(-1)?.startOffset ?? -1) >= this.#nextOffset) this.#epochs.pop();
    return batch.bytes.length;
  }

  /** Takes a batch that the commit log gave back at the start, at `nextOffset` at the latest. Answers whether it was new. */
  replayed(bytes: Buffer, baseOffset: number, shared: boolean, position: Position): boolean {
    if (baseOffset < this.#nextOffset) {
      if (baseOffset < this.#flushedOffset) return false;
      throw new BrokerError('storage-damaged', `log ${this.id}: offset ${baseOffset} stands twice in the commit log`);
    }
    this.appended(bytes, shared, partitionLeaderEpoch(bytes, 0)).position = position;
    this.#highWatermark = this.#nextOffset;
    return true;
  }

  advanceHighWatermark(offset: number): void {
    if (offset > this.#highWatermark) this.#highWatermark = offset;
  }

  wake(): void {
    for (const callback of this.#waiters) callback();
  }

  /** Forgets what was appended and did not become durable. */
  rollBack(): number {
    let bytes = 0;
    for (
      let last = this.#table.last;
      last !== undefined && last.lastOffset >= this.#highWatermark;
      last = this.#table.last
    ) {
      bytes += last.bytes.length;
      this.#table.pop();
    }
    this.#nextOffset = this.#highWatermark;
    while ((this.#epochs.at(-1)?.startOffset ?? -1) >= this.#nextOffset) this.#epochs.pop();
    this.derived?.rollBack(this.#nextOffset);
    this.onRollBack?.(this.#nextOffset);
    return bytes;
  }

  /** Drops what lies wholly before `offset`. Answers the segments that are no longer part of the log. */
  trimmed(offset: number): { segments: readonly Segment[]; unflushedBytes: number } {
    this.#startOffset = Math.max(this.#startOffset, Math.min(offset, this.#highWatermark));
    const gone = this.#segments.filter((segment) => segment.nextOffset <= this.#startOffset);
    this.#segments = this.#segments.slice(gone.length);
    for (const segment of gone) this.#reader.forget(segment);
    let unflushedBytes = 0;
    for (
      let first = this.#table.first;
      first !== undefined && first.lastOffset < this.#startOffset;
      first = this.#table.first
    ) {
      if (first.lastOffset >= this.#flushedOffset) unflushedBytes += first.bytes.length;
      this.#table.shift();
    }
    // What went before it got to a segment need not get there any more, and after a restart is not waited for.
    this.#flushedOffset = Math.max(this.#flushedOffset, this.#table.first?.baseOffset ?? this.#nextOffset);
    while (this.#epochs.length > 1 && (this.#epochs[1]?.startOffset ?? 0) <= this.#startOffset) this.#epochs.shift();
    return { segments: gone, unflushedBytes };
  }

  /** Answers the bytes of batches that were in memory only. */
  markDeleted(): number {
    this.#deleted = true;
    let unflushedBytes = 0;
    for (let i = this.#table.indexOf(this.#flushedOffset); i < this.#table.length; i++)
      unflushedBytes += this.#table.at(i)?.bytes.length ?? 0;
    for (const segment of this.#segments) this.#reader.forget(segment);
    this.#segments = [];
    this.#table = new MemoryTable();
    this.wake();
    this.#waiters.clear();
    return unflushedBytes;
  }

  /** The batches that are in no segment yet and came at or before `upTo`, oldest first. */
  unflushed(upTo: Position): MemoryBatch[] {
    const batches: MemoryBatch[] = [];
    for (let i = this.#table.indexOf(this.#flushedOffset); i < this.#table.length; i++) {
      const batch = this.#table.at(i);
      if (batch === undefined || batch.position > upTo) break;
      batches.push(batch);
    }
    return batches;
  }

  /** The segments are now these, and hold everything before `flushedOffset`. The batches stay in memory until evicted. */
  flushed(segments: readonly Segment[], flushedOffset: number): void {
    this.#segments = segments.filter((segment) => segment.nextOffset > this.#startOffset);
    this.#flushedOffset = Math.max(this.#flushedOffset, flushedOffset);
  }

  /** Other segments hold what is left of these. Readers are not to find in memory what was taken out of them. */
  replaced(old: readonly Segment[], fresh: readonly Segment[]): void {
    const gone = new Set(old);
    this.#segments = [...this.#segments.filter((segment) => !gone.has(segment)), ...fresh]
      .filter((segment) => segment.nextOffset > this.#startOffset)
      .sort((a, b) => a.baseOffset - b.baseOffset);
    this.evict(old.at(-1)?.nextOffset ?? 0);
  }

  /** A number that no segment of this log has in its name. */
  nextGeneration(): number {
    this.#generation = Math.max(this.#generation, 1);
    return this.#generation++;
  }

  /** The number that `nextGeneration` will answer. */
  get generation(): number {
    return Math.max(this.#generation, 1);
  }

  /** Drops batches before `offset` from memory, as far as they are in segments. */
  evict(offset: number): void {
    const end = Math.min(offset, this.#flushedOffset);
    for (let first = this.#table.first; first !== undefined && first.lastOffset < end; first = this.#table.first)
      this.#table.shift();
  }

  /** Whether there is something to do for a flush of what came at or before `upTo`. */
  isFlushDue(upTo: Position): boolean {
    const first = this.#table.at(this.#table.indexOf(this.#flushedOffset));
    return (first !== undefined && first.position <= upTo) || this.isDerivedStateDue;
  }

  /** Batches went from memory (a trim passed them) of which the derived state that is saved does not know. */
  get isDerivedStateDue(): boolean {
    return this.derived !== undefined && this.derivedOffset < this.#flushedOffset;
  }

  state(): LogState {
    return {
      id: this.id,
      startOffset: this.#startOffset,
      flushedOffset: this.#flushedOffset,
      segments: this.#segments,
      epochs: this.#epochs.filter((start) => start.startOffset < this.#flushedOffset),
      ...(this.#generation > 0 && { cleaned: { offset: this.cleanedOffset, generation: this.#generation } }),
    };
  }

  #readMemory(offset: number, end: number, maxBytes: number): LogRead {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for (let i = this.#table.indexOf(offset); i < this.#table.length; i++) {
      const batch = this.#table.at(i);
      if (batch === undefined || batch.lastOffset >= end) break;
      if (bytes > 0 && bytes + batch.bytes.length > maxBytes) break;
      bytes += batch.bytes.length;
      if (batch.shared) chunks.push(...whole(batch));
      else chunks.push(batch.bytes);
    }
    return { chunks, bytes };
  }

  async #readSegments(offset: number, maxBytes: number): Promise<LogRead> {
    for (;;) {
      const segment = firstSegmentAfter(this.#segments, offset);
      if (segment === undefined) return this.#readMemory(offset, this.#highWatermark, maxBytes);
      try {
        const chunk = await this.#reader.read(segment, offset, maxBytes);
        return { chunks: [chunk], bytes: chunk.length };
      } catch (error) {
        // It may have been merged into another segment, or trimmed, while this read was under way.
        if (this.#segments.includes(segment)) throw error;
        if (this.#deleted) throw new BrokerError('not-found', `log ${this.id} was deleted`);
        if (offset < this.#startOffset)
          throw new BrokerError(
            'offset-out-of-range',
            `offset ${offset} was trimmed; the log begins at ${this.#startOffset}`,
          );
      }
    }
  }

  /** The first batch of the segment, from `from` on, that reaches a timestamp. */
  async #searchSegment(segment: Segment, timestamp: number, from: number): Promise<Buffer | undefined> {
    let offset = Math.max(await this.#reader.offsetBefore(segment, timestamp), from);
    while (offset < segment.nextOffset) {
      const chunk = await this.#reader.read(segment, offset, SEARCH_BYTES);
      for (const batch of batchesIn(chunk)) {
        if (batch.maxTimestamp >= timestamp) return batch.bytes;
        offset = batch.lastOffset + 1;
      }
    }
    return undefined;
  }
}

/** How much of a segment is read at a time to find a timestamp. */
const SEARCH_BYTES = 64 * 1024;

/** The first segment with records at or after `offset`. */
function firstSegmentAfter(segments: readonly Segment[], offset: number): Segment | undefined {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle]?.nextOffset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return segments[low];
}

function whole(batch: MemoryBatch): Buffer[] {
  return batch.shared ? rebase(batch.bytes, batch.baseOffset) : [batch.bytes];
}
