import { describe, expect, it } from 'vitest';
import { SeededRandom } from './seeded-random.ts';

describe('seeded randomness', () => {
  it('is the same for the same seed and another for another one', () => {
    const draw = (seed: number) => {
      const random = new SeededRandom(seed);
      return [random.uuid(), random.float(), random.bytes(7).toString('hex'), random.below(1000)];
    };
    expect(draw(42)).toEqual(draw(42));
    const firsts = new Set(Array.from({ length: 1000 }, (_, seed) => new SeededRandom(seed).float()));
    expect(firsts.size).toBe(1000);
    expect(new SeededRandom(2 ** 40).float()).not.toBe(new SeededRandom(0).float());
  });

  it('is spread evenly, and keeps within its bounds', () => {
    const random = new SeededRandom(1);
    for (let i = 0; i < 10_000; i++) {
      const float = random.float();
      expect(float >= 0 && float < 1).toBe(true);
    }
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const bucket = random.below(10);
      buckets[bucket] = (buckets[bucket] as number) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it('makes UUIDs of version 4', () => {
    expect(new SeededRandom(9).uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
