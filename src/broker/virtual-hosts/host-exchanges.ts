import { BrokerError } from '../../errors.ts';
import type { FieldTable } from '../messages/index.ts';
import type { Destination } from './destination.ts';
import { checkSame, checkSameArguments } from './equivalence.ts';
import type { ExchangeDeclaration, ExchangeEntry } from './exchange-entry.ts';
import { checkExchangeArguments, comparedArguments, routingOptions, routingType } from './exchange-types.ts';
import type { HostChanges } from './host-changes.ts';
import { checkNewName, cleanName, describe } from './names.ts';
import { bindingRecord, exchangeRecord } from './records.ts';
import { Removal } from './removal.ts';
import type { Topology } from './topology.ts';

/** One end of a binding that is to be made or undone. */
export type BindingEnd = { readonly queue: string } | { readonly exchange: string };

export interface BindingRequest {
  readonly source: string;
  readonly destination: BindingEnd;
  readonly key: string;
  readonly args: FieldTable;
  /** The connection that asks: a queue that another one has for itself is locked to it. */
  readonly owner?: object | undefined;
}

/** The exchanges of one virtual host and their bindings: how they come, and how they go. */
export class HostExchanges {
  readonly #topology: Topology;
  readonly #changes: HostChanges;
  /** Throws `not-found`, `resource-locked`. */
  readonly #checkQueue: (name: string, owner: object | undefined) => void;

  constructor(topology: Topology, changes: HostChanges, checkQueue: (name: string, owner: object | undefined) => void) {
    this.#topology = topology;
    this.#changes = changes;
    this.#checkQueue = checkQueue;
  }

  /** Throws `not-found`; `access-refused` for the default exchange. */
  check(name: string): ExchangeEntry {
    checkNotDefault(cleanName(name));
    return this.#topology.checkExchange(cleanName(name));
  }

  async declare(given: ExchangeDeclaration): Promise<ExchangeEntry> {
    const routesAs = routingType(given);
    const declaration = { ...given, name: cleanName(given.name) };
    const { name, durable, arguments: args } = declaration;
    checkNotDefault(name);
    const present = this.#topology.exchange(name);
    if (present !== undefined) return this.#again(present, declaration);
    checkNewName('exchange', name);
    checkExchangeArguments(name, this.#topology.host, args);
    this.#topology.router.checkExchange(routesAs, routingOptions(args));
    let entry: ExchangeEntry | undefined;
    await this.#changes.make(
      'exchanges',
      { makes: [this.#changes.name('exchange', name)] },
      () => {
        const now = this.#topology.exchange(name);
        if (now !== undefined) {
          entry = this.#again(now, declaration);
          return undefined;
        }
        if (!durable) return [];
        return [{ type: 'exchange-created', host: this.#topology.host, exchange: exchangeRecord(declaration) }];
      },
      () => {
        entry = this.#topology.addExchange(declaration);
      },
    );
    if (entry === undefined) throw new BrokerError('internal', `the catalog made no exchange '${name}'`);
    return entry;
  }

  /** Resolves to whether there was such an exchange. */
  async delete(given: string, ifUnused: boolean): Promise<boolean> {
    const name = cleanName(given);
    const what = describe('exchange', name, this.#topology.host);
    checkNotDefault(name);
    if (name.startsWith('amq.')) throw new BrokerError('access-refused', `deletion of system ${what} not allowed`);
    const removal = await this.#changes.remove(() => {
      const entry = this.#topology.exchange(name);
      if (entry === undefined) return undefined;
      if (ifUnused && this.#topology.router.hasBindingsFrom(name))
        throw new BrokerError('precondition-failed', `${what} in use`);
      return new Removal(this.#topology).exchange(entry);
    });
    return removal !== undefined;
  }

  /** Resolves to whether there was no such binding. */
  async bind(request: BindingRequest): Promise<boolean> {
    const { source, end, key, args, owner } = this.#cleaned(request);
    let destination: Destination | { readonly exchange: string } | undefined;
    const ends = [
      this.#changes.name('exchange', source),
      this.#changes.name('queue' in end ? 'queue' : 'exchange', 'queue' in end ? end.queue : end.exchange),
    ];
    return this.#changes.make(
      'bindings',
      { makes: [`binding ${ends.join(' ')}`], needs: ends },
      () => {
        this.#topology.checkExchange(source);
        destination = this.#destination(end);
        this.#topology.router.checkBinding(source, key, args);
        if ('queue' in end) this.#checkQueue(end.queue, owner);
        if (this.#topology.router.binding(source, destination, key, args) !== undefined) return undefined;
        const binding = { source, destination, key, args };
        if (!this.#topology.isDurable(binding)) return [];
        return [{ type: 'bound', host: this.#topology.host, binding: bindingRecord(binding) }];
      },
      () => {
        if (destination !== undefined) this.#topology.router.bind(source, destination, key, args);
      },
    );
  }

  /** What is not bound, or not there at all, is no error, as in RabbitMQ. Resolves to whether it was. */
  async unbind(request: BindingRequest): Promise<boolean> {
    const { source, end, key, args, owner } = this.#cleaned(request);
    const removal = await this.#changes.remove(() => {
      const there = 'queue' in end ? this.#topology.queue(end.queue) : this.#topology.exchange(end.exchange);
      if (there === undefined) return undefined;
      const binding = this.#topology.router.binding(source, this.#destination(end), key, args);
      if (binding === undefined) return undefined;
      if ('queue' in end) this.#checkQueue(end.queue, owner);
      return new Removal(this.#topology).binding(binding);
    });
    return removal !== undefined;
  }

  #cleaned({ source, destination, ...rest }: BindingRequest) {
    const end =
      'queue' in destination ? { queue: cleanName(destination.queue) } : { exchange: cleanName(destination.exchange) };
    if ('exchange' in end) checkNotDefault(end.exchange);
    checkNotDefault(cleanName(source));
    return { ...rest, source: cleanName(source), end };
  }

  /** Throws `not-found`. */
  #destination(end: BindingEnd): Destination | { readonly exchange: string } {
    if ('queue' in end) return this.#topology.checkQueue(end.queue).destination;
    return { exchange: this.#topology.checkExchange(end.exchange).name };
  }

  /** It is declared again: the same way, or there is an error. */
  #again(entry: ExchangeEntry, declaration: ExchangeDeclaration): ExchangeEntry {
    const what = describe('exchange', entry.name, this.#topology.host);
    checkSame(what, 'type', entry.type, declaration.type);
    checkSame(what, 'durable', entry.durable, declaration.durable);
    checkSame(what, 'auto_delete', entry.autoDelete, declaration.autoDelete);
    checkSame(what, 'internal', entry.internal, declaration.internal);
    checkSameArguments(what, comparedArguments(entry.type), entry.arguments, declaration.arguments);
    return entry;
  }
}

function checkNotDefault(name: string): void {
  if (name === '') throw new BrokerError('access-refused', 'operation not permitted on the default exchange');
}
