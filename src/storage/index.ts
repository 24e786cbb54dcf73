export type {
  CommitLog,
  CommitLogListener,
  CommitLogTail,
  CommitLogUsage,
  Durability,
  Position,
} from './commit-log.ts';
export type { Compacted, CompactionOptions } from './compaction/compactor.ts';
export { MAX_TARGETS } from './entry-group.ts';
export type { DerivedState, EpochStart, Log, LogRead, SegmentLimits, Visibility } from './log.ts';
export type { MemoryBatch } from './memory-table.ts';
export type { SegmentStore } from './segment-store.ts';
export {
  type Append,
  type Appended,
  DEFAULT_SHARD_SETTINGS,
  type Entry,
  Shard,
  type ShardOptions,
  type ShardSettings,
  type ShardUsage,
  type Trim,
} from './shard.ts';
