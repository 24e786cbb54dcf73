import type { LogPlace } from './state.ts';

/** A queue that outlives a restart, as the catalog knows it. Its logs are all in the shard of its virtual host. */
export interface QueueRecord {
  readonly name: string;
  readonly type: 'classic' | 'quorum' | 'stream';
  readonly autoDelete: boolean;
  /** The arguments that it was declared with: an AMQP table in base64; empty for none. */
  readonly arguments: string;
  /** UUIDs of the logs of its messages, by priority, then of the one of its state. A stream's are the stream's own. */
  readonly logs: readonly string[];
}

export interface ExchangeRecord {
  readonly name: string;
  readonly type: string;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly arguments: string;
}

export interface BindingRecord {
  readonly source: string;
  /** What the destination is. */
  readonly to: 'queue' | 'exchange';
  readonly destination: string;
  readonly key: string;
  readonly arguments: string;
}

export interface PolicyRecord {
  readonly name: string;
  readonly pattern: string;
  readonly applyTo: string;
  readonly priority: number;
  readonly definition: Readonly<Record<string, string | number | boolean>>;
}

export interface VirtualHostInfo {
  /** A UUID; a virtual host created again under the same name has another one. */
  readonly id: string;
  readonly name: string;
  /** Where the logs of its queues are: all in one, so that a message goes from one queue to another in one append. */
  readonly shard: number;
  /** Of queues that are declared without one. */
  readonly defaultQueueType: QueueRecord['type'];
  /** UUID of the log of messages that are held back until they are due. */
  readonly delayedLogs: readonly [messages: string, state: string];
}

/** What lasts of one virtual host. */
export interface VirtualHostState extends VirtualHostInfo {
  readonly queues: Map<string, QueueRecord>;
  readonly exchanges: Map<string, ExchangeRecord>;
  readonly bindings: BindingIndex;
  readonly policies: Map<string, PolicyRecord>;
}

export type VirtualHostEvent =
  | { readonly type: 'virtual-host-created'; readonly info: VirtualHostInfo }
  | { readonly type: 'virtual-host-deleted'; readonly host: string }
  | { readonly type: 'queue-created'; readonly host: string; readonly queue: QueueRecord }
  | { readonly type: 'queue-deleted'; readonly host: string; readonly name: string }
  | { readonly type: 'exchange-created'; readonly host: string; readonly exchange: ExchangeRecord }
  | { readonly type: 'exchange-deleted'; readonly host: string; readonly name: string }
  | { readonly type: 'bound'; readonly host: string; readonly binding: BindingRecord }
  | { readonly type: 'unbound'; readonly host: string; readonly binding: BindingRecord }
  | { readonly type: 'policy-set'; readonly host: string; readonly policy: PolicyRecord }
  | { readonly type: 'policy-deleted'; readonly host: string; readonly name: string };

/** Bindings, each once, found by either of their ends. */
export class BindingIndex {
  readonly #bySource = new Map<string, Map<string, BindingRecord>>();
  readonly #byDestination = new Map<string, Map<string, BindingRecord>>();

  /** A binding that has the other's source, destination, key and arguments is the same. */
  static key({ source, to, destination, key, arguments: args }: BindingRecord): string {
    return JSON.stringify([source, to, destination, key, args]);
  }

  *[Symbol.iterator](): IterableIterator<BindingRecord> {
    for (const bindings of this.#bySource.values()) yield* bindings.values();
  }

  add(binding: BindingRecord): void {
    const key = BindingIndex.key(binding);
    put(this.#bySource, binding.source, key, binding);
    put(this.#byDestination, endOf(binding), key, binding);
  }

  delete(binding: BindingRecord): void {
    const key = BindingIndex.key(binding);
    drop(this.#bySource, binding.source, key);
    drop(this.#byDestination, endOf(binding), key);
  }

  /** All from and to an exchange. */
  deleteExchange(name: string): void {
    for (const binding of [...(this.#bySource.get(name)?.values() ?? [])]) this.delete(binding);
    this.#deleteTo({ to: 'exchange', destination: name });
  }

  deleteQueue(name: string): void {
    this.#deleteTo({ to: 'queue', destination: name });
  }

  #deleteTo(end: Pick<BindingRecord, 'to' | 'destination'>): void {
    for (const binding of [...(this.#byDestination.get(endOf(end))?.values() ?? [])]) this.delete(binding);
  }
}

function openVirtualHost(info: VirtualHostInfo): VirtualHostState {
  return { ...info, queues: new Map(), exchanges: new Map(), bindings: new BindingIndex(), policies: new Map() };
}

/** Changes the hosts by one event. Answers logs that are in no use any more. */
export function applyVirtualHostEvent(hosts: Map<string, VirtualHostState>, event: VirtualHostEvent): LogPlace[] {
  if (event.type === 'virtual-host-created') {
    hosts.set(event.info.name, openVirtualHost(event.info));
    return [];
  }
  const host = hosts.get(event.host);
  if (host === undefined) return [];
  const places = (logs: readonly string[]) => logs.map((logId) => ({ logId, shard: host.shard }));
  switch (event.type) {
    case 'virtual-host-deleted':
      hosts.delete(event.host);
      return places([...host.delayedLogs, ...[...host.queues.values()].flatMap(({ logs }) => logs)]);
    case 'queue-created':
      host.queues.set(event.queue.name, event.queue);
      return [];
    case 'queue-deleted': {
      const logs = host.queues.get(event.name)?.logs ?? [];
      host.queues.delete(event.name);
      host.bindings.deleteQueue(event.name);
      return places(logs);
    }
    case 'exchange-created':
      host.exchanges.set(event.exchange.name, event.exchange);
      return [];
    case 'exchange-deleted':
      host.exchanges.delete(event.name);
      host.bindings.deleteExchange(event.name);
      return [];
    case 'bound':
      host.bindings.add(event.binding);
      return [];
    case 'unbound':
      host.bindings.delete(event.binding);
      return [];
    case 'policy-set':
      host.policies.set(event.policy.name, event.policy);
      return [];
    case 'policy-deleted':
      host.policies.delete(event.name);
      return [];
  }
}

export interface VirtualHostSnapshot extends VirtualHostInfo {
  readonly queues: readonly QueueRecord[];
  readonly exchanges: readonly ExchangeRecord[];
  readonly bindings: readonly BindingRecord[];
  readonly policies: readonly PolicyRecord[];
}

export function toVirtualHostSnapshot(host: VirtualHostState): VirtualHostSnapshot {
  return {
    ...host,
    queues: [...host.queues.values()],
    exchanges: [...host.exchanges.values()],
    bindings: [...host.bindings],
    policies: [...host.policies.values()],
  };
}

export function fromVirtualHostSnapshot(snapshot: VirtualHostSnapshot): VirtualHostState {
  const { queues, exchanges, bindings, policies, ...info } = snapshot;
  const host = openVirtualHost(info);
  for (const queue of queues) host.queues.set(queue.name, queue);
  for (const exchange of exchanges) host.exchanges.set(exchange.name, exchange);
  for (const binding of bindings) host.bindings.add(binding);
  for (const policy of policies) host.policies.set(policy.name, policy);
  return host;
}

function put(index: Map<string, Map<string, BindingRecord>>, end: string, key: string, binding: BindingRecord): void {
  const bindings = index.get(end);
  if (bindings === undefined) index.set(end, new Map([[key, binding]]));
  else bindings.set(key, binding);
}

function drop(index: Map<string, Map<string, BindingRecord>>, end: string, key: string): void {
  const bindings = index.get(end);
  bindings?.delete(key);
  if (bindings?.size === 0) index.delete(end);
}

function endOf({ to, destination }: Pick<BindingRecord, 'to' | 'destination'>): string {
  return `${to} ${destination}`;
}
