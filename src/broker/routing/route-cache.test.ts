import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RouteCache } from './route-cache.ts';

const bytesOf = (text: string) => Buffer.from(text);

describe('the cache of routes', () => {
  it('is a map, wherever the bytes of a key lie', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 12 }), { maxLength: 2_000 }), (texts) => {
        const cache = new RouteCache<{ text: string }>();
        const map = new Map<string, { text: string }>();
        for (const text of texts) {
          const key = bytesOf(`ahead${text}behind`);
          const end = key.length - 6;
          expect(cache.get(key, 5, end)).toBe(map.get(text));
          if (map.has(text)) continue;
          const value = { text };
          map.set(text, value);
          cache.add(key, 5, end, value);
        }
        expect(cache.size).toBe(map.size);
        for (const [text, value] of map) expect(cache.get(bytesOf(text), 0, bytesOf(text).length)).toBe(value);
      }),
      { numRuns: 30 },
    );
  });

  it('grows, and forgets all when it is cleared', () => {
    const cache = new RouteCache<object>();
    const keys = Array.from({ length: 10_000 }, (_, n) => bytesOf(`key ${n}`));
    for (let round = 0; round < 2; round++) {
      const values = keys.map(() => ({}));
      for (const [at, key] of keys.entries()) cache.add(key, 0, key.length, values[at]!);
      expect(cache.size).toBe(keys.length);
      expect(keys.every((key, at) => cache.get(key, 0, key.length) === values[at])).toBe(true);
      cache.clear();
      expect(cache.size).toBe(0);
      expect(keys.every((key) => cache.get(key, 0, key.length) === undefined)).toBe(true);
    }
  });

  it('is bounded by entries and by bytes', () => {
    const cache = new RouteCache<object>({ entries: 100, bytes: 10_000 });
    for (let n = 0; n < 1_000; n++) {
      const key = bytesOf(`key ${n}`);
      const value = {};
      cache.add(key, 0, key.length, value);
      expect(cache.size).toBeLessThanOrEqual(100);
      expect(cache.get(key, 0, key.length)).toBe(value);
    }
    for (let n = 0; n < 100; n++) {
      const key = Buffer.alloc(500, n);
      cache.add(key, 0, key.length, {});
      expect(cache.size).toBeLessThanOrEqual(20);
    }
  });

  it('stays right and quick when keys are chosen to collide', () => {
    // Three bytes are enough to try until a slot has come up often, in a table as large as this becomes.
    const bySlot = new Map<number, Buffer[]>();
    for (let n = 0; n < 200_000; n++) {
      const key = Buffer.from([n & 0xff, (n >> 8) & 0xff, n >> 16]);
      let hash = 0x811c9dc5;
      for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
      const slot = (hash ^ (hash >>> 15)) & 0x3ff;
      const keys = bySlot.get(slot);
      if (keys === undefined) bySlot.set(slot, [key]);
      else keys.push(key);
    }
    const colliding = [...bySlot.values()].find((keys) => keys.length > 150)?.slice(0, 150) ?? [];
    expect(colliding).toHaveLength(150);
    const cache = new RouteCache<object>();
    for (const key of colliding) {
      const value = {};
      cache.add(key, 0, key.length, value);
      expect(cache.get(key, 0, key.length)).toBe(value);
      // Not more than are looked at for one key.
      expect(cache.size).toBeLessThanOrEqual(64);
    }
  });
});
