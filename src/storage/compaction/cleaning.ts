import { BrokerError } from '../../errors.ts';
import {
  type BatchView,
  baseTimestamp,
  batchesIn,
  type FilteredBatch,
  filterBatch,
  hasDeleteHorizon,
  hasValidCrc,
  outlinesIn,
  type RecordOutline,
} from '../../records/index.ts';
import { OffsetMap } from './offset-map.ts';
import { type AbortedTransaction, PassingTransactions } from './transactions.ts';

/** What is known before the dirty part of a log is read for its keys. */
export interface IndexPlan {
  /** Records from this offset on count, */
  readonly from: number;
  /** and batches that begin before this one. */
  readonly to: number;
  /** There are no more keys than that. */
  readonly keys: number;
  readonly mapBytes: number;
  readonly aborted: readonly AbortedTransaction[];
}

/** What is known before the log is written again. */
export interface FilterPlan {
  /** Records from here on stay as they are: their keys are not known. */
  readonly end: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Until when tombstones stay that are cleaned for the first time; milliseconds since the epoch. */
  readonly deleteHorizon: number;
  /** Last offsets of batches whose headers stay when their records do not. */
  readonly retained: readonly number[];
}

export interface FilteredChunk {
  readonly bytes: Buffer;
  readonly changed: boolean;
  /** Offsets of transaction markers that were there and are not any more. */
  readonly goneMarkers: readonly number[];
}

/**
 * One pass over a log, the part of it that costs time: chunks of whole batches, in their order, first those to `index`, then all to
 * `filter`. Bytes in, bytes out, so that it can be done by another thread. Throws `storage-damaged` for a batch with a wrong CRC,
 * and whatever reading its records throws.
 */
export class Cleaning {
  readonly #plan: IndexPlan;
  readonly #map: OffsetMap;
  #transactions: PassingTransactions;
  #filter: FilterPlan = { end: 0, now: 0, deleteHorizon: 0, retained: [] };
  #retained = new Set<number>();

  constructor(plan: IndexPlan) {
    this.#plan = plan;
    this.#map = new OffsetMap(plan.keys, plan.mapBytes);
    this.#transactions = new PassingTransactions(plan.aborted);
  }

  /** Takes note of the keys in a chunk. Answers the offset of the first record for which there was no room, if any. */
  index(chunk: Buffer): number | undefined {
    for (const batch of batchesIn(chunk)) {
      if (batch.baseOffset >= this.#plan.to) return undefined;
      checkCrc(batch);
      if (this.#transactions.isOver(batch) || batch.isControl) continue;
      for (const { offset, key } of outlinesIn(batch.bytes))
        if (key !== null && offset >= this.#plan.from && !this.#map.put(key, offset)) return offset;
    }
    return undefined;
  }

  /** From now on chunks from the log's beginning go by. */
  prepare(plan: FilterPlan): void {
    this.#filter = plan;
    this.#retained = new Set(plan.retained);
    this.#transactions = new PassingTransactions(this.#plan.aborted);
  }

  /** The chunk without what compaction takes away. */
  filter(chunk: Buffer): FilteredChunk {
    const kept: Buffer[] = [];
    const goneMarkers: number[] = [];
    let changed = false;
    for (const batch of batchesIn(chunk)) {
      checkCrc(batch);
      const result = batch.baseOffset < this.#filter.end ? this.#clean(batch) : undefined;
      changed ||= result?.changed ?? false;
      if (result === undefined || result.kept > 0 || this.#isHeaderNeeded(batch))
        kept.push(result?.batch ?? batch.bytes);
      else changed = true;
      if (result?.kept === 0 && batch.isControl) goneMarkers.push(batch.baseOffset);
    }
    return { bytes: changed ? Buffer.concat(kept) : chunk, changed, goneMarkers };
  }

  #clean(batch: BatchView): FilteredBatch {
    const { now, deleteHorizon } = this.#filter;
    const { bytes } = batch;
    const isOver = this.#transactions.isOver(batch);
    // A marker that nobody needs any more stays as long as a tombstone.
    const expired = hasDeleteHorizon(bytes, 0) && baseTimestamp(bytes, 0) <= now;
    if (batch.isControl) {
      // The epoch that it gave its producer is not in its header alone.
      const stays = !isOver || !expired || this.#isHeaderNeeded(batch);
      return filterBatch(bytes, () => stays, isOver ? deleteHorizon : undefined);
    }
    if (isOver) return filterBatch(bytes, () => false);
    const stays = ({ offset, key, isTombstone }: RecordOutline) => this.#stays(offset, key, isTombstone && expired);
    return filterBatch(bytes, stays, deleteHorizon);
  }

  #stays(offset: number, key: Buffer | null, expired: boolean): boolean {
    if (offset >= this.#filter.end) return true;
    // Nobody could ever replace a record without a key.
    return key !== null && offset >= this.#map.get(key) && !expired;
  }

  /** Its producer's sequence is known by it, or what was read of the log ends with it: then whoever reads it gets on. */
  #isHeaderNeeded({ producerId, lastOffset }: BatchView): boolean {
    return lastOffset >= this.#filter.end - 1 || (producerId >= 0 && this.#retained.has(lastOffset));
  }
}

function checkCrc({ buffer, at, baseOffset }: BatchView): void {
  if (!hasValidCrc(buffer, at))
    throw new BrokerError('storage-damaged', `the batch at offset ${baseOffset} has a wrong CRC`);
}
