import { BrokerError } from '../errors.ts';
import { compress, MAX_DECOMPRESSED_BYTES } from './compression.ts';
import {
  BATCH_HEADER_BYTES,
  baseOffset,
  baseSequence,
  baseTimestamp,
  compression,
  hasDeleteHorizon,
  isControl,
  isTransactional,
  lastOffsetDelta,
  NONE,
  partitionLeaderEpoch,
  producerEpoch,
  producerId,
  recordCount,
  timestampType,
  maxTimestamp as whenBatchEnds,
  writeHeader,
} from './record-batch.ts';
import { bodyOf } from './record-decoder.ts';
import { VarintReader, varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts';

/** As much of a record as decides whether it stays. */
export interface RecordOutline {
  readonly offset: number;
  /** A part of the batch, or of what it was decompressed to. */
  readonly key: Buffer | null;
  readonly isTombstone: boolean;
}

/** Where a record's parts lie in the batch's decompressed records. */
interface PlacedRecord extends RecordOutline {
  readonly from: number;
  readonly to: number;
  /** Where the offset delta begins: what comes after it is copied as it is. */
  readonly restFrom: number;
  readonly timestampDelta: number;
}

export interface FilteredBatch {
  /** The batch itself where all of it stays. */
  readonly batch: Buffer;
  /** Records that stayed. */
  readonly kept: number;
  readonly changed: boolean;
}

/** The outlines of a batch's records; throws as `recordsIn` does, but does not look into values and headers. */
export function* outlinesIn(batch: Buffer): Generator<RecordOutline, void, undefined> {
  yield* placedRecords(batch, bodyOf(batch, MAX_DECOMPRESSED_BYTES));
}

/**
 * The batch without the records that are not to stay: same offsets, sequences and codec, so that it ends where it ended before.
 * `deleteHorizon` (milliseconds since the epoch) is set where the batch has none and a tombstone stays in it, or it is a
 * control batch (KIP-534). A batch of which nothing stays is its header, without a timestamp: it has no records to be found by one.
 */
export function filterBatch(
  batch: Buffer,
  stays: (record: RecordOutline) => boolean,
  deleteHorizon?: number,
): FilteredBatch {
  const body = bodyOf(batch, MAX_DECOMPRESSED_BYTES);
  const kept: PlacedRecord[] = [];
  let tombstones = isControl(batch, 0);
  for (const record of placedRecords(batch, body)) {
    if (!stays(record)) continue;
    kept.push(record);
    tombstones ||= record.isTombstone;
  }
  const setsHorizon = deleteHorizon !== undefined && tombstones && kept.length > 0 && !hasDeleteHorizon(batch, 0);
  if (kept.length === recordCount(batch, 0) && !setsHorizon) return { batch, kept: kept.length, changed: false };
  const base = baseTimestamp(batch, 0);
  const newBase = setsHorizon ? deleteHorizon : base;
  const codec = kept.length === 0 ? 'none' : compression(batch, 0);
  const plain = copyRecords(body, kept, base - newBase);
  const records = codec === 'none' ? plain : compress(codec, plain);
  const size = BATCH_HEADER_BYTES + records.length;
  const bytes = Buffer.allocUnsafe(size);
  bytes.set(records, BATCH_HEADER_BYTES);
  writeHeader(bytes, 0, {
    baseOffset: baseOffset(batch, 0),
    size,
    partitionLeaderEpoch: partitionLeaderEpoch(batch, 0),
    compression: codec,
    timestampType: timestampType(batch, 0),
    transactional: isTransactional(batch, 0),
    control: isControl(batch, 0),
    deleteHorizon: kept.length > 0 && (setsHorizon || hasDeleteHorizon(batch, 0)),
    lastOffsetDelta: lastOffsetDelta(batch, 0),
    baseTimestamp: kept.length === 0 ? NONE : newBase,
    maxTimestamp: latest(batch, kept, base),
    producerId: producerId(batch, 0),
    producerEpoch: producerEpoch(batch, 0),
    baseSequence: baseSequence(batch, 0),
    recordCount: kept.length,
  });
  return { batch: bytes, kept: kept.length, changed: true };
}

function latest(batch: Buffer, kept: readonly PlacedRecord[], base: number): number {
  if (kept.length === 0) return NONE;
  if (timestampType(batch, 0) === 'log-append-time') return whenBatchEnds(batch, 0);
  let largest = NONE;
  for (const { timestampDelta } of kept) largest = Math.max(largest, base + timestampDelta);
  return largest;
}

/** The records with their timestamps counted from another base, which lies `shift` before the old one. */
function copyRecords(body: Buffer, kept: readonly PlacedRecord[], shift: number): Buffer {
  if (shift === 0) return Buffer.concat(kept.map(({ from, to }) => body.subarray(from, to)));
  const sizes = kept.map(({ restFrom, to, timestampDelta }) => 1 + varlongSize(timestampDelta + shift) + to - restFrom);
  const copy = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + varintSize(size) + size, 0));
  let at = 0;
  for (const [i, { restFrom, to, timestampDelta }] of kept.entries()) {
    at = writeVarint(copy, sizes[i] ?? 0, at);
    copy[at++] = 0;
    at = writeVarlong(copy, timestampDelta + shift, at);
    at += body.copy(copy, at, restFrom, to);
  }
  return copy;
}

function* placedRecords(batch: Buffer, body: Buffer): Generator<PlacedRecord, void, undefined> {
  const base = baseOffset(batch, 0);
  const reader = new VarintReader(body, 0, body.length);
  for (let i = recordCount(batch, 0); i > 0; i--) {
    const from = reader.at;
    const length = reader.varint();
    const to = reader.at + length;
    if (length < 0 || to > body.length)
      throw new BrokerError('corrupt-message', `a record says it has ${length} bytes`);
    reader.end = to;
    reader.byte(); // Attributes: unused.
    const timestampDelta = reader.varlong();
    const restFrom = reader.at;
    const offset = base + reader.varint();
    const keyLength = reader.varint();
    const keyFrom = reader.at;
    if (keyLength > to - keyFrom) throw new BrokerError('corrupt-message', `a key says it has ${keyLength} bytes`);
    const key = keyLength < 0 ? null : body.subarray(keyFrom, keyFrom + keyLength);
    reader.at = keyFrom + Math.max(keyLength, 0);
    const isTombstone = reader.varint() < 0;
    reader.at = to;
    reader.end = body.length;
    yield { offset, key, isTombstone, from, to, restFrom, timestampDelta };
  }
}
