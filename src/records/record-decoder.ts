import { BrokerError } from '../errors.ts';
import { decompress, MAX_DECOMPRESSED_BYTES } from './compression.ts';
import {
  BATCH_HEADER_BYTES,
  baseOffset,
  baseTimestamp,
  batchSize,
  CURRENT_MAGIC,
  compression,
  lastOffsetDelta,
  MIN_RECORD_BYTES,
  magic,
  maxTimestamp,
  recordCount,
  timestampType,
} from './record-batch.ts';
import type { LogRecord, RecordHeader } from './records.ts';
import { VarintReader } from './varint.ts';

const NO_HEADERS: readonly RecordHeader[] = Object.freeze([]);
/** A header's key and value of no bytes each. */
const MIN_HEADER_BYTES = 2;

/**
 * The records of the batch that `batch` begins with, one after the other, decompressed to no more than `maxBytes`. The CRC
 * is not looked at (`verifyIntegrity` does that). While it is iterated it throws `corrupt-message` where the bytes are not
 * those of a batch, `invalid-record` for an unknown codec, `message-too-large` beyond `maxBytes`. `opened` is told how many bytes the records
 * are, for who has to count what is held in memory.
 */
export function* recordsIn(
  batch: Buffer,
  maxBytes: number = MAX_DECOMPRESSED_BYTES,
  opened?: (bytes: number) => void,
): Generator<LogRecord, void, undefined> {
  const body = bodyOf(batch, maxBytes);
  opened?.(body.length);
  const count = recordCount(batch, 0);
  if (count < 0 || count > body.length / MIN_RECORD_BYTES) {
    throw new BrokerError('corrupt-message', `${count} records do not fit ${body.length} bytes`);
  }
  const offsets = baseOffset(batch, 0);
  const lastDelta = lastOffsetDelta(batch, 0);
  const timestamps = baseTimestamp(batch, 0);
  const appendTime = timestampType(batch, 0) === 'log-append-time' ? maxTimestamp(batch, 0) : undefined;
  const reader = new VarintReader(body, 0, body.length);
  let lastSeen = -1;
  for (let i = 0; i < count; i++) {
    const length = reader.varint();
    const end = reader.at + length;
    if (length < 0 || end > body.length) {
      throw new BrokerError('corrupt-message', `record ${i} says it has ${length} bytes`);
    }
    reader.end = end;
    reader.byte(); // Attributes: unused.
    const timestamp = timestamps + reader.varlong();
    const delta = reader.varint();
    if (delta <= lastSeen || delta > lastDelta) {
      throw new BrokerError('corrupt-message', `offset delta ${delta} lies outside ${lastSeen + 1} to ${lastDelta}`);
    }
    lastSeen = delta;
    const offset = offsets + delta;
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(timestamp)) {
      throw new BrokerError('corrupt-message', `the offset or the timestamp of record ${i} lies beyond 2^53`);
    }
    const key = readBytes(reader);
    const value = readBytes(reader);
    const headers = readHeaders(reader);
    if (reader.at !== end) {
      throw new BrokerError('corrupt-message', `record ${i} ends ${end - reader.at} bytes before its length says`);
    }
    reader.end = body.length;
    yield { offset, timestamp: appendTime ?? timestamp, key, value, headers };
  }
  if (reader.at !== body.length) {
    throw new BrokerError('corrupt-message', `${body.length - reader.at} bytes follow the last of ${count} records`);
  }
}

/** `recordsIn` at once: all of the records, or an error. */
export function decodeRecords(batch: Buffer, maxBytes: number = MAX_DECOMPRESSED_BYTES): LogRecord[] {
  return Array.from(recordsIn(batch, maxBytes));
}

/** The bytes of the batch's records, decompressed; throws as `recordsIn` does. */
export function bodyOf(batch: Buffer, maxBytes: number = MAX_DECOMPRESSED_BYTES): Buffer {
  if (batch.length < BATCH_HEADER_BYTES || magic(batch, 0) !== CURRENT_MAGIC) {
    throw new BrokerError('corrupt-message', `these ${batch.length} bytes do not begin with a record batch`);
  }
  const size = batchSize(batch, 0);
  if (size < BATCH_HEADER_BYTES || size > batch.length) {
    throw new BrokerError('corrupt-message', `a record batch says it has ${size} bytes; ${batch.length} are there`);
  }
  const body = batch.subarray(BATCH_HEADER_BYTES, size);
  // A batch that compaction emptied holds no records, compressed or otherwise.
  return body.length === 0 ? body : decompress(compression(batch, 0), body, maxBytes);
}

function readBytes(reader: VarintReader): Buffer | null {
  const length = reader.varint();
  if (length === -1) return null;
  return take(reader, length);
}

function take(reader: VarintReader, length: number): Buffer {
  const from = reader.at;
  if (length < 0 || length > reader.end - from) {
    throw new BrokerError(
      'corrupt-message',
      `${length} bytes at byte ${from} of the records lie beyond their record's end`,
    );
  }
  reader.at = from + length;
  return reader.buffer.subarray(from, reader.at);
}

function readHeaders(reader: VarintReader): readonly RecordHeader[] {
  const count = reader.varint();
  if (count === 0) return NO_HEADERS;
  if (count < 0 || count > (reader.end - reader.at) / MIN_HEADER_BYTES) {
    throw new BrokerError('corrupt-message', `a record says it has ${count} headers`);
  }
  const headers: RecordHeader[] = [];
  for (let i = 0; i < count; i++) {
    const key = take(reader, reader.varint()).toString();
    headers.push([key, readBytes(reader)]);
  }
  return headers;
}
