import type { FieldTable } from '../messages/index.ts';
import type { Exchange } from './exchange.ts';
import type { Route } from './route.ts';

/** What messages can be routed to: a queue, for one. Its name tells it apart where messages are spread by hash. */
export interface Named {
  readonly name: string;
  /** Tells a target from an exchange. */
  readonly exchange?: never;
}

/** An exchange as the destination of a binding. */
export interface ExchangeDestination {
  readonly exchange: string;
}

/** From an exchange to where its messages go. There is one of each (source, destination, key, args). */
export class Binding<Target extends Named> {
  /** Name of the exchange. */
  readonly source: string;
  /** Where it leads, as the tables know it. */
  readonly endpoint: Endpoint<Target>;
  readonly key: string;
  readonly args: FieldTable;

  constructor(source: string, endpoint: Endpoint<Target>, key: string, args: FieldTable) {
    this.source = source;
    this.endpoint = endpoint;
    this.key = key;
    this.args = args;
  }

  get destination(): Target | ExchangeDestination {
    return this.endpoint.destination;
  }

  get destinationName(): string {
    const { destination } = this;
    return destination.exchange ?? destination.name;
  }
}

/** A destination with what is bound to it, and the marks that searches leave on it. */
export class Endpoint<Target extends Named> {
  /** Not given to another as long as the router lives. */
  readonly id: number;
  readonly destination: Target | ExchangeDestination;
  /** Undefined when it is a target. */
  readonly exchange: Exchange<Target> | undefined;
  bindings: Bindings<Target>;
  /** Number of the search that met it last, by which each is met once. */
  metBy = 0;
  /** The route to this target alone, where it was needed. */
  route: Route<Target> | undefined;
  /** Some route leads here. */
  routed = false;

  constructor(id: number, destination: Target | ExchangeDestination, exchange: Exchange<Target> | undefined) {
    this.id = id;
    this.destination = destination;
    this.exchange = exchange;
  }
}

/** Some bindings. Mostly there is one of a kind: a set for each of 100 000 keys would be most of the memory. */
export type Bindings<Target extends Named> = Binding<Target> | Set<Binding<Target>> | undefined;

export function plus<Target extends Named>(bindings: Bindings<Target>, binding: Binding<Target>): Bindings<Target> {
  if (bindings === undefined) return binding;
  if (bindings instanceof Set) return bindings.add(binding);
  return new Set([bindings, binding]);
}

export function minus<Target extends Named>(bindings: Bindings<Target>, binding: Binding<Target>): Bindings<Target> {
  if (!(bindings instanceof Set)) return bindings === binding ? undefined : bindings;
  bindings.delete(binding);
  return bindings.size === 0 ? undefined : bindings;
}

export function listed<Target extends Named>(bindings: Bindings<Target>): readonly Binding<Target>[] {
  if (bindings === undefined) return [];
  return bindings instanceof Set ? [...bindings] : [bindings];
}

export function countOf<Target extends Named>(bindings: Bindings<Target>): number {
  if (bindings === undefined) return 0;
  return bindings instanceof Set ? bindings.size : 1;
}
