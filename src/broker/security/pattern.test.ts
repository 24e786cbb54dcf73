import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../errors.ts';
import { Pattern } from './pattern.ts';

const matches = (pattern: string, name: string) => Pattern.compile(pattern).matches(name);

describe('a pattern', () => {
  it.each([
    // Found anywhere, unless it says where.
    ['.*', '', true],
    ['.*', 'orders', true],
    ['ord', 'my-orders', true],
    ['^ord', 'my-orders', false],
    ['^ord$', 'orders', false],
    // The empty one is for nobody: only the empty name has nothing in it.
    ['', '', true],
    ['', 'orders', false],
    ['^$', 'orders', false],
    ['^(amq\\.default|orders-.*)$', 'amq.default', true],
    ['^(amq\\.default|orders-.*)$', 'amqXdefault', false],
    ['^(?!amq\\.).*$', 'amq.topic', false],
    ['^(?!amq\\.).*$', 'mine', true],
    ['(?<=a)b', 'ab', true],
    // Bytes, not characters.
    ['^.$', 'é', false],
    ['^..$', 'é', true],
    ['é', 'café', true],
    ['^[é]+$', 'éé', true],
    // What JavaScript has by another name, or would take for something else.
    ['\\Aorders\\z', 'orders', true],
    ['\\Aorders\\Z', 'xorders', false],
    ['^[[:alpha:]_]+$', 'ab_c', true],
    ['^[[:alpha:]]+$', 'ab1', false],
    ['^[^[:digit:]]+$', 'ab1', false],
    ['^[]a]+$', ']a]', true],
    ['^[^]a]+$', ']', false],
    ['^[a[b]+$', '[ab', true],
    ['^a.c$', 'a\rc', true],
    ['^a.c$', 'a\nc', false],
    ['(?i)^orders$', 'ORDERS', true],
    ['^(?P<first>a)b$', 'ab', true],
    ['^a{2}$', 'aa', true],
    ['^a{,2}$', 'a{,2}', true],
    ['^{a}$', '{a}', true],
    ['^\\x61$', 'a', true],
    ['^a\\-b\\_c$', 'a-b_c', true],
    ['^[\\w.-]+$', 'a.b-c', true],
    ['^\\S+$', 'a\u00a0b', true],
    ['^[\\S]+$', 'a b', false],
  ])('%j on %j: %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it.each([
    '(',
    ')',
    '[a',
    'a**',
    '{2}',
    'a?{2}',
    '*a',
    '\\',
    '[b-a]',
    'a++',
    '(?>a)',
    '(?#note)a',
    '\\Qa\\E',
    '\\1',
    '\\h',
    '\\p{L}',
    'a(?i)b',
    '(*F)',
    '[[:^alpha:]]',
    '[[:nope:]]',
    'a'.repeat(1025),
  ])('that is not supported is refused, not read as something else: %j', (pattern) => {
    expect(() => Pattern.compile(pattern)).toThrow(BrokerError);
    try {
      Pattern.compile(pattern);
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid-configuration' });
      expect((error as Error).message).toContain('cannot be used as a pattern');
    }
  });

  it.each([
    '^(a+)+$',
    '^(a|aa)+$',
    '^(a|a)*$',
    '^(a?){60}$',
    'a*a*a*a*a*a*a*a*b',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    `^${'a?'.repeat(60)}${'a'.repeat(60)}c$`,
  ])('that would take for ever matches nothing instead: %j', (pattern) => {
    expect(matches(pattern, `${'a'.repeat(254)}!`)).toBe(false);
  });

  it('that is guarded answers as it should when it can', () => {
    expect(matches('^([a-z]+\\.)*[a-z]+$', 'one.two.three')).toBe(true);
    expect(matches('^([a-z]+\\.)*[a-z]+$', 'one..three')).toBe(false);
  });

  it('of what both languages have reads as in JavaScript', () => {
    const piece = fc.oneof(
      fc.constantFrom('a', 'b', '.', '\\.', '-', '[ab]', '[^a]', '\\d', '\\w', '^', '$', 'orders'),
      fc.constantFrom('a*', 'b+', 'a?', '(ab)', '(a|b)', '(?:b)', '(?=a)', '(?!b)', 'a{1,2}', '|'),
    );
    const pattern = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    const name = fc.oneof(
      fc.array(fc.constantFrom('a', 'b', '.', '-', '1', 'orders'), { maxLength: 8 }).map((parts) => parts.join('')),
      fc.string({ unit: fc.constantFrom(...'ab.1 '), maxLength: 20 }),
    );
    fc.assert(
      fc.property(pattern, name, (source, text) => {
        const expected = source === '' ? text === '' : new RegExp(source).test(text);
        expect(matches(source, text)).toBe(expected);
      }),
    );
  });

  it('is held against many names at once, for a limited time', () => {
    const names = ['orders', 'ORDERS', 'bills', ''];
    expect(Pattern.compile('(?i)^ord').matchesOf(names, 1000)).toEqual([true, true, false, false]);
    expect(Pattern.compile('(a+)+$').matchesOf([`${'a'.repeat(40)}b`], 20)).toBeUndefined();
  });

  it('compiles or is refused, whatever it is', () => {
    const anything = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'ab()[]{}*+?|\\^$.:=!<>-,1dwsAz') }));
    fc.assert(
      fc.property(anything, fc.string({ maxLength: 30 }), (source, text) => {
        try {
          Pattern.compile(source).matches(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-configuration' });
        }
      }),
    );
  });
});
