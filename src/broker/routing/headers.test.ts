import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Field, FieldTable } from '../messages/index.ts';
import { field, namesOf, Place, table, withHeaders } from './fixture.contract.ts';
import { Router } from './router.ts';

type Fields = Parameters<typeof table>[0];

function headersExchange(bindings: Readonly<Record<string, Fields>>): Router<Place> {
  const router = new Router<Place>();
  router.addExchange('h', 'headers');
  for (const [name, args] of Object.entries(bindings)) router.bind('h', new Place(name), '', table(args));
  return router;
}

function matched(args: Fields, headers: Fields): boolean {
  const route = headersExchange({ it: args }).routeKeys('h', ['key'], withHeaders(table(headers)));
  return namesOf(route).length === 1;
}

describe('a headers exchange', () => {
  it('wants all headers, or any', () => {
    const router = headersExchange({
      all: { 'x-match': 'all', format: 'pdf', type: 'report' },
      any: { 'x-match': 'any', format: 'pdf', type: 'log' },
      default: { format: 'zip', type: 'report' },
    });
    const to = (headers: Fields) => namesOf(router.routeKeys('h', [''], withHeaders(table(headers))));
    expect(to({ format: 'pdf', type: 'report' })).toEqual(['all', 'any']);
    expect(to({ format: 'pdf', type: 'log', more: 1 })).toEqual(['any']);
    expect(to({ format: 'zip', type: 'report' })).toEqual(['default']);
    expect(to({ format: 'zip', type: 'log' })).toEqual(['any']);
    expect(to({ format: 'zip' })).toEqual([]);
    expect(to({})).toEqual([]);
  });

  it.each<[why: string, args: Fields, headers: Fields, matches: boolean]>([
    ['a binding without arguments matches everything', {}, { a: 1 }, true],
    ['all of nothing is everything', { 'x-match': 'all' }, {}, true],
    ['any of nothing is nothing', { 'x-match': 'any' }, { a: 1 }, false],
    ['x- headers are ignored by all', { 'x-match': 'all', 'x-a': 1, b: 2 }, { b: 2 }, true],
    ['x- headers are ignored by any', { 'x-match': 'any', 'x-a': 1, b: 2 }, { 'x-a': 1 }, false],
    ['x- headers alone are nothing to all', { 'x-match': 'all', 'x-a': 1 }, {}, true],
    ['x- headers count with all-with-x', { 'x-match': 'all-with-x', 'x-a': 1, b: 2 }, { b: 2 }, false],
    ['x- headers count with all-with-x', { 'x-match': 'all-with-x', 'x-a': 1, b: 2 }, { 'x-a': 1, b: 2 }, true],
    ['x- headers count with any-with-x', { 'x-match': 'any-with-x', 'x-a': 1, b: 2 }, { 'x-a': 1 }, true],
    ['x-match itself never counts', { 'x-match': 'any-with-x' }, { 'x-match': 'any-with-x' }, false],
    ['void asks for presence', { a: null }, { a: 'whatever' }, true],
    ['void asks for presence, of any type', { a: null }, { a: null }, true],
    ['void asks for presence', { a: null }, { b: 1 }, false],
    ['void asks any for presence', { 'x-match': 'any', a: null, b: 1 }, { a: 5 }, true],
    ['a value is not void', { a: 1 }, { a: null }, false],
    ['integers are the same in any type', { a: field('l', 7n) }, { a: field('b', 7) }, true],
    ['integers are not strings', { a: 7 }, { a: '7' }, false],
    ['integers are not fractions', { a: 1 }, { a: field('d', 1) }, false],
    ['fractions are the same in any type', { a: field('f', 0.5) }, { a: field('d', 0.5) }, true],
    ['booleans', { a: true }, { a: true }, true],
    ['booleans', { a: true }, { a: false }, false],
    ['booleans are not integers', { a: true }, { a: 1 }, false],
    ['strings are bytes', { a: 'text' }, { a: field('x', Buffer.from('text')) }, true],
    ['arrays', { a: field('A', [field('I', 1)]) }, { a: field('A', [field('I', 1)]) }, true],
    [
      'arrays in order',
      { a: field('A', [field('I', 1), field('I', 2)]) },
      { a: field('A', [field('I', 2), field('I', 1)]) },
      false,
    ],
    ['tables', { a: field('F', table({ b: 'c' })) }, { a: field('F', table({ b: 'c' })) }, true],
    ['tables', { a: field('F', table({ b: 'c' })) }, { a: field('F', table({ b: 'd' })) }, false],
  ])('%s', (_why, args, headers, expected) => {
    expect(matched(args, headers)).toBe(expected);
  });

  it("refuses an x-match that it does not know, in RabbitMQ's words", () => {
    const refused = (args: Fields) => () => headersExchange({ it: args });
    expect(refused({ 'x-match': 'some' })).toThrow(
      'Invalid x-match field value <<"some">>; expected all, any, all-with-x, or any-with-x',
    );
    expect(refused({ 'x-match': 1 })).toThrow('Invalid x-match field type signedint (value 1); expected longstr');
    expect(refused({ 'x-match': true })).toThrow('Invalid x-match field type bool (value true); expected longstr');
  });

  it('gives the same route to messages that go to the same places', () => {
    const router = headersExchange({
      any: { 'x-match': 'any', a: 1, b: 1 },
      b: { b: 1 },
      c: { c: null },
    });
    const route = (headers: Fields) => router.routeKeys('h', ['k'], withHeaders(table(headers)));
    expect(route({ a: 1, c: 1 })).not.toBe(route({ a: 1 }));
    expect(route({ a: 1, c: 1 })).toBe(route({ c: 2, a: 1, z: 9 }));
    expect(route({ c: 1, b: 1 })).toBe(route({ b: 1, c: 'x' }));
    expect(route({ z: 1 })).toBe(route({}));
  });

  it('matches what a look at every binding matches, while bindings come and go', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'x-d', 'x-e');
    const value = fc.constantFrom<Field>(field('V', null), field('S', '1'), field('I', 1), field('t', true));
    const headers = fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true });
    const mode = fc.constantFrom('all', 'any', 'all-with-x', 'any-with-x', undefined);
    const args = fc.tuple(mode, headers).map(([match, fields]) => (match ? { ...fields, 'x-match': match } : fields));
    fc.assert(
      fc.property(
        fc.array(fc.record({ bind: fc.boolean(), args, place: fc.nat(2) }), { maxLength: 30 }),
        fc.array(headers, { minLength: 1, maxLength: 10 }),
        (steps, messages) => {
          const router = new Router<Place>();
          router.addExchange('h', 'headers');
          const places = [new Place('p0'), new Place('p1'), new Place('p2')];
          for (const { bind, args: fields, place } of steps) {
            if (bind) router.bind('h', places[place]!, '', table(fields));
            else router.unbind('h', places[place]!, '', table(fields));
          }
          for (const fields of messages) {
            const expected = new Set<string>();
            for (const binding of router.bindings()) {
              if (naive(binding.args, table(fields))) expected.add(binding.destinationName);
            }
            expect(namesOf(router.routeKeys('h', [''], withHeaders(table(fields))))).toEqual([...expected].sort());
          }
        },
      ),
    );
  });
});

function naive(args: FieldTable, headers: FieldTable): boolean {
  const mode = args.get('x-match')?.value ?? 'all';
  const withX = mode === 'all-with-x' || mode === 'any-with-x';
  const wanted = [...args].filter(([name]) => name !== 'x-match' && (withX || !name.startsWith('x-')));
  const has = ([name, asked]: readonly [string, Field]) => {
    const there = headers.get(name);
    return there !== undefined && (asked.type === 'V' || (asked.type === there.type && asked.value === there.value));
  };
  return mode === 'all' || mode === 'all-with-x' ? wanted.every(has) : wanted.some(has);
}
