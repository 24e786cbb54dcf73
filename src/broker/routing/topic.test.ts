import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_ARGS, namesFor, Place } from './fixture.contract.ts';
import { Router } from './router.ts';

/** Binds each key to a place named like it. */
function topics(...keys: readonly string[]): Router<Place> {
  const router = new Router<Place>();
  router.addExchange('t', 'topic');
  for (const key of keys) router.bind('t', new Place(key), key, NO_ARGS);
  return router;
}

/** What the words of a binding key mean, one after the other, by the definition. */
function matches(pattern: readonly string[], words: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return words.length === 0;
  if (first === '#') return matches(rest, words) || (words.length > 0 && matches(pattern, words.slice(1)));
  return words.length > 0 && (first === '*' || first === words[0]) && matches(rest, words.slice(1));
}

const wordsOf = (key: string) => (key === '' ? [] : key.split('.'));
const keyOf = (words: fc.Arbitrary<string>) => fc.array(words, { maxLength: 6 }).map((parts) => parts.join('.'));
const bindingKey = keyOf(fc.constantFrom('a', 'b', 'c', '', '*', '*', '#', '#'));
const routingKey = keyOf(fc.constantFrom('a', 'b', 'c', '', '*', '#'));

describe('a topic exchange', () => {
  it("routes the animals of RabbitMQ's tutorial", () => {
    const router = topics('*.orange.*', '*.*.rabbit', 'lazy.#');
    expect(namesFor(router, 't', 'quick.orange.rabbit')).toEqual(['*.*.rabbit', '*.orange.*']);
    expect(namesFor(router, 't', 'lazy.orange.elephant')).toEqual(['*.orange.*', 'lazy.#']);
    expect(namesFor(router, 't', 'quick.orange.fox')).toEqual(['*.orange.*']);
    expect(namesFor(router, 't', 'lazy.brown.fox')).toEqual(['lazy.#']);
    expect(namesFor(router, 't', 'lazy.pink.rabbit')).toEqual(['*.*.rabbit', 'lazy.#']);
    expect(namesFor(router, 't', 'quick.brown.fox')).toEqual([]);
    expect(namesFor(router, 't', 'orange')).toEqual([]);
    expect(namesFor(router, 't', 'quick.orange.new.rabbit')).toEqual([]);
    expect(namesFor(router, 't', 'lazy.orange.new.rabbit')).toEqual(['lazy.#']);
  });

  it.each<[pattern: string, key: string, matches: boolean]>([
    ['#', '', true],
    ['#', 'a.b', true],
    ['*', '', false],
    ['*', 'a', true],
    ['', '', true],
    ['', 'a', false],
    ['a.#', 'a', true],
    ['#.a', 'a', true],
    ['a.#.b', 'a.b', true],
    ['a.#.b', 'a.b.c', false],
    ['a.*', 'a.', true],
    ['*.*', '.', true],
    ['a..b', 'a..b', true],
    ['a.*.b', 'a..b', true],
    ['#.#', '', true],
    ['a*', 'ab', false],
    ['a*', 'a*', true],
    ['*.#', '', false],
    ['*.#.*', 'a', false],
  ])('binding key "%s" and routing key "%s": %s', (pattern, key, expected) => {
    expect(namesFor(topics(pattern), 't', key)).toEqual(expected ? [pattern] : []);
  });

  it('matches what a naive matcher matches, while bindings come and go', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ bind: fc.boolean(), key: bindingKey }), { maxLength: 60 }),
        fc.array(routingKey, { minLength: 1, maxLength: 20 }),
        (steps, keys) => {
          const router = new Router<Place>();
          router.addExchange('t', 'topic');
          const places = new Map<string, Place>();
          const bound = new Set<string>();
          for (const { bind, key } of steps) {
            const place = places.get(key) ?? new Place(key);
            places.set(key, place);
            if (bind) {
              expect(router.bind('t', place, key, NO_ARGS)).toBe(!bound.has(key));
              bound.add(key);
            } else expect(router.unbind('t', place, key, NO_ARGS)).toBe(bound.delete(key));
          }
          for (const key of keys) {
            const expected = [...bound].filter((pattern) => matches(wordsOf(pattern), wordsOf(key))).sort();
            expect(namesFor(router, 't', key)).toEqual(expected);
          }
        },
      ),
    );
  });

  it('does not take time exponential in the wildcards', () => {
    const router = topics(...Array.from({ length: 60 }, (_, n) => `${'#.a.'.repeat(n + 1)}#.b`));
    // Backtracking would try every way to place 60 words among 60 wildcards.
    expect(namesFor(router, 't', Array(120).fill('a').join('.'))).toEqual([]);
    expect(namesFor(router, 't', `${Array(60).fill('a').join('.')}.b`)).toHaveLength(60);
  });

  it('has nothing left of bindings that are gone', () => {
    const router = topics('a.*.c', 'a.*', 'a.#.b.c', '#', 'x.y');
    for (const binding of [...router.bindings()]) {
      expect(router.unbindAll(binding.destination)).toEqual([binding]);
    }
    expect(router.bindingCount).toBe(0);
    expect(router.hasBindingsFrom('t')).toBe(false);
    for (const key of ['a.b.c', 'a.b', 'x.y', '']) expect(namesFor(router, 't', key)).toEqual([]);
  });
});
