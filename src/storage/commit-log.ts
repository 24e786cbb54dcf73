import type { BrokerError } from '../errors.ts';

/**
 * A place in a commit log. Strictly increasing from group to group and never reused for another group that was
 * acknowledged; what it counts (bytes on disk, sequence numbers in JetStream) is the implementation's own business.
 */
export type Position = number;

/** How safe an append must be before it is acknowledged. */
export type Durability = 'memory' | 'written' | 'durable';

export interface CommitLogListener {
  /** Every group that ends at or before `upTo` was handed to the operating system (or the like). Goes back by `failed` only. */
  written(upTo: Position): void;
  /** Every group that ends at or before `upTo` survives a crash. Never goes backwards; never ahead of `written`. */
  durable(upTo: Position): void;
  /**
   * Every group that was appended and is not durable is lost, and will not come back at a replay. The log goes on with
   * the next group appended after this call, from what is durable on: the lost ones' positions may be given out again.
   * It is for the caller to roll back what it did on the lost ones' account.
   */
  failed(error: BrokerError): void;
}

/** What a commit log has done to its device. */
export interface CommitLogUsage {
  readonly writes: number;
  readonly writtenBytes: number;
  readonly flushes: number;
  /** Milliseconds that all flushes together took. */
  readonly flushMs: number;
}

/** A reader of a commit log, behind its writer: what it has not read is kept for it. */
export interface CommitLogTail {
  /** What ends at or before it was read. */
  readonly position: Position;
  /** What ends at or before it is not kept any more. */
  readonly keptFrom: Position;
  /**
   * Hands on groups that are durable and end at or before `upTo`, in order, and goes on to the end of the last one: about `maxBytes` of them, at least
   * one. Rejects with `storage-damaged` where one cannot be read.
   */
  read(upTo: Position, maxBytes: number, visit: (group: TailGroup) => void): Promise<void>;
  /** What was read is not needed again. */
  settle(): void;
  /** Begins again with what is kept. */
  rewind(): void;
  /** Keeps nothing any more. */
  release(): void;
}

/** A group as it stands in the log. */
export interface TailGroup {
  readonly payload: Buffer;
  /** CRC-32C of the payload, which it was found to have. */
  readonly payloadCrc: number;
  readonly end: Position;
  /** Of the writer that it stands in the log by; what is in it may be of an earlier one. */
  readonly epoch: number;
}

/**
 * What was appended lately to all logs of a shard, interleaved, as atomic groups of opaque bytes.
 * A group is there whole after a crash or not at all, and never without all groups before it.
 *
 * Life: `open` once, `replay` once, then `append` as often as wanted, `close` once.
 */
export interface CommitLog {
  /**
   * Takes the log over: whatever a former writer appends from now on is refused (`fenced`). Answers this writer's epoch,
   * greater than that of all before it.
   */
  open(listener: CommitLogListener): Promise<number>;
  /**
   * Hands every group from position `from` on to `visit`, in order; `end` is the position to give `truncate` to drop this
   * group and all before it. Cuts a torn tail; rejects with `storage-damaged`, saying where, for damage that is not one.
   * The bytes may be kept. Afterwards the log is ready for appends. Answers the end of the last group (`from` if none).
   */
  replay(from: Position, visit: (group: Buffer, end: Position) => void): Promise<Position>;
  /**
   * Appends one group, and answers its end. Never blocks and never throws for what the device does: the outcome comes
   * through the listener, in a later turn of the event loop. The chunks must not be changed afterwards.
   */
  append(chunks: readonly Uint8Array[], byteLength: number): Position;
  /** Bytes appended that are not yet durable: for back-pressure. */
  readonly pendingBytes: number;
  /** Since it was opened. Left out where there is no device. */
  readonly usage?: CommitLogUsage;
  /**
   * Resolves when what was called durable until now survives a power loss. Left out where `durable` says so by itself: it is
   * for what must not get ahead of the log, though the log's owner takes the risk of losing its end.
   */
  sync?(): Promise<void>;
  /**
   * Looks whether what was written is still where the next writer would look for it; rejects with `storage-damaged` when it
   * is not. Left out where nobody can take it away.
   */
  check?(): Promise<void>;
  /**
   * Keeps what ends after `from` from being dropped, and reads it. `from` is the end of a group; throws `offset-out-of-range` when the log does not
   * go back to there. Left out where nothing is kept that could be copied.
   */
  tail?(from: Position): CommitLogTail;
  /** So many of the last bytes are kept though nobody needs them yet: for a tail that is still to come. */
  keepBytes?: number;
  /** Whatever ends at or before `upTo` is no longer needed; the log may keep some of it. */
  truncate(upTo: Position): Promise<void>;
  /** Finishes what is under way, then lets go. */
  close(): Promise<void>;
}
