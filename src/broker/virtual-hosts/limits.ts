import { BrokerError } from '../../errors.ts';

/** How many of each a broker has, at most. */
export interface TopologyLimits {
  readonly maxVirtualHosts: number;
  /** In all virtual hosts together; so are the others. */
  readonly maxQueues: number;
  readonly maxExchanges: number;
  readonly maxBindings: number;
}

export const DEFAULT_TOPOLOGY_LIMITS: TopologyLimits = {
  maxVirtualHosts: 1_000,
  maxQueues: 500_000,
  maxExchanges: 500_000,
  maxBindings: 5_000_000,
};

export type Counted = 'virtual hosts' | 'queues' | 'exchanges' | 'bindings';

/** Counts what there is, and what is about to be there. */
export class TopologyCounts {
  readonly #most: Readonly<Record<Counted, number>>;
  readonly #counts: Record<Counted, number> = { 'virtual hosts': 0, queues: 0, exchanges: 0, bindings: 0 };

  constructor(limits: Partial<TopologyLimits> = {}) {
    const { maxVirtualHosts, maxQueues, maxExchanges, maxBindings } = { ...DEFAULT_TOPOLOGY_LIMITS, ...limits };
    this.#most = {
      'virtual hosts': maxVirtualHosts,
      queues: maxQueues,
      exchanges: maxExchanges,
      bindings: maxBindings,
    };
  }

  count(what: Counted): number {
    return this.#counts[what];
  }

  /** Makes room for one more that is about to be made: throws `limit-exceeded`. */
  take(what: Counted): void {
    if (this.#counts[what] >= this.#most[what])
      throw new BrokerError('limit-exceeded', `there are ${this.#most[what]} ${what} already, and may be no more`);
    this.#counts[what]++;
  }

  /** There are some already, whatever the limit. */
  add(what: Counted, count = 1): void {
    this.#counts[what] += count;
  }

  release(what: Counted, count = 1): void {
    this.#counts[what] -= count;
  }
}
