import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OffsetMap, SLOT_BYTES } from './offset-map.ts';

it('knows the last offset of each key, like a map', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3 }), { maxLength: 300 }), (keys) => {
      const map = new OffsetMap(keys.length, 1 << 20);
      const model = new Map<string, number>();
      for (const [offset, key] of keys.entries()) {
        expect(map.put(key, offset)).toBe(true);
        model.set(String(key), offset);
      }
      expect(map.size).toBe(model.size);
      for (const key of keys) expect(map.get(key)).toBe(model.get(String(key)));
      expect(map.get(Buffer.from('another'))).toBe(-1);
    }),
  );
});

it('keeps within its memory, and says when it is full', () => {
  const maxBytes = 1000 * SLOT_BYTES;
  const map = new OffsetMap(1_000_000, maxBytes);
  expect(map.bytes).toBeLessThanOrEqual(maxBytes);
  let offset = 0;
  while (map.put(Buffer.from(`key${offset}`), offset)) offset++;
  expect(offset).toBeGreaterThan(300);
  // What is known already has its place.
  expect(map.put(Buffer.from('key0'), offset)).toBe(true);
  expect(map.get(Buffer.from('key0'))).toBe(offset);
  expect(map.get(Buffer.from(`key${offset}`))).toBe(-1);
});

it('takes no more memory than its keys need', () => {
  expect(new OffsetMap(100, 1 << 30).bytes).toBeLessThan(10_000);
});
