import { BrokerError } from '../errors.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_OVERHEAD,
  baseOffset,
  batchSize,
  isControl,
  isTransactional,
  lastOffset,
  maxTimestamp,
  producerEpoch,
  producerId,
  recordCount,
} from './record-batch.ts';

/** One batch where it stands in a larger buffer. Nothing is copied, and nothing is read before it is asked for. */
export class BatchView {
  readonly buffer: Buffer;
  /** The position of the batch in `buffer`. */
  readonly at: number;
  /** Bytes of the whole batch. */
  readonly size: number;

  constructor(buffer: Buffer, at: number, size: number) {
    this.buffer = buffer;
    this.at = at;
    this.size = size;
  }

  get bytes(): Buffer {
    return this.buffer.subarray(this.at, this.at + this.size);
  }

  get baseOffset(): number {
    return baseOffset(this.buffer, this.at);
  }

  get lastOffset(): number {
    return lastOffset(this.buffer, this.at);
  }

  get maxTimestamp(): number {
    return maxTimestamp(this.buffer, this.at);
  }

  get producerId(): number {
    return producerId(this.buffer, this.at);
  }

  get producerEpoch(): number {
    return producerEpoch(this.buffer, this.at);
  }

  get recordCount(): number {
    return recordCount(this.buffer, this.at);
  }

  get isTransactional(): boolean {
    return isTransactional(this.buffer, this.at);
  }

  get isControl(): boolean {
    return isControl(this.buffer, this.at);
  }
}

/**
 * The whole batches in a buffer, one after the other; a partial one at the end is left out, as Kafka's consumers do with a
 * fetch that was cut. Only lengths are looked at: `corrupt-message` for one that no batch has.
 */
export function* batchesIn(buffer: Buffer): Generator<BatchView, void, undefined> {
  let at = 0;
  while (buffer.length - at >= BATCH_LENGTH_OVERHEAD) {
    const size = batchSize(buffer, at);
    if (size < BATCH_HEADER_BYTES) {
      throw new BrokerError('corrupt-message', `the record batch at byte ${at} says it has ${size} bytes`);
    }
    if (size > buffer.length - at) return;
    yield new BatchView(buffer, at, size);
    at += size;
  }
}

/** Where a batch may be cut in two: after its length (`rebase`). */
const HEAD_BYTES = BATCH_LENGTH_OVERHEAD;

/** Records in whole batches that lie one after the other, as a log answers them: a batch is in one piece, or in its head and the rest. */
export function countRecords(chunks: readonly Buffer[]): number {
  let records = 0;
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i];
    if (chunk === undefined) break;
    if (chunk.length === HEAD_BYTES) {
      const rest = chunks[++i];
      if (rest === undefined || rest.length < BATCH_HEADER_BYTES - HEAD_BYTES) break;
      records += recordCount(rest, -HEAD_BYTES);
      continue;
    }
    for (let at = 0; chunk.length - at >= BATCH_HEADER_BYTES; at += Math.max(batchSize(chunk, at), BATCH_HEADER_BYTES))
      records += recordCount(chunk, at);
  }
  return records;
}
