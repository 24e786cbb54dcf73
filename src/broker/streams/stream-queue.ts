import { BrokerError } from '../../errors.ts';
import { BATCH_HEADER_BYTES, encodeBatch, partitionOf } from '../../records/index.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import { type MessageRecord, recordOf } from '../messages/record-mapping.ts';
import type { Tracing } from '../traces/tracing.ts';
import type { StreamQueue } from '../virtual-hosts/destination.ts';
import type { Partition } from './partition.ts';
import type { Stream } from './stream.ts';
import { type ReadableStream, StreamReader, type StreamReaderOptions } from './stream-reader.ts';

/** Readers take a batch as a whole: none need be larger than this, unless one message is. */
const BATCH_BYTES = 256 * 1024;

export interface StreamQueueOptions {
  /** Of the queue; the stream may have another one. */
  readonly name: string;
  readonly virtualHost: string;
  readonly stream: Stream;
  /** The only one of its partitions that the queue stands for. */
  readonly partition?: number | undefined;
}

/** A batch of the turn that is under way, for one partition. */
interface Collected {
  readonly partition: Partition;
  readonly records: MessageRecord[];
  /** Those that are traced: their place among the records, and what their trace goes by. */
  readonly traced: { readonly index: number; readonly trace: number }[];
  bytes: number;
  /** Has a message that is to outlive a restart. */
  durable: boolean;
}

/** A stream, or one partition of it, under a queue's name. */
export class QueueOverStream implements StreamQueue, ReadableStream {
  readonly name: string;
  readonly virtualHost: string;
  readonly stream: Stream;
  readonly #only: number | undefined;
  readonly #readers = new Set<StreamReader>();
  #collected: Collected[] = [];
  /** The last of them for each partition. */
  readonly #newest = new Map<Partition, Collected>();
  /** Where messages without a key go, for one turn. */
  #turn = 0;

  constructor({ name, virtualHost, stream, partition }: StreamQueueOptions) {
    this.name = name;
    this.virtualHost = virtualHost;
    this.stream = stream;
    this.#only = partition;
  }

  get partitions(): readonly Partition[] {
    const { partitions } = this.stream;
    return this.#only === undefined ? partitions : partitions.slice(this.#only, this.#only + 1);
  }

  onPartitions(callback: () => void): () => void {
    return this.#only === undefined ? this.stream.onPartitions(callback) : () => {};
  }

  get messageCount(): number {
    return this.partitions.reduce((count, { log }) => count + log.highWatermark - log.startOffset, 0);
  }

  get consumerCount(): number {
    return this.#readers.size;
  }

  /** Reads it for somebody. */
  subscribe(options: StreamReaderOptions): { wake(): void; cancel(): void } {
    const reader = new StreamReader(this, {
      ...options,
      cancelled: (error) => {
        this.#readers.delete(reader);
        options.cancelled(error);
      },
    });
    this.#readers.add(reader);
    return {
      wake: () => reader.wake(),
      cancel: () => {
        this.#readers.delete(reader);
        reader.cancel();
      },
    };
  }

  /**
   * Throws, with nothing taken: `message-too-large`, `precondition-failed` for a stream that is compacted and a message
   * without a key, `not-found` when the stream is gone, `storage-full`.
   */
  collect(message: MessageBytes, now: number, trace = 0): void {
    const { config } = this.stream;
    const record = recordOf(message, now, config);
    if (record.key === null && config.cleanupPolicy.includes('compact'))
      throw new BrokerError('precondition-failed', `stream '${this.name}' is compacted: x-kafka-key is wanted`);
    const partition = this.#partitionFor(record);
    if (partition.log.deleted || partition.log.deleting)
      throw new BrokerError('not-found', `no stream '${this.name}' in vhost '${this.virtualHost}'`);
    if (partition.shard.full)
      throw new BrokerError('storage-full', 'the disk is full; make space, or wait for retention');
    const most = config.maxMessageBytes;
    const alone = BATCH_HEADER_BYTES + record.bytes;
    if (alone > most && encodeBatch({ records: [record] }).length > most)
      throw new BrokerError('message-too-large', `a message of ${record.bytes} bytes; max.message.bytes is ${most}`);
    const batch = this.#batchFor(partition, record.bytes, most);
    if (trace !== 0) batch.traced.push({ index: batch.records.length, trace });
    batch.records.push(record);
    batch.bytes += record.bytes;
    batch.durable ||= message.persistent;
  }

  async commit(tracing?: Tracing): Promise<void> {
    const collected = this.#collected;
    this.#collected = [];
    this.#newest.clear();
    this.#turn++;
    const appends = collected.map(async ({ partition, records, traced, durable }) => {
      const { baseOffset, settled } = partition.append(encodeBatch({ records }), durable ? 'durable' : 'memory');
      for (const { index, trace } of traced)
        tracing?.storedInStream(trace, this.stream.name, partition, baseOffset + index);
      await settled;
    });
    await Promise.all(appends);
  }

  #partitionFor({ key }: MessageRecord): Partition {
    const { partitions } = this;
    const index = key === null ? this.#turn % partitions.length : partitionOf(key, partitions.length);
    const partition = partitions[index];
    if (partition === undefined) throw new BrokerError('internal', `stream '${this.name}' has no partition ${index}`);
    return partition;
  }

  /** The newest batch for the partition, unless it is full. */
  #batchFor(partition: Partition, bytes: number, most: number): Collected {
    const newest = this.#newest.get(partition);
    if (newest !== undefined && newest.bytes + bytes <= Math.min(most, BATCH_BYTES)) return newest;
    const batch = { partition, records: [], traced: [], bytes: BATCH_HEADER_BYTES, durable: false };
    this.#collected.push(batch);
    this.#newest.set(partition, batch);
    return batch;
  }
}
