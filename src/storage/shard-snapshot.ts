import { BrokerError } from '../errors.ts';
import type { CommitLog, CommitLogTail, Position } from './commit-log.ts';
import type { Flusher } from './flusher.ts';
import type { Log, LogState } from './log.ts';
import type { ObjectHold } from './object-hold.ts';
import type { SegmentStore } from './segment-store.ts';

/** What of a shard is copied. */
export interface CopySource {
  readonly store: SegmentStore;
  readonly commitLog: CommitLog;
  readonly flusher: Flusher;
  readonly logs: ReadonlyMap<string, Log>;
}

/**
 * What a shard was made of at one moment, as its manifest would have it, and the commit log from there on. Segments that it
 * names are not deleted, and the commit log is not dropped, until they are released.
 */
export class ShardSnapshot {
  readonly shardId: string;
  readonly logs: readonly LogState[];
  readonly replayFrom: Position;
  /** What came to the commit log after `replayFrom`. */
  readonly tail: CommitLogTail;
  readonly #hold: ObjectHold;

  constructor({ commitLog, flusher, logs }: CopySource) {
    if (commitLog.tail === undefined)
      throw new BrokerError('unsupported', 'only a broker that keeps its data on a disk of its own can be backed up');
    this.shardId = flusher.shardId;
    this.logs = [...logs.values()].map((log) => log.state());
    this.replayFrom = flusher.flushedTo;
    this.tail = commitLog.tail(this.replayFrom);
    this.#hold = flusher.hold(
      this.logs.flatMap(({ segments }) => segments.map(({ name, size }) => [`${name}.log`, size] as const)),
    );
  }

  /** Bytes of segments that would be free but for this. */
  get keptBytes(): number {
    return this.#hold.keptBytes;
  }

  /** The segment was copied, or need not be. */
  copied(segment: { readonly name: string }): void {
    this.#hold.release(`${segment.name}.log`);
  }

  close(): void {
    this.#hold.end();
    this.tail.release();
  }
}
