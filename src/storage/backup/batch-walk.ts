import {
  BATCH_HEADER_BYTES,
  baseOffset,
  batchSize,
  CRC_STARTS_AT,
  CURRENT_MAGIC,
  crc,
  crc32c,
  lastOffset,
  magic,
  maxTimestamp,
} from '../../records/index.ts';
import { type Segment, SegmentIndexer } from '../segment.ts';

const NOTHING = Buffer.alloc(0);

/** What is wrong with bytes, and where: counted from their beginning. */
export interface Flaw {
  readonly byte: number;
  readonly what: string;
}

/** Looks at every batch of a segment while its bytes go by: length, CRC, offsets. Makes the segment's index of them. */
export class BatchWalk {
  readonly indexer: SegmentIndexer;
  readonly #segment: Segment;
  readonly #header = Buffer.alloc(BATCH_HEADER_BYTES);
  /** Of the batch under way: its size, 0 until its header is whole; how much of it came by; and the CRC of that. */
  #size = 0;
  #seen = 0;
  #crc = 0;
  #at = 0;
  #expected: number;
  #flaw: Flaw | undefined;

  constructor(segment: Segment) {
    this.#segment = segment;
    this.indexer = new SegmentIndexer(segment.baseOffset);
    this.#expected = segment.baseOffset;
  }

  add(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && this.#flaw === undefined) {
      rest = this.#size === 0 ? this.#begin(rest) : this.#content(rest);
    }
  }

  /** After all of it: the first thing that is wrong, if anything is. */
  finish(): Flaw | undefined {
    if (this.#flaw !== undefined) return this.#flaw;
    const { nextOffset } = this.#segment;
    if (this.#seen > 0) return { byte: this.#at, what: 'a batch is cut short' };
    if (this.#expected > nextOffset || (this.#expected < nextOffset && !this.#isCompacted))
      return { byte: this.#at, what: `it ends before offset ${this.#expected}, and not ${nextOffset}` };
    return undefined;
  }

  /** Where compaction was, offsets may be missing between batches. */
  get #isCompacted(): boolean {
    return (this.#segment.generation ?? 0) > 0;
  }

  /** Gathers the header of a batch, and looks at it when it is whole. Answers what comes after it. */
  #begin(chunk: Buffer): Buffer {
    const taken = chunk.copy(this.#header, this.#seen);
    this.#seen += taken;
    const rest = chunk.subarray(taken);
    if (this.#seen < BATCH_HEADER_BYTES) return rest;
    const header = this.#header;
    const size = magic(header, 0) === CURRENT_MAGIC ? batchSize(header, 0) : 0;
    if (size < BATCH_HEADER_BYTES || this.#at + size > this.#segment.size) return this.#found('no record batch');
    this.#size = size;
    this.#crc = crc32c(header.subarray(CRC_STARTS_AT));
    if (this.#seen === size) this.#end();
    return rest;
  }

  /** The bytes are not gathered: a batch may be large, and would be joined and checked in one go. */
  #content(chunk: Buffer): Buffer {
    const content = chunk.subarray(0, this.#size - this.#seen);
    this.#crc = crc32c(content, this.#crc);
    this.#seen += content.length;
    if (this.#seen === this.#size) this.#end();
    return chunk.subarray(content.length);
  }

  #end(): void {
    const header = this.#header;
    if (this.#crc !== crc(header, 0)) return void this.#found('a record batch with a wrong CRC');
    // Offsets are outside of the CRC.
    if (header.readUInt32BE(0) >= 0x20_0000) return void this.#found('a record batch without an offset');
    const base = baseOffset(header, 0);
    if (this.#isCompacted ? base < this.#expected : base !== this.#expected)
      return void this.#found(`a batch of offset ${base}, and not ${this.#expected}`);
    this.#expected = lastOffset(header, 0) + 1;
    this.indexer.add(base, this.#expected - 1, maxTimestamp(header, 0), this.#size);
    this.#at += this.#size;
    this.#size = 0;
    this.#seen = 0;
  }

  /** Answers that there is nothing more to look at. */
  #found(what: string): Buffer {
    this.#flaw = { byte: this.#at, what };
    return NOTHING;
  }
}
