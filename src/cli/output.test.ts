import { expect, test } from 'vitest';
import { duration, size, table } from './output.ts';

test('columns are as wide as they must be, numbers to the right', () => {
  const rows = [
    ['orders', 12],
    ['p', 3],
  ];
  expect(table(['name', 'partitions'], rows)).toBe('NAME    PARTITIONS\norders          12\np                3');
});

test('a column with one word in it is text, and no line ends in spaces', () => {
  const rows = [
    [1, '-'],
    [20, 'x'],
  ];
  expect(table(['lag', 'by'], rows)).toBe('LAG  BY\n  1  -\n 20  x');
  expect(table(['lag'], [[1], ['-']])).toBe('LAG\n1\n-');
});

test('sizes are as people say them', () => {
  expect([0, 1023, 1024, 1536, 150 * 1024, 2 ** 40].map(size)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '150 KiB',
    '1.0 TiB',
  ]);
});

test('a cell does not steer the terminal, and wide characters count as two', () => {
  expect(
    table(
      ['name', 'n'],
      [
        ['订单', 1],
        ['\x1b[2J', 20],
      ],
    ),
  ).toBe('NAME      N\n订单      1\n\\x1b[2J  20');
});

test('durations have their two largest parts', () => {
  expect([0, 999, 61_000, 3_600_000, 90_061_000].map(duration)).toEqual(['0 s', '1 s', '1 min 1 s', '1 h', '1 d 1 h']);
});
