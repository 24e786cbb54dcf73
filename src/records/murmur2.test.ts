import { expect, test } from 'vitest';
import { murmur2, partitionOf } from './murmur2.ts';

// From Kafka's own UtilsTest.testMurmur2.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])("hashes '%s' as Kafka's clients do", (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash);
});

test('a key always has the same partition, within range, whatever the sign of its hash', () => {
  for (const key of ['21', 'foobar', 'abc', '']) {
    const partition = partitionOf(Buffer.from(key), 7);
    expect(partition).toBe(partitionOf(Buffer.from(key), 7));
    expect(partition).toBeGreaterThanOrEqual(0);
    expect(partition).toBeLessThan(7);
  }
});
