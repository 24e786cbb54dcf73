import { BrokerError } from '../../errors.ts';
import type { FieldTable } from '../messages/index.ts';
import { MessageBytes } from '../messages/index.ts';
import {
  Binding,
  type Bindings,
  countOf,
  Endpoint,
  type ExchangeDestination,
  listed,
  minus,
  type Named,
  plus,
} from './binding.ts';
import { checkOptions, Exchange, type ExchangeOptions, type ExchangeType } from './exchange.ts';
import { explainRoute, type RouteExplanation } from './explanation.ts';
import { identityOf } from './field-identity.ts';
import { GraphSearch, NO_ATTRIBUTES } from './graph-search.ts';
import { InternedRoutes } from './interned-routes.ts';
import { AttributesOfBytes } from './message-attributes.ts';
import type { Route } from './route.ts';
import { RouteCache } from './route-cache.ts';
import type { MessageAttributes } from './routing-table.ts';

/** Targets in all routes that are remembered. */
const MAX_ROUTED_TARGETS = 1_048_576;

/** In the cache instead of a route, where the route depends on the message. */
const BY_MESSAGE = { targets: [], memo: undefined } satisfies Route<never>;

/**
 * The exchanges and bindings of one virtual host: where each message goes. Only in memory, and at once; what has to last is the
 * caller's to keep, and so are the default exchange, and whether an exchange is internal.
 *
 * Routes are remembered by exchange and routing key as long as no exchange, binding or alternate changes, unless the search came
 * by a table that asked for more of the message than its routing key. Which tables are met depends on the key alone
 * until one asks, so that this is known from the first message with that key. Those others are searched for each message.
 */
export class Router<Target extends Named> {
  readonly #exchanges = new Map<string, Exchange<Target>>();
  /** Targets that something is bound to. */
  readonly #bound = new Map<Target, Endpoint<Target>>();
  /** Others that were met in routes. */
  readonly #unbound = new WeakMap<Target, Endpoint<Target>>();
  readonly #search = new GraphSearch<Target>(this.#exchanges);
  readonly #cache = new RouteCache<Route<Target>>();
  readonly #routes = new InternedRoutes<Target>();
  readonly #attributes = new AttributesOfBytes();
  readonly #oneKey = [''];
  #lastId = 0;
  #bindingCount = 0;

  /** Throws `already-exists`; `precondition-failed`, in RabbitMQ's words, for options that are not allowed. */
  addExchange(name: string, type: ExchangeType, options: ExchangeOptions = {}): void {
    checkOptions(type, options);
    if (this.#exchanges.has(name)) throw new BrokerError('already-exists', `there is an exchange '${name}'`);
    this.#exchanges.set(name, new Exchange<Target>(++this.#lastId, name, type, options));
    this.#changed();
  }

  /** What `addExchange` would throw for the options. */
  checkExchange(type: ExchangeType, options: ExchangeOptions): void {
    checkOptions(type, options);
  }

  hasExchange(name: string): boolean {
    return this.#exchanges.has(name);
  }

  /** With every binding from and to it, which are returned; none when there was no such exchange. */
  removeExchange(name: string): readonly Binding<Target>[] {
    const exchange = this.#exchanges.get(name);
    if (exchange === undefined) return [];
    // One from the exchange to itself is in both.
    const removed = new Set([...exchange.bindings.values(), ...listed(exchange.endpoint.bindings)]);
    for (const binding of removed) this.#remove(binding);
    this.#exchanges.delete(name);
    this.#changed();
    return [...removed];
  }

  /** Throws `not-found`. */
  setAlternate(exchange: string, alternate: string | undefined): void {
    this.#exchangeNamed(exchange).alternate = alternate;
    this.#changed();
  }

  /** Throws `not-found`; `precondition-failed`, in RabbitMQ's words, for a binding that the exchange's type does not allow. */
  checkBinding(source: string, key: string, args: FieldTable): void {
    this.#exchangeNamed(source).table.check(key, args);
  }

  /** False when it was there already. Throws what `checkBinding` throws. */
  bind(source: string, destination: Target | ExchangeDestination, key: string, args: FieldTable): boolean {
    const exchange = this.#exchangeNamed(source);
    exchange.table.check(key, args);
    const endpoint = this.#endpointToBind(destination);
    const identity = identityOfBinding(endpoint, key, args);
    if (exchange.bindings.has(identity)) return false;
    const binding = new Binding(source, endpoint, key, args);
    exchange.bindings.set(identity, binding);
    exchange.table.add(binding);
    endpoint.bindings = plus(endpoint.bindings, binding);
    this.#bindingCount++;
    this.#changed();
    return true;
  }

  /** The binding with exactly this key and these arguments; undefined when there is none. */
  binding(
    source: string,
    destination: Target | ExchangeDestination,
    key: string,
    args: FieldTable,
  ): Binding<Target> | undefined {
    const endpoint = this.#endpointOf(destination);
    if (endpoint === undefined) return undefined;
    return this.#exchanges.get(source)?.bindings.get(identityOfBinding(endpoint, key, args));
  }

  /** False when there is no such binding. */
  unbind(source: string, destination: Target | ExchangeDestination, key: string, args: FieldTable): boolean {
    const binding = this.binding(source, destination, key, args);
    if (binding === undefined) return false;
    this.#remove(binding);
    this.#changed();
    return true;
  }

  /** Removes, and returns, every binding to a destination. For a target that is deleted: it is forgotten with all routes to it. */
  unbindAll(destination: Target | ExchangeDestination): readonly Binding<Target>[] {
    const endpoint = this.#endpointOf(destination);
    if (endpoint === undefined) return [];
    const removed = listed(endpoint.bindings);
    for (const binding of removed) this.#remove(binding);
    if (destination.exchange === undefined) this.#unbound.delete(destination);
    if (endpoint.routed) this.#forget();
    else if (removed.length > 0) this.#changed();
    return removed;
  }

  hasBindingsFrom(source: string): boolean {
    return (this.#exchanges.get(source)?.bindings.size ?? 0) > 0;
  }

  /** In the order in which they were made. */
  bindingsFrom(source: string): Iterable<Binding<Target>> {
    return this.#exchanges.get(source)?.bindings.values() ?? [];
  }

  /** In the order in which they were made. */
  bindingsTo(destination: Target | ExchangeDestination): readonly Binding<Target>[] {
    return listed(this.#endpointOf(destination)?.bindings);
  }

  *bindings(): Iterable<Binding<Target>> {
    for (const exchange of this.#exchanges.values()) yield* exchange.bindings.values();
  }

  get bindingCount(): number {
    return this.#bindingCount;
  }

  countFrom(source: string): number {
    return this.#exchanges.get(source)?.bindings.size ?? 0;
  }

  countTo(destination: Target | ExchangeDestination): number {
    return countOf(this.#endpointOf(destination)?.bindings);
  }

  /**
   * Where a message goes by the exchange and the routing key in its address; undefined when there is no such exchange.
   * The same route comes back for the same targets.
   */
  route(message: MessageBytes): Route<Target> | undefined {
    const { address, addressStart, addressEnd } = message;
    const route = this.#cache.get(address, addressStart, addressEnd);
    return route === undefined || route === BY_MESSAGE ? this.#routeAnew(message, route !== undefined) : route;
  }

  /**
   * Where a message goes that has several routing keys, as by its CC and BCC headers: each target once, and an alternate gets it
   * only when no key matches. A consistent hash is that of the first. Undefined when there is no such exchange. Not cached.
   */
  routeKeys(
    exchange: string,
    keys: readonly string[],
    message: MessageBytes | MessageAttributes = NO_ATTRIBUTES,
  ): Route<Target> | undefined {
    const start = this.#exchanges.get(exchange);
    if (start === undefined) return undefined;
    const attributes = message instanceof MessageBytes ? this.#attributes.of(message) : message;
    this.#search.run(start, keys, attributes);
    return this.#found();
  }

  /** Where a message with these routing keys would go, and why; undefined when there is no such exchange. Nothing is remembered of it. */
  explain(
    exchange: string,
    keys: readonly string[],
    attributes: MessageAttributes,
  ): RouteExplanation<Target> | undefined {
    const start = this.#exchanges.get(exchange);
    return start && explainRoute(start, this.#exchanges, keys, attributes);
  }

  /** Where several routes together lead, each target once. */
  union(routes: Iterable<Route<Target>>): Route<Target> {
    this.#search.begin();
    for (const { targets } of routes) for (const target of targets) this.#search.add(this.#endpointToRoute(target));
    return this.#found();
  }

  /** The route to these targets, whatever is bound to them. */
  routeTo(targets: readonly Target[]): Route<Target> {
    return this.union([{ targets, memo: undefined }]);
  }

  #routeAnew(message: MessageBytes, knownByMessage: boolean): Route<Target> | undefined {
    const { address, addressStart, addressEnd } = message;
    const start = this.#exchanges.get(message.exchange);
    if (start === undefined) return undefined;
    this.#oneKey[0] = message.routingKey;
    this.#search.run(start, this.#oneKey, this.#attributes.of(message));
    const byMessage = this.#search.byMessage;
    const route = this.#found();
    if (!knownByMessage) this.#cache.add(address, addressStart, addressEnd, byMessage ? BY_MESSAGE : route);
    return route;
  }

  #found(): Route<Target> {
    if (this.#routes.size + this.#search.targets.length > MAX_ROUTED_TARGETS) this.#forget();
    return this.#routes.routeOf(this.#search);
  }

  #exchangeNamed(name: string): Exchange<Target> {
    const exchange = this.#exchanges.get(name);
    if (exchange === undefined) throw new BrokerError('not-found', `no exchange '${name}'`);
    return exchange;
  }

  #endpointOf(destination: Target | ExchangeDestination): Endpoint<Target> | undefined {
    if (destination.exchange !== undefined) return this.#exchanges.get(destination.exchange)?.endpoint;
    return this.#bound.get(destination) ?? this.#unbound.get(destination);
  }

  #endpointToBind(destination: Target | ExchangeDestination): Endpoint<Target> {
    if (destination.exchange !== undefined) return this.#exchangeNamed(destination.exchange).endpoint;
    const endpoint = this.#endpointToRoute(destination);
    this.#bound.set(destination, endpoint);
    this.#unbound.delete(destination);
    return endpoint;
  }

  #endpointToRoute(target: Target): Endpoint<Target> {
    let endpoint = this.#bound.get(target) ?? this.#unbound.get(target);
    if (endpoint === undefined) {
      endpoint = new Endpoint<Target>(++this.#lastId, target, undefined);
      this.#unbound.set(target, endpoint);
    }
    return endpoint;
  }

  #remove(binding: Binding<Target>): void {
    const { endpoint, source, key, args } = binding;
    const exchange = this.#exchangeNamed(source);
    exchange.bindings.delete(identityOfBinding(endpoint, key, args));
    exchange.table.remove(binding);
    const left: Bindings<Target> = minus(endpoint.bindings, binding);
    endpoint.bindings = left;
    this.#bindingCount--;
    if (left !== undefined || endpoint.exchange !== undefined) return;
    // Not an exchange, so a target.
    const target = endpoint.destination as Target;
    this.#bound.delete(target);
    this.#unbound.set(target, endpoint);
  }

  #changed(): void {
    this.#cache.clear();
  }

  #forget(): void {
    this.#cache.clear();
    this.#routes.clear();
  }
}

function identityOfBinding<Target extends Named>(endpoint: Endpoint<Target>, key: string, args: FieldTable): string {
  const identity = identityOf(args);
  return identity === '' ? `${endpoint.id} ${key}` : `${endpoint.id}:${identity.length}:${identity}${key}`;
}
