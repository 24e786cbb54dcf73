import { type ExchangeEntry, type QueueEntry, stringOf, type VirtualHost } from '../../broker/index.ts';
import type { Graph, GraphEdge, GraphNode } from './shapes/routing.ts';

/** Bindings that are gone through for one graph. */
const MAX_BINDINGS = 50_000;
const MAX_KEYS = 5;

export interface GraphWish {
  /** Objects whose names have this in them, any case, with what is next to them. */
  readonly name: string | undefined;
  /** `e:NAME` or `q:NAME`: this one, and what is so many steps from it. */
  readonly around: string | undefined;
  readonly depth: number;
  readonly maxNodes: number;
  /** Whether the user may know of it. */
  readonly sees: (name: string) => boolean;
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: GraphEdge['kind'];
  readonly keys: string[];
  count: number;
}

const exchangeId = (name: string) => `e:${name}`;
const queueId = (name: string) => `q:${name}`;

/** Exchanges, queues, and what leads from one to another: as much of it as is asked for and fits. */
export function routingGraph(host: VirtualHost, wish: GraphWish): Graph {
  const links = new Links(host);
  const chosen = chooseNodes(host, links, wish);
  const nodes: GraphNode[] = [];
  for (const id of chosen.ids) {
    const node = nodeOf(host, id);
    if (node !== undefined && wish.sees(node.name)) nodes.push(node);
  }
  const shown = new Set(nodes.map(({ id }) => id));
  const edges = new Map<string, Edge>();
  for (const id of shown)
    links.from(id, (kind, to, key) => {
      if (shown.has(to)) addEdge(edges, kind, id, to, key);
    });
  return { vhost: host.name, nodes, edges: [...edges.values()], cut: chosen.isCut || links.isCut };
}

function addEdge(
  edges: Map<string, Edge>,
  kind: Edge['kind'],
  from: string,
  to: string,
  key: string | undefined,
): void {
  const id = `${kind} ${from.length} ${from} ${to}`;
  let edge = edges.get(id);
  if (edge === undefined) {
    edge = { from, to, kind, keys: [], count: 0 };
    edges.set(id, edge);
  }
  edge.count++;
  if (key !== undefined && edge.keys.length < MAX_KEYS) edge.keys.push(key);
}

type See = (kind: Edge['kind'], other: string, key: string | undefined) => void;

/** What leads from an object and to it, looked up where it is asked for: there may be far more than is shown. */
class Links {
  readonly #host: VirtualHost;
  #left = MAX_BINDINGS;
  /** By what they lead to: queues by their dead letters, exchanges as alternates. */
  #back: Map<string, { readonly kind: Edge['kind']; readonly from: string }[]> | undefined;

  constructor(host: VirtualHost) {
    this.#host = host;
  }

  /** Not all bindings were gone through. */
  get isCut(): boolean {
    return this.#left < 0;
  }

  from(id: string, see: See): void {
    const name = id.slice(2);
    if (id.startsWith('q:')) {
      const link = deadLetterLink(this.#host.queue(name));
      if (link !== undefined) see('dead-letter', link.to, link.key);
      return;
    }
    for (const { endpoint, destinationName, key } of this.#host.bindingsFrom(name)) {
      if (this.#left-- <= 0) return;
      see('binding', endpoint.exchange === undefined ? queueId(destinationName) : exchangeId(destinationName), key);
    }
    const alternate = alternateOf(this.#host.exchange(name));
    if (alternate !== undefined) see('alternate', exchangeId(alternate), undefined);
  }

  to(id: string, see: See): void {
    const name = id.slice(2);
    const entry = id.startsWith('q:') ? this.#host.queue(name)?.destination : { exchange: name };
    if (entry !== undefined)
      for (const { source, key } of this.#host.bindingsTo(entry)) {
        if (this.#left-- <= 0) return;
        see('binding', exchangeId(source), key);
      }
    this.#back ??= this.#findBack();
    for (const { kind, from } of this.#back.get(id) ?? []) see(kind, from, undefined);
  }

  /** Whether there is something at either side. */
  isLinked(id: string): boolean {
    let linked = false;
    const note = () => {
      linked = true;
    };
    this.#back ??= this.#findBack();
    if (this.#back.has(id)) return true;
    const name = id.slice(2);
    if (id.startsWith('e:')) {
      for (const _ of this.#host.bindingsFrom(name)) return true;
      for (const _ of this.#host.bindingsTo({ exchange: name })) return true;
      return alternateOf(this.#host.exchange(name)) !== undefined;
    }
    const entry = this.#host.queue(name);
    if (entry !== undefined) for (const _ of this.#host.bindingsTo(entry.destination)) return true;
    this.from(id, note);
    return linked;
  }

  #findBack() {
    const back = new Map<string, { kind: Edge['kind']; from: string }[]>();
    const add = (kind: Edge['kind'], from: string, to: string) => {
      const known = back.get(to);
      if (known === undefined) back.set(to, [{ kind, from }]);
      else known.push({ kind, from });
    };
    for (const exchange of this.#host.exchanges()) {
      const alternate = alternateOf(exchange);
      if (alternate !== undefined) add('alternate', exchangeId(exchange.name), exchangeId(alternate));
    }
    for (const entry of this.#host.queues()) {
      const link = deadLetterLink(entry);
      if (link !== undefined) add('dead-letter', queueId(entry.name), link.to);
    }
    return back;
  }
}

function alternateOf(exchange: ExchangeEntry | undefined): string | undefined {
  if (exchange === undefined) return undefined;
  const alternate =
    stringOf(exchange.arguments.get('alternate-exchange')) ?? exchange.policy?.definition['alternate-exchange'];
  return typeof alternate === 'string' ? alternate : undefined;
}

/** Where the dead letters of a queue go first. */
function deadLetterLink(
  entry: QueueEntry | undefined,
): { readonly to: string; readonly key: string | undefined } | undefined {
  if (entry === undefined || entry.kind === 'stream') return undefined;
  const { deadLetterExchange: exchange, deadLetterRoutingKey: key } = entry.queue.settings;
  if (exchange === undefined) return undefined;
  // By the default exchange it goes to the queue itself.
  return { to: exchange === '' ? queueId(key ?? '') : exchangeId(exchange), key };
}

function chooseNodes(
  host: VirtualHost,
  links: Links,
  { name = '', around = '', depth, maxNodes }: GraphWish,
): { readonly ids: ReadonlySet<string>; readonly isCut: boolean } {
  const starts = around === '' ? startsIn(host, links, name.toLowerCase(), maxNodes + 1) : [around];
  const steps = around === '' ? (name === '' ? 0 : 1) : depth;
  const ids = new Set<string>();
  let front: readonly string[] = starts;
  for (let step = 0; step <= steps; step++) {
    const beyond: string[] = [];
    const note: See = (_kind, other) => beyond.push(other);
    for (const id of front) {
      if (ids.has(id)) continue;
      if (ids.size === maxNodes) return { ids, isCut: true };
      ids.add(id);
      if (step === steps) continue;
      links.from(id, note);
      links.to(id, note);
    }
    front = beyond;
  }
  return { ids, isCut: false };
}

/** The first so many, those that something leads to or from before the others; of the broker's own exchanges only such. */
function startsIn(host: VirtualHost, links: Links, wanted: string, most: number): string[] {
  const linked: string[] = [];
  const others: string[] = [];
  const see = (id: string) => {
    if (links.isLinked(id)) linked.push(id);
    else if (!id.startsWith('e:amq.')) others.push(id);
  };
  for (const { name } of host.exchanges())
    if (name.toLowerCase().includes(wanted) && linked.length < most) see(exchangeId(name));
  for (const { name } of host.queues())
    if (linked.length < most && name.toLowerCase().includes(wanted)) see(queueId(name));
  return [...linked, ...others].slice(0, most);
}

function nodeOf(host: VirtualHost, id: string): GraphNode | undefined {
  const name = id.slice(2);
  if (id.startsWith('e:')) {
    const exchange = host.exchange(name);
    return exchange && { id, kind: 'exchange', name, type: exchange.type, messages: 0 };
  }
  const entry = host.queue(name);
  return entry && { id, kind: 'queue', name, type: entry.type, messages: messagesIn(entry) };
}

function messagesIn(entry: QueueEntry): number {
  if (entry.kind === 'stream') return entry.stream.messageCount;
  return entry.queue.readyCount + entry.queue.unacknowledgedCount;
}
