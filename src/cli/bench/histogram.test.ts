import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.ts';

describe('Histogram', () => {
  it('answers percentiles that are at most 1 % and a microsecond above the exact ones', () => {
    const microseconds = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }));
    fc.assert(
      fc.property(fc.array(microseconds, { minLength: 1, maxLength: 2000 }), (values) => {
        const histogram = new Histogram();
        for (const value of values) histogram.record(value / 1000);
        const sorted = [...values].sort((a, b) => a - b);
        const { p50, p99, p999, max } = histogram.summary();
        for (const [quantile, found] of [
          [0.5, p50],
          [0.99, p99],
          [0.999, p999],
          [1, max],
        ] as const) {
          const exact = sorted[Math.ceil(quantile * sorted.length) - 1] ?? Number.NaN;
          expect(Math.round(found * 1000)).toBeGreaterThanOrEqual(exact);
          expect(Math.round(found * 1000)).toBeLessThanOrEqual(exact * 1.01 + 1);
        }
      }),
    );
  });

  it('has nothing to say of nothing', () => {
    const histogram = new Histogram();
    histogram.record(1);
    histogram.reset();
    expect(() => histogram.summary()).toThrow('no latency was recorded');
  });
});
