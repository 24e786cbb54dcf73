import { createHash } from 'node:crypto';
import { encodeBatch, type NewRecord } from '../../src/records/index.ts';

/** A batch that is sent again and again: made once, so that making it costs nothing while it is measured. */
export interface BatchTemplate {
  readonly partition: number;
  readonly bytes: Buffer;
  readonly records: number;
}

/** Kafka's max.message.bytes, unless a topic says otherwise. */
const MAX_BATCH_BYTES = 1_048_588;

/** A full batch of one partition's own bytes, so that one partition's records cannot pass for another's. */
export function batchTemplate(partition: number, recordBytes: number, batchBytes: number): BatchTemplate {
  if (batchBytes > MAX_BATCH_BYTES)
    throw new Error(`--batch ${batchBytes} is beyond ${MAX_BATCH_BYTES}, the brokers' max.message.bytes`);
  const records: NewRecord[] = [];
  const timestamp = Date.now();
  const add = () => records.push({ key: null, value: noise(`${partition}/${records.length}`, recordBytes) });
  const encode = () => encodeBatch({ records, timestamp });
  add();
  const overheadFor = encode().length;
  if (overheadFor > batchBytes)
    throw new Error(`a record of ${recordBytes} bytes makes a batch of ${overheadFor}, over --batch ${batchBytes}`);
  // A record takes at least its value and 7 bytes, at most 20 more; so the loop ends after a few rounds of taking away.
  while (records.length * (recordBytes + 7) < batchBytes) add();
  let bytes = encode();
  while (bytes.length > batchBytes) {
    records.splice(-Math.max(Math.floor((bytes.length - batchBytes) / (recordBytes + 20)), 1));
    bytes = encode();
  }
  return { partition, bytes, records: records.length };
}

/** Bytes that look random and are the same each time. */
function noise(seed: string, length: number): Buffer {
  return createHash('shake256', { outputLength: Math.max(length, 1) })
    .update(seed)
    .digest()
    .subarray(0, length);
}
