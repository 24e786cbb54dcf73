import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRecords, validateBatch } from '../../src/records/index.ts';
import { batchTemplate } from './batch-template.ts';

const size = { recordBytes: 100, batchBytes: 1000, compression: 'none' } as const;

describe('batchTemplate', () => {
  it('makes a valid batch that no further record fits', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.integer({ min: 2100, max: 200_000 }), (recordBytes, batchBytes) => {
        const { bytes, records } = batchTemplate(0, { ...size, recordBytes, batchBytes });
        validateBatch(bytes, 0, bytes.length);
        expect(bytes.length).toBeLessThanOrEqual(batchBytes);
        // Length, attributes, timestamp delta, offset delta, no key, the value's length, no headers.
        expect(bytes.length + recordBytes + 20).toBeGreaterThan(batchBytes);
        expect(records).toBeGreaterThan(0);
      }),
      { numRuns: 30 },
    );
  });

  it('gives each partition records of its own, the same each time', () => {
    const [one, other] = [batchTemplate(1, size), batchTemplate(2, size)];
    expect(other.bytes.length).toBe(one.bytes.length);
    expect(other.bytes.subarray(61)).not.toEqual(one.bytes.subarray(61));
    expect(batchTemplate(1, size).bytes.subarray(61)).toEqual(one.bytes.subarray(61));
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'compresses the same records with %s, to two thirds at most',
    (codec) => {
      const plain = batchTemplate(1, { ...size, batchBytes: 16_384 });
      const compressed = batchTemplate(1, { ...size, batchBytes: 16_384, compression: codec });
      validateBatch(compressed.bytes, 0, compressed.bytes.length);
      expect(compressed.bytes.length).toBeLessThan((plain.bytes.length * 2) / 3);
      const values = (batch: Buffer) => Array.from(decodeRecords(batch), ({ value }) => value?.toString());
      expect(values(compressed.bytes)).toEqual(values(plain.bytes));
    },
  );

  it('refuses a batch that holds no record, or that brokers refuse', () => {
    expect(() => batchTemplate(0, { ...size, recordBytes: 1000 })).toThrow('over --batch 1000');
    expect(() => batchTemplate(0, { ...size, batchBytes: 2_000_000 })).toThrow('max.message.bytes');
  });
});
