import { expect, test } from 'vitest';
import { at, cell, parseFilter } from './listing.ts';

test.each([
  ['ord', 'name', ['Orders', 'x'], [true, false]],
  ['type=quorum', 'type', ['quorum', 'classic', undefined], [true, false, false]],
  ['policy!=', 'policy', ['ttl', '', null], [true, false, false]],
  ['messages>100', 'messages', [101, 100, undefined], [true, false, false]],
  ['messages <= 1e3', 'messages', [1000, 1001, undefined], [true, false, true]],
  ['name~^a.c$', 'name', ['abc', 'abcd'], [true, false]],
  ['arguments.x-max-length!~^1', 'arguments.x-max-length', [10, 20], [false, true]],
  ['durable=true', 'durable', [true, false], [true, false]],
])('the condition %s', (text, field, values, expected) => {
  const filter = parseFilter(text);
  expect([filter.field, values.map((value: unknown) => filter.holds(value))]).toEqual([field, expected]);
});

test('a condition that cannot be is refused', () => {
  expect(() => parseFilter('messages>many')).toThrow('A number');
  expect(() => parseFilter('name~(')).toThrow('regular expression');
});

test('values stand in a table as people read them', () => {
  expect([undefined, null, '', 'x', 3, true, [], ['a', 'b'], {}, { a: 1, b: [true] }].map(cell)).toEqual([
    ...['-', '-', '-', 'x', 3, 'yes', '-', 'a,b', '-', 'a=1,b=yes'],
  ]);
  expect(at({ a: { b: 1 } }, 'a.b')).toBe(1);
  expect(at({ a: { b: 1 } }, 'a.constructor')).toBeUndefined();
});
