import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LATENCY_BOUNDS_MS, Latency, quantile } from './latency.ts';

test('what takes as long as a bound is in its bucket, and what takes longer than all in the last', () => {
  const latency = new Latency();
  latency.observe(0.5);
  latency.observe(0.51, 3);
  latency.observe(1e9);
  expect(latency.buckets.slice(0, 3)).toEqual([1, 3, 0]);
  expect(latency.buckets.at(-1)).toBe(1);
  expect([latency.count, latency.sumMs]).toEqual([5, 1e9 + 0.5 + 1.53]);
});

test('quantiles are of what came between two readings', () => {
  const latency = new Latency();
  expect(quantile(latency.buckets, [], 0.5)).toBeUndefined();
  latency.observe(9_000, 100);
  const before = [...latency.buckets];
  latency.observe(0.1, 100);
  expect(quantile(latency.buckets, before, 0.5)).toBe(0.25);
  expect(quantile(latency.buckets, latency.buckets, 0.5)).toBeUndefined();
});

test('a quantile is in the bucket of the value that it stands for', () => {
  const value = fc.double({ min: 0, max: 50_000, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1 }), fc.constantFrom(0.5, 0.9, 0.99), (values, share) => {
      const latency = new Latency();
      for (const ms of values) latency.observe(ms);
      const sorted = values.toSorted((a, b) => a - b);
      const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
      const bucket = LATENCY_BOUNDS_MS.findIndex((bound) => exact <= bound);
      const found = quantile(latency.buckets, [], share) ?? -1;
      expect(found).toBeGreaterThanOrEqual(LATENCY_BOUNDS_MS[bucket - 1] ?? 0);
      expect(found).toBeLessThanOrEqual(LATENCY_BOUNDS_MS[bucket] ?? 0);
    }),
  );
});
