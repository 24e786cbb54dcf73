import { lastOffsetDelta, maxTimestamp } from '../records/index.ts';
import type { Position } from './commit-log.ts';

/** A record batch that is held in memory. */
export interface MemoryBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** Milliseconds since the epoch; -1 for none. */
  readonly maxTimestamp: number;
  /** Exactly one batch. In a shared one the stamped base offset may be that of another log. */
  readonly bytes: Buffer;
  readonly shared: boolean;
  /** The end of the commit-log group that it came with. */
  position: Position;
}

export function memoryBatch(bytes: Buffer, baseOffset: number, shared: boolean): MemoryBatch {
  const last = baseOffset + lastOffsetDelta(bytes, 0);
  return {
    baseOffset,
    lastOffset: last,
    maxTimestamp: maxTimestamp(bytes, 0),
    bytes,
    shared,
    position: Number.POSITIVE_INFINITY,
  };
}

/** The newest batches of one log, oldest first: what the commit log holds, and some that are in segments already. */
export class MemoryTable {
  #batches: (MemoryBatch | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  get length(): number {
    return this.#batches.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  at(index: number): MemoryBatch | undefined {
    return this.#batches[this.#head + index];
  }

  get first(): MemoryBatch | undefined {
    return this.#batches[this.#head];
  }

  get last(): MemoryBatch | undefined {
    return this.#batches.at(-1);
  }

  push(batch: MemoryBatch): void {
    this.#batches.push(batch);
    this.#bytes += batch.bytes.length;
  }

  /** Takes the oldest batch out. */
  shift(): MemoryBatch | undefined {
    const batch = this.#batches[this.#head];
    if (batch === undefined) return undefined;
    this.#bytes -= batch.bytes.length;
    this.#batches[this.#head++] = undefined;
    // The array is cut now and then only, so that a shift costs the same on average however long the table is.
    if (this.#head * 2 >= this.#batches.length) {
      this.#batches = this.#batches.slice(this.#head);
      this.#head = 0;
    }
    return batch;
  }

  /** Takes the newest batch out. */
  pop(): MemoryBatch | undefined {
    const batch = this.length === 0 ? undefined : this.#batches.pop();
    if (batch !== undefined) this.#bytes -= batch.bytes.length;
    return batch;
  }

  /** Index of the first batch whose last offset is at or after `offset`; `length` when there is none. */
  indexOf(offset: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const batch = this.at(middle);
      if (batch !== undefined && batch.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
