import { batchesIn } from '../../records/index.ts';
import type { Log } from '../log.ts';
import { type Segment, segmentObjects } from '../segment.ts';
import { SegmentBuilder } from '../segment-builder.ts';
import type { SegmentStore } from '../segment-store.ts';
import type { FilteredChunk } from './cleaning.ts';

export interface RewriteOptions {
  readonly store: SegmentStore;
  readonly log: Log;
  /** The segments that are read, in order. */
  readonly group: readonly Segment[];
  /** What ends at or beyond it is dirty yet, and goes to a segment of its own. */
  readonly end: number;
  /** Bytes that a segment may have. */
  readonly limit: number;
}

/** Writes what is left of a few segments to new ones; to none when nothing is gained by that. */
export class Rewrite {
  readonly #options: RewriteOptions;
  readonly #generation: number;
  readonly #fresh: Segment[] = [];
  /** Every object that may have been stored. */
  readonly objects: string[] = [];
  #builder: SegmentBuilder | undefined;
  /** Whether what is in the builder lies wholly before the end. */
  #clean = true;
  #changed: boolean;

  constructor(options: RewriteOptions) {
    this.#options = options;
    this.#generation = options.log.nextGeneration();
    this.#changed = options.group.length > 1;
  }

  /** Takes what is left of the next chunk. */
  async add({ bytes, changed }: FilteredChunk): Promise<void> {
    this.#changed ||= changed;
    const border = borderIn(bytes, this.#options.end);
    if (border > 0) await this.#append(bytes.subarray(0, border), true);
    if (border < bytes.length) await this.#append(bytes.subarray(border), false);
  }

  /** The segments that are to take the place of the former ones; undefined when those can stay. */
  async finish(): Promise<Segment[] | undefined> {
    if (!this.#changed && this.#fresh.length === 0) return undefined;
    await this.#store();
    return this.#fresh;
  }

  async #append(bytes: Buffer, clean: boolean): Promise<void> {
    const { log, limit } = this.#options;
    const [first] = batchesIn(bytes);
    if (first === undefined) return;
    if (this.#builder !== undefined) {
      const { baseOffset } = first;
      const lastOffset = lastOffsetIn(bytes);
      const fits = this.#builder.fits(
        { baseOffset, lastOffset, maxTimestamp: 0, bytes },
        { bytes: limit, ms: Number.POSITIVE_INFINITY },
      );
      if (!fits || clean !== this.#clean) await this.#store();
    }
    this.#builder ??= new SegmentBuilder(log.id, first.baseOffset, this.#generation);
    this.#clean = clean;
    this.#builder.addSegment(bytes);
  }

  async #store(): Promise<void> {
    const builder = this.#builder;
    if (builder === undefined) return;
    this.objects.push(...segmentObjects({ name: builder.name, indexed: true }));
    const segment = await builder.store(this.#options.store);
    this.#builder = undefined;
    // Where no record is left, its age is that of what it stands for.
    const latest = Math.max(...this.#options.group.map(({ maxTimestamp }) => maxTimestamp));
    this.#fresh.push(segment.maxTimestamp < 0 ? { ...segment, maxTimestamp: latest } : segment);
  }
}

/** Where the first batch begins that ends at or beyond the offset. */
function borderIn(bytes: Buffer, end: number): number {
  for (const batch of batchesIn(bytes)) if (batch.lastOffset >= end) return batch.at;
  return bytes.length;
}

function lastOffsetIn(bytes: Buffer): number {
  let last = -1;
  for (const batch of batchesIn(bytes)) last = batch.lastOffset;
  return last;
}
