import { expect, test } from 'vitest';
import { pairs, position, time, whole } from './arguments.ts';

test.each([
  ['earliest', { kind: 'earliest' }],
  ['latest', { kind: 'latest' }],
  ['0', { kind: 'offset', offset: 0 }],
  ['1500', { kind: 'offset', offset: 1500 }],
  ['-10', { kind: 'last', count: 10 }],
  ['2026-01-31', { kind: 'time', timestamp: Date.UTC(2026, 0, 31) }],
  ['2026-01-31T12:00:00+01:00', { kind: 'time', timestamp: Date.UTC(2026, 0, 31, 11) }],
])('--from %s is understood', (text, expected) => {
  expect(position(text)).toEqual(expected);
});

test.each(['', 'soon', '1.5', '2026-13-01', '99999999999999999999'])("--from '%s' is refused", (text) => {
  expect(() => position(text)).toThrow(/is wanted/);
});

test('a time is no offset', () => {
  expect(() => time('1500')).toThrow(/2026-01-31T12:00:00Z is wanted/);
});

test('numbers are whole and within bounds', () => {
  expect(whole(1, 3)('3')).toBe(3);
  for (const text of ['0', '4', '2.5', 'x', '']) expect(() => whole(1, 3)(text)).toThrow('from 1 to 3');
});

test('pairs gather; a value may hold an equals sign, a name may not be empty', () => {
  expect(pairs('b=x=y', pairs('a=1'))).toEqual({ a: '1', b: 'x=y' });
  expect(pairs('a=')).toEqual({ a: '' });
  for (const text of ['a', '=1']) expect(() => pairs(text)).toThrow('NAME=VALUE');
});
