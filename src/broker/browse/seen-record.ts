import {
  type BatchView,
  baseSequence,
  type Compression,
  compression,
  decodeMarker,
  type LogRecord,
  partitionLeaderEpoch,
  type TimestampType,
  type TransactionMarker,
  timestampType,
} from '../../records/index.ts';
import type { Partition } from '../streams/partition.ts';

/** What became of a record's transaction; `none` when it is in none. */
export type Fate = 'none' | 'open' | 'committed' | 'aborted';

/** What is said of a whole batch, and so of each record in it. */
export interface BatchFacts {
  readonly fate: Fate;
  readonly isControl: boolean;
  /** -1 when the producer is not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseOffset: number;
  /** Of its first record; -1 when the producer is not idempotent. */
  readonly baseSequence: number;
  readonly leaderEpoch: number;
  readonly compression: Compression;
  readonly timestampType: TimestampType;
}

/** A record where it lies, with what is known of it. Its buffers are parts of what was read. */
export interface SeenRecord {
  readonly partition: number;
  readonly record: LogRecord;
  readonly batch: BatchFacts;
}

export function factsOf(partition: Partition, batch: BatchView): BatchFacts {
  const { buffer, at, isControl, producerId, producerEpoch, baseOffset } = batch;
  return {
    fate: fateOf(partition, batch),
    ...{ isControl, producerId, producerEpoch, baseOffset },
    baseSequence: baseSequence(buffer, at),
    leaderEpoch: partitionLeaderEpoch(buffer, at),
    compression: compression(buffer, at),
    timestampType: timestampType(buffer, at),
  };
}

function fateOf(partition: Partition, batch: BatchView): Fate {
  if (!batch.isTransactional || batch.isControl) return 'none';
  if (partition.isAborted(batch)) return 'aborted';
  const openFrom = partition.producers.transactions.firstOffset(batch.producerId);
  return openFrom !== undefined && batch.baseOffset >= openFrom ? 'open' : 'committed';
}

/** What a control record says; `other` for one that is not a transaction's marker. */
export function markerOf({ record, batch }: SeenRecord): TransactionMarker | 'other' | undefined {
  if (!batch.isControl) return undefined;
  return decodeMarker(record) ?? 'other';
}

/** Bytes of all that a record has. */
export function sizeOf({ key, value, headers }: LogRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of headers) bytes += name.length + (content?.length ?? 0);
  return bytes;
}
