import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BrokerError } from '../../../errors.ts';
import { TopicPattern } from './topic-pattern.ts';

const PLENTY = () => ({ steps: 1_000_000 });
const matches = (expression: string, name: string) => new TopicPattern(expression).matches(name, PLENTY());

/** Expressions that RE2 and JavaScript read alike. */
const expression: fc.Arbitrary<string> = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      'a',
      'b',
      'c',
      '.',
      '-',
      '\\.',
      '[ab]',
      '[^ab]',
      '[a-c]',
      '[\\w-]',
      '\\d',
      '\\W',
      '^',
      '$',
      '\\b',
      '',
      'ab',
      'bc',
    ),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('any'), fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '*?', '+?'))
      .map(([a, quantifier]) => `(${a})${quantifier}`),
  ),
})).any;

it('finds what JavaScript finds, where both read an expression alike', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-', '.', '1'), maxLength: 12 });
  fc.assert(
    fc.property(expression, fc.array(name, { minLength: 1, maxLength: 5 }), (source, names) => {
      const pattern = new TopicPattern(source);
      const same = new RegExp(`^(?:${source})$`);
      for (const each of names) expect(pattern.matches(each, PLENTY())).toBe(same.test(each));
    }),
    { numRuns: 2_000 },
  );
});

it.each([
  ['orders-.*', 'orders-eu', true],
  ['orders', 'orders-eu', false],
  ['^orders.*$', 'orders-eu', true],
  ['(?i)ORDERS', 'orders', true],
  ['(?i:O)rders', 'orders', true],
  ['(?i:O)Rders', 'orders', false],
  ['(?P<name>a)(?<other>b)', 'ab', true],
  ['[[:alpha:]]+[[:^digit:]]', 'ab-', true],
  ['\\Qa.b\\E+', 'a.bb', true],
  ['\\Qa.b\\E', 'axb', false],
  ['\\x61\\x{62}\\143', 'abc', true],
  ['[\\]a-]+', '-a-', true],
  ['\\Aa\\z', 'a', true],
  ['a{0}', '', true],
  ['a{,2}', 'a{,2}', true],
  ['[^ä]', 'a', true],
  ['', '', true],
  ['a||b', 'b', true],
])('reads %s as RE2 does: on %s it is %s', (source, name, found) => {
  expect(matches(source, name)).toBe(found);
});

it.each([
  '(',
  ')',
  '[',
  '[a',
  '*',
  'a**',
  'a{2}{3}',
  'a{1001}',
  'a{2,1}',
  '(?=a)',
  '(?<!a)',
  '\\1',
  '\\',
  '\\p{L}',
  '[b-a]',
  '[[:no:]]',
  `${'('.repeat(300)}a${')'.repeat(300)}`,
  '((a{100}){100}){100}',
])('refuses %s', (source) => {
  expect(() => new TopicPattern(source)).toThrow(BrokerError);
});

it('takes steps in proportion to a name, whatever the expression, and no more than it may', () => {
  const name = `${'a'.repeat(248)}!`;
  for (const source of ['(a+)+', '(a*)*b', '(a|aa)+', '(.*)(.*)(.*)(.*)(.*)c', '(a?){100}a{100}']) {
    const budget = PLENTY();
    new TopicPattern(source).matches(name, budget);
    expect(1_000_000 - budget.steps).toBeLessThan(name.length * 1_000);
  }
  expect(() => new TopicPattern('.*').matches(name, { steps: 10 })).toThrow(/steps/);
});
