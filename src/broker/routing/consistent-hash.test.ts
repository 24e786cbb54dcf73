import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exchange,
  field,
  NO_ARGS,
  namesFor,
  namesOf,
  Place,
  table,
  withHeaders,
  withProperty,
} from './fixture.contract.ts';
import { Router } from './router.ts';

const KEYS = Array.from({ length: 20_000 }, (_, n) => `key-${n}`);

function hashing(weights: Readonly<Record<string, number>>): Router<Place> {
  const router = new Router<Place>();
  router.addExchange('h', 'x-consistent-hash');
  for (const [name, weight] of Object.entries(weights)) router.bind('h', new Place(name), String(weight), NO_ARGS);
  return router;
}

const places = (router: Router<Place>, keys = KEYS) => keys.map((key) => namesFor(router, 'h', key)[0] ?? 'nowhere');

function counts(names: readonly string[]): Map<string, number> {
  const count = new Map<string, number>();
  for (const name of names) count.set(name, (count.get(name) ?? 0) + 1);
  return count;
}

describe('a consistent hash exchange', () => {
  it('routes to one destination, the same for the same key', () => {
    const router = hashing({ a: 1, b: 1, c: 1 });
    for (const key of KEYS.slice(0, 100)) {
      const once = namesFor(router, 'h', key);
      expect(once).toHaveLength(1);
      expect(namesFor(hashing({ c: 1, b: 1, a: 1 }), 'h', key)).toEqual(once);
    }
    expect(namesFor(hashing({}), 'h', 'key')).toEqual([]);
  });

  it.each<Readonly<Record<string, number>>>([
    { a: 1, b: 1, c: 1, d: 1 },
    { 'queue-1': 10, 'queue-2': 10, 'queue-3': 10 },
    { q0: 1, q1: 1, q2: 2, q3: 2 },
    { small: 1, large: 99 },
    Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`queue-${n}`, 1 + (n % 5)])),
  ])('gives shares by weight: %j', (weights) => {
    const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
    const count = counts(places(hashing(weights)));
    for (const [name, weight] of Object.entries(weights)) {
      const share = (KEYS.length * weight) / total;
      // Five standard deviations of what chance would give.
      expect(Math.abs((count.get(name) ?? 0) - share)).toBeLessThan(5 * Math.sqrt(share));
    }
  });

  it('moves only the share of what is added or removed', () => {
    const weights = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.integer({ min: 1, max: 20 }), {
      minKeys: 1,
      maxKeys: 8,
      noNullPrototype: true,
    });
    const few = KEYS.slice(0, 1_000);
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 20 }), (before, weight) => {
        const router = hashing(before);
        const added = new Place('ADDED');
        const first = places(router, few);
        router.bind('h', added, String(weight), NO_ARGS);
        const second = places(router, few);
        // Not an expectation for each of so many.
        expect(second.every((name, at) => name === first[at] || name === added.name)).toBe(true);
        router.unbindAll(added);
        expect(places(router, few)).toEqual(first);
      }),
    );
  });

  it('counts a destination once, with the weight of the binding that was there first', () => {
    const router = new Router<Place>();
    router.addExchange('h', 'x-consistent-hash');
    const [a, b] = [new Place('a'), new Place('b')];
    router.bind('h', a, '1', NO_ARGS);
    router.bind('h', b, '1', NO_ARGS);
    const first = places(router);
    router.bind('h', a, '100', NO_ARGS);
    expect(places(router)).toEqual(first);
    router.unbind('h', a, '1', NO_ARGS);
    expect(counts(places(router)).get('a')).toBeGreaterThan(0.95 * KEYS.length);
    router.unbind('h', a, '100', NO_ARGS);
    expect(counts(places(router)).get('b')).toBe(KEYS.length);
  });

  it.each<[key: string, refusal: string]>([
    ['abc', 'The binding key must be an integer: <<"abc">>'],
    ['', 'The binding key must be an integer: <<>>'],
    ['1.5', 'The binding key must be an integer: <<"1.5">>'],
    [' 1', 'The binding key must be an integer: <<" 1">>'],
    ['été', 'The binding key must be an integer: <<"été"/utf8>>'],
    ['жук', 'The binding key must be an integer: <<208,182,209,131,208,186>>'],
    ['a"\n', 'The binding key must be an integer: <<"a\\"\\n">>'],
    ['0', 'The binding key must be greater than 0'],
    ['-3', 'The binding key must be greater than 0'],
    ['10001', 'The binding key must not exceed 10000'],
  ])('refuses the weight "%s" as RabbitMQ does', (key, refusal) => {
    const router = hashing({});
    expect(() => router.checkBinding('h', key, NO_ARGS)).toThrow(refusal);
    expect(() => router.bind('h', new Place('q'), key, NO_ARGS)).toThrow(refusal);
    expect(router.bindingCount).toBe(0);
  });

  it('takes any way to write an integer that Erlang takes', () => {
    const router = hashing({});
    for (const key of ['+7', '007', '10000']) expect(router.bind('h', new Place(key), key, NO_ARGS)).toBe(true);
  });

  it('hashes a header, and treats all messages without it alike', () => {
    const router = new Router<Place>();
    router.addExchange('h', 'x-consistent-hash', { hashHeader: 'on' });
    for (const name of ['a', 'b', 'c']) router.bind('h', new Place(name), '1', NO_ARGS);
    const to = (key: string, fields: Parameters<typeof table>[0]) =>
      namesOf(router.routeKeys('h', [key], withHeaders(table(fields))))[0];
    expect(new Set(KEYS.map((key) => to('same', { on: key })))).toEqual(new Set(['a', 'b', 'c']));
    expect(new Set(KEYS.map((key) => to(key, { on: 'same' }))).size).toBe(1);
    expect(new Set(KEYS.map((key) => to(key, { off: key }))).size).toBe(1);
    expect(to('', { on: 5 })).toBe(to('', { on: field('l', 5n) }));
    expect(to('', { on: field('A', []) })).toBeDefined();
  });

  it('hashes a property', () => {
    const router = new Router<Place>();
    router.addExchange('h', 'x-consistent-hash', { hashProperty: 'message_id' });
    for (const name of ['a', 'b', 'c']) router.bind('h', new Place(name), '1', NO_ARGS);
    const to = (key: string, id: string) => namesOf(router.routeKeys('h', [key], withProperty('message_id', id)))[0];
    expect(new Set(KEYS.map((key) => to('same', key)))).toEqual(new Set(['a', 'b', 'c']));
    expect(new Set(KEYS.map((key) => to(key, 'same'))).size).toBe(1);
  });

  it("refuses arguments in the plugin's words", () => {
    const router = new Router<Place>();
    expect(() => router.addExchange('h', 'x-consistent-hash', { hashProperty: 'app_id' })).toThrow(
      'Unsupported property: app_id',
    );
    const both = { hashProperty: 'message_id', hashHeader: 'x' };
    expect(() => router.checkExchange('x-consistent-hash', both)).toThrow(
      'hash-header and hash-property are mutually exclusive',
    );
    // Other types have no such arguments.
    router.addExchange('d', 'direct', both);
    expect(router.hasExchange('h')).toBe(false);
  });

  it('spreads over exchanges as over queues', () => {
    const router = hashing({ a: 1 });
    router.addExchange('f', 'fanout');
    router.bind('h', exchange('f'), '1', NO_ARGS);
    const [x, y] = [new Place('x'), new Place('y')];
    router.bind('f', x, '', NO_ARGS);
    router.bind('f', y, '', NO_ARGS);
    const seen = new Set(KEYS.slice(0, 100).map((key) => String(namesFor(router, 'h', key))));
    expect(seen).toEqual(new Set(['a', 'x,y']));
  });
});
