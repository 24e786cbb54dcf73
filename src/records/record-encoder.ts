import { BrokerError } from '../errors.ts';
import { compress } from './compression.ts';
import { BATCH_HEADER_BYTES, type Compression, NONE, type TimestampType, writeHeader } from './record-batch.ts';
import type { NewRecord } from './records.ts';
import { varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts';

/** What a batch is to hold. */
export interface BatchContent {
  /** May be empty only when `lastOffsetDelta` is given. */
  readonly records: readonly NewRecord[];
  /** 0 without one: whoever appends stamps it. */
  readonly baseOffset?: number;
  /** Only for a batch that ends in a hole; otherwise the last record's. */
  readonly lastOffsetDelta?: number;
  readonly partitionLeaderEpoch?: number;
  /** Milliseconds since the epoch, for records that have no timestamp of their own. */
  readonly timestamp?: number;
  /** From which timestamps are counted; the first record's without one. */
  readonly baseTimestamp?: number;
  readonly timestampType?: TimestampType;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
  /** Whether `baseTimestamp` is a delete horizon (KIP-534). */
  readonly deleteHorizon?: boolean;
  readonly compression?: Compression;
}

const MAX_INT32 = 0x7fffffff;

/** One batch. Throws `invalid-argument` for what no batch can say, `message-too-large` beyond 2 GiB. */
export function encodeBatch(content: BatchContent): Buffer {
  const { records, baseOffset = 0, timestamp = NONE, compression = 'none' } = content;
  const baseTimestamp = content.baseTimestamp ?? records[0]?.timestamp ?? timestamp;
  if (content.control && compression !== 'none') {
    throw new BrokerError('invalid-argument', 'a control batch is never compressed');
  }

  let offset = baseOffset - 1;
  let maxTimestamp = NONE;
  let size = BATCH_HEADER_BYTES;
  const sizes = new Array<number>(records.length);
  for (let i = 0; i < records.length; i++) {
    // Within bounds.
    const record = records[i]!;
    const recordTimestamp = record.timestamp ?? timestamp;
    const recordOffset = record.offset ?? offset + 1;
    if (!Number.isSafeInteger(recordOffset) || recordOffset <= offset) {
      throw new BrokerError('invalid-argument', `offset ${recordOffset} cannot follow ${offset}`);
    }
    if (!Number.isSafeInteger(recordTimestamp - baseTimestamp)) {
      throw new BrokerError('invalid-argument', `timestamp ${recordTimestamp} is too far from ${baseTimestamp}`);
    }
    offset = recordOffset;
    if (recordTimestamp > maxTimestamp) maxTimestamp = recordTimestamp;
    const body = bodySize(record, recordTimestamp - baseTimestamp, recordOffset - baseOffset);
    sizes[i] = body;
    size += varintSize(body) + body;
  }
  const lastOffsetDelta = content.lastOffsetDelta ?? offset - baseOffset;
  if (lastOffsetDelta < 0 || lastOffsetDelta < offset - baseOffset || lastOffsetDelta > MAX_INT32) {
    throw new BrokerError(
      'invalid-argument',
      `${records.length} records cannot have the last offset delta ${lastOffsetDelta}`,
    );
  }
  if (size > MAX_INT32) throw new BrokerError('message-too-large', `a record batch of ${size} bytes is beyond 2 GiB`);

  const plain = Buffer.allocUnsafe(size);
  let at = BATCH_HEADER_BYTES;
  offset = baseOffset - 1;
  for (let i = 0; i < records.length; i++) {
    // Within bounds, both.
    const record = records[i]!;
    offset = record.offset ?? offset + 1;
    at = writeVarint(plain, sizes[i]!, at);
    at = writeBody(plain, at, record, (record.timestamp ?? timestamp) - baseTimestamp, offset - baseOffset);
  }
  if (at !== size) throw new BrokerError('internal', `a batch of ${size} bytes was written to byte ${at}`);

  const buffer = compression === 'none' ? plain : withCompressedRecords(plain, compression);
  writeHeader(buffer, 0, {
    baseOffset,
    size: buffer.length,
    partitionLeaderEpoch: content.partitionLeaderEpoch ?? NONE,
    compression,
    timestampType: content.timestampType ?? 'create-time',
    transactional: content.transactional ?? false,
    control: content.control ?? false,
    deleteHorizon: content.deleteHorizon ?? false,
    lastOffsetDelta,
    baseTimestamp,
    maxTimestamp,
    producerId: content.producerId ?? NONE,
    producerEpoch: content.producerEpoch ?? NONE,
    baseSequence: content.baseSequence ?? NONE,
    recordCount: records.length,
  });
  return buffer;
}

/** The same batch, but for its header, which is yet to be written. */
function withCompressedRecords(plain: Buffer, codec: Compression): Buffer {
  const records = compress(codec, plain.subarray(BATCH_HEADER_BYTES));
  const batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + records.length);
  batch.set(records, BATCH_HEADER_BYTES);
  return batch;
}

/** Bytes of a record after its length. */
function bodySize(record: NewRecord, timestampDelta: number, offsetDelta: number): number {
  let size = 1 + varlongSize(timestampDelta) + varintSize(offsetDelta);
  size += bytesSize(record.key) + bytesSize(record.value);
  const headers = record.headers;
  if (headers === undefined) return size + 1;
  size += varintSize(headers.length);
  for (const [key, value] of headers) {
    const keyBytes = Buffer.byteLength(key);
    size += varintSize(keyBytes) + keyBytes + bytesSize(value);
  }
  return size;
}

function bytesSize(bytes: Uint8Array | null | undefined): number {
  return bytes === null || bytes === undefined ? 1 : varintSize(bytes.length) + bytes.length;
}

function writeBody(buffer: Buffer, at: number, record: NewRecord, timestampDelta: number, offsetDelta: number): number {
  buffer[at++] = 0;
  at = writeVarlong(buffer, timestampDelta, at);
  at = writeVarint(buffer, offsetDelta, at);
  at = writeBytes(buffer, at, record.key);
  at = writeBytes(buffer, at, record.value);
  const headers = record.headers;
  if (headers === undefined) {
    buffer[at++] = 0;
    return at;
  }
  at = writeVarint(buffer, headers.length, at);
  for (const [key, value] of headers) {
    at = writeVarint(buffer, Buffer.byteLength(key), at);
    at += buffer.write(key, at);
    at = writeBytes(buffer, at, value);
  }
  return at;
}

function writeBytes(buffer: Buffer, at: number, bytes: Uint8Array | null | undefined): number {
  if (bytes === null || bytes === undefined) return writeVarint(buffer, -1, at);
  at = writeVarint(buffer, bytes.length, at);
  buffer.set(bytes, at);
  return at + bytes.length;
}
