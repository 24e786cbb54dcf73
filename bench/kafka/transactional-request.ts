import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { encodeRequest } from '../../src/protocols/kafka/codec/frames.ts';
import { crc32c, encodeBatch } from '../../src/records/index.ts';
import { text } from './text.ts';
import type { Producer } from './transactional-producer.ts';

const CORRELATION_ID = 8;
/** Where these are in a batch; the CRC is of what comes from the attributes on. */
const CRC = 17;
const ATTRIBUTES = 21;
const PRODUCER_EPOCH = 51;
const BASE_SEQUENCE = 53;
const TIMEOUT_MS = 30_000;

export interface TransactionalRequestOptions {
  readonly producer: Producer;
  /** The version of the produce request. */
  readonly version: number;
  readonly topic: string;
  /** Records that each partition gets, by partition. */
  readonly records: readonly number[];
  readonly recordBytes: number;
}

interface Batch {
  /** Within the request. */
  readonly bytes: Buffer;
  readonly records: number;
  /** The first one of its records, the next time. */
  sequence: number;
}

/** The produce request of a producer's transactions: made once, and then only epoch, sequences and CRCs are written over. */
export class TransactionalRequest {
  readonly #bytes: Buffer;
  readonly #batches: readonly Batch[];

  constructor({ producer, version, topic, records, recordBytes }: TransactionalRequestOptions) {
    const batches = records.map((count, partition) => transactionalBatch(producer, partition, count, recordBytes));
    const partitionData = batches.map((batch, index) => ({ index, records: [batch] }));
    const { transactionalId } = producer;
    const body = { transactionalId, acks: -1, timeoutMs: TIMEOUT_MS, topicData: [{ name: topic, partitionData }] };
    this.#bytes = Buffer.concat(encodeRequest(produce, version, 0, 'sluice-bench', body));
    let end = 0;
    this.#batches = batches.map((batch, partition) => {
      // Batches of empty records are the same.
      const at = this.#bytes.indexOf(batch, end);
      end = at + batch.length;
      return { bytes: this.#bytes.subarray(at, at + batch.length), records: records[partition] ?? 0, sequence: 0 };
    });
  }

  /** Bytes of its batches. */
  get batchBytes(): number {
    return this.#batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** The request as it is to be sent; `epoch` is that of the transaction. */
  next(correlationId: number, epoch: number): Buffer {
    this.#bytes.writeInt32BE(correlationId, CORRELATION_ID);
    for (const { bytes, sequence } of this.#batches) {
      bytes.writeInt16BE(epoch, PRODUCER_EPOCH);
      bytes.writeInt32BE(sequence, BASE_SEQUENCE);
      bytes.writeUInt32BE(crc32c(bytes.subarray(ATTRIBUTES)), CRC);
    }
    return this.#bytes;
  }

  /** All of it is in the log. */
  produced(): void {
    for (const batch of this.#batches) batch.sequence += batch.records;
  }

  /** The next epoch begins with sequence 0. */
  newEpoch(): void {
    for (const batch of this.#batches) batch.sequence = 0;
  }
}

function transactionalBatch(
  { producerId, producerEpoch }: Producer,
  partition: number,
  count: number,
  recordBytes: number,
): Buffer {
  const values = text(partition, count * recordBytes);
  const records = Array.from({ length: count }, (_, index) => ({
    key: null,
    value: values.subarray(index * recordBytes, (index + 1) * recordBytes),
  }));
  const identity = { producerId, producerEpoch, baseSequence: 0, transactional: true };
  return encodeBatch({ records, timestamp: Date.now(), ...identity });
}
