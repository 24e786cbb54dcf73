import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  attributes,
  BATCH_HEADER_BYTES,
  baseOffset,
  baseSequence,
  baseTimestamp,
  batchSize,
  compression,
  crc,
  hasDeleteHorizon,
  hasValidCrc,
  isControl,
  isTransactional,
  lastOffset,
  lastOffsetDelta,
  magic,
  maxTimestamp,
  partitionLeaderEpoch,
  producerEpoch,
  producerId,
  rebase,
  recordCount,
  setAppendTime,
  stampBaseOffset,
  stampLeaderEpoch,
  timestampType,
  writeHeader,
} from './record-batch.ts';
import { decodeRecords } from './record-decoder.ts';
import { encodeBatch } from './record-encoder.ts';

const AT = 5;

/** A batch that does not begin where its buffer does. */
function shifted(batch: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(AT, 0xee), batch, Buffer.alloc(3, 0xee)]);
}

function threeRecords(): Buffer {
  const records = [{ value: Buffer.from('a') }, { value: Buffer.from('b') }, { value: Buffer.from('c') }];
  return shifted(encodeBatch({ records, timestamp: 1_700_000_000_000 }));
}

const int32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };
const anyHeader = fc.record({
  baseOffset: fc.maxSafeInteger(),
  size: fc.constant(BATCH_HEADER_BYTES),
  partitionLeaderEpoch: fc.integer(int32),
  compression: fc.constantFrom('none', 'gzip', 'snappy', 'lz4', 'zstd'),
  timestampType: fc.constantFrom('create-time', 'log-append-time'),
  transactional: fc.boolean(),
  control: fc.boolean(),
  deleteHorizon: fc.boolean(),
  lastOffsetDelta: fc.integer(int32),
  baseTimestamp: fc.maxSafeInteger(),
  maxTimestamp: fc.maxSafeInteger(),
  producerId: fc.maxSafeInteger(),
  producerEpoch: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
  baseSequence: fc.integer(int32),
  recordCount: fc.integer(int32),
});

test('every field of any header reads back as it was written', () => {
  fc.assert(
    fc.property(anyHeader, (header) => {
      const buffer = shifted(Buffer.alloc(BATCH_HEADER_BYTES));
      writeHeader(buffer, AT, header);
      expect({
        baseOffset: baseOffset(buffer, AT),
        size: batchSize(buffer, AT),
        partitionLeaderEpoch: partitionLeaderEpoch(buffer, AT),
        compression: compression(buffer, AT),
        timestampType: timestampType(buffer, AT),
        transactional: isTransactional(buffer, AT),
        control: isControl(buffer, AT),
        deleteHorizon: hasDeleteHorizon(buffer, AT),
        lastOffsetDelta: lastOffsetDelta(buffer, AT),
        baseTimestamp: baseTimestamp(buffer, AT),
        maxTimestamp: maxTimestamp(buffer, AT),
        producerId: producerId(buffer, AT),
        producerEpoch: producerEpoch(buffer, AT),
        baseSequence: baseSequence(buffer, AT),
        recordCount: recordCount(buffer, AT),
      }).toEqual(header);
      expect(magic(buffer, AT)).toBe(2);
      expect(hasValidCrc(buffer, AT)).toBe(true);
    }),
  );
});

test('a 64-bit field beyond 2^53 is refused, not rounded', () => {
  const buffer = threeRecords();
  buffer.writeBigInt64BE(2n ** 53n, AT);
  expect(() => baseOffset(buffer, AT)).toThrow(expect.objectContaining({ code: 'corrupt-message' }));
  buffer.writeBigInt64BE(-(2n ** 53n) - 1n, AT);
  expect(() => baseOffset(buffer, AT)).toThrow(expect.objectContaining({ code: 'corrupt-message' }));
  buffer.writeBigInt64BE(2n ** 53n - 1n, AT);
  expect(baseOffset(buffer, AT)).toBe(Number.MAX_SAFE_INTEGER);
  expect(() => stampBaseOffset(buffer, AT, 2 ** 53)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  expect(() => stampBaseOffset(buffer, AT, 0.5)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

describe('stamping', () => {
  test('base offset and leader epoch lie outside the CRC', () => {
    const buffer = threeRecords();
    const before = crc(buffer, AT);
    stampBaseOffset(buffer, AT, 2 ** 40 + 7);
    stampLeaderEpoch(buffer, AT, 12);
    expect(baseOffset(buffer, AT)).toBe(2 ** 40 + 7);
    expect(lastOffset(buffer, AT)).toBe(2 ** 40 + 9);
    expect(partitionLeaderEpoch(buffer, AT)).toBe(12);
    expect(crc(buffer, AT)).toBe(before);
    expect(hasValidCrc(buffer, AT)).toBe(true);
  });

  test('append time goes to every record, leaves the other attributes alone and renews the CRC', () => {
    const buffer = shifted(
      encodeBatch({ records: [{ timestamp: 5 }, { timestamp: 9 }], transactional: true, compression: 'gzip' }),
    );
    const before = attributes(buffer, AT);
    setAppendTime(buffer, AT, 1_800_000_000_000);
    expect(attributes(buffer, AT)).toBe(before | 0x08);
    expect(timestampType(buffer, AT)).toBe('log-append-time');
    expect(hasValidCrc(buffer, AT)).toBe(true);
    const timestamps = decodeRecords(buffer.subarray(AT)).map((record) => record.timestamp);
    expect(timestamps).toEqual([1_800_000_000_000, 1_800_000_000_000]);
  });

  test('nothing outside the batch is touched', () => {
    const buffer = threeRecords();
    stampBaseOffset(buffer, AT, 1);
    stampLeaderEpoch(buffer, AT, 2);
    setAppendTime(buffer, AT, 3);
    expect(buffer.subarray(0, AT)).toEqual(Buffer.alloc(AT, 0xee));
    expect(buffer.subarray(-3)).toEqual(Buffer.alloc(3, 0xee));
  });
});

test('a batch at another base offset shares its body and leaves the original as it was', () => {
  const batch = encodeBatch({ records: [{ value: Buffer.from('shared') }], baseOffset: 3 });
  const [prefix, rest] = rebase(batch, 2 ** 33);
  expect(rest.buffer).toBe(batch.buffer);
  const rebased = Buffer.concat([prefix, rest]);
  expect(baseOffset(rebased, 0)).toBe(2 ** 33);
  expect(decodeRecords(rebased)).toEqual([expect.objectContaining({ offset: 2 ** 33, value: Buffer.from('shared') })]);
  expect(baseOffset(batch, 0)).toBe(3);
});
