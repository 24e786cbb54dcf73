import type { Environment } from '../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import type { Entry, Shard } from '../../storage/index.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { VirtualHostInfo, VirtualHostState } from '../catalog/virtual-host-state.ts';
import type { FieldTable, MessageBytes } from '../messages/index.ts';
import type { Queue } from '../queues/queue.ts';
import type { QueueHost } from '../queues/queue-options.ts';
import type { Turn, Turns } from '../queues/turn.ts';
import type { Binding } from '../routing/binding.ts';
import type { RouteExplanation } from '../routing/explanation.ts';
import type { Route } from '../routing/route.ts';
import type { MessageAttributes } from '../routing/routing-table.ts';
import { type ExchangeCounts, MessageCounts } from '../telemetry/message-counts.ts';
import type { Meters } from '../telemetry/meters.ts';
import type { Participant } from '../traces/place.ts';
import { DelayedMessages, type DelayedMessagesOptions } from './delayed-messages.ts';
import type { Destination } from './destination.ts';
import { streamSettings } from './effective-settings.ts';
import type { ExchangeDeclaration, ExchangeEntry } from './exchange-entry.ts';
import { PREDECLARED_EXCHANGES } from './exchange-types.ts';
import { HeldClock } from './held-clock.ts';
import { HostChanges } from './host-changes.ts';
import { HostExchanges } from './host-exchanges.ts';
import { HostQueues } from './host-queues.ts';
import { HostRecovery } from './host-recovery.ts';
import type { TopologyCounts } from './limits.ts';
import { cleanName } from './names.ts';
import { checkPolicy, type Policy } from './policy.ts';
import { type HoldBack, Publisher, type PublishOutcome, type PublishPlan } from './publisher.ts';
import type { DeleteQueue, QueueDeclaration, QueueEntry } from './queue-entry.ts';
import { QueueMaker } from './queue-maker.ts';
import { Removal } from './removal.ts';
import { DEFAULT_VIRTUAL_HOST, type StreamEntry, streamEntry } from './stream-entry.ts';
import type { StreamQueues } from './stream-queues.ts';
import { Topology } from './topology.ts';

export type { PublishOutcome } from './publisher.ts';

export interface VirtualHostOptions {
  readonly environment: Pick<Environment, 'clock' | 'random'>;
  readonly catalog: Catalog;
  readonly counts: TopologyCounts;
  readonly meters: Meters;
  readonly turns: Turns;
  readonly streams: StreamQueues;
  readonly shard: Shard;
  readonly transientShard: Shard;
  /** Something with logs is gone. */
  readonly onRemoved: (removal: Removal) => void;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** What queues leave behind when the broker stops is written in pieces of about so many. */
const STOP_ENTRIES = 1_000;

/** A name space of queues, exchanges, bindings and policies. Names are taken without the line ends in them. */
export class VirtualHost {
  readonly info: VirtualHostInfo;
  /** Of everything in it. */
  readonly messageCounts = new MessageCounts();
  readonly #options: VirtualHostOptions;
  readonly #topology: Topology;
  readonly #changes: HostChanges;
  readonly #queues: HostQueues;
  readonly #exchanges: HostExchanges;
  readonly #publisher: Publisher;
  /** Of the queues. */
  readonly #clock: HeldClock;
  #delayed: DelayedMessages | undefined;

  private constructor(info: VirtualHostInfo, options: VirtualHostOptions) {
    this.info = info;
    this.#options = options;
    const { environment, catalog, counts, turns, streams, shard, transientShard, onRemoved } = options;
    this.#clock = new HeldClock(environment.clock);
    this.#topology = new Topology(info.name, counts, (name) => this.#discover(name));
    this.#changes = new HostChanges({ info, catalog, counts, onRemoved });
    this.#queues = new HostQueues({
      environment,
      topology: this.#topology,
      changes: this.#changes,
      streams,
      maker: new QueueMaker({
        ...{ turns, shard, transientShard },
        clock: this.#clock,
        random: environment.random,
        virtualHost: info.name,
        queueHost: this.#queueHost(),
        meter: { totals: this.messageCounts, waitTime: options.meters.waitTime },
      }),
      defaultType: info.defaultQueueType,
      churn: options.meters.churn,
    });
    this.#exchanges = new HostExchanges(this.#topology, this.#changes, (name, owner) =>
      this.#queues.check(name, owner),
    );
    const holdBack: HoldBack = (turn, message, dueAt, trace) => this.#delayed?.store(turn, message, dueAt, trace);
    this.#publisher = new Publisher(this.#topology, turns, this.messageCounts, holdBack, options.onTrouble);
    for (const exchange of PREDECLARED_EXCHANGES) {
      counts.add('exchanges');
      this.#topology.addExchange(exchange);
    }
  }

  /** One that there was not before. */
  static create(info: VirtualHostInfo, options: VirtualHostOptions): VirtualHost {
    const host = new VirtualHost(info, options);
    host.#clock.release();
    host.#delayed = DelayedMessages.create(host.#delayedOptions());
    return host;
  }

  /** With everything that the catalog has in it. */
  static async open(state: VirtualHostState, options: VirtualHostOptions): Promise<VirtualHost> {
    const { queues: _, exchanges: __, bindings: ___, policies: ____, ...info } = state;
    const host = new VirtualHost(info, options);
    const { counts, onTrouble } = options;
    const recovery = new HostRecovery({ topology: host.#topology, queues: host.#queues, counts, onTrouble });
    await recovery.run(state);
    // Not before there is somewhere to go for what has become due.
    host.#clock.release();
    host.#delayed = await DelayedMessages.open(host.#delayedOptions());
    await host.#changes.change(
      () => recovery.stale,
      () => {},
    );
    return host;
  }

  get name(): string {
    return this.info.name;
  }

  queue(name: string): QueueEntry | undefined {
    return this.#topology.queue(cleanName(name));
  }

  /** Those that were used or declared: a stream is among them once somebody asked for it. */
  queues(): Iterable<QueueEntry> {
    return this.#topology.queues();
  }

  /** Not the default exchange: it has no entry. */
  exchange(name: string): ExchangeEntry | undefined {
    return this.#topology.exchange(cleanName(name));
  }

  exchanges(): Iterable<ExchangeEntry> {
    return this.#topology.exchanges();
  }

  /** Without those of the default exchange; so are the others. */
  bindings(): Iterable<Binding<Destination>> {
    return this.#topology.router.bindings();
  }

  bindingsFrom(exchange: string): Iterable<Binding<Destination>> {
    return this.#topology.router.bindingsFrom(exchange);
  }

  /** The default exchange has no entry. */
  get defaultExchangeCounts(): ExchangeCounts {
    return this.#publisher.defaultExchangeCounts;
  }

  bindingsTo(destination: Destination | { readonly exchange: string }): Iterable<Binding<Destination>> {
    return this.#topology.router.bindingsTo(destination);
  }

  /** The queue for whoever wants to use it: throws `not-found`, or `resource-locked` when another connection has it for itself. */
  checkQueue(name: string, owner?: object): QueueEntry {
    return this.#queues.check(cleanName(name), owner);
  }

  /** Throws `not-found`; `access-refused` for the default exchange. */
  checkExchange(name: string): ExchangeEntry {
    return this.#exchanges.check(name);
  }

  /**
   * Makes a queue, or sees that the one there is was declared in the same way. Rejects with `precondition-failed`,
   * `resource-locked`, `access-refused` for a reserved name, `limit-exceeded`.
   */
  declareQueue(declaration: QueueDeclaration): Promise<QueueEntry> {
    return this.#queues.declare(declaration);
  }

  /** Resolves to the number of messages that were ready in it; 0 when there was no such queue. Rejects with `precondition-failed`, `resource-locked`. */
  deleteQueue(name: string, how: DeleteQueue = {}): Promise<number> {
    return this.#queues.delete(name, how);
  }

  /** As for queues; also `invalid-argument` for a type that is not known. */
  declareExchange(declaration: ExchangeDeclaration): Promise<ExchangeEntry> {
    return this.#exchanges.declare(declaration);
  }

  /** No error when it is not there: resolves to whether it was. Rejects with `precondition-failed`, `access-refused`. */
  deleteExchange(name: string, { ifUnused = false }: { readonly ifUnused?: boolean } = {}): Promise<boolean> {
    return this.#exchanges.delete(name, ifUnused);
  }

  /**
   * Resolves to whether there was no such binding. Rejects with `not-found`, `resource-locked`, `access-refused` for the default exchange,
   * `precondition-failed`, `limit-exceeded`.
   */
  bindQueue(queue: string, exchange: string, key: string, args: FieldTable, owner?: object): Promise<boolean> {
    return this.#exchanges.bind({ source: exchange, destination: { queue }, key, args, owner });
  }

  /** Resolves to whether there was such a binding. Rejects with `access-refused`, `resource-locked`. */
  unbindQueue(queue: string, exchange: string, key: string, args: FieldTable, owner?: object): Promise<boolean> {
    return this.#exchanges.unbind({ source: exchange, destination: { queue }, key, args, owner });
  }

  bindExchange(destination: string, source: string, key: string, args: FieldTable): Promise<boolean> {
    return this.#exchanges.bind({ source, destination: { exchange: destination }, key, args });
  }

  unbindExchange(destination: string, source: string, key: string, args: FieldTable): Promise<boolean> {
    return this.#exchanges.unbind({ source, destination: { exchange: destination }, key, args });
  }

  /**
   * Where a message goes by its routing key; the same route until a binding changes. `exchange` is that of its address. Throws
   * `not-found`.
   */
  route(exchange: string, message: MessageBytes): Route<Destination> {
    return this.#publisher.route(exchange, message);
  }

  /**
   * Publishes a message in a turn: routed, also by the keys in its CC and BCC headers, or held back where the exchange delays.
   * `exchange` is that of its address. Throws `not-found` for the exchange, `access-refused` for an internal one,
   * `precondition-failed` for wrong headers, and what `Turn.publish` throws. `participant` is who does it, for traces.
   */
  publish(turn: Turn, exchange: string, message: MessageBytes, participant?: Participant): PublishOutcome {
    return this.#publisher.publish(turn, exchange, message, participant);
  }

  /** Where a message would go that is published to an exchange: nothing is published. Throws as `publish`. */
  plan(exchange: string, message: MessageBytes): PublishPlan {
    return this.#publisher.plan(exchange, message);
  }

  /** Publishes as planned a message that leaves another queue in the same turn: a full disk does not keep it. */
  publishMoved(turn: Turn, plan: PublishPlan, origin?: Parameters<Publisher['publishMoved']>[2]): void {
    this.#publisher.publishMoved(turn, plan, origin);
  }

  /** Undefined when there is no such queue. */
  routeToQueue(name: string): Route<Destination> | undefined {
    const clean = cleanName(name);
    return this.#topology.queue(clean) === undefined ? undefined : this.#topology.defaultRoute(clean);
  }

  /** The messages that its exchanges hold back; undefined while it is opened. */
  get delayed(): DelayedMessages | undefined {
    return this.#delayed;
  }

  /** Where a message would go, and why; undefined when there is no such exchange. Changes nothing. */
  explain(
    exchange: string,
    keys: readonly string[],
    attributes: MessageAttributes,
  ): RouteExplanation<Destination> | undefined {
    return this.#topology.router.explain(exchange, keys, attributes);
  }

  /** Deletes the exclusive queues of a connection that is gone; it gets no others. */
  ownerGone(owner: object): Promise<void> {
    return this.#queues.ownerGone(owner);
  }

  policy(name: string): Policy | undefined {
    return this.#topology.policies.get(name);
  }

  policies(): Iterable<Policy> {
    return this.#topology.policies.all();
  }

  /** Makes or replaces a policy, and applies it to what there is. Rejects with `invalid-argument`. */
  async setPolicy(policy: Policy): Promise<void> {
    checkPolicy(policy);
    let streams: readonly StreamEntry[] = [];
    await this.#changes.change(
      () => [{ type: 'policy-set', host: this.name, policy }],
      () => {
        this.#topology.policies.set(policy);
        streams = this.#topology.applyPolicies();
      },
    );
    await this.#configure(streams);
  }

  /** Rejects with `not-found`. */
  async deletePolicy(name: string): Promise<void> {
    let streams: readonly StreamEntry[] = [];
    await this.#changes.change(
      () => {
        if (this.policy(name) === undefined) throw new BrokerError('not-found', `there is no policy '${name}'`);
        return [{ type: 'policy-deleted', host: this.name, name }];
      },
      () => {
        this.#topology.policies.delete(name);
        streams = this.#topology.applyPolicies();
      },
    );
    await this.#configure(streams);
  }

  /** A stream was deleted: what stands under its name goes. */
  streamGone(topic: string): Promise<void> {
    return this.#queues.streamGone(topic);
  }

  /** The broker stops: nothing is done with the queues any more, and what they know is made to last. */
  async stop(): Promise<void> {
    this.#changes.closed = true;
    const { shard } = this.#options;
    const entries: Entry[] = [];
    this.#delayed?.closing(entries);
    for (const entry of this.#topology.queues()) {
      // Of the others nothing lasts, and where nothing is there is nothing to know.
      if (entry.kind === 'queue') entry.queue.closing(entry.durable && !isEmpty(entry.queue) ? entries : []);
      if (entries.length >= STOP_ENTRIES) await shard.append(entries.splice(0)).settled;
    }
    if (entries.length > 0) await shard.append(entries).settled;
  }

  /** It was deleted: takes everything out of it. Answers what had logs. */
  close(): Removal {
    this.#changes.closed = true;
    this.#delayed?.delete();
    const removal = new Removal(this.#topology);
    for (const entry of this.#topology.queues()) removal.queue(entry);
    for (const entry of this.#topology.exchanges()) removal.exchange(entry);
    removal.apply();
    return removal;
  }

  /** A stream that nobody declared as a queue, or one of its partitions. */
  #discover(name: string): QueueEntry | undefined {
    if (this.name !== DEFAULT_VIRTUAL_HOST || this.#changes.closed) return undefined;
    const stream = this.#options.streams.find(this.name, name);
    if (stream === undefined) return undefined;
    return streamEntry(stream, this.#topology.policies.match({ kind: 'queue', name, type: 'stream' }));
  }

  async #configure(streams: readonly StreamEntry[]): Promise<void> {
    for (const { stream, arguments: args, policy } of streams)
      await this.#options.streams.configure(stream, streamSettings(args, policy));
  }

  #queueHost(): QueueHost {
    const { onTrouble } = this.#options;
    return {
      deadLetter: (...letter) => this.#publisher.deadLetter(...letter),
      expired: (queue, why) => {
        this.#queues.expire(queue, why).catch((error: unknown) => {
          onTrouble(toBrokerError(error), `queue '${queue.name}' in vhost '${this.name}' stays, though it is ${why}`);
        });
      },
      onTrouble,
    };
  }

  #delayedOptions(): DelayedMessagesOptions {
    const { environment, shard, turns, onTrouble } = this.#options;
    return {
      virtualHost: this.name,
      shard,
      turns,
      clock: environment.clock,
      logs: this.info.delayedLogs,
      onTrouble,
      due: (...due) => this.#publisher.publishDue(...due),
    };
  }
}

function isEmpty({ readyCount, unacknowledgedCount }: Queue): boolean {
  return readyCount === 0 && unacknowledgedCount === 0;
}
