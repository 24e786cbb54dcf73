import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FieldTable } from '../messages/index.ts';
import type { ExchangeType } from './exchange.ts';
import { exchange, message, NO_ARGS, namesOf, Place, table, withHeaders } from './fixture.contract.ts';
import { Router } from './router.ts';

// Exchanges, bindings and alternates come and go in whatever order, in circles too; every message goes where the plainest
// search of a list of bindings says that it does.

const TYPES = ['direct', 'fanout', 'topic', 'headers', 'x-consistent-hash'] as const satisfies ExchangeType[];
const EXCHANGES = ['e0', 'e1', 'e2', 'e3'];
const KEYS = ['a', 'b', 'a.b', ''];
const BINDING_KEYS = [...KEYS, 'a.*', '#', '#.b'];
/** Some that a message can be compared by, though nothing else of it be. */
const HEADERS: readonly FieldTable[] = [NO_ARGS, table({ h: 1 }), table({ h: 2, i: 1 })];
const ARGS: readonly FieldTable[] = [...HEADERS, table({ 'x-match': 'any', h: 1, i: 1 })];

interface Bound {
  readonly source: string;
  readonly destination: Place | string;
  readonly key: string;
  readonly args: FieldTable;
}

type Step =
  | {
      readonly do: 'add';
      readonly exchange: string;
      readonly type: ExchangeType;
      readonly alternate: string | undefined;
    }
  | { readonly do: 'remove'; readonly exchange: string }
  | { readonly do: 'alternate'; readonly exchange: string; readonly alternate: string | undefined }
  | {
      readonly do: 'bind' | 'unbind';
      readonly source: string;
      readonly to: number;
      readonly key: string;
      readonly args: FieldTable;
    }
  | { readonly do: 'unbind all'; readonly to: number };

/** What there is at first: alternates and circles do nothing while exchanges are few. */
const beginning = fc.array(fc.tuple(fc.constantFrom(...TYPES), fc.option(fc.constantFrom(...EXCHANGES))), {
  minLength: EXCHANGES.length,
  maxLength: EXCHANGES.length,
});
const someExchange = fc.constantFrom(...EXCHANGES);
const alternate = fc.option(fc.constantFrom(...EXCHANGES, 'nowhere'), { nil: undefined });
const to = fc.nat({ max: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      exchange: someExchange,
      type: fc.constantFrom(...TYPES),
      alternate,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), exchange: someExchange }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('alternate' as const), exchange: someExchange, alternate }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom('bind' as const, 'bind' as const, 'unbind' as const),
      source: someExchange,
      to,
      key: fc.constantFrom(...BINDING_KEYS),
      args: fc.constantFrom(...ARGS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unbind all' as const), to }) },
);

class Model {
  readonly router = new Router<Place>();
  readonly #places = ['p0', 'p1', 'p2'].map((name) => new Place(name));
  readonly #exchanges = new Map<string, { readonly type: ExchangeType; alternate: string | undefined }>();
  #bindings: Bound[] = [];

  do(step: Step): void {
    switch (step.do) {
      case 'add':
        if (this.#exchanges.has(step.exchange)) return;
        this.#exchanges.set(step.exchange, { type: step.type, alternate: step.alternate });
        this.router.addExchange(step.exchange, step.type, { alternate: step.alternate });
        return;
      case 'remove': {
        this.#exchanges.delete(step.exchange);
        const gone = this.#take(({ source, destination }) => source === step.exchange || destination === step.exchange);
        expect(this.router.removeExchange(step.exchange)).toHaveLength(gone);
        return;
      }
      case 'alternate': {
        const known = this.#exchanges.get(step.exchange);
        if (known === undefined) return;
        known.alternate = step.alternate;
        this.router.setAlternate(step.exchange, step.alternate);
        return;
      }
      case 'unbind all': {
        const destination = this.#destination(step.to);
        const gone = this.#take((bound) => bound.destination === destination);
        expect(this.router.unbindAll(asDestination(destination))).toHaveLength(gone);
        return;
      }
      default:
        this.#bindOrUnbind(step);
    }
  }

  look(): void {
    expect(this.router.bindingCount).toBe(this.#bindings.length);
    for (const name of EXCHANGES) {
      expect(this.router.countFrom(name)).toBe(this.#bindings.filter(({ source }) => source === name).length);
      for (const key of KEYS) {
        for (const headers of HEADERS) {
          const route = this.router.route(message(name, key, { headers }));
          expect(namesOf(route)).toEqual(this.#search(name, [key], headers));
        }
      }
      for (const headers of HEADERS) {
        const keys = ['a', 'b'];
        const route = this.router.routeKeys(name, keys, withHeaders(headers));
        expect(namesOf(route)).toEqual(this.#search(name, keys, headers));
        this.#explain(name, keys, headers);
      }
    }
  }

  /** What is explained is what would happen, with a way to each place that is one. */
  #explain(name: string, keys: readonly string[], headers: FieldTable): void {
    const explained = this.router.explain(name, keys, withHeaders(headers));
    expect(explained?.reached.map(({ target }) => target.name).sort() ?? 'no exchange').toEqual(
      this.#search(name, keys, headers),
    );
    for (const { target, paths } of explained?.reached ?? []) {
      for (const path of paths) {
        expect(path[0]?.from).toBe(name);
        expect(path.at(-1)?.to).toBe(target.name);
        for (const [at, { from }] of path.slice(1).entries()) expect(from).toBe(path[at]?.to);
      }
    }
    for (const { bindings, isDeadEnd, alternateUse } of explained?.exchanges ?? []) {
      const matches = bindings.some((binding) => binding.matches);
      expect(isDeadEnd).toBe(!matches && alternateUse !== 'followed');
    }
  }

  #bindOrUnbind({ do: what, source, to, key, args }: Extract<Step, { source: string }>): void {
    const destination = this.#destination(to);
    const type = this.#exchanges.get(source)?.type;
    if (type === undefined || (typeof destination === 'string' && !this.#exchanges.has(destination))) return;
    const bound = { source, destination, key: type === 'x-consistent-hash' ? '1' : key, args };
    const same = (other: Bound) =>
      other.source === source && other.destination === destination && other.key === bound.key && other.args === args;
    const there = this.#bindings.some(same);
    if (what === 'bind') {
      expect(this.router.bind(source, asDestination(destination), bound.key, args)).toBe(!there);
      if (!there) this.#bindings.push(bound);
    } else {
      expect(this.router.unbind(source, asDestination(destination), bound.key, args)).toBe(there);
      this.#take(same);
    }
  }

  #destination(to: number): Place | string {
    return this.#places[to] ?? EXCHANGES[to - this.#places.length] ?? '';
  }

  #take(which: (bound: Bound) => boolean): number {
    const before = this.#bindings.length;
    this.#bindings = this.#bindings.filter((bound) => !which(bound));
    return before - this.#bindings.length;
  }

  #search(start: string, keys: readonly string[], headers: FieldTable): readonly string[] | 'no exchange' {
    if (!this.#exchanges.has(start)) return 'no exchange';
    const seen = new Set<string>([start]);
    const places = new Set<string>();
    // Sets are gone through with what is added meanwhile.
    for (const name of seen) {
      const known = this.#exchanges.get(name);
      if (known === undefined) continue;
      const matching = this.#matching(name, known.type, keys, headers);
      for (const { destination } of matching) {
        if (typeof destination === 'string') seen.add(destination);
        else places.add(destination.name);
      }
      if (matching.length === 0 && known.alternate !== undefined) seen.add(known.alternate);
    }
    return [...places].sort();
  }

  #matching(name: string, type: ExchangeType, keys: readonly string[], headers: FieldTable): readonly Bound[] {
    const bound = this.#bindings.filter(({ source }) => source === name);
    switch (type) {
      case 'direct':
        return bound.filter(({ key }) => keys.includes(key));
      case 'topic':
        return bound.filter(({ key }) => keys.some((routingKey) => expressionOf(key).test(`.${routingKey}`)));
      case 'headers':
        return bound.filter(({ args }) => hasHeaders(args, headers));
      case 'x-consistent-hash':
        return this.#hashed(bound, keys);
      default:
        return bound;
    }
  }

  /** What a router does that has nothing else in it: how it spreads is proven elsewhere. */
  #hashed(bound: readonly Bound[], keys: readonly string[]): readonly Bound[] {
    const router = new Router<Place>();
    router.addExchange('h', 'x-consistent-hash');
    for (const name of EXCHANGES) router.addExchange(name, 'fanout');
    for (const { destination, key, args } of bound) router.bind('h', asDestination(destination), key, args);
    for (const name of EXCHANGES) router.bind(name, new Place(`exchange ${name}`), '', NO_ARGS);
    const [chosen] = namesOf(router.routeKeys('h', keys));
    return bound.filter(({ destination }) =>
      typeof destination === 'string' ? chosen === `exchange ${destination}` : chosen === destination.name,
    );
  }
}

function asDestination(destination: Place | string): Place | { readonly exchange: string } {
  return typeof destination === 'string' ? exchange(destination) : destination;
}

/** For routing keys that have a dot ahead, and no other characters than letters. */
function expressionOf(key: string): RegExp {
  const words = key === '' ? [] : key.split('.');
  const parts = words.map((word) => (word === '#' ? '(\\.[a-z]+)*' : word === '*' ? '\\.[a-z]+' : `\\.${word}`));
  return new RegExp(`^${parts.join('')}${words.length === 0 || words.every((word) => word === '#') ? '\\.?' : ''}$`);
}

function hasHeaders(args: FieldTable, headers: FieldTable): boolean {
  const wanted = [...args].filter(([name]) => name !== 'x-match');
  const has = wanted.filter(([name, { value }]) => headers.get(name)?.value === value).length;
  return args.has('x-match') ? has > 0 : has === wanted.length;
}

it('routes as a search of a list of bindings does, whatever changes, and never by what was', () => {
  fc.assert(
    fc.property(beginning, fc.array(step, { maxLength: 40 }), (exchanges, steps) => {
      const model = new Model();
      for (const [at, [type, alternate]] of exchanges.entries()) {
        model.do({ do: 'add', exchange: EXCHANGES[at]!, type, alternate: alternate ?? undefined });
      }
      for (const each of steps) {
        model.do(each);
        model.look();
      }
    }),
    { numRuns: 150 },
  );
});
