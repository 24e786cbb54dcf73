import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validateBatch } from '../../src/records/index.ts';
import { batchTemplate } from './batch-template.ts';

describe('batchTemplate', () => {
  it('makes a valid batch that no further record fits', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.integer({ min: 2100, max: 200_000 }), (recordBytes, batchBytes) => {
        const { bytes, records } = batchTemplate(0, recordBytes, batchBytes);
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
    const [one, other] = [batchTemplate(1, 100, 1000), batchTemplate(2, 100, 1000)];
    expect(other.bytes.length).toBe(one.bytes.length);
    expect(other.bytes.subarray(61)).not.toEqual(one.bytes.subarray(61));
    expect(batchTemplate(1, 100, 1000).bytes.subarray(61)).toEqual(one.bytes.subarray(61));
  });

  it('refuses a batch that holds no record, or that brokers refuse', () => {
    expect(() => batchTemplate(0, 1000, 1000)).toThrow('over --batch 1000');
    expect(() => batchTemplate(0, 100, 2_000_000)).toThrow('max.message.bytes');
  });
});
