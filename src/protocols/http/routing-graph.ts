import type { QueueEntry, VirtualHost } from '../../broker/index.ts';
import { stringOf } from '../../broker/index.ts';
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

export const exchangeId = (name: string) => `e:${name}`;
export const queueId = (name: string) => `q:${name}`;

/** Exchanges, queues, and what leads from one to another: as much of it as is asked for and fits. */
export function routingGraph(host: VirtualHost, wish: GraphWish): Graph {
  const { edges, isCut } = edgesOf(host);
  const chosen = chooseNodes(host, edges, wish);
  const nodes: GraphNode[] = [];
  for (const id of chosen.ids) {
    const node = nodeOf(host, id);
    if (node !== undefined && wish.sees(node.name)) nodes.push(node);
  }
  const shown = new Set(nodes.map(({ id }) => id));
  return {
    vhost: host.name,
    nodes,
    edges: edges.filter(({ from, to }) => shown.has(from) && shown.has(to)),
    cut: isCut || chosen.isCut,
  };
}

function edgesOf(host: VirtualHost): { readonly edges: readonly Edge[]; readonly isCut: boolean } {
  const edges = new Map<string, Edge>();
  const add = (kind: Edge['kind'], from: string, to: string, key: string | undefined) => {
    const id = `${kind} ${from.length} ${from} ${to}`;
    let edge = edges.get(id);
    if (edge === undefined) {
      edge = { from, to, kind, keys: [], count: 0 };
      edges.set(id, edge);
    }
    edge.count++;
    if (key !== undefined && edge.keys.length < MAX_KEYS) edge.keys.push(key);
  };
  let left = MAX_BINDINGS;
  for (const { source, endpoint, destinationName, key } of host.bindings()) {
    if (left-- === 0) break;
    const to = endpoint.exchange === undefined ? queueId(destinationName) : exchangeId(destinationName);
    add('binding', exchangeId(source), to, key);
  }
  for (const { name, arguments: args, policy } of host.exchanges()) {
    const alternate = stringOf(args.get('alternate-exchange')) ?? policy?.definition['alternate-exchange'];
    if (typeof alternate === 'string' && host.exchange(alternate) !== undefined)
      add('alternate', exchangeId(name), exchangeId(alternate), undefined);
  }
  for (const entry of host.queues()) {
    if (entry.kind === 'stream') continue;
    const { deadLetterExchange: exchange, deadLetterRoutingKey: key } = entry.queue.settings;
    if (exchange === undefined) continue;
    // By the default exchange it goes to the queue itself.
    const to = exchange === '' ? queueId(key ?? '') : exchangeId(exchange);
    add('dead-letter', queueId(entry.name), to, key);
  }
  return { edges: [...edges.values()], isCut: left < 0 };
}

function chooseNodes(
  host: VirtualHost,
  edges: readonly Edge[],
  { name, around, depth, maxNodes }: GraphWish,
): { readonly ids: ReadonlySet<string>; readonly isCut: boolean } {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) {
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      const known = next.get(one);
      if (known === undefined) next.set(one, [other]);
      else known.push(other);
    }
  }
  const wanted = name?.toLowerCase() ?? '';
  const matches = (id: string) => wanted === '' || id.slice(2).toLowerCase().includes(wanted);
  const starts = around !== undefined && around !== '' ? [around] : startsIn(host, next).filter(matches);
  const ids = new Set<string>();
  let front: readonly string[] = starts;
  const steps = around !== undefined && around !== '' ? depth : wanted === '' ? 0 : 1;
  for (let step = 0; step <= steps; step++) {
    const beyond: string[] = [];
    for (const id of front) {
      if (ids.has(id)) continue;
      if (ids.size === maxNodes) return { ids, isCut: true };
      ids.add(id);
      beyond.push(...(next.get(id) ?? []));
    }
    front = beyond;
  }
  return { ids, isCut: false };
}

/** All there is, what is connected first: exchanges that nobody uses are of little interest. */
function startsIn(host: VirtualHost, connected: ReadonlyMap<string, unknown>): string[] {
  const ids = [
    ...Array.from(host.exchanges(), ({ name }) => exchangeId(name)),
    ...Array.from(host.queues(), ({ name }) => queueId(name)),
  ];
  const isPredeclared = (id: string) => id.startsWith('e:amq.') && !connected.has(id);
  return [...ids.filter((id) => connected.has(id)), ...ids.filter((id) => !connected.has(id) && !isPredeclared(id))];
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
