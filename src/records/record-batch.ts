import { BrokerError } from '../errors.ts';
import { crc32c } from './crc.ts';
import { readInt64, writeInt64 } from './int64.ts';

/*
 * A record batch, version 2 (KIP-98; Kafka's DefaultRecordBatch). All integers are big-endian.
 *
 *   RecordBatch => baseOffset:i64  batchLength:i32  partitionLeaderEpoch:i32  magic:i8  crc:u32
 *                  attributes:i16  lastOffsetDelta:i32  baseTimestamp:i64  maxTimestamp:i64
 *                  producerId:i64  producerEpoch:i16  baseSequence:i32  recordCount:i32  [Record]
 *
 *   batchLength    bytes that follow the field itself
 *   crc            CRC-32C of everything from `attributes` on: what comes before it may be stamped without touching it
 *   attributes     bits 0-2 compression, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon (KIP-534)
 *   [Record]       as one piece compressed, unless the batch is a control batch; see records.ts
 *
 * The accessors below take a buffer and the position of a batch in it, of which the whole header must be there
 * (`validateBatch`, `verifyIntegrity` and `batchesIn` see to that); they allocate nothing.
 */

const BASE_OFFSET = 0;
const BATCH_LENGTH = 8;
const PARTITION_LEADER_EPOCH = 12;
const MAGIC = 16;
const CRC = 17;
const ATTRIBUTES = 21;
const LAST_OFFSET_DELTA = 23;
const BASE_TIMESTAMP = 27;
const MAX_TIMESTAMP = 35;
const PRODUCER_ID = 43;
const PRODUCER_EPOCH = 51;
const BASE_SEQUENCE = 53;
const RECORD_COUNT = 57;

/** Bytes from a batch's start to its first record. */
export const BATCH_HEADER_BYTES = 61;
/** Bytes that `batchLength` does not count: the base offset and the length itself. Enough to know a batch's size. */
export const BATCH_LENGTH_OVERHEAD = 12;
/** The CRC is that of everything from here on. */
export const CRC_STARTS_AT = ATTRIBUTES;
export const CURRENT_MAGIC = 2;

/** The smallest record there is: length, attributes, two deltas, no key, no value, no headers; one byte each. */
export const MIN_RECORD_BYTES = 7;

const COMPRESSION_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const DELETE_HORIZON = 0x40;

/** What a batch carries where it has no producer id, epoch, sequence or timestamp. */
export const NONE = -1;

/** Indexed by the number in a batch's attributes. */
const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** Whose clock a batch's timestamps are from: the producer's, or the broker's. */
export type TimestampType = 'create-time' | 'log-append-time';

export function baseOffset(buffer: Buffer, at: number): number {
  return readInt64(buffer, at + BASE_OFFSET);
}

export function batchLength(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + BATCH_LENGTH);
}

/** Bytes of the whole batch. Needs no more of it than `BATCH_LENGTH_OVERHEAD` bytes; not checked in any way. */
export function batchSize(buffer: Buffer, at: number): number {
  return batchLength(buffer, at) + BATCH_LENGTH_OVERHEAD;
}

export function partitionLeaderEpoch(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + PARTITION_LEADER_EPOCH);
}

export function magic(buffer: Buffer, at: number): number {
  return buffer.readInt8(at + MAGIC);
}

/** The CRC-32C that the batch claims to have. */
export function crc(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at + CRC);
}

export function attributes(buffer: Buffer, at: number): number {
  return buffer.readInt16BE(at + ATTRIBUTES);
}

/** Throws `invalid-record` for a codec that nobody has defined. */
export function compression(buffer: Buffer, at: number): Compression {
  const number = attributes(buffer, at) & COMPRESSION_MASK;
  const name = COMPRESSIONS[number];
  if (name === undefined) throw new BrokerError('invalid-record', `compression codec ${number} is not one of 0 to 4`);
  return name;
}

export function timestampType(buffer: Buffer, at: number): TimestampType {
  return (attributes(buffer, at) & LOG_APPEND_TIME) === 0 ? 'create-time' : 'log-append-time';
}

export function isTransactional(buffer: Buffer, at: number): boolean {
  return (attributes(buffer, at) & TRANSACTIONAL) !== 0;
}

/** Whether the batch holds a transaction marker or the like instead of a user's records. */
export function isControl(buffer: Buffer, at: number): boolean {
  return (attributes(buffer, at) & CONTROL) !== 0;
}

/** Whether `baseTimestamp` is the time from which compaction may drop the batch's tombstones (KIP-534). */
export function hasDeleteHorizon(buffer: Buffer, at: number): boolean {
  return (attributes(buffer, at) & DELETE_HORIZON) !== 0;
}

export function lastOffsetDelta(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + LAST_OFFSET_DELTA);
}

export function lastOffset(buffer: Buffer, at: number): number {
  return baseOffset(buffer, at) + lastOffsetDelta(buffer, at);
}

/** Milliseconds since the epoch, from which the records' timestamps are counted; -1 for none. */
export function baseTimestamp(buffer: Buffer, at: number): number {
  return readInt64(buffer, at + BASE_TIMESTAMP);
}

/** Milliseconds since the epoch; -1 for none. */
export function maxTimestamp(buffer: Buffer, at: number): number {
  return readInt64(buffer, at + MAX_TIMESTAMP);
}

/** -1 when the producer is not idempotent. */
export function producerId(buffer: Buffer, at: number): number {
  return readInt64(buffer, at + PRODUCER_ID);
}

export function producerEpoch(buffer: Buffer, at: number): number {
  return buffer.readInt16BE(at + PRODUCER_EPOCH);
}

export function baseSequence(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + BASE_SEQUENCE);
}

/** How many records the batch says it has: fewer than its offsets where compaction dropped some, even none. */
export function recordCount(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + RECORD_COUNT);
}

/** Outside the CRC. */
export function stampBaseOffset(buffer: Buffer, at: number, offset: number): void {
  writeInt64(buffer, offset, at + BASE_OFFSET);
}

/** Outside the CRC. */
export function stampLeaderEpoch(buffer: Buffer, at: number, epoch: number): void {
  buffer.writeInt32BE(epoch, at + PARTITION_LEADER_EPOCH);
}

/** Gives all of the batch's records the broker's time (milliseconds since the epoch), and the batch a new CRC. */
export function setAppendTime(buffer: Buffer, at: number, timestamp: number): void {
  buffer.writeInt16BE(attributes(buffer, at) | LOG_APPEND_TIME, at + ATTRIBUTES);
  writeInt64(buffer, timestamp, at + MAX_TIMESTAMP);
  stampCrc(buffer, at);
}

/** Gives the batch the CRC that its bytes have. */
export function stampCrc(buffer: Buffer, at: number): void {
  buffer.writeUInt32BE(crcOfContent(buffer, at), at + CRC);
}

function crcOfContent(buffer: Buffer, at: number): number {
  return crc32c(buffer.subarray(at + CRC_STARTS_AT, at + batchSize(buffer, at)));
}

/**
 * The batch at another base offset, in two chunks to be written one after the other. The second is the batch's own bytes,
 * so that one body can stand in many logs.
 */
export function rebase(batch: Buffer, offset: number): [prefix: Buffer, rest: Buffer] {
  const prefix = Buffer.allocUnsafe(BATCH_LENGTH_OVERHEAD);
  writeInt64(prefix, offset, BASE_OFFSET);
  prefix.writeInt32BE(batchLength(batch, 0), BATCH_LENGTH);
  return [prefix, batch.subarray(BATCH_LENGTH_OVERHEAD)];
}

/** The batch with other bytes for its records, which are of this codec, CRC and all. */
export function withRecords(batch: Buffer, codec: Compression, records: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(BATCH_HEADER_BYTES + records.length);
  batch.copy(copy, 0, 0, BATCH_HEADER_BYTES);
  copy.set(records, BATCH_HEADER_BYTES);
  copy.writeInt32BE(copy.length - BATCH_LENGTH_OVERHEAD, BATCH_LENGTH);
  copy.writeInt16BE((attributes(batch, 0) & ~COMPRESSION_MASK) | COMPRESSIONS.indexOf(codec), ATTRIBUTES);
  stampCrc(copy, 0);
  return copy;
}

/** Everything of a batch's header, for who makes one. */
export interface BatchHeader {
  readonly baseOffset: number;
  /** Bytes of the whole batch. */
  readonly size: number;
  readonly partitionLeaderEpoch: number;
  readonly compression: Compression;
  readonly timestampType: TimestampType;
  readonly transactional: boolean;
  readonly control: boolean;
  readonly deleteHorizon: boolean;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** Writes a header in front of records that are in the buffer already, CRC and all. */
export function writeHeader(buffer: Buffer, at: number, header: BatchHeader): void {
  const attributeBits =
    COMPRESSIONS.indexOf(header.compression) |
    (header.timestampType === 'log-append-time' ? LOG_APPEND_TIME : 0) |
    (header.transactional ? TRANSACTIONAL : 0) |
    (header.control ? CONTROL : 0) |
    (header.deleteHorizon ? DELETE_HORIZON : 0);
  writeInt64(buffer, header.baseOffset, at + BASE_OFFSET);
  buffer.writeInt32BE(header.size - BATCH_LENGTH_OVERHEAD, at + BATCH_LENGTH);
  buffer.writeInt32BE(header.partitionLeaderEpoch, at + PARTITION_LEADER_EPOCH);
  buffer.writeInt8(CURRENT_MAGIC, at + MAGIC);
  buffer.writeInt16BE(attributeBits, at + ATTRIBUTES);
  buffer.writeInt32BE(header.lastOffsetDelta, at + LAST_OFFSET_DELTA);
  writeInt64(buffer, header.baseTimestamp, at + BASE_TIMESTAMP);
  writeInt64(buffer, header.maxTimestamp, at + MAX_TIMESTAMP);
  writeInt64(buffer, header.producerId, at + PRODUCER_ID);
  buffer.writeInt16BE(header.producerEpoch, at + PRODUCER_EPOCH);
  buffer.writeInt32BE(header.baseSequence, at + BASE_SEQUENCE);
  buffer.writeInt32BE(header.recordCount, at + RECORD_COUNT);
  stampCrc(buffer, at);
}

/** Whether the CRC is that of the bytes; the batch must be there whole. */
export function hasValidCrc(buffer: Buffer, at: number): boolean {
  return crcOfContent(buffer, at) === crc(buffer, at);
}
