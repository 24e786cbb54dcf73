import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VarintReader, varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts';

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const edges = [2 ** 30, 2 ** 31, 2 ** 32, 2 ** 34, 2 ** 41, 2 ** 48, 2 ** 53].flatMap((n) => [
  n - 1,
  -n,
  1 - n,
  -n - 1,
]);
const safeInteger = fc.oneof(fc.maxSafeInteger(), int32, fc.constantFrom(...edges.filter(Number.isSafeInteger)));

/** Zigzag varint by the book, in 64 bits. */
function reference(value: number): Buffer {
  const wide = BigInt(value);
  let zigzag = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
  const bytes: number[] = [];
  for (; zigzag > 0x7fn; zigzag >>= 7n) bytes.push(Number(zigzag & 0x7fn) | 0x80);
  bytes.push(Number(zigzag));
  return Buffer.from(bytes);
}

function reader(bytes: Buffer): VarintReader {
  return new VarintReader(bytes, 0, bytes.length);
}

test('any 32-bit number is written as the reference writes it, in as many bytes as were announced, and read back', () => {
  fc.assert(
    fc.property(int32, (value) => {
      const buffer = Buffer.alloc(5);
      const end = writeVarint(buffer, value, 0);
      expect(end).toBe(varintSize(value));
      expect(buffer.subarray(0, end)).toEqual(reference(value));
      expect(reader(buffer.subarray(0, end)).varint()).toBe(value);
    }),
  );
});

test('any safe integer is written as the reference writes it, in as many bytes as were announced, and read back', () => {
  fc.assert(
    fc.property(safeInteger, (value) => {
      const buffer = Buffer.alloc(10);
      const end = writeVarlong(buffer, value, 0);
      expect(end).toBe(varlongSize(value));
      expect(buffer.subarray(0, end)).toEqual(reference(value));
      expect(reader(buffer.subarray(0, end)).varlong()).toBe(value);
    }),
    { numRuns: 1000 },
  );
});

describe('refuses', () => {
  const refused = (hex: string, read: (from: VarintReader) => number) =>
    expect(() => read(reader(Buffer.from(hex, 'hex')))).toThrow(expect.objectContaining({ code: 'corrupt-message' }));

  test('a number that is cut short', () => {
    refused('', (from) => from.varint());
    refused('8080', (from) => from.varint());
    refused('8080', (from) => from.varlong());
  });

  test('a varint of more than 32 bits', () => {
    refused('ffffffff1f', (from) => from.varint());
    refused('808080808000', (from) => from.varint());
  });

  test('a varlong of more than 64 bits, or beyond 2^53', () => {
    refused('ffffffffffffffffff02', (from) => from.varlong());
    refused('8080808080808080808000', (from) => from.varlong());
    refused('ffffffffffffffffff01', (from) => from.varlong());
    refused(reference(2 ** 53).toString('hex'), (from) => from.varlong());
  });

  test('a byte beyond the end of the part, though the buffer goes on', () => {
    const part = new VarintReader(Buffer.from('80010101', 'hex'), 0, 1);
    expect(() => part.varint()).toThrow(expect.objectContaining({ code: 'corrupt-message' }));
  });
});
