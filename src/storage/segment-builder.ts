import { batchesIn, rebase } from '../records/index.ts';
import type { SegmentLimits } from './log.ts';
import type { MemoryBatch } from './memory-table.ts';
import { type Segment, SegmentIndexer, segmentName, UNINDEXED_BYTES } from './segment.ts';
import type { SegmentStore } from './segment-store.ts';

/** Fits the 32-bit positions of an index. */
const MAX_SEGMENT_BYTES = 0x7fff_ffff;

/** One batch, or several that follow one another. */
export type Batches = Pick<MemoryBatch, 'baseOffset' | 'lastOffset' | 'maxTimestamp' | 'bytes'>;

/** Puts one segment together. */
export class SegmentBuilder {
  readonly #logId: string;
  readonly #baseOffset: number;
  readonly #generation: number;
  readonly #chunks: Buffer[] = [];
  readonly #indexer: SegmentIndexer;
  #firstTimestamp: number | undefined;

  /** A generation other than 0 is that of a segment which compaction wrote. */
  constructor(logId: string, baseOffset: number, generation = 0) {
    this.#logId = logId;
    this.#generation = generation;
    this.#baseOffset = baseOffset;
    this.#indexer = new SegmentIndexer(baseOffset);
  }

  get size(): number {
    return this.#indexer.size;
  }

  fits({ lastOffset, maxTimestamp, bytes }: Batches, limits: SegmentLimits): boolean {
    if (this.#indexer.size === 0) return true;
    const tooLong = maxTimestamp - (this.#firstTimestamp ?? maxTimestamp) > limits.ms;
    const tooFar = lastOffset - this.#baseOffset > 0xffff_ffff;
    return this.#indexer.size + bytes.length <= Math.min(limits.bytes, MAX_SEGMENT_BYTES) && !tooLong && !tooFar;
  }

  addBatch(batch: MemoryBatch): void {
    if (batch.shared) this.#chunks.push(...rebase(batch.bytes, batch.baseOffset));
    else this.#chunks.push(batch.bytes);
    this.#firstTimestamp ??= batch.maxTimestamp;
    this.#indexer.add(batch.baseOffset, batch.lastOffset, batch.maxTimestamp, batch.bytes.length);
  }

  addSegment(bytes: Buffer): void {
    this.#chunks.push(bytes);
    for (const batch of batchesIn(bytes)) {
      this.#firstTimestamp ??= batch.maxTimestamp;
      this.#indexer.add(batch.baseOffset, batch.lastOffset, batch.maxTimestamp, batch.size);
    }
  }

  get name(): string {
    return segmentName(this.#logId, this.#baseOffset, this.#generation);
  }

  async store(store: SegmentStore): Promise<Segment> {
    const { name } = this;
    const indexed = this.#indexer.size > UNINDEXED_BYTES;
    await store.put(`${name}.log`, this.#chunks);
    if (indexed) {
      const { offsets, times } = this.#indexer.finish();
      await store.put(`${name}.index`, [offsets]);
      await store.put(`${name}.timeindex`, [times]);
    }
    const { nextOffset, size, maxTimestamp } = this.#indexer;
    const generation = this.#generation;
    return { name, baseOffset: this.#baseOffset, nextOffset, size, maxTimestamp, indexed, generation };
  }
}
