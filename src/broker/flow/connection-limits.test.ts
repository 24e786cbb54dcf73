import { expect, test } from 'vitest';
import { ConnectionLimits } from './connection-limits.ts';

const limits = (numbers: { max?: number; maxPerAddress?: number; perAddress?: [string, number][] }) =>
  new ConnectionLimits(() => ({
    max: numbers.max ?? 100,
    maxPerAddress: numbers.maxPerAddress ?? 100,
    perAddress: new Map(numbers.perAddress),
  }));

test('all connections together, and those of one address, are counted until they are closed', () => {
  const counted = limits({ max: 3, maxPerAddress: 2 });
  expect(['a', 'a', 'a', 'b', 'c'].map((address) => counted.admit(address))).toEqual([
    undefined,
    undefined,
    'limits.connectionsPerAddress',
    undefined,
    'limits.connections',
  ]);
  counted.closed('a');
  expect(counted.admit('a')).toBeUndefined();
});

test('an address may have a number of its own, and is one by whichever socket it comes', () => {
  const counted = limits({ maxPerAddress: 0, perAddress: [['10.0.0.1', 1]] });
  expect(counted.admit('::ffff:10.0.0.1')).toBeUndefined();
  expect(counted.admit('10.0.0.1')).toBe('limits.connectionsPerAddress');
  expect(counted.admit('10.0.0.2')).toBe('limits.connectionsPerAddress');
});
