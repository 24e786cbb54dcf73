import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CodecError } from '../codec/codec-error.ts';
import { attribute, gauge, metricsData, sum } from './otlp.contract.ts';
import { otlpPoints } from './otlp-metrics.ts';

test('gauges and sums are read, of whole numbers and others, with their attributes in order', () => {
  const data = metricsData(
    gauge('a.gauge', 1.5, [attribute('z', 'last'), attribute('a', 'first')]),
    sum('a.total', 7n, { isDelta: true }),
    sum('b.total', -3n, { isDelta: false }),
  );
  expect(otlpPoints(data)).toEqual([
    { name: 'a.gauge', value: 1.5, attributes: ['a=first', 'z=last'], isDelta: false },
    { name: 'a.total', value: 7, attributes: [], isDelta: true },
    { name: 'b.total', value: -3, attributes: [], isDelta: false },
  ]);
});

test('what has more fields than values could need is refused', () => {
  // Two bytes each: a metric of nothing.
  expect(() => otlpPoints(metricsData(Buffer.alloc(2 * 300_000, Buffer.from([2 * 8 + 2, 0]))))).toThrow(CodecError);
});

test('what is cut off or changed is refused or read, and nothing worse', () => {
  const data = metricsData(gauge('a', 1, [attribute('k', 'v')]), sum('b', 2n, { isDelta: true }));
  const damaged = fc.property(fc.nat(data.length), fc.nat(data.length - 1), fc.nat(255), (length, at, byte) => {
    const bytes = Buffer.from(data.subarray(0, length));
    if (at < length) bytes[at] = byte;
    try {
      otlpPoints(bytes);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
    }
  });
  fc.assert(damaged, { numRuns: 2000 });
});
