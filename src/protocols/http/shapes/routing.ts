/** Types of what is answered to 'where would this message go?', and of the graph of a virtual host. */

export type MatchReason =
  | 'always'
  | 'key-equals'
  | 'key-differs'
  | 'pattern-matches'
  | 'pattern-differs'
  | 'headers-match'
  | 'header-missing'
  | 'header-differs'
  | 'no-header-matches'
  | 'hash-chosen'
  | 'hash-chose-another';

export interface RouteStep {
  readonly from: string;
  readonly via: 'binding' | 'alternate' | 'default';
  /** Routing key of the binding; null for an alternate exchange. */
  readonly routing_key: string | null;
  /** The last one leads to a queue, the others to exchanges. */
  readonly to: string;
}

export interface ExplainedBinding {
  readonly destination: string;
  readonly destination_type: 'queue' | 'exchange';
  readonly routing_key: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly matches: boolean;
  readonly reason: MatchReason;
  /** The header that decided. */
  readonly header: string | null;
}

export interface ExplainedExchange {
  readonly name: string;
  readonly type: string;
  /** Those that match first. */
  readonly bindings: readonly ExplainedBinding[];
  /** How many do not match; not all of them may be told of. */
  readonly unmatched: number;
  readonly alternate: string | null;
  readonly alternate_use: 'followed' | 'not-needed' | 'missing' | 'none';
  /** Nothing matches, and there is nowhere else to go. */
  readonly dead_end: boolean;
}

export interface ReachedQueue {
  readonly name: string;
  readonly type: 'classic' | 'quorum' | 'stream';
  /** The shortest first. */
  readonly paths: readonly (readonly RouteStep[])[];
}

export interface RouteAnswer {
  readonly vhost: string;
  readonly exchange: string;
  readonly routed: boolean;
  /** Its own, and those of its CC and BCC headers. */
  readonly routing_keys: readonly string[];
  /** Milliseconds that it would be held back first. */
  readonly delay: number;
  /** Clients do not publish to it: what is shown is what comes by other exchanges. */
  readonly internal: boolean;
  readonly queues: readonly ReachedQueue[];
  /** In the order in which the message comes to them. */
  readonly exchanges: readonly ExplainedExchange[];
  /** There was more than is told. */
  readonly cut: boolean;
}

export interface GraphNode {
  /** `e:NAME` or `q:NAME`. */
  readonly id: string;
  readonly kind: 'exchange' | 'queue';
  readonly name: string;
  /** Of the exchange or of the queue. */
  readonly type: string;
  /** In the queue; 0 for exchanges. */
  readonly messages: number;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: 'binding' | 'alternate' | 'dead-letter';
  /** Routing keys of the bindings between the two: the first few, and how many there are. */
  readonly keys: readonly string[];
  readonly count: number;
}

export interface Graph {
  readonly vhost: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** There is more than is shown. */
  readonly cut: boolean;
}
