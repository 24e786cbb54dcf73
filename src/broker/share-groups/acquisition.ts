import type { LogRead } from '../../storage/index.ts';

/**
 * How many records a member gets at once: whole batches of them, which may be more than it asked for, or no more than that (KIP-1206).
 */
export type AcquireMode = 'batch-optimized' | 'record-limit';

export interface AcquireOptions {
  /** Greater than 0. */
  readonly maxRecords: number;
  /** At least one batch is read, whatever its size. */
  readonly maxBytes: number;
  /** How many records at most the member wants to acknowledge as one; the ranges are cut to that. */
  readonly batchSize: number;
  readonly mode: AcquireMode;
}

/** Records that are a member's now, from the first to the last (inclusive), and the how many-eth delivery this is. */
export interface AcquiredRange {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryCount: number;
}

export interface Acquired {
  /** Whole batches that hold the acquired records, and perhaps others. */
  readonly read: LogRead;
  /** Ascending; empty when there is nothing to get now. */
  readonly ranges: readonly AcquiredRange[];
}

/** What a member says of a record: Kafka's AcknowledgeTypes. */
export const GAP = 0;
export const ACCEPT = 1;
export const RELEASE = 2;
export const REJECT = 3;
/** The lock is to last longer (KIP-1222). */
export const RENEW = 4;

/** From the first to the last offset (inclusive). */
export interface Acknowledgement {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** One for all of them, or one for each. */
  readonly types: readonly number[];
}
