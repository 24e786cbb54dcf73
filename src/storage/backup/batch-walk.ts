import {
  BATCH_HEADER_BYTES,
  baseOffset,
  batchSize,
  CURRENT_MAGIC,
  hasValidCrc,
  lastOffset,
  magic,
  maxTimestamp,
} from '../../records/index.ts';
import { type Segment, SegmentIndexer } from '../segment.ts';
import { ByteQueue } from './byte-queue.ts';

/** What is wrong with bytes, and where: counted from their beginning. */
export interface Flaw {
  readonly byte: number;
  readonly what: string;
}

/** Looks at every batch of a segment while its bytes go by: length, CRC, offsets. Makes the segment's index of them. */
export class BatchWalk {
  readonly indexer: SegmentIndexer;
  readonly #segment: Segment;
  readonly #queue = new ByteQueue();
  #at = 0;
  #expected: number;
  #flaw: Flaw | undefined;

  constructor(segment: Segment) {
    this.#segment = segment;
    this.indexer = new SegmentIndexer(segment.baseOffset);
    this.#expected = segment.baseOffset;
  }

  add(chunk: Buffer): void {
    if (this.#flaw !== undefined) return;
    this.#queue.push(chunk);
    while (this.#step());
  }

  /** After all of it: the first thing that is wrong, if anything is. */
  finish(): Flaw | undefined {
    if (this.#flaw !== undefined) return this.#flaw;
    const { nextOffset } = this.#segment;
    if (this.#queue.length > 0) return { byte: this.#at, what: 'a batch is cut short' };
    if (this.#expected > nextOffset || (this.#expected < nextOffset && !this.#isCompacted))
      return { byte: this.#at, what: `it ends before offset ${this.#expected}, and not ${nextOffset}` };
    return undefined;
  }

  /** Where compaction was, offsets may be missing between batches. */
  get #isCompacted(): boolean {
    return (this.#segment.generation ?? 0) > 0;
  }

  #step(): boolean {
    const header = this.#queue.peek(BATCH_HEADER_BYTES);
    if (header === undefined) return false;
    const size = magic(header, 0) === CURRENT_MAGIC ? batchSize(header, 0) : 0;
    if (size < BATCH_HEADER_BYTES || this.#at + size > this.#segment.size) return this.#found('no record batch');
    const batch = this.#queue.take(size);
    if (batch === undefined) return false;
    if (!hasValidCrc(batch, 0)) return this.#found('a record batch with a wrong CRC');
    // Offsets are outside of the CRC.
    if (batch.readUInt32BE(0) >= 0x20_0000) return this.#found('a record batch without an offset');
    const base = baseOffset(batch, 0);
    if (this.#isCompacted ? base < this.#expected : base !== this.#expected)
      return this.#found(`a batch of offset ${base}, and not ${this.#expected}`);
    this.#expected = lastOffset(batch, 0) + 1;
    this.indexer.add(base, this.#expected - 1, maxTimestamp(batch, 0), size);
    this.#at += size;
    return true;
  }

  #found(what: string): false {
    this.#flaw = { byte: this.#at, what };
    return false;
  }
}
