import { BrokerError } from '../../errors.ts';
import { type Binding, type Bindings, listed, minus, type Named, plus } from './binding.ts';
import { erlangBinary } from './erlang-text.ts';
import type { ExchangeOptions } from './exchange.ts';
import { comparableText } from './field-identity.ts';
import type { HashProperty, RoutingTable, Search } from './routing-table.ts';

/*
 * Each message goes to one destination, by the hash of its routing key (or of a header, or of a property); the binding key is
 * the destination's weight. As in RabbitMQ's plugin, a destination has one share however often it is bound: the
 * weight of the binding that was there first; and messages without the header or the property all go to the same destination.
 *
 * The destination is the one that scores highest for the hash (weighted rendezvous hashing: D. Thaler and C. Ravishankar, "Using
 * name-based mappings to increase hit rates", 1998; weights as in J. Schindelhauer and G. Schomaker, "Weighted distributed hash tables", 2005). Shares
 * are exactly proportional to the weights, whoever is added or removed moves only its own share, and as scores come from the
 * destinations' names, a key goes to the same place after a restart. It costs a look at every destination, a few nanoseconds each.
 */

const MAX_WEIGHT = 10_000;
const PROPERTIES: readonly string[] = ['correlation_id', 'message_id', 'timestamp'] satisfies HashProperty[];
/** What Erlang reads as an integer. */
const INTEGER = /^[+-]?\d+$/;

/** A destination that has a share. */
interface Member<Target extends Named> {
  readonly seed: number;
  weight: number;
  /** Those to this destination, the one that gives the weight first. */
  bindings: Bindings<Target>;
}

export class ConsistentHashTable<Target extends Named> implements RoutingTable<Target> {
  readonly #header: string | undefined;
  readonly #property: HashProperty | undefined;
  readonly #members = new Map<Binding<Target>['endpoint'], Member<Target>>();
  /** The same, for going through them. */
  #list: readonly Member<Target>[] | undefined;
  #sameWeights = true;

  constructor(options: ExchangeOptions) {
    ConsistentHashTable.checkOptions(options);
    this.#header = options.hashHeader;
    // Was checked to be one of them.
    this.#property = options.hashProperty as HashProperty | undefined;
  }

  static checkOptions({ hashHeader, hashProperty }: ExchangeOptions): void {
    if (hashProperty === undefined) return;
    if (hashHeader !== undefined) {
      throw new BrokerError('precondition-failed', 'hash-header and hash-property are mutually exclusive');
    }
    if (!PROPERTIES.includes(hashProperty)) {
      throw new BrokerError('precondition-failed', `Unsupported property: ${hashProperty}`);
    }
  }

  check(key: string): void {
    if (!INTEGER.test(key)) {
      throw new BrokerError('precondition-failed', `The binding key must be an integer: ${erlangBinary(key)}`);
    }
    const weight = Number(key);
    if (weight < 1) throw new BrokerError('precondition-failed', 'The binding key must be greater than 0');
    if (weight > MAX_WEIGHT) {
      throw new BrokerError('precondition-failed', `The binding key must not exceed ${MAX_WEIGHT}`);
    }
  }

  add(binding: Binding<Target>): void {
    const { endpoint } = binding;
    const member = this.#members.get(endpoint);
    if (member !== undefined) {
      member.bindings = plus(member.bindings, binding);
      return;
    }
    const name =
      endpoint.exchange === undefined ? `queue ${binding.destinationName}` : `exchange ${binding.destinationName}`;
    this.#members.set(endpoint, { seed: hashOf(name), weight: Number(binding.key), bindings: binding });
    this.#list = undefined;
  }

  remove(binding: Binding<Target>): void {
    const member = this.#members.get(binding.endpoint);
    if (member === undefined) return;
    member.bindings = minus(member.bindings, binding);
    const [first] = listed(member.bindings);
    if (first === undefined) this.#members.delete(binding.endpoint);
    else member.weight = Number(first.key);
    this.#list = undefined;
  }

  match(search: Search<Target>): void {
    this.#list ??= this.#relist();
    const [first] = this.#list;
    if (first === undefined) return;
    const best = this.#list.length === 1 ? first : this.#best(this.#list, first, hashOf(this.#hashed(search)));
    search.foundAll(best.bindings);
  }

  #relist(): readonly Member<Target>[] {
    const list = [...this.#members.values()];
    this.#sameWeights = list.every((member) => member.weight === list[0]?.weight);
    return list;
  }

  #hashed(search: Search<Target>): string {
    if (this.#header !== undefined) {
      const field = search.attributes().headers()?.get(this.#header);
      return field === undefined ? '' : comparableText(field);
    }
    if (this.#property !== undefined) return search.attributes().property(this.#property) ?? '';
    return search.keys[0] ?? '';
  }

  #best(members: readonly Member<Target>[], first: Member<Target>, hash: number): Member<Target> {
    let best = first;
    let bestScore = -Infinity;
    for (const member of members) {
      const drawn = mixed(hash ^ member.seed);
      // A logarithm for each is what it costs that weights differ: drawn is uniform, and w / -ln(drawn) is highest in w of Σw cases.
      const score = this.#sameWeights ? drawn : member.weight / -Math.log((drawn + 0.5) / 2 ** 32);
      if (score > bestScore) {
        best = member;
        bestScore = score;
      }
    }
    return best;
  }
}

/** 32 bits, without a sign, of a text's UTF-16 (FNV-1a, then mixed). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mixed(hash);
}

/** Every bit of the outcome depends on every bit (the finalizer of MurmurHash3). */
function mixed(bits: number): number {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
