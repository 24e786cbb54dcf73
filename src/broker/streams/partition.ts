import { BrokerError } from '../../errors.ts';
import {
  type BatchView,
  batchSize,
  decodeRecords,
  isControl,
  isTransactional,
  lastOffset,
  maxTimestamp,
  partitionLeaderEpoch,
  producerId,
  recompress,
  recordCount,
  recordsIn,
  setAppendTime,
  validateBatch,
} from '../../records/index.ts';
import type { Appended, Durability, Entry, Log, LogRead, Shard, Visibility } from '../../storage/index.ts';
import { StreamCounts } from '../telemetry/message-counts.ts';
import type { Place } from '../traces/place.ts';
import { beforeOffset } from './committed-read.ts';
import type { AbortedTransaction } from './partition-transactions.ts';
import { Producers } from './producers.ts';
import { type RejectedRecord, RejectedRecords } from './rejected-records.ts';
import type { StreamConfig } from './stream-config.ts';

export interface PartitionAppend {
  readonly baseOffset: number;
  /** The time stamped on the records, when the broker's time counts; else -1. */
  readonly appendTime: number;
  /** Whether the batch was in the log already: nothing was appended. */
  readonly duplicate: boolean;
  /** Resolves when the batch is as safe as was asked. */
  readonly settled: Promise<void>;
}

/** How a batch gets into the shard: with other entries, where they are to be there together or not at all. */
export type AppendEntries = (entries: readonly Entry[], durability: Durability) => Appended;

export interface AppendOptions {
  /** The transaction that the batch belongs to was found to be open, and this partition to be part of it. */
  readonly transactional?: boolean;
  /** The producer's epoch is of this transaction alone (KIP-890): its sequence begins at 0. */
  readonly epochPerTransaction?: boolean;
  readonly append?: AppendEntries;
}

/** What a reader of committed records gets. */
export interface CommittedRead {
  readonly read: LogRead;
  /** Those that have records among what was read: the reader leaves their records out. */
  readonly aborted: readonly AbortedTransaction[];
}

/** A record found by its timestamp. */
export interface TimestampedOffset {
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

export interface PartitionOptions {
  readonly index: number;
  readonly shard: Shard;
  readonly logId: string;
  readonly config: StreamConfig;
  readonly now: () => number;
}

/** One partition of a stream: a log, and what appending to it checks. */
export class Partition {
  readonly index: number;
  readonly log: Log;
  readonly shard: Shard;
  readonly producers: Producers;
  /** Of the stream that it belongs to. */
  counts = new StreamCounts();
  /** What traces know it by; theirs. */
  tracePlace: Place | undefined;
  readonly #now: () => number;
  #config: StreamConfig;

  private constructor(index: number, shard: Shard, log: Log, config: StreamConfig, now: () => number) {
    this.index = index;
    this.shard = shard;
    this.log = log;
    this.#now = now;
    this.#config = config;
    this.producers = new Producers(log, now);
    this.configure(config);
  }

  /** A partition over a new log: there is nothing to read, so that nothing can go wrong. */
  static create({ index, shard, logId, config, now }: PartitionOptions): Partition {
    const log = shard.log(logId);
    const partition = new Partition(index, shard, log, config, now);
    log.derived = partition.producers;
    return partition;
  }

  /** A partition over a log that may have something in it. */
  static async open({ index, shard, logId, config, now }: PartitionOptions): Promise<Partition> {
    const log = shard.log(logId);
    const partition = new Partition(index, shard, log, config, now);
    await partition.producers.restore(log.nextOffset === 0 ? undefined : await shard.loadObject(log, 'derived'));
    log.derived = partition.producers;
    return partition;
  }

  get leaderEpoch(): number {
    return this.shard.epoch;
  }

  configure(config: StreamConfig): void {
    this.#config = config;
    this.log.segmentLimits = { bytes: config.segmentBytes, ms: config.segmentMs };
  }

  /**
   * Appends one record batch as a producer sent it; the buffer belongs to the log from then on. Throws, with nothing appended:
   * `corrupt-message`, `invalid-record` (`RejectedRecords` where it is for some of them), `unsupported`, `message-too-large`, `invalid-timestamp`, `producer-fenced`,
   * `out-of-order-sequence`, `invalid-transaction-state`, `storage-full`.
   */
  append(batch: Buffer, durability: Durability, options: AppendOptions = {}): PartitionAppend {
    validateBatch(batch, 0, batch.length);
    if (batchSize(batch, 0) !== batch.length)
      throw new BrokerError('invalid-record', 'one record batch is wanted for each partition');
    this.#checkSize(batch);
    if (isControl(batch, 0)) throw new BrokerError('invalid-record', 'clients do not write control batches');
    if (isTransactional(batch, 0) && options.transactional !== true)
      throw new BrokerError('invalid-record', 'a transactional batch comes with its transactional id');
    if (this.shard.full) throw new BrokerError('storage-full', 'the disk is full; make space, or wait for retention');
    if (this.#config.cleanupPolicy.includes('compact')) this.#checkKeys(batch);
    const appendTime = this.#stampTime(batch);
    const idempotent = producerId(batch, 0) >= 0;
    if (idempotent) {
      const repeated = this.producers.check(batch, options.epochPerTransaction);
      if (repeated !== undefined)
        return { baseOffset: repeated.baseOffset, appendTime: -1, duplicate: true, settled: repeated.settled };
    }
    const kept = this.#compressed(batch);
    const entry = { log: this.log, batch: kept };
    const { baseOffsets, settled } = options.append?.([entry], durability) ?? this.shard.append([entry], durability);
    const baseOffset = baseOffsets[0] ?? -1;
    this.counts.recordsIn += recordCount(kept, 0);
    this.counts.bytesIn += kept.length;
    if (idempotent && baseOffset >= 0) this.producers.appended(kept, baseOffset, settled);
    return { baseOffset, appendTime, duplicate: false, settled };
  }

  read(offset: number, maxBytes: number, visibility: Visibility = 'durable'): LogRead | Promise<LogRead> {
    return this.log.read(offset, maxBytes, visibility);
  }

  /** Up to here it is known of every record whether it counts: readers of committed records see what is before. */
  get lastStableOffset(): number {
    const { highWatermark, startOffset } = this.log;
    const unstable = this.producers.transactions.firstUnstable(highWatermark) ?? highWatermark;
    return Math.max(Math.min(unstable, highWatermark), startOffset);
  }

  /** Whole batches before the last stable offset. Throws and rejects as `read`. */
  readCommitted(offset: number, maxBytes: number): CommittedRead | Promise<CommittedRead> {
    const { lastStableOffset } = this;
    if (offset >= lastStableOffset && offset >= this.log.startOffset && offset <= this.log.nextOffset)
      return { read: { chunks: [], bytes: 0 }, aborted: [] };
    const stable = (read: LogRead): CommittedRead => {
      const { transactions } = this.producers;
      // What was read from the disk may end with what came meanwhile.
      if (lastStableOffset === this.log.highWatermark && transactions.aborted.length === 0)
        return { read, aborted: [] };
      const cut = beforeOffset(read, lastStableOffset);
      return { read: cut.read, aborted: transactions.abortedBetween(offset, cut.lastBaseOffset + 1) };
    };
    const read = this.log.read(offset, maxBytes);
    return read instanceof Promise ? read.then(stable) : stable(read);
  }

  /** Whether a batch is part of a transaction that was aborted. */
  isAborted({ isTransactional, producerId, baseOffset }: BatchView): boolean {
    if (!isTransactional) return false;
    const found = this.producers.transactions.abortedBetween(baseOffset, baseOffset + 1);
    return found.some((aborted) => aborted.producerId === producerId);
  }

  /** Takes note of a marker that was appended to the log at this offset. */
  markerAppended(batch: Buffer, offset: number): void {
    this.producers.appended(batch, offset);
  }

  /** The first record at or after a time; undefined when all are older. */
  async offsetForTimestamp(timestamp: number): Promise<TimestampedOffset | undefined> {
    // The record that has the time in a batch may have been trimmed with the batch's beginning: then it is a later batch's.
    for (let from = 0; ; ) {
      const batch = await this.log.batchForTimestamp(timestamp, from);
      if (batch === undefined) return undefined;
      const found = firstRecord(batch, (time) => time >= timestamp, this.log.startOffset);
      if (found !== undefined) return found;
      from = lastOffset(batch, 0) + 1;
    }
  }

  /** The first of the records with the largest timestamp. */
  async offsetOfMaxTimestamp(): Promise<TimestampedOffset | undefined> {
    const batch = await this.log.batchWithMaxTimestamp();
    if (batch === undefined) return undefined;
    const largest = maxTimestamp(batch, 0);
    return firstRecord(batch, (time) => time >= largest, this.log.startOffset);
  }

  /** Removes the records before an offset; -1 stands for the high watermark. Answers the new start of the log. */
  async deleteRecords(before: number): Promise<number> {
    const { log } = this;
    const offset = before === -1 ? log.highWatermark : before;
    if (offset > log.highWatermark || offset < 0) {
      throw new BrokerError(
        'offset-out-of-range',
        `records up to ${log.highWatermark} can be deleted, not to ${offset}`,
      );
    }
    if (offset > log.startOffset) await this.shard.append([{ log, before: offset }]).settled;
    return log.startOffset;
  }

  /** Removes what retention says. */
  async retain(): Promise<void> {
    this.producers.expire();
    const { retentionBytes, retentionMs, cleanupPolicy } = this.#config;
    if (!cleanupPolicy.includes('delete')) return;
    const bound = (value: number) => (value < 0 ? Number.POSITIVE_INFINITY : value);
    const start = this.log.retentionOffset(this.#now(), bound(retentionBytes), bound(retentionMs));
    if (start > this.log.startOffset) await this.shard.append([{ log: this.log, before: start }]).settled;
  }

  #checkSize({ length }: Buffer): void {
    const { maxMessageBytes } = this.#config;
    if (length > maxMessageBytes)
      throw new BrokerError('message-too-large', `a batch of ${length} bytes; max.message.bytes is ${maxMessageBytes}`);
  }

  /** Compaction would not know what to do with records that have no key. */
  #checkKeys(batch: Buffer): void {
    const rejected: RejectedRecord[] = [];
    let index = 0;
    for (const { key } of recordsIn(batch)) {
      if (key === null) rejected.push({ index, reason: 'a record of a compacted topic needs a key' });
      index++;
    }
    if (rejected.length > 0) throw new RejectedRecords(rejected);
  }

  /** The batch as the stream keeps it. */
  #compressed(batch: Buffer): Buffer {
    const { compressionType } = this.#config;
    if (compressionType === 'producer') return batch;
    const kept = recompress(batch, compressionType);
    this.#checkSize(kept);
    return kept;
  }

  /** Answers the time stamped on the batch, or -1. */
  #stampTime(batch: Buffer): number {
    const { timestampType, timestampBeforeMaxMs, timestampAfterMaxMs } = this.#config;
    const now = this.#now();
    if (timestampType === 'LogAppendTime') {
      setAppendTime(batch, 0, now);
      return now;
    }
    const time = maxTimestamp(batch, 0);
    if (time >= 0 && (time - now > timestampAfterMaxMs || now - time > timestampBeforeMaxMs)) {
      throw new BrokerError(
        'invalid-timestamp',
        `timestamp ${time} is too far from the broker's ${now} for this topic`,
      );
    }
    return -1;
  }
}

function firstRecord(
  batch: Buffer,
  matches: (timestamp: number) => boolean,
  startOffset: number,
): TimestampedOffset | undefined {
  const leaderEpoch = partitionLeaderEpoch(batch, 0);
  for (const { offset, timestamp } of decodeRecords(batch)) {
    if (offset >= startOffset && matches(timestamp)) return { offset, timestamp, leaderEpoch };
  }
  return undefined;
}
