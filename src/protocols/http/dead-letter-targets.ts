import {
  type Broker,
  deathTrail,
  MessageBytes,
  type Queue,
  type QueueEntry,
  type VirtualHost,
} from '../../broker/index.ts';

/** A queue or a stream that dead letters come to, and whose they are. */
export interface DeadLetterTarget {
  readonly host: VirtualHost;
  readonly entry: QueueEntry;
  /** Some of them. */
  readonly of: readonly string[];
  readonly ofCount: number;
}

interface Found {
  readonly entry: QueueEntry;
  readonly of: string[];
  ofCount: number;
}

const DEATHS = 'x-death';
/** Sources that are told of by name. */
const MAX_NAMED = 20;
/** Exchanges that are gone through from one dead-letter exchange on. */
const MAX_EXCHANGES = 1000;
/** Queues that are looked into for dead letters besides, of a virtual host. */
const MAX_LOOKED_INTO = 2000;

/** Where dead letters go by what is set now, and where else some are, as far as that is seen at the first message. */
export class DeadLetterTargets {
  readonly #broker: Broker;
  readonly #host: VirtualHost;
  readonly #found = new Map<string, Found>();
  /** By the dead-letter exchange and routing key. */
  readonly #reached = new Map<string, readonly QueueEntry[]>();

  constructor(broker: Broker, host: VirtualHost) {
    this.#broker = broker;
    this.#host = host;
  }

  /** Only what is in memory is looked at: it costs some microseconds a queue. */
  all(): DeadLetterTarget[] {
    let left = MAX_LOOKED_INTO;
    for (const entry of this.#host.queues()) {
      if (entry.kind === 'stream') continue;
      const { deadLetterExchange: exchange, deadLetterRoutingKey: key } = entry.queue.settings;
      if (exchange !== undefined) for (const target of this.#reach(exchange, key)) this.#add(target, entry.name);
      if (!this.#found.has(entry.name) && left-- > 0 && holdsLetter(entry.queue)) this.#add(entry, undefined);
    }
    if (this.#host.name === '/') this.#addTopics();
    return Array.from(this.#found.values(), (found) => ({ host: this.#host, ...found }));
  }

  #add(entry: QueueEntry, source: string | undefined): void {
    let found = this.#found.get(entry.name);
    if (found === undefined) {
      found = { entry, of: [], ofCount: 0 };
      this.#found.set(entry.name, found);
    }
    if (source === undefined) return;
    found.ofCount++;
    if (found.of.length < MAX_NAMED) found.of.push(source);
  }

  /** Topics that take the dead letters of share groups. */
  #addTopics(): void {
    const groups = new Map<string, string[]>();
    for (const { groupId } of this.#broker.groups.list()) {
      const topic = this.#broker.groupConfigs.of(groupId).deadLetterTopic;
      if (topic !== '') groups.set(topic, [...(groups.get(topic) ?? []), groupId]);
    }
    for (const name of this.#broker.streams.names()) {
      const stream = this.#broker.streams.get(name);
      const users = groups.get(name) ?? [];
      if (stream === undefined || (users.length === 0 && !stream.config.takesDeadLetters)) continue;
      const entry = this.#host.queue(name);
      if (entry === undefined) continue;
      this.#add(entry, undefined);
      for (const group of users) this.#add(entry, group);
    }
  }

  /** Queues that letters published there may come to; with any routing key where there is none. */
  #reach(exchange: string, key: string | undefined): readonly QueueEntry[] {
    const id = JSON.stringify([exchange, key]);
    let reached = this.#reached.get(id);
    if (reached === undefined) {
      reached = key === undefined ? this.#boundTo(exchange) : this.#routedTo(exchange, key);
      this.#reached.set(id, reached);
    }
    return reached;
  }

  #routedTo(exchange: string, key: string): QueueEntry[] {
    if (exchange !== '' && this.#host.exchange(exchange) === undefined) return [];
    const { targets } = this.#host.route(exchange, MessageBytes.of(exchange, key, Buffer.alloc(2), Buffer.alloc(0)));
    return targets.map(({ name }) => this.#host.queue(name)).filter((entry) => entry !== undefined);
  }

  /** The default exchange would need the key. */
  #boundTo(exchange: string): QueueEntry[] {
    const met = new Set([exchange]);
    const queues = new Set<QueueEntry>();
    for (const name of met) {
      for (const { endpoint, destinationName } of this.#host.bindingsFrom(name)) {
        if (endpoint.exchange !== undefined) {
          if (met.size < MAX_EXCHANGES) met.add(destinationName);
          continue;
        }
        const entry = this.#host.queue(destinationName);
        if (entry !== undefined) queues.add(entry);
      }
    }
    return [...queues];
  }
}

/** Whether the next message died in another queue; one that was brought back to where it died is none of those that are looked for. */
function holdsLetter(queue: Queue): boolean {
  const holds = queue.glance((message) => {
    const { properties, propertiesStart, propertiesEnd } = message;
    if (!properties.subarray(propertiesStart, propertiesEnd).includes(DEATHS, 0, 'latin1')) return false;
    const deaths = deathTrail(message)?.deaths ?? [];
    return deaths.length > 0 && deaths.every((death) => death.queue !== queue.name);
  });
  return holds === true;
}
