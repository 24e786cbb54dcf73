/*
 *   Record => length:varint  attributes:i8  timestampDelta:varlong  offsetDelta:varint
 *             keyLength:varint  key  valueLength:varint  value  headerCount:varint  [Header]
 *   Header => keyLength:varint  key:utf8  valueLength:varint  value
 *
 *   length      bytes that follow the field itself
 *   attributes  unused
 *   a length of -1 stands for null: a key, a value and a header's value may be null, a header's key may not
 *
 * Source: KIP-82 and KIP-98; Kafka's DefaultRecord. Written by record-encoder.ts, read by record-decoder.ts.
 */

/** Names may repeat, and their order is kept. */
export type RecordHeader = readonly [key: string, value: Buffer | null];

/** A record as it is read. Its buffers are parts of the batch, or of what it was decompressed to. */
export interface LogRecord {
  readonly offset: number;
  /** Milliseconds since the epoch; -1 for none. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** A record to be written. */
export interface NewRecord {
  /** Without one, the offset after the one before; for who writes a batch again that has holes. */
  readonly offset?: number;
  /** Milliseconds since the epoch. Without one, the batch's. */
  readonly timestamp?: number;
  readonly key?: Uint8Array | null;
  readonly value?: Uint8Array | null;
  readonly headers?: readonly (readonly [key: string, value: Uint8Array | null])[];
}
