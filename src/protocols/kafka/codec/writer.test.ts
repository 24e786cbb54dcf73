import { describe, expect, it } from 'vitest';
import { CodecError } from './codec-error.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

function written(write: (writer: Writer) => void): string {
  const writer = new Writer();
  write(writer);
  return Buffer.concat(writer.finish()).toString('hex');
}

describe('a writer', () => {
  it('writes integers at their bounds', () => {
    expect(written((w) => w.int8(-128))).toBe('80');
    expect(written((w) => w.int16(-2))).toBe('fffe');
    expect(written((w) => w.uint16(65535))).toBe('ffff');
    expect(written((w) => w.uint32(2 ** 32 - 1))).toBe('ffffffff');
    expect(written((w) => w.int64(Number.MIN_SAFE_INTEGER))).toBe('ffe0000000000001');
    expect(written((w) => w.int64(2 ** 32 + 1))).toBe('0000000100000001');
    expect(written((w) => w.uvarint(2 ** 32 - 1))).toBe('ffffffff0f');
  });

  it('refuses what its type cannot carry', () => {
    const refused: ((writer: Writer) => void)[] = [
      (w) => w.int8(128),
      (w) => w.int16(1.5),
      (w) => w.uint16(-1),
      (w) => w.int32(2 ** 31),
      (w) => w.int32(undefined as unknown as number),
      (w) => w.uint32(-1),
      (w) => w.int64(2 ** 53),
      (w) => w.int64(Number.NaN),
      (w) => w.bool(1 as unknown as boolean),
      (w) => w.uuid('01234567-89ab-cdef-0123-456789abcdeg'),
      (w) => w.uuid('0123456789abcdef0123456789abcdef'),
      (w) => w.string('x'.repeat(32768)),
      (w) => w.string(null as unknown as string),
      (w) => w.bytes('x' as unknown as Buffer),
      (w) => w.count({ length: 1 } as unknown as []),
      (w) => w.records([null as unknown as Buffer]),
    ];
    for (const write of refused) expect(() => written(write)).toThrow(CodecError);
  });

  it('hands large byte fields on without copying them, between the pieces around them', () => {
    const batches = [Buffer.alloc(5000, 1), Buffer.alloc(10, 2), Buffer.alloc(5000, 3)];
    const writer = new Writer();
    writer.int8(7);
    writer.records(batches);
    writer.int8(8);
    expect(writer.length).toBe(1 + 4 + 10_010 + 1);
    const chunks = writer.finish();
    expect(chunks.map((chunk) => chunk.length)).toEqual([5, 5000, 10, 5000, 1]);
    expect(chunks[1]).toBe(batches[0]);
    expect(chunks[3]).toBe(batches[2]);
  });

  it('grows beyond its slab without losing what it wrote', () => {
    const writer = new Writer();
    for (let i = 0; i < 50_000; i++) writer.int32(i);
    const reader = new Reader(Buffer.concat(writer.finish()));
    for (let i = 0; i < 50_000; i++) if (reader.int32() !== i) expect.fail(`element ${i} is another`);
    expect(reader.remaining).toBe(0);
  });

  it('gives each message memory of its own, and none to one that was given up', () => {
    const writer = new Writer();
    const made = Array.from({ length: 200 }, (_, i) => {
      writer.string('given up');
      writer.reset();
      writer.string('x'.repeat(i * 7));
      return Buffer.concat(writer.finish());
    });
    made.forEach((bytes, i) => {
      expect(new Reader(bytes).string()).toBe('x'.repeat(i * 7));
    });
  });

  it('puts the size in front of a tagged field, however long it gets, even where the slab ends', () => {
    for (const size of [0, 1, 126, 127, 128, 5000, 70_000]) {
      const writer = new Writer();
      for (let i = 0; i < 16_000; i++) writer.int32(i);
      const open = writer.openTag();
      writer.raw(Buffer.alloc(size, 5));
      writer.closeTag(open);
      writer.int8(9);
      const reader = new Reader(Buffer.concat(writer.finish()), 64_000);
      const end = reader.openTag();
      expect(end - reader.position).toBe(size);
      reader.skipTag(end);
      expect(reader.int8()).toBe(9);
      expect(reader.remaining).toBe(0);
    }
  });
});
