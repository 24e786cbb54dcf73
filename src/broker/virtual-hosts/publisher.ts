import { BrokerError, toBrokerError } from '../../errors.ts';
import { changeProperties, decodeProperties, integer, MessageBytes } from '../messages/index.ts';
import type { Queue } from '../queues/queue.ts';
import type { DeadLetterReason } from '../queues/queue-options.ts';
import type { Turn, Turns } from '../queues/turn.ts';
import type { Route } from '../routing/route.ts';
import { ExchangeCounts, type MessageCounts } from '../telemetry/message-counts.ts';
import type { How } from '../traces/event.ts';
import type { Participant } from '../traces/place.ts';
import type { TracedAt } from '../traces/traced.ts';
import { deadLetterOf, isCycle } from './dead-letter.ts';
import type { Destination } from './destination.ts';
import type { ExchangeEntry } from './exchange-entry.ts';
import { DELAYED } from './exchange-types.ts';
import { BCC, DELAY, delayOf, type ExtraKeys, extraKeys } from './message-routing.ts';
import { describe } from './names.ts';
import type { Topology } from './topology.ts';

/** What came of publishing a message. */
export interface PublishOutcome {
  /** It went to a queue at least, or is held back until it is due. */
  readonly routed: boolean;
  /** A queue that is full did not take it. */
  readonly refused: boolean;
}

/** Where a message would go, and what it would be there. */
export interface PublishPlan {
  readonly route: Route<Destination>;
  readonly message: MessageBytes;
  /** It would be held back for so many milliseconds first. */
  readonly delayMs: number;
}

/** Keeps a copy of a message, as safely as the turn is made; it is published again at `dueAt`, milliseconds since the epoch. `trace` is what its trace goes by, 0 for none. */
export type HoldBack = (turn: Turn, message: MessageBytes, dueAt: number, trace: number) => void;

const NOWHERE: readonly Destination[] = [];
const TAKEN: PublishOutcome = { routed: true, refused: false };
const REFUSED: PublishOutcome = { routed: true, refused: true };
const UNROUTABLE: PublishOutcome = { routed: false, refused: false };

/** How a message came to be published, for its trace. */
interface Origin {
  readonly how: How;
  readonly by?: Participant | undefined;
  /** Where it was before. */
  readonly from?: TracedAt | undefined;
}

/** How messages get from exchanges to where they go. */
export class Publisher {
  readonly #topology: Topology;
  readonly #turns: Turns;
  readonly #delay: HoldBack;
  readonly #onTrouble: (error: BrokerError, what: string) => void;
  /** Of the virtual host. */
  readonly #counts: MessageCounts;
  readonly defaultExchangeCounts = new ExchangeCounts();

  constructor(
    topology: Topology,
    turns: Turns,
    counts: MessageCounts,
    holdBack: HoldBack,
    onTrouble: (error: BrokerError, what: string) => void,
  ) {
    this.#topology = topology;
    this.#counts = counts;
    this.#turns = turns;
    this.#delay = holdBack;
    this.#onTrouble = onTrouble;
  }

  /** By the routing key alone; throws `not-found`. */
  route(exchange: string, message: MessageBytes): Route<Destination> {
    if (exchange === '') return this.#topology.defaultRoute(message.routingKey);
    return this.#topology.router.route(message) ?? this.#missing(exchange);
  }

  publish(turn: Turn, exchange: string, message: MessageBytes, participant?: Participant): PublishOutcome {
    const entry = exchange === '' ? undefined : this.#checkOpen(exchange);
    this.#counts.published++;
    this.#counts.bytesIn += message.bodyLength;
    const counts = entry === undefined ? this.defaultExchangeCounts : entry.counts;
    counts.in++;
    if (message.hasHeaders) return this.#publishByHeaders(turn, exchange, entry, message, participant);
    return this.#send(turn, this.route(exchange, message), message, counts, participant);
  }

  /** Where a message would go that is published to an exchange: nothing is published. Throws as `publish`. */
  plan(exchange: string, message: MessageBytes): PublishPlan {
    const entry = exchange === '' ? undefined : this.#checkOpen(exchange);
    const delayMs = entry?.type === DELAYED && message.hasHeaders ? delayOf(message) : 0;
    const keys = message.hasHeaders ? extraKeys(message) : undefined;
    const route = this.#routeFor(exchange, message, keys);
    // One that is held back is routed when it is due, with all its keys.
    return { route, message: keys === undefined || delayMs > 0 ? message : withoutBcc(message, keys), delayMs };
  }

  /** Publishes as planned a message that leaves another queue in the same turn. `origin` is for its trace. */
  publishMoved(turn: Turn, { route, message, delayMs }: PublishPlan, origin?: Omit<Origin, 'how'>): void {
    const moved = { ...origin, how: 'moved' } as const;
    if (delayMs > 0) this.#holdBackFor(turn, message, delayMs, moved);
    else this.#forward(turn, route, message, moved);
  }

  /** A message that was held back is due: it is not held back again. Never throws: what cannot be published is lost. */
  publishDue(turn: Turn, message: MessageBytes, from?: TracedAt): void {
    try {
      this.#publishDue(turn, message, from);
    } catch (error) {
      this.#onTrouble(toBrokerError(error), `a delayed message for exchange '${message.exchange}' was lost`);
    }
  }

  /** Publishes to the dead-letter exchange of a queue what leaves the queue. Never throws: what cannot be published is lost. */
  deadLetter(queue: Queue, message: MessageBytes, reason: DeadLetterReason, from?: TracedAt): void {
    try {
      this.#deadLetter(queue, message, reason, from);
    } catch (error) {
      this.#onTrouble(toBrokerError(error), `a dead letter of queue '${queue.name}' was lost`);
    }
  }

  #publishDue(turn: Turn, message: MessageBytes, from: TracedAt | undefined): void {
    const exchange = message.exchange;
    if (this.#topology.exchange(exchange) === undefined) return;
    const due = withHeaders(message, (headers) => headers.set(DELAY, integer(-delayOf(message))));
    const keys = extraKeys(due);
    const route = this.#routeFor(exchange, due, keys);
    this.#forward(turn, route, keys === undefined ? due : withoutBcc(due, keys), { how: 'due', from });
  }

  #deadLetter(queue: Queue, message: MessageBytes, reason: DeadLetterReason, from: TracedAt | undefined): void {
    const { deadLetterExchange: exchange, deadLetterRoutingKey: routingKey } = queue.settings;
    if (exchange === undefined) return;
    const entry = exchange === '' ? undefined : this.#topology.exchange(exchange);
    // As in RabbitMQ, a dead-letter exchange need not exist.
    if (exchange !== '' && entry === undefined) return;
    const turn = this.#turns.current;
    const letter = deadLetterOf(message, { queue: queue.name, reason, now: turn.now, exchange, routingKey });
    const origin = { how: 'dead-lettered', from } as const;
    if (entry?.type === DELAYED && this.#holdBack(turn, letter.message, origin)) return;
    const route = this.#routeKeys(exchange, letter.routingKeys, letter.message);
    const open =
      reason === 'rejected' ? route.targets : route.targets.filter(({ name }) => !isCycle(name, letter.deaths));
    const left = open.length === route.targets.length ? route : this.#topology.router.routeTo(open);
    this.#forward(turn, left, letter.message, origin);
  }

  #publishByHeaders(
    turn: Turn,
    exchange: string,
    entry: ExchangeEntry | undefined,
    message: MessageBytes,
    participant: Participant | undefined,
  ): PublishOutcome {
    const keys = extraKeys(message);
    if (entry?.type === DELAYED && this.#holdBack(turn, message, { how: 'published', by: participant })) return TAKEN;
    const counts = entry?.counts ?? this.defaultExchangeCounts;
    if (keys === undefined) return this.#send(turn, this.route(exchange, message), message, counts, participant);
    return this.#send(turn, this.#routeFor(exchange, message, keys), withoutBcc(message, keys), counts, participant);
  }

  #holdBack(turn: Turn, message: MessageBytes, origin: Origin): boolean {
    const delay = delayOf(message);
    if (delay > 0) this.#holdBackFor(turn, message, delay, origin);
    return delay > 0;
  }

  #holdBackFor(turn: Turn, message: MessageBytes, delayMs: number, origin: Origin): void {
    const { tracing } = this.#turns;
    const dueAt = turn.now + delayMs;
    const trace = tracing.on ? tracing.begin(message, this.#topology.host, message.exchange, NOWHERE) : 0;
    this.#delay(turn, message, dueAt, trace);
    if (!tracing.on) return;
    const published = { ...origin, outcome: 'held', virtualHost: this.#topology.host, dueAt } as const;
    if (trace !== 0) tracing.published(trace, message, published);
    tracing.spans?.published(turn, message, published);
  }

  #send(
    turn: Turn,
    route: Route<Destination>,
    message: MessageBytes,
    counts: ExchangeCounts,
    by: Participant | undefined,
  ): PublishOutcome {
    const isRouted = route.targets.length > 0;
    if (isRouted) counts.out += route.targets.length;
    if (this.#turns.tracing.on) return this.#publishTraced(turn, route, message, { how: 'published', by });
    if (!isRouted) return UNROUTABLE;
    return turn.publish(route, message) === 'refused' ? REFUSED : TAKEN;
  }

  /** What leaves a queue goes on, whatever state the disk is in. */
  #forward(turn: Turn, route: Route<Destination>, message: MessageBytes, origin: Origin): void {
    if (this.#turns.tracing.on) this.#publishTraced(turn, route, message, origin);
    else turn.publish(route, message, true);
  }

  #publishTraced(turn: Turn, route: Route<Destination>, message: MessageBytes, origin: Origin): PublishOutcome {
    const { tracing } = this.#turns;
    const { host } = this.#topology;
    const { targets } = route;
    const trace = tracing.begin(message, host, message.exchange, targets);
    const isRefused =
      targets.length > 0 && turn.publish(route, message, origin.how !== 'published', trace) === 'refused';
    const outcome = targets.length === 0 ? 'unroutable' : isRefused ? 'refused' : 'routed';
    const published = { ...origin, outcome, virtualHost: host } as const;
    if (trace !== 0) tracing.published(trace, message, published);
    tracing.spans?.published(turn, message, published);
    if (isRefused) return REFUSED;
    return targets.length === 0 ? UNROUTABLE : TAKEN;
  }

  #routeFor(exchange: string, message: MessageBytes, keys: ExtraKeys | undefined): Route<Destination> {
    if (keys === undefined) return this.route(exchange, message);
    return this.#routeKeys(exchange, [message.routingKey, ...keys.cc, ...keys.bcc], message);
  }

  #routeKeys(exchange: string, keys: readonly string[], message: MessageBytes): Route<Destination> {
    const { router } = this.#topology;
    if (exchange === '') {
      const [only] = keys;
      if (keys.length === 1 && only !== undefined) return this.#topology.defaultRoute(only);
      return router.union(keys.map((key) => this.#topology.defaultRoute(key)));
    }
    return router.routeKeys(exchange, keys, message) ?? this.#missing(exchange);
  }

  /** Throws `not-found`; `access-refused` for one that clients do not publish to. */
  #checkOpen(exchange: string): ExchangeEntry {
    const entry = this.#topology.checkExchange(exchange);
    if (entry.internal)
      throw new BrokerError(
        'access-refused',
        `cannot publish to internal ${describe('exchange', exchange, this.#topology.host)}`,
      );
    return entry;
  }

  #missing(exchange: string): never {
    throw new BrokerError('not-found', `no ${describe('exchange', exchange, this.#topology.host)}`);
  }
}

/** Who gets a copy by BCC is nobody else's business. */
function withoutBcc(message: MessageBytes, { bcc }: ExtraKeys): MessageBytes {
  return bcc.length === 0 ? message : withHeaders(message, (headers) => headers.delete(BCC));
}

type Headers = Map<string, ReturnType<typeof integer>>;

/** The same message with other headers. */
function withHeaders(message: MessageBytes, change: (headers: Headers) => void): MessageBytes {
  const { properties, propertiesStart, propertiesEnd } = message;
  const headers: Headers = new Map(decodeProperties(properties, propertiesStart, propertiesEnd).headers ?? []);
  change(headers);
  const changed = new MessageBytes();
  Object.assign(changed, message);
  changed.properties = changeProperties(properties, propertiesStart, propertiesEnd, { headers });
  changed.propertiesStart = 0;
  changed.propertiesEnd = changed.properties.length;
  return changed;
}
