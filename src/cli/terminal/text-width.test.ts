import { expect, test } from 'vitest';
import { clip, padEnd, padStart, printable, textWidth } from './text-width.ts';

test('texts take the places that a terminal gives them', () => {
  expect(['orders', 'größe', '订单', 'e\u0301', '🚚', ''].map(textWidth)).toEqual([6, 5, 4, 1, 2, 0]);
  expect([padEnd('订单', 6), padStart('订单', 6)]).toEqual(['订单  ', '  订单']);
});

test('what is too wide is cut between characters', () => {
  expect([clip('orders', 6), clip('orders', 5), clip('订单队列', 6), clip('订单', 0)]).toEqual([
    'orders',
    'orde…',
    '订单…',
    '',
  ]);
});

test('nothing that steers a terminal gets there', () => {
  expect(printable('a\x1b[2Jb\n\x9b\u202e')).toBe('a\\x1b[2Jb\\x0a\\x9b\\u202e');
});
