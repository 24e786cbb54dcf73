import { describe, expect, it } from 'vitest';
import { MessageBytes, type Properties } from '../messages/index.ts';
import type { ExchangeType } from './exchange.ts';
import { exchange, field, message, NO_ARGS, namesFor, namesOf, Place, table } from './fixture.contract.ts';
import { Router } from './router.ts';
import type { HashProperty } from './routing-table.ts';

function routerWith(...exchanges: readonly (readonly [name: string, type: ExchangeType])[]): Router<Place> {
  const router = new Router<Place>();
  for (const [name, type] of exchanges) router.addExchange(name, type);
  return router;
}

const [a, b, c] = ['a', 'b', 'c'].map((name) => new Place(name)) as [Place, Place, Place];

describe('a router', () => {
  it('routes by key through a direct exchange', () => {
    const router = routerWith(['logs', 'direct']);
    router.bind('logs', a, 'error', NO_ARGS);
    router.bind('logs', b, 'error', NO_ARGS);
    router.bind('logs', b, 'info', NO_ARGS);
    expect(namesFor(router, 'logs', 'error')).toEqual(['a', 'b']);
    expect(namesFor(router, 'logs', 'info')).toEqual(['b']);
    expect(namesFor(router, 'logs', 'debug')).toEqual([]);
    expect(namesFor(router, 'other', 'error')).toBe('no exchange');
  });

  it('routes to all through a fanout exchange', () => {
    const router = routerWith(['all', 'fanout']);
    router.bind('all', a, 'ignored', NO_ARGS);
    router.bind('all', b, '', NO_ARGS);
    router.bind('all', b, 'another', NO_ARGS);
    expect(namesFor(router, 'all', 'anything')).toEqual(['a', 'b']);
  });

  it('has each binding once, by source, destination, key and arguments', () => {
    const router = routerWith(['x', 'direct'], ['y', 'direct'], ['a', 'direct']);
    const args = table({ one: 1, two: 'text' });
    expect(router.bind('x', a, 'k', NO_ARGS)).toBe(true);
    expect(router.bind('x', a, 'k', NO_ARGS)).toBe(false);
    expect(router.bind('y', a, 'k', NO_ARGS)).toBe(true);
    expect(router.bind('x', b, 'k', NO_ARGS)).toBe(true);
    expect(router.bind('x', exchange('a'), 'k', NO_ARGS)).toBe(true);
    expect(router.bind('x', a, 'l', NO_ARGS)).toBe(true);
    expect(router.bind('x', a, 'k', args)).toBe(true);
    // The order of arguments does not matter; their types do.
    expect(router.bind('x', a, 'k', table({ two: 'text', one: 1 }))).toBe(false);
    expect(router.bind('x', a, 'k', table({ one: field('l', 1n), two: 'text' }))).toBe(true);
    expect(router.bindingCount).toBe(7);
    expect(router.binding('x', a, 'k', args)?.args).toBe(args);
    expect(router.unbind('x', a, 'k', table({ one: 2 }))).toBe(false);
    expect(router.unbind('x', a, 'k', table({ one: 1, two: 'text' }))).toBe(true);
    expect(router.unbind('x', a, 'k', args)).toBe(false);
    expect(namesFor(router, 'x', 'k')).toEqual(['a', 'b']);
  });

  it('does not take one set of arguments for another', () => {
    const router = routerWith(['x', 'fanout']);
    const tables = [
      {},
      { '': '' },
      { a: '' },
      { a: null },
      { a: 'S' },
      { a: 1 },
      { a: '1' },
      { a: true },
      { a: 'true' },
      { a: 'b', c: 'd' },
      { a: 'b1:cS1:d' },
      { a: field('F', table({ b: 'c' })) },
      { a: field('F', table({ b: null, c: 'd' })) },
      { a: field('A', [field('S', 'b'), field('S', 'c')]) },
      { a: field('A', [field('S', 'bc')]) },
      { a: field('x', Buffer.from('b')) },
      { a: field('D', { scale: 1, digits: 2 }) },
      { a: field('D', { scale: 2, digits: 1 }) },
    ];
    for (const fields of tables) expect(router.bind('x', a, '', table(fields))).toBe(true);
    for (const fields of tables) expect(router.bind('x', a, '', table(fields))).toBe(false);
    expect(router.countFrom('x')).toBe(tables.length);
  });

  it('lists bindings by source and by destination', () => {
    const router = routerWith(['x', 'topic'], ['y', 'fanout']);
    const args = table({ n: 1 });
    router.bind('x', a, 'k.*', args);
    router.bind('x', exchange('y'), '#', NO_ARGS);
    router.bind('y', a, '', NO_ARGS);
    const listing = (bindings: Iterable<{ source: string; destinationName: string; key: string }>) =>
      [...bindings].map(({ source, destinationName, key }) => `${source} ${key}> ${destinationName}`);
    expect(listing(router.bindingsFrom('x'))).toEqual(['x k.*> a', 'x #> y']);
    expect(listing(router.bindingsTo(a))).toEqual(['x k.*> a', 'y > a']);
    expect(listing(router.bindingsTo(exchange('y')))).toEqual(['x #> y']);
    expect(listing(router.bindings())).toHaveLength(3);
    expect(listing(router.bindingsFrom('z'))).toEqual([]);
    expect(router.bindingsTo(b)).toEqual([]);
    expect(router.bindingsTo(a)[0]).toMatchObject({ destination: a, args });
    expect(router.bindingsTo(exchange('y'))[0]?.destination).toEqual({ exchange: 'y' });
    expect([router.countFrom('x'), router.countTo(a), router.countTo(exchange('y'))]).toEqual([2, 2, 1]);
  });

  it('removes an exchange with the bindings from it and to it, and says which', () => {
    const router = routerWith(['x', 'fanout'], ['y', 'fanout'], ['z', 'fanout']);
    router.bind('x', exchange('y'), '', NO_ARGS);
    router.bind('y', exchange('y'), '', NO_ARGS);
    router.bind('y', exchange('z'), '', NO_ARGS);
    router.bind('y', a, '', NO_ARGS);
    router.bind('z', b, '', NO_ARGS);
    expect(namesFor(router, 'x', '')).toEqual(['a', 'b']);
    const removed = router.removeExchange('y');
    expect(removed.map((binding) => `${binding.source}>${binding.destinationName}`).sort()).toEqual([
      'x>y',
      'y>a',
      'y>y',
      'y>z',
    ]);
    expect(router.hasBindingsFrom('x')).toBe(false);
    expect(router.countTo(exchange('z'))).toBe(0);
    expect(namesFor(router, 'x', '')).toEqual([]);
    expect(namesFor(router, 'y', '')).toBe('no exchange');
    expect(router.removeExchange('y')).toEqual([]);
    expect(router.bindingCount).toBe(1);
  });

  it('refuses what there is no exchange for', () => {
    const router = routerWith(['x', 'direct']);
    expect(() => router.bind('none', a, '', NO_ARGS)).toThrow("no exchange 'none'");
    expect(() => router.bind('x', exchange('none'), '', NO_ARGS)).toThrow("no exchange 'none'");
    expect(() => router.setAlternate('none', 'x')).toThrow("no exchange 'none'");
    expect(() => router.addExchange('x', 'fanout')).toThrow("there is an exchange 'x'");
    expect(router.unbind('none', a, '', NO_ARGS)).toBe(false);
    expect(router.unbindAll(a)).toEqual([]);
  });

  it('goes through exchanges, each once however they are bound in circles', () => {
    const router = routerWith(['x', 'direct'], ['y', 'topic'], ['z', 'fanout']);
    router.bind('x', exchange('y'), 'k.1', NO_ARGS);
    router.bind('y', exchange('z'), 'k.*', NO_ARGS);
    router.bind('z', exchange('x'), '', NO_ARGS);
    router.bind('z', exchange('z'), '', NO_ARGS);
    for (const source of ['x', 'y', 'z']) router.bind(source, a, 'k.1', NO_ARGS);
    router.bind('z', b, '', NO_ARGS);
    expect(namesFor(router, 'x', 'k.1')).toEqual(['a', 'b']);
    expect(namesFor(router, 'x', 'k.2')).toEqual([]);
    expect(namesFor(router, 'y', 'k.2')).toEqual(['a', 'b']);
  });

  it('goes to the alternate when nothing matches, and to its alternate', () => {
    const router = routerWith(['y', 'direct'], ['z', 'fanout']);
    router.addExchange('x', 'direct', { alternate: 'y' });
    router.bind('x', a, 'a', NO_ARGS);
    router.bind('y', b, 'b', NO_ARGS);
    router.bind('z', c, '', NO_ARGS);
    router.setAlternate('y', 'z');
    expect(namesFor(router, 'x', 'a')).toEqual(['a']);
    expect(namesFor(router, 'x', 'b')).toEqual(['b']);
    expect(namesFor(router, 'x', 'c')).toEqual(['c']);
    router.setAlternate('z', 'x');
    router.unbindAll(c);
    expect(namesFor(router, 'x', 'c')).toEqual([]);
    router.setAlternate('x', undefined);
    expect(namesFor(router, 'x', 'b')).toEqual([]);
  });

  it('does not go to the alternate when what matched is an exchange where nothing matches', () => {
    const router = routerWith(['empty', 'direct'], ['other', 'fanout']);
    router.addExchange('x', 'fanout', { alternate: 'other' });
    router.bind('other', a, '', NO_ARGS);
    router.bind('x', exchange('empty'), '', NO_ARGS);
    expect(namesFor(router, 'x', 'k')).toEqual([]);
    router.setAlternate('empty', 'other');
    expect(namesFor(router, 'x', 'k')).toEqual(['a']);
  });

  it('knows an alternate as soon as there is one', () => {
    const router = new Router<Place>();
    router.addExchange('x', 'direct', { alternate: 'later' });
    expect(namesFor(router, 'x', 'k')).toEqual([]);
    router.addExchange('later', 'fanout');
    router.bind('later', a, '', NO_ARGS);
    expect(namesFor(router, 'x', 'k')).toEqual(['a']);
    router.removeExchange('later');
    expect(namesFor(router, 'x', 'k')).toEqual([]);
  });

  it('gives the same route, with what was left on it, until something changes', () => {
    const router = routerWith(['x', 'topic']);
    router.bind('x', a, 'k.#', NO_ARGS);
    const route = router.route(message('x', 'k.1'));
    expect(route?.memo).toBeUndefined();
    route!.memo = 'kept';
    expect(router.route(message('x', 'k.1'))).toBe(route);
    // Other keys to the same places are the same route too.
    expect(router.route(message('x', 'k.2'))).toBe(route);
    expect(router.routeKeys('x', ['k.3', 'k.4'])).toBe(route);
    router.bind('x', b, 'k.1', NO_ARGS);
    expect(router.route(message('x', 'k.1'))).not.toBe(route);
  });

  it('forgets a target that is deleted', () => {
    const router = routerWith(['x', 'fanout']);
    router.bind('x', a, '', NO_ARGS);
    const alone = router.route(message('x', ''));
    router.bind('x', b, '', NO_ARGS);
    const both = router.route(message('x', ''));
    expect(router.unbindAll(b)).toHaveLength(1);
    expect(router.route(message('x', ''))).not.toBe(alone);
    expect(namesFor(router, 'x', '')).toEqual(['a']);
    router.bind('x', b, '', NO_ARGS);
    expect(router.route(message('x', ''))).not.toBe(both);
  });

  it('reads exchange and key from the address, wherever that lies', () => {
    const router = routerWith(['x', 'direct'], ['xy', 'direct']);
    router.bind('x', a, 'yk', NO_ARGS);
    router.bind('xy', b, 'k', NO_ARGS);
    const bytes = new MessageBytes();
    bytes.address = Buffer.from('....\u0001x\u0002yk\u0002xy\u0001k....');
    for (let round = 0; round < 2; round++) {
      bytes.addressStart = 4;
      bytes.addressEnd = 9;
      expect(namesOf(router.route(bytes))).toEqual(['a']);
      bytes.addressStart = 9;
      bytes.addressEnd = 14;
      expect(namesOf(router.route(bytes))).toEqual(['b']);
    }
  });

  it('finds routes anew for each message, where they depend on more than the key', () => {
    const router = routerWith(['x', 'direct'], ['h', 'headers']);
    router.bind('x', exchange('h'), 'by headers', NO_ARGS);
    router.bind('x', a, 'by headers', NO_ARGS);
    router.bind('x', a, 'by key', NO_ARGS);
    router.bind('h', b, '', table({ b: true }));
    router.bind('h', c, '', table({ c: true }));
    const to = (key: string, headers: Parameters<typeof table>[0]) =>
      namesOf(router.route(message('x', key, { contentType: 'text', headers: table(headers), messageId: '1' })));
    for (let round = 0; round < 2; round++) {
      expect(to('by headers', { b: true })).toEqual(['a', 'b']);
      expect(to('by headers', { c: true })).toEqual(['a', 'c']);
      expect(to('by headers', { b: true, c: true })).toEqual(['a', 'b', 'c']);
      expect(namesFor(router, 'x', 'by headers')).toEqual(['a']);
      expect(to('by key', { b: true })).toEqual(['a']);
    }
    const route = () => router.route(message('x', 'by headers', { headers: table({ b: true }) }));
    expect(route()).toBe(route());
  });

  it.each<[HashProperty, (value: number) => Properties]>([
    ['correlation_id', (value) => ({ correlationId: `id ${value}`, headers: table({ more: 1 }) })],
    ['message_id', (value) => ({ contentType: 'text', messageId: `id ${value}` })],
    ['timestamp', (value) => ({ timestamp: value })],
  ])('spreads messages by their %s', (hashProperty, properties) => {
    const router = new Router<Place>();
    router.addExchange('x', 'x-consistent-hash', { hashProperty });
    for (const place of [a, b, c]) router.bind('x', place, '1', NO_ARGS);
    const to = (value: number) => namesOf(router.route(message('x', 'same key', properties(value))));
    const values = Array.from({ length: 50 }, (_, value) => value);
    expect(new Set(values.map((value) => String(to(value)))).size).toBe(3);
    for (const value of values) expect(to(value)).toEqual(to(value));
    const without = namesFor(router, 'x', 'some key');
    expect(without).toHaveLength(1);
    expect(namesFor(router, 'x', 'another key')).toEqual(without);
  });

  it('routes by several keys, to the alternate only when none matches', () => {
    const router = routerWith(['other', 'fanout'], ['x', 'direct']);
    router.setAlternate('x', 'other');
    router.bind('x', a, 'a', NO_ARGS);
    router.bind('x', a, 'b', NO_ARGS);
    router.bind('x', b, 'b', NO_ARGS);
    router.bind('other', c, '', NO_ARGS);
    expect(namesOf(router.routeKeys('x', ['a', 'none', 'b']))).toEqual(['a', 'b']);
    expect(namesOf(router.routeKeys('x', ['none', 'a']))).toEqual(['a']);
    expect(namesOf(router.routeKeys('x', ['none', 'neither']))).toEqual(['c']);
    expect(router.routeKeys('none', ['a'])).toBeUndefined();
  });

  it('joins routes, each target once', () => {
    const router = routerWith(['x', 'direct']);
    router.bind('x', a, 'k', NO_ARGS);
    router.bind('x', b, 'k', NO_ARGS);
    const route = router.routeKeys('x', ['k'])!;
    expect(router.union([router.routeTo([a]), router.routeTo([b]), router.routeTo([a])])).toBe(route);
    expect(namesOf(router.union([route, router.routeTo([c])]))).toEqual(['a', 'b', 'c']);
    expect(namesOf(router.union([]))).toEqual([]);
    expect(router.routeTo([c])).toBe(router.routeTo([c]));
  });
});
