import { BrokerError } from '../errors.ts';
import {
  batchSize,
  hasValidCrc,
  lastOffsetDelta,
  maxTimestamp,
  baseOffset as readBaseOffset,
} from '../records/index.ts';
import type { SegmentStore } from './segment-store.ts';

/*
 * A sealed segment, in Kafka's layout: `<log id>/<base offset, 20 digits>.log` holds whole record batches one after the
 * other (`<base offset>-<generation>.log` where compaction wrote it: then offsets may be missing between the batches); beside it, unless it is small enough to be scanned,
 *   .index      => (offset - base offset:u32  position:u32)*                 sparse, one for each INDEX_INTERVAL bytes
 *   .timeindex  => (largest timestamp so far:i64  offset - base offset:u32)* likewise
 */

/** A segment as the manifest knows it. Its object may be longer than `size`: then a merge followed that was not recorded. */
export interface Segment {
  readonly name: string;
  readonly baseOffset: number;
  /** The offset after the last one in it. */
  readonly nextOffset: number;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch; -1 for none. */
  readonly maxTimestamp: number;
  readonly indexed: boolean;
  /** Counts what compaction wrote of a log, so that it never writes over what somebody reads; 0 or absent for what a flush wrote. */
  readonly generation?: number;
}

/** Bytes of log for each index entry; Kafka's index.interval.bytes. */
export const INDEX_INTERVAL = 4096;
/** Up to this size a segment has no index files: one read brings all of it. */
export const UNINDEXED_BYTES = 64 * 1024;

const OFFSET_ENTRY = 8;
const TIME_ENTRY = 12;
/** Enough of a batch to know its size, offsets and timestamps. */
const BATCH_HEADER = 61;
const SCAN_BYTES = 64 * 1024;

export function segmentName(logId: string, baseOffset: number, generation = 0): string {
  const name = `${logId}/${String(baseOffset).padStart(20, '0')}`;
  return generation === 0 ? name : `${name}-${generation}`;
}

/** The names of the objects that a segment is made of. */
export function segmentObjects(segment: Pick<Segment, 'name' | 'indexed'>): string[] {
  const objects = [`${segment.name}.log`];
  if (segment.indexed) objects.push(`${segment.name}.index`, `${segment.name}.timeindex`);
  return objects;
}

/** Where a batch begins. */
interface BatchPlace {
  readonly baseOffset: number;
  readonly position: number;
}

export class SegmentIndex {
  readonly #base: number;
  readonly #offsets: Buffer;
  readonly #times: Buffer;

  constructor(base: number, offsets: Buffer, times: Buffer) {
    this.#base = base;
    this.#offsets = offsets;
    this.#times = times;
  }

  get bytes(): number {
    return this.#offsets.length + this.#times.length;
  }

  /** The last indexed batch at or before the one that holds `offset`. */
  before(offset: number): BatchPlace {
    const entry = lastEntry(
      this.#offsets.length / OFFSET_ENTRY,
      (i) => this.#base + this.#offsets.readUInt32BE(i * OFFSET_ENTRY) <= offset,
    );
    if (entry < 0) return { baseOffset: this.#base, position: 0 };
    return {
      baseOffset: this.#base + this.#offsets.readUInt32BE(entry * OFFSET_ENTRY),
      position: this.#offsets.readUInt32BE(entry * OFFSET_ENTRY + 4),
    };
  }

  /** An offset at or before the first batch whose records reach `timestamp`. */
  offsetBefore(timestamp: number): number {
    const entry = lastEntry(
      this.#times.length / TIME_ENTRY,
      (i) => Number(this.#times.readBigInt64BE(i * TIME_ENTRY)) < timestamp,
    );
    return entry < 0 ? this.#base : this.#base + this.#times.readUInt32BE(entry * TIME_ENTRY + 8);
  }
}

/** The last of `count` ordered entries that holds; -1 when none does. */
function lastEntry(count: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Gathers what the index files of a segment say while its batches go by. */
export class SegmentIndexer {
  readonly #base: number;
  readonly #offsets: number[] = [];
  readonly #times: [timestamp: number, offset: number][] = [];
  #sinceEntry = 0;
  #position = 0;
  maxTimestamp = -1;
  nextOffset: number;

  constructor(base: number) {
    this.#base = base;
    this.nextOffset = base;
  }

  get size(): number {
    return this.#position;
  }

  add(baseOffset: number, lastOffset: number, timestamp: number, size: number): void {
    if (this.#sinceEntry >= INDEX_INTERVAL) {
      this.#offsets.push(baseOffset - this.#base, this.#position);
      // What came before this batch reached this timestamp: a search for a later one may start here.
      this.#times.push([this.maxTimestamp, baseOffset - this.#base]);
      this.#sinceEntry = 0;
    }
    this.#sinceEntry += size;
    this.#position += size;
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    this.nextOffset = lastOffset + 1;
  }

  finish(): { offsets: Buffer; times: Buffer } {
    const offsets = Buffer.allocUnsafe(this.#offsets.length * 4);
    this.#offsets.forEach((value, i) => {
      offsets.writeUInt32BE(value, i * 4);
    });
    const times = Buffer.allocUnsafe(this.#times.length * TIME_ENTRY);
    this.#times.forEach(([timestamp, offset], i) => {
      times.writeBigInt64BE(BigInt(timestamp), i * TIME_ENTRY);
      times.writeUInt32BE(offset, i * TIME_ENTRY + 8);
    });
    return { offsets, times };
  }
}

/** Reads sealed segments, and keeps the indexes used lately. */
export class SegmentReader {
  readonly #store: SegmentStore;
  readonly #indexes = new Map<string, SegmentIndex>();
  readonly #maxIndexBytes: number;
  #indexBytes = 0;

  constructor(store: SegmentStore, maxIndexBytes = 32 * 1024 * 1024) {
    this.#store = store;
    this.#maxIndexBytes = maxIndexBytes;
  }

  /**
   * Whole batches from the one that holds `offset` (or the first after it) on: as many as fit `maxBytes`, but at least one.
   * Rejects with `storage-damaged`, naming object and position, where there is no batch.
   */
  async read(segment: Segment, offset: number, maxBytes: number): Promise<Buffer> {
    // The batch wanted is at most one index interval (and a batch) further on; that much more is read at once.
    let { chunk, position } = await this.#readFrom(segment, offset, Math.max(maxBytes + INDEX_INTERVAL, SCAN_BYTES));
    let start = 0;
    for (;;) {
      const size = wholeBatch(chunk, start);
      if (size === undefined) {
        // The chunk ends within a batch: go on there, with all of that batch.
        const needed = chunk.length - start >= BATCH_HEADER ? this.#sizeAt(segment, chunk, start, position) : 0;
        position += start;
        if (position >= segment.size) throw damagedSegment(segment, position, 'the segment ends before its last batch');
        const more = await this.#get(segment, position, Math.max(maxBytes, needed, SCAN_BYTES));
        if (more.length === 0 || (start === 0 && more.length <= chunk.length))
          throw damagedSegment(segment, position, 'a batch is cut short');
        chunk = more;
        start = 0;
        continue;
      }
      if (readBaseOffset(chunk, start) + lastOffsetDelta(chunk, start) >= offset) break;
      start += size;
    }
    let end = start + (wholeBatch(chunk, start) ?? 0);
    for (;;) {
      const size = wholeBatch(chunk, end);
      if (size === undefined || end + size - start > maxBytes) break;
      end += size;
    }
    return chunk.subarray(start, end);
  }

  /** All of a segment, every batch of it checked: damage must not get into another segment. */
  async readAll(segment: Segment): Promise<Buffer> {
    const bytes = await this.#get(segment, 0, segment.size);
    if (bytes.length < segment.size)
      throw damagedSegment(segment, bytes.length, 'the object is shorter than the manifest says');
    let offset = segment.baseOffset;
    for (let at = 0; at < bytes.length; ) {
      const size = wholeBatch(bytes, at);
      if (size === undefined || !hasValidCrc(bytes, at)) throw damagedSegment(segment, at, 'no record batch');
      if (readBaseOffset(bytes, at) !== offset) throw damagedSegment(segment, at, `no batch of offset ${offset}`);
      offset = readBaseOffset(bytes, at) + lastOffsetDelta(bytes, at) + 1;
      at += size;
    }
    if (offset !== segment.nextOffset) throw damagedSegment(segment, bytes.length, `it ends before offset ${offset}`);
    return bytes;
  }

  /** An offset in the segment to search from, batch by batch, for the first record at or after `timestamp`. */
  async offsetBefore(segment: Segment, timestamp: number): Promise<number> {
    return segment.indexed ? (await this.#index(segment)).offsetBefore(timestamp) : segment.baseOffset;
  }

  forget(segment: Segment): void {
    const index = this.#indexes.get(keyOf(segment));
    if (index === undefined) return;
    this.#indexes.delete(keyOf(segment));
    this.#indexBytes -= index.bytes;
  }

  /** Reads from a batch on that lies before `offset`, or holds it, and not far from it. */
  async #readFrom(segment: Segment, offset: number, length: number): Promise<{ chunk: Buffer; position: number }> {
    if (!segment.indexed || offset <= segment.baseOffset)
      return { chunk: await this.#get(segment, 0, length), position: 0 };
    const { baseOffset, position } = (await this.#index(segment)).before(offset);
    if (position < segment.size) {
      const chunk = await this.#get(segment, position, length);
      if (chunk.length >= BATCH_HEADER && readBaseOffset(chunk, 0) === baseOffset) return { chunk, position };
    }
    // There is no such batch: the index is not worth anything, or else the segment itself is damaged there.
    this.forget(segment);
    const place = this.#keep(segment, await this.#scanIndex(segment)).before(offset);
    return { chunk: await this.#get(segment, place.position, length), position: place.position };
  }

  async #index(segment: Segment): Promise<SegmentIndex> {
    const key = keyOf(segment);
    const known = this.#indexes.get(key);
    if (known === undefined) return this.#keep(segment, await this.#loadIndex(segment));
    this.#indexes.delete(key);
    this.#indexes.set(key, known);
    return known;
  }

  /** Keeps an index, at the cost of those that were not used for longest. */
  #keep(segment: Segment, index: SegmentIndex): SegmentIndex {
    const key = keyOf(segment);
    this.forget(segment);
    this.#indexes.set(key, index);
    this.#indexBytes += index.bytes;
    for (const [other, { bytes }] of this.#indexes) {
      if (this.#indexBytes <= this.#maxIndexBytes || other === key) break;
      this.#indexes.delete(other);
      this.#indexBytes -= bytes;
    }
    return index;
  }

  async #loadIndex(segment: Segment): Promise<SegmentIndex> {
    const most = Math.ceil(segment.size / INDEX_INTERVAL) + 1;
    try {
      const offsets = await this.#store.get(`${segment.name}.index`, 0, most * OFFSET_ENTRY);
      const times = await this.#store.get(`${segment.name}.timeindex`, 0, most * TIME_ENTRY);
      if (
        offsets.length % OFFSET_ENTRY === 0 &&
        times.length % TIME_ENTRY === 0 &&
        offsets.length / OFFSET_ENTRY === times.length / TIME_ENTRY
      ) {
        return new SegmentIndex(segment.baseOffset, offsets, times);
      }
    } catch (error) {
      // It is not there, or the device does not give it: both can be done without.
      if (!(error instanceof BrokerError)) throw error;
    }
    return this.#scanIndex(segment);
  }

  /** An index is derived: where it is missing it is made again from the log. */
  async #scanIndex(segment: Segment): Promise<SegmentIndex> {
    const indexer = new SegmentIndexer(segment.baseOffset);
    for (let position = 0; position < segment.size; ) {
      const chunk = await this.#get(segment, position, 4 * 1024 * 1024);
      let at = 0;
      while (chunk.length - at >= BATCH_HEADER) {
        const size = this.#sizeAt(segment, chunk, at, position);
        const base = readBaseOffset(chunk, at);
        indexer.add(base, base + lastOffsetDelta(chunk, at), maxTimestamp(chunk, at), size);
        at += size;
      }
      if (at === 0) throw damagedSegment(segment, position, 'a batch is cut short');
      position += at;
    }
    const { offsets, times } = indexer.finish();
    return new SegmentIndex(segment.baseOffset, offsets, times);
  }

  #sizeAt(segment: Segment, chunk: Buffer, at: number, position: number): number {
    const size = batchSize(chunk, at);
    if (size < BATCH_HEADER || position + at + size > segment.size)
      throw damagedSegment(segment, position + at, 'no record batch');
    return size;
  }

  #get(segment: Segment, position: number, length: number): Promise<Buffer> {
    return this.#store.get(`${segment.name}.log`, position, Math.min(length, segment.size - position));
  }
}

/** A merge writes another segment under the same name: a longer one. */
function keyOf({ name, size }: Segment): string {
  return `${name} ${size}`;
}

/** The size of the batch at `at`, when all of it is in the chunk. */
function wholeBatch(chunk: Buffer, at: number): number | undefined {
  if (chunk.length - at < BATCH_HEADER) return undefined;
  const size = batchSize(chunk, at);
  return size >= BATCH_HEADER && at + size <= chunk.length ? size : undefined;
}

function damagedSegment(segment: Segment, position: number, what: string): BrokerError {
  return new BrokerError(
    'storage-damaged',
    `segment ${segment.name}.log is damaged at byte ${position}: ${what}; 'sluice repair' cuts what is damaged`,
  );
}
