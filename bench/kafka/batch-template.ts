import { type Compression, encodeBatch, type NewRecord } from '../../src/records/index.ts';
import { text } from './text.ts';

/** A batch that is sent again and again: made once, so that making it costs nothing while it is measured. */
export interface BatchTemplate {
  readonly partition: number;
  readonly bytes: Buffer;
  readonly records: number;
}

export interface BatchSize {
  /** Bytes of each record's value. */
  readonly recordBytes: number;
  /** The most that the batch takes, before its records are compressed. */
  readonly batchBytes: number;
  readonly compression: Compression;
}

/** Kafka's max.message.bytes, unless a topic says otherwise. */
const MAX_BATCH_BYTES = 1_048_588;

/** A full batch of one partition's own text, so that one partition's records cannot pass for another's. */
export function batchTemplate(partition: number, { recordBytes, batchBytes, compression }: BatchSize): BatchTemplate {
  if (batchBytes > MAX_BATCH_BYTES)
    throw new Error(`--batch ${batchBytes} is beyond ${MAX_BATCH_BYTES}, the brokers' max.message.bytes`);
  // A record takes at least its value and 7 bytes, at most 20 more; so the loop ends after a few rounds of taking away.
  const values = text(partition, Math.max(batchBytes, recordBytes));
  const most = Math.max(Math.ceil(batchBytes / (recordBytes + 7)), 1);
  const records = Array.from({ length: most }, (_, index): NewRecord => {
    // Records as small as they can be would otherwise need more text than a batch holds.
    const at = (index * recordBytes) % (values.length - recordBytes + 1);
    return { key: null, value: values.subarray(at, at + recordBytes) };
  });
  const timestamp = Date.now();
  let size = encodeBatch({ records, timestamp }).length;
  while (size > batchBytes) {
    if (records.length === 1)
      throw new Error(`a record of ${recordBytes} bytes makes a batch of ${size}, over --batch ${batchBytes}`);
    const surplus = Math.max(Math.floor((size - batchBytes) / (recordBytes + 20)), 1);
    records.splice(-Math.min(surplus, records.length - 1));
    size = encodeBatch({ records, timestamp }).length;
  }
  return { partition, bytes: encodeBatch({ records, timestamp, compression }), records: records.length };
}
