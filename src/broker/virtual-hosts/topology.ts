import { BrokerError } from '../../errors.ts';
import type { FieldTable } from '../messages/index.ts';
import type { Binding } from '../routing/binding.ts';
import type { Route } from '../routing/route.ts';
import { Router } from '../routing/router.ts';
import { ExchangeCounts } from '../telemetry/message-counts.ts';
import type { Destination } from './destination.ts';
import { alternateExchange, queueSettings } from './effective-settings.ts';
import type { ExchangeDeclaration, ExchangeEntry } from './exchange-entry.ts';
import { routingOptions, routingType } from './exchange-types.ts';
import type { TopologyCounts } from './limits.ts';
import { describe } from './names.ts';
import { type Policy, PolicyBook } from './policy.ts';
import type { QueueEntry } from './queue-entry.ts';
import { isDiscovered, type StreamEntry } from './stream-entry.ts';

/** An entry, as its owner changes it. */
type Changing<Entry> = Entry & { policy: Policy | undefined };

/**
 * What is in one virtual host now, in memory: queues, exchanges, bindings, policies, and the routes that follow of them.
 * Does at once what it is told; whether it may be, and that it lasts, is for those who tell it.
 */
export class Topology {
  readonly host: string;
  readonly router = new Router<Destination>();
  readonly policies = new PolicyBook();
  readonly #counts: TopologyCounts;
  readonly #queues = new Map<string, Changing<QueueEntry>>();
  readonly #exchanges = new Map<string, Changing<ExchangeEntry>>();
  readonly #byOwner = new Map<object, Set<QueueEntry>>();
  /** By the name of the queue. */
  readonly #defaultRoutes = new Map<string, Route<Destination>>();
  /** Finds what has no entry yet, but could have. */
  readonly #discover: (name: string) => QueueEntry | undefined;

  constructor(host: string, counts: TopologyCounts, discover: (name: string) => QueueEntry | undefined) {
    this.host = host;
    this.#counts = counts;
    this.#discover = discover;
  }

  queue(name: string): QueueEntry | undefined {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const found = this.#discover(name);
    if (found !== undefined) {
      this.#counts.add('queues');
      this.addQueue(found);
    }
    return found;
  }

  /** Not one that is only there because there is a stream. */
  declaredQueue(name: string): QueueEntry | undefined {
    const known = this.#queues.get(name);
    return known?.kind === 'stream' && isDiscovered(known) ? undefined : known;
  }

  /** A stream that nobody knows as a queue: its name can be a queue's. */
  isUnusedTopic(entry: QueueEntry): boolean {
    return (
      entry.kind === 'stream' &&
      isDiscovered(entry) &&
      entry.stream.consumerCount === 0 &&
      this.router.countTo(entry.destination) === 0
    );
  }

  queues(): Iterable<QueueEntry> {
    return this.#queues.values();
  }

  /** Throws `not-found`. */
  checkQueue(name: string): QueueEntry {
    const queue = this.queue(name);
    if (queue === undefined) throw new BrokerError('not-found', `no ${describe('queue', name, this.host)}`);
    return queue;
  }

  exchange(name: string): ExchangeEntry | undefined {
    return this.#exchanges.get(name);
  }

  exchanges(): Iterable<ExchangeEntry> {
    return this.#exchanges.values();
  }

  /** Throws `not-found`. */
  checkExchange(name: string): ExchangeEntry {
    const exchange = this.#exchanges.get(name);
    if (exchange === undefined) throw new BrokerError('not-found', `no ${describe('exchange', name, this.host)}`);
    return exchange;
  }

  /** The queues that a connection has for itself. */
  ownedBy(owner: object): readonly QueueEntry[] {
    return [...(this.#byOwner.get(owner) ?? [])];
  }

  addQueue(entry: QueueEntry): void {
    this.#queues.set(entry.name, entry);
    if (entry.owner === undefined) return;
    const owned = this.#byOwner.get(entry.owner);
    if (owned === undefined) this.#byOwner.set(entry.owner, new Set([entry]));
    else owned.add(entry);
  }

  /** A stream that was declared; where it was discovered before, it stays what messages are routed to. */
  addStream(entry: StreamEntry): QueueEntry {
    const known = this.#queues.get(entry.name);
    if (known?.kind === 'stream') this.#counts.release('queues');
    const { stream } = known?.kind === 'stream' ? known : entry;
    const added = { ...entry, destination: stream, stream };
    this.addQueue(added);
    return added;
  }

  /** With its bindings, which are returned. */
  removeQueue(entry: QueueEntry): readonly Binding<Destination>[] {
    const removed = this.router.unbindAll(entry.destination);
    this.#counts.release('bindings', removed.length);
    this.#counts.release('queues');
    this.#queues.delete(entry.name);
    this.#defaultRoutes.delete(entry.name);
    if (entry.owner !== undefined) {
      const owned = this.#byOwner.get(entry.owner);
      owned?.delete(entry);
      if (owned?.size === 0) this.#byOwner.delete(entry.owner);
    }
    return removed;
  }

  addExchange(declaration: ExchangeDeclaration): ExchangeEntry {
    const policy = this.policies.match({ kind: 'exchange', name: declaration.name });
    const alternate = alternateExchange(declaration.arguments, policy);
    this.router.addExchange(declaration.name, routingType(declaration), {
      ...routingOptions(declaration.arguments),
      alternate,
    });
    const entry = { ...declaration, policy, counts: new ExchangeCounts() };
    this.#exchanges.set(entry.name, entry);
    return entry;
  }

  /** With its bindings from and to others. */
  removeExchange(name: string): void {
    this.#counts.release('bindings', this.router.removeExchange(name).length);
    this.#counts.release('exchanges');
    this.#exchanges.delete(name);
  }

  bind(source: string, destination: Destination | { readonly exchange: string }, key: string, args: FieldTable): void {
    this.router.bind(source, destination, key, args);
  }

  unbind({ source, destination, key, args }: Binding<Destination>): void {
    if (this.router.unbind(source, destination, key, args)) this.#counts.release('bindings');
  }

  /** The entries of what a binding connects. */
  endsOf({ source, destination }: Pick<Binding<Destination>, 'source' | 'destination'>): {
    readonly source: ExchangeEntry | undefined;
    readonly destination: ExchangeEntry | QueueEntry | undefined;
  } {
    return {
      source: this.#exchanges.get(source),
      destination:
        'exchange' in destination ? this.#exchanges.get(destination.exchange) : this.#queues.get(destination.name),
    };
  }

  /** A binding outlives a restart when both of its ends do. */
  isDurable(binding: Pick<Binding<Destination>, 'source' | 'destination'>): boolean {
    const { source, destination } = this.endsOf(binding);
    return source?.durable === true && destination?.durable === true;
  }

  /** Where the default exchange sends what has this routing key. The same as long as there is that queue. */
  defaultRoute(routingKey: string): Route<Destination> {
    const known = this.#defaultRoutes.get(routingKey);
    if (known !== undefined) return known;
    const entry = this.queue(routingKey);
    if (entry === undefined) return NOWHERE;
    const route = this.router.routeTo([entry.destination]);
    this.#defaultRoutes.set(routingKey, route);
    return route;
  }

  /** After a policy was set or deleted: has everything do what the policies say now. Answers streams, which follow later. */
  applyPolicies(): StreamEntry[] {
    const streams: StreamEntry[] = [];
    for (const entry of this.#exchanges.values()) {
      const policy = this.policies.match({ kind: 'exchange', name: entry.name });
      if (policy === entry.policy) continue;
      entry.policy = policy;
      this.router.setAlternate(entry.name, alternateExchange(entry.arguments, policy));
    }
    for (const entry of this.#queues.values()) {
      const policy = this.policies.match({ kind: 'queue', name: entry.name, type: entry.type });
      if (policy === entry.policy) continue;
      entry.policy = policy;
      if (entry.kind === 'queue') entry.queue.configure(queueSettings(entry.type, entry.arguments, policy));
      else if (!isDiscovered(entry)) streams.push(entry);
    }
    return streams;
  }
}

const NOWHERE: Route<Destination> = { targets: [], memo: undefined };
