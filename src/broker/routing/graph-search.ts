import type { Binding, Bindings, Endpoint, Named } from './binding.ts';
import type { Exchange } from './exchange.ts';
import type { MessageAttributes, Search } from './routing-table.ts';

/**
 * Goes from an exchange along everything that matches, through other exchanges and where nothing matches through the
 * alternate, to targets. Every exchange and every target is met once, so that circles end. One object serves all searches of a
 * router, one after the other.
 */
export class GraphSearch<Target extends Named> implements Search<Target> {
  keys: readonly string[] = [];
  /** Those met; valid until the next search. */
  readonly targets: Endpoint<Target>[] = [];
  /** What was found depends on more than the routing keys. */
  byMessage = false;
  readonly #exchanges: ReadonlyMap<string, Exchange<Target>>;
  readonly #pending: Exchange<Target>[] = [];
  #attributes: MessageAttributes = NO_ATTRIBUTES;
  #number = 0;
  #matched = false;

  constructor(exchanges: ReadonlyMap<string, Exchange<Target>>) {
    this.#exchanges = exchanges;
  }

  run(start: Exchange<Target>, keys: readonly string[], attributes: MessageAttributes): void {
    this.begin();
    this.keys = keys;
    this.#attributes = attributes;
    this.#meet(start.endpoint);
    for (let exchange = this.#pending.pop(); exchange !== undefined; exchange = this.#pending.pop()) {
      this.#matched = false;
      exchange.table.match(this);
      if (this.#matched || exchange.alternate === undefined) continue;
      const alternate = this.#exchanges.get(exchange.alternate);
      if (alternate !== undefined) this.#meet(alternate.endpoint);
    }
  }

  /** Forgets what was found, and meets all anew. */
  begin(): void {
    this.#number++;
    this.targets.length = 0;
    // A search that an error ended leaves some.
    this.#pending.length = 0;
    this.byMessage = false;
  }

  attributes(): MessageAttributes {
    this.byMessage = true;
    return this.#attributes;
  }

  found(binding: Binding<Target>): void {
    this.#matched = true;
    this.#meet(binding.endpoint);
  }

  foundAll(bindings: Bindings<Target>): void {
    if (bindings === undefined) return;
    if (bindings instanceof Set) {
      for (const binding of bindings) this.found(binding);
    } else this.found(bindings);
  }

  /** A target that is met without a binding. */
  add(endpoint: Endpoint<Target>): void {
    this.#meet(endpoint);
  }

  /** Whether these are the targets that were met. */
  metAll(endpoints: readonly Endpoint<Target>[]): boolean {
    return endpoints.length === this.targets.length && endpoints.every((endpoint) => endpoint.metBy === this.#number);
  }

  #meet(endpoint: Endpoint<Target>): void {
    if (endpoint.metBy === this.#number) return;
    endpoint.metBy = this.#number;
    if (endpoint.exchange === undefined) this.targets.push(endpoint);
    else this.#pending.push(endpoint.exchange);
  }
}

/** Of a message that has nothing but its address. */
export const NO_ATTRIBUTES: MessageAttributes = {
  headers: () => undefined,
  property: () => undefined,
};
