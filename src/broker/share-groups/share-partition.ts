import type { Acknowledgement, Acquired, AcquireOptions } from './acquisition.ts';

/** A partition as a share group has it: which of its records are done with, which are out, and with whom. */
export interface SharePartition {
  /** What comes before is done with. */
  readonly startOffset: number;

  /**
   * Gives a member what is available, as far as the limits go, and locks it for `share.record.lock.duration.ms`. Answers at once where the records
   * are in memory. Throws and rejects with `not-found` when the group's state or the topic has gone, and as `Log.read`.
   */
  acquire(memberId: string, options: AcquireOptions): Acquired | Promise<Acquired>;

  /**
   * What the member says of records that it has: all of it is taken, or none. Resolves when that is durable. Rejects with `invalid-record-state` for
   * records that are not locked by this member, `invalid-argument` for ranges that make no sense, the storage's error (then all is as before),
   * `not-found`.
   */
  acknowledge(memberId: string, acknowledgements: readonly Acknowledgement[]): Promise<void>;

  /** The member's session has ended: what it has is available to others. Resolves when that is durable; never rejects. */
  releaseAll(memberId: string): Promise<void>;

  /** Calls back whenever there may be more to acquire (or nothing ever again), until the answered function is called. */
  onAvailable(callback: () => void): () => void;
}
