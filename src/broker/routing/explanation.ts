import { stringOf } from '../messages/index.ts';
import type { Binding, Bindings, Endpoint, Named } from './binding.ts';
import type { Exchange, ExchangeType } from './exchange.ts';
import { comparableText } from './field-identity.ts';
import type { MessageAttributes, Search } from './routing-table.ts';

/** Why a binding matches a message, or does not. */
export type MatchReason =
  /** A fanout exchange asks for nothing. */
  | 'always'
  | 'key-equals'
  | 'key-differs'
  | 'pattern-matches'
  | 'pattern-differs'
  | 'headers-match'
  | 'header-missing'
  | 'header-differs'
  /** `any` of them would do, and none is there. */
  | 'no-header-matches'
  | 'hash-chosen'
  | 'hash-chose-another';

export interface ExplainedBinding<Target extends Named> {
  readonly binding: Binding<Target>;
  readonly matches: boolean;
  readonly reason: MatchReason;
  /** The header that decided. */
  readonly header?: string;
}

/** One exchange that the message comes to. */
export interface ExplainedExchange<Target extends Named> {
  readonly name: string;
  readonly type: ExchangeType;
  /** Those that match come first; of the others as many as there is room for. */
  readonly bindings: readonly ExplainedBinding<Target>[];
  readonly unmatchedCount: number;
  /** Where it goes because nothing matches. */
  readonly alternate: string | undefined;
  /** There is an alternate, which is not needed, or does not exist. */
  readonly alternateUse: 'followed' | 'not-needed' | 'missing' | 'none';
  /** Nothing matches, and there is nowhere else to go. */
  readonly isDeadEnd: boolean;
}

/** One step from an exchange: by a binding, or to the alternate. */
export interface Step {
  readonly from: string;
  readonly via: 'binding' | 'alternate';
  /** Of the binding. */
  readonly key: string | undefined;
  /** An exchange, or at the end a target. */
  readonly to: string;
}

export interface Reached<Target extends Named> {
  readonly target: Target;
  /** The ways to it, shortest first; as many as there is room for. */
  readonly paths: readonly (readonly Step[])[];
}

/** Where a message would go, and why. */
export interface RouteExplanation<Target extends Named = Named> {
  /** In the order in which the message comes to them. */
  readonly exchanges: readonly ExplainedExchange<Target>[];
  readonly reached: readonly Reached<Target>[];
  /** There was more than is told. */
  readonly isCut: boolean;
}

/** Bindings that do not match which are told of, in all. */
const MAX_UNMATCHED = 1000;
const MAX_MATCHED = 5000;
const MAX_PATHS_TO_ONE = 10;
/** Ways that are gone while paths are looked for. */
const MAX_STEPS = 20_000;

/** What one table finds. */
class Matches<Target extends Named> implements Search<Target> {
  readonly keys: readonly string[];
  readonly matching = new Set<Binding<Target>>();
  readonly #attributes: MessageAttributes;

  constructor(keys: readonly string[], attributes: MessageAttributes) {
    this.keys = keys;
    this.#attributes = attributes;
  }

  attributes(): MessageAttributes {
    return this.#attributes;
  }

  found(binding: Binding<Target>): void {
    this.matching.add(binding);
  }

  foundAll(bindings: Bindings<Target>): void {
    if (bindings instanceof Set) for (const binding of bindings) this.found(binding);
    else if (bindings !== undefined) this.found(bindings);
  }
}

interface Edge<Target extends Named> {
  readonly step: Step;
  readonly to: Endpoint<Target>;
}

/** Goes the way of a message as `GraphSearch` does, and notes why. */
export function explainRoute<Target extends Named>(
  start: Exchange<Target>,
  exchanges: ReadonlyMap<string, Exchange<Target>>,
  keys: readonly string[],
  attributes: MessageAttributes,
): RouteExplanation<Target> {
  const met = new Set([start]);
  const explained: ExplainedExchange<Target>[] = [];
  const edges = new Map<Exchange<Target>, readonly Edge<Target>[]>();
  let [unmatchedRoom, matchedRoom, isCut] = [MAX_UNMATCHED, MAX_MATCHED, false];
  // A set shows what is added while it is gone through.
  for (const exchange of met) {
    const search = new Matches<Target>(keys, attributes);
    exchange.table.match(search);
    const { matching } = search;
    const own: Edge<Target>[] = [];
    const shown: ExplainedBinding<Target>[] = [];
    for (const binding of matching) {
      const { endpoint, key, destinationName: to } = binding;
      if (endpoint.exchange !== undefined) met.add(endpoint.exchange);
      own.push({ step: { from: exchange.name, via: 'binding', key, to }, to: endpoint });
      if (matchedRoom-- > 0) shown.push({ binding, matches: true, ...whyMatched(exchange.type, binding) });
      else isCut = true;
    }
    for (const binding of exchange.bindings.values()) {
      if (matching.has(binding)) continue;
      if (unmatchedRoom-- <= 0) {
        isCut = true;
        break;
      }
      shown.push({ binding, matches: false, ...whyNot(exchange.type, binding, attributes) });
    }
    const alternate = exchange.alternate === undefined ? undefined : exchanges.get(exchange.alternate);
    const alternateUse = useOf(exchange, alternate, matching.size);
    if (alternateUse === 'followed' && alternate !== undefined) {
      met.add(alternate);
      const step: Step = { from: exchange.name, via: 'alternate', key: undefined, to: alternate.name };
      own.push({ step, to: alternate.endpoint });
    }
    edges.set(exchange, own);
    explained.push({
      name: exchange.name,
      type: exchange.type,
      bindings: shown,
      unmatchedCount: exchange.bindings.size - matching.size,
      alternate: exchange.alternate,
      alternateUse,
      isDeadEnd: own.length === 0,
    });
  }
  const paths = pathsFrom(start, edges);
  return { exchanges: explained, reached: paths.reached, isCut: isCut || paths.isCut };
}

function useOf<Target extends Named>(
  exchange: Exchange<Target>,
  alternate: Exchange<Target> | undefined,
  matched: number,
): ExplainedExchange<Target>['alternateUse'] {
  if (exchange.alternate === undefined) return 'none';
  if (matched > 0) return 'not-needed';
  return alternate === undefined ? 'missing' : 'followed';
}

/** All ways that go through no exchange twice, breadth first, within bounds. */
function pathsFrom<Target extends Named>(
  start: Exchange<Target>,
  edges: ReadonlyMap<Exchange<Target>, readonly Edge<Target>[]>,
): { readonly reached: readonly Reached<Target>[]; readonly isCut: boolean } {
  const found = new Map<Target, (readonly Step[])[]>();
  let steps = 0;
  let isCut = false;
  let front: {
    readonly at: Exchange<Target>;
    readonly path: readonly Step[];
    readonly through: ReadonlySet<string>;
  }[] = [{ at: start, path: [], through: new Set([start.name]) }];
  /** The first ways, on which everything lies that is reached, have to be gone whatever the bound. */
  const seen = new Set([start]);
  while (front.length > 0) {
    const next: typeof front = [];
    for (const { at, path, through } of front) {
      for (const { step, to } of edges.get(at) ?? []) {
        const beyond = ++steps > MAX_STEPS;
        isCut ||= beyond;
        const way = [...path, step];
        if (to.exchange === undefined) {
          // Not an exchange, so a target.
          const target = to.destination as Target;
          const ways = found.get(target);
          if (ways === undefined) found.set(target, [way]);
          else if (!beyond && ways.length < MAX_PATHS_TO_ONE) ways.push(way);
          else isCut = true;
        } else if (!through.has(to.exchange.name) && (!beyond || !seen.has(to.exchange))) {
          seen.add(to.exchange);
          next.push({ at: to.exchange, path: way, through: new Set([...through, to.exchange.name]) });
        }
      }
    }
    front = next;
  }
  return { reached: Array.from(found, ([target, paths]) => ({ target, paths })), isCut };
}

type Why = Pick<ExplainedBinding<Named>, 'reason' | 'header'>;

function whyMatched(type: ExchangeType, { key }: Pick<Binding<Named>, 'key'>): Why {
  switch (type) {
    case 'fanout':
      return { reason: 'always' };
    case 'direct':
      return { reason: 'key-equals' };
    case 'topic':
      return { reason: /(^|\.)[*#](\.|$)/.test(key) ? 'pattern-matches' : 'key-equals' };
    case 'headers':
      return { reason: 'headers-match' };
    case 'x-consistent-hash':
      return { reason: 'hash-chosen' };
  }
}

function whyNot(
  type: ExchangeType,
  { key, args }: Pick<Binding<Named>, 'key' | 'args'>,
  message: MessageAttributes,
): Why {
  switch (type) {
    case 'topic':
      return { reason: /(^|\.)[*#](\.|$)/.test(key) ? 'pattern-differs' : 'key-differs' };
    case 'headers':
      return whyNotHeaders(args, message);
    case 'x-consistent-hash':
      return { reason: 'hash-chose-another' };
    default:
      return { reason: 'key-differs' };
  }
}

function whyNotHeaders(args: Binding<Named>['args'], message: MessageAttributes): Why {
  const mode = stringOf(args.get('x-match')) ?? 'all';
  if (mode.startsWith('any')) return { reason: 'no-header-matches' };
  const headers = message.headers();
  for (const [name, wanted] of args) {
    if (name === 'x-match' || (!mode.endsWith('-with-x') && name.startsWith('x-'))) continue;
    const field = headers?.get(name);
    if (field === undefined) return { reason: 'header-missing', header: name };
    if (wanted.type !== 'V' && comparableText(field) !== comparableText(wanted))
      return { reason: 'header-differs', header: name };
  }
  return { reason: 'header-missing' };
}
