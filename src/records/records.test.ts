import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../errors.ts';
import { validateBatch, verifyIntegrity } from './batch-validation.ts';
import { batchesIn } from './batches.ts';
import { compress } from './compression.ts';
import {
  BATCH_HEADER_BYTES,
  baseTimestamp,
  lastOffsetDelta,
  maxTimestamp,
  recordCount,
  stampCrc,
} from './record-batch.ts';
import { decodeRecords, recordsIn } from './record-decoder.ts';
import { encodeBatch } from './record-encoder.ts';
import type { NewRecord } from './records.ts';

const codec = fc.constantFrom('none', 'gzip', 'snappy', 'lz4', 'zstd');
const bytes = fc.option(fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)));
// Well-formed names only: what is not cannot be said in UTF-8.
const headerName = fc.string({ unit: 'grapheme', maxLength: 20 });
const record = fc.record({
  timestamp: fc.oneof(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: -1, max: 2 ** 52 })),
  key: bytes,
  value: bytes,
  headers: fc.array(fc.tuple(headerName, bytes), { maxLength: 5 }),
});
const records = fc.array(record, { minLength: 1, maxLength: 30 });

test('any records come back as they were, in any codec, at any offset', () => {
  fc.assert(
    fc.property(records, codec, fc.nat(2 ** 52), (given, compression, baseOffset) => {
      const batch = encodeBatch({ records: given, compression, baseOffset });
      validateBatch(batch, 0, batch.length);
      expect(decodeRecords(batch)).toEqual(given.map((one, i) => ({ ...one, offset: baseOffset + i })));
      expect(maxTimestamp(batch, 0)).toBe(Math.max(...given.map((one) => one.timestamp)));
      expect(recordCount(batch, 0)).toBe(given.length);
    }),
    { numRuns: 300 },
  );
});

test('timestamps may lie before the first, and as far from it as 2^53 allows', () => {
  const timestamps = [1_700_000_000_000, 0, -1, 2 ** 52, 1_699_999_999_999];
  const batch = encodeBatch({ records: timestamps.map((timestamp) => ({ timestamp })) });
  expect(baseTimestamp(batch, 0)).toBe(1_700_000_000_000);
  expect(decodeRecords(batch).map((one) => one.timestamp)).toEqual(timestamps);
});

test('an absent key or value is null, an empty one is empty, and a name may repeat among headers', () => {
  const headers = [
    ['a', Buffer.from('1')],
    ['', null],
    ['a', Buffer.alloc(0)],
  ] as const;
  const batch = encodeBatch({ records: [{}, { key: Buffer.alloc(0), value: Buffer.alloc(0), headers }] });
  expect(decodeRecords(batch)).toEqual([
    { offset: 0, timestamp: -1, key: null, value: null, headers: [] },
    { offset: 1, timestamp: -1, key: Buffer.alloc(0), value: Buffer.alloc(0), headers },
  ]);
});

test('offsets may have holes, and a batch may be left with no records at all', () => {
  const holes = encodeBatch({ records: [{ offset: 12 }, { offset: 17 }], baseOffset: 10, lastOffsetDelta: 9 });
  expect(decodeRecords(holes).map((one) => one.offset)).toEqual([12, 17]);
  expect(lastOffsetDelta(holes, 0)).toBe(9);
  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    const empty = encodeBatch({ records: [], baseOffset: 10, lastOffsetDelta: 9, compression });
    verifyIntegrity(empty, 0, empty.length);
    expect(decodeRecords(empty)).toEqual([]);
  }
  expect(decodeRecords(encodeBatch({ records: [], lastOffsetDelta: 3 }).subarray(0, BATCH_HEADER_BYTES))).toEqual([]);
});

test('uncompressed keys and values are parts of the batch, not copies', () => {
  const batch = encodeBatch({ records: [{ key: Buffer.from('k'), value: Buffer.from('v') }] });
  const [one] = decodeRecords(batch);
  one?.value?.write('w');
  expect(decodeRecords(batch)[0]?.value?.toString()).toBe('w');
});

test('what follows the batch is not looked at', () => {
  const batch = encodeBatch({ records: [{ value: Buffer.from('v') }] });
  expect(decodeRecords(Buffer.concat([batch, Buffer.alloc(50, 0xff)]))).toEqual(decodeRecords(batch));
});

describe('no batch can say, so none is made of', () => {
  const some: NewRecord = { timestamp: 1 };
  test.each([
    ['no records and no last offset', { records: [] }],
    ['offsets that do not grow', { records: [{ offset: 5 }, { offset: 5 }] }],
    ['an offset before the base', { records: [{ offset: 5 }], baseOffset: 6 }],
    ['an offset that is no integer', { records: [{ offset: 0.5 }] }],
    ['offsets too far apart', { records: [some, { offset: 2 ** 31 }] }],
    ['a last offset before the last record', { records: [some, some], lastOffsetDelta: 0 }],
    ['a timestamp that is not a number', { records: [some, { timestamp: Number.NaN }] }],
    ['a timestamp that never comes', { records: [some, { timestamp: Number.POSITIVE_INFINITY }] }],
    ['a timestamp beyond 2^53', { records: [{ timestamp: 2 ** 53 }] }],
    ['a compressed control batch', { records: [some], control: true, compression: 'gzip' as const }],
  ])('%s', (_name, content) => {
    expect(() => encodeBatch(content)).toThrow(
      expect.objectContaining({ name: 'BrokerError', code: 'invalid-argument' }),
    );
  });
});

/** A batch whose records are these bytes. */
function batchOf(hex: string, count = 1): Buffer {
  const empty = encodeBatch({ records: [], lastOffsetDelta: Math.max(count - 1, 0), timestamp: 1 });
  const batch = Buffer.concat([empty, Buffer.from(hex, 'hex')]);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(count, 57);
  return batch;
}

function expectRefusal(code: ErrorCode, batch: Buffer, maxBytes?: number): void {
  expect(() => decodeRecords(batch, maxBytes)).toThrow(expect.objectContaining({ name: 'BrokerError', code }));
}

describe('refused as corrupt', () => {
  test('the smallest record is not', () => {
    expect(decodeRecords(batchOf('0c000000010100'))).toHaveLength(1);
  });

  test.each([
    ['a record of negative length', '01000000010100'],
    ['a record that goes beyond the end', '0e000000010100'],
    ['a record shorter than its fields', '0a000000010100'],
    ['a record longer than its fields', '0e00000001010000'],
    ['a length that does not end', 'ffffffffffff01'],
    ['a key of length -2', '0c000000030100'],
    ['a key beyond the record', '0c0000007e0100'],
    ['a value beyond the record', '0c000000017e00'],
    ['a negative number of headers', '0c000000010101'],
    ['more headers than bytes', '0c000000010102'],
    ['two thousand million headers', '140000000101feffffff0f'],
    ['a header without a name', '100000000101020101'],
    ['a header name beyond the record', '100000000101027e01'],
    ['a negative offset delta', '0c000001010100'],
    ['an offset delta beyond the last', '0c000002010100'],
    ['a timestamp beyond 2^53', '1e00ffffffffffffffffff0100010100'],
    ['bytes after the last record', '0c00000001010000'],
  ])('%s', (_name, hex) => {
    expectRefusal('corrupt-message', batchOf(hex));
  });

  test('an offset that comes twice', () => {
    expectRefusal('corrupt-message', batchOf('0c000000010100'.repeat(2), 2));
  });

  test.each([-1, 2, 2 ** 31 - 1])('%d records where there are bytes for one', (count) => {
    expectRefusal('corrupt-message', batchOf('0c000000010100', count));
  });

  test('too few bytes, another magic, another length', () => {
    const batch = batchOf('0c000000010100');
    for (let length = 0; length < batch.length; length++) expectRefusal('corrupt-message', batch.subarray(0, length));
    for (const length of [-1, 0, 48, 2 ** 31 - 1]) {
      const wrong = Buffer.from(batch);
      wrong.writeInt32BE(length, 8);
      expectRefusal('corrupt-message', wrong);
    }
    batch.writeInt8(1, 16);
    expectRefusal('corrupt-message', batch);
  });
});

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'a %s batch that decompresses to more than allowed is refused',
  (compression) => {
    const batch = encodeBatch({ records: [{ value: Buffer.alloc(1_000_000) }], compression });
    expectRefusal('message-too-large', batch, 999_999);
    expect(decodeRecords(batch, 1_000_020)).toHaveLength(1);
  },
);

describe('whatever the bytes are, an answer or an error of the broker comes', () => {
  const codes: ErrorCode[] = ['corrupt-message', 'message-too-large', 'invalid-record'];
  const survives = (action: () => void) => {
    try {
      action();
    } catch (error) {
      expect(codes).toContain((error as { code?: ErrorCode }).code);
    }
  };
  const decodeAll = (buffer: Buffer) => {
    survives(() => validateBatch(buffer, 0, buffer.length));
    survives(() => {
      for (const batch of batchesIn(buffer)) for (const _ of recordsIn(batch.bytes, 1_000_000));
    });
    survives(() => decodeRecords(buffer, 1_000_000));
  };

  test('random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (array) => decodeAll(Buffer.from(array))),
      { numRuns: 1000 },
    );
  });

  test('random records in a batch that is otherwise sound', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: -1, max: 20 }),
        codec,
        (array, count, compression) => {
          const body = compress(compression, Buffer.from(array));
          const batch = batchOf(body.toString('hex'), count);
          batch.writeInt16BE(['none', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(compression), 21);
          stampCrc(batch, 0);
          decodeAll(batch);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('a sound batch with some bytes changed', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(records, codec, fc.array(change, { minLength: 1, maxLength: 8 }), (given, compression, changes) => {
        const batch = encodeBatch({ records: given, compression });
        for (const [at, byte] of changes) batch[at % batch.length] = byte;
        decodeAll(batch);
      }),
      { numRuns: 1000 },
    );
  });
});
