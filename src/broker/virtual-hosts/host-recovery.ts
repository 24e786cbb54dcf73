import { type BrokerError, toBrokerError } from '../../errors.ts';
import type { BindingRecord, QueueRecord, VirtualHostEvent, VirtualHostState } from '../catalog/virtual-host-state.ts';
import type { HostQueues } from './host-queues.ts';
import type { TopologyCounts } from './limits.ts';
import { argumentsOf, exchangeOf, policyOf } from './records.ts';
import type { Topology } from './topology.ts';

/** Queues that are opened at the same time, at most: each may have files open. */
const OPENED_TOGETHER = 64;

export interface HostParts {
  readonly topology: Topology;
  readonly queues: HostQueues;
  readonly counts: TopologyCounts;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** Puts what the catalog has into a virtual host that is empty yet. */
export class HostRecovery {
  readonly #parts: HostParts;
  /** What the catalog has of streams that are gone: the broker stopped before it took note. */
  readonly stale: VirtualHostEvent[] = [];

  constructor(parts: HostParts) {
    this.#parts = parts;
  }

  /** A queue that cannot be opened does not keep the others from it. */
  async run({ queues, exchanges, bindings, policies }: VirtualHostState): Promise<void> {
    const { topology, counts } = this.#parts;
    for (const policy of policies.values()) topology.policies.set(policyOf(policy));
    topology.applyPolicies();
    for (const exchange of exchanges.values()) {
      counts.add('exchanges');
      topology.addExchange(exchangeOf(exchange));
    }
    // Each takes the next one when it is done.
    const records = queues.values();
    const some = Array.from({ length: OPENED_TOGETHER }, async () => {
      for (const record of records) await this.#queue(record);
    });
    await Promise.all(some);
    for (const binding of bindings) this.#binding(binding);
  }

  async #queue(record: QueueRecord): Promise<void> {
    const { topology, queues, counts, onTrouble } = this.#parts;
    counts.add('queues');
    try {
      if (await queues.recover(record)) return;
      this.stale.push({ type: 'queue-deleted', host: topology.host, name: record.name });
    } catch (error) {
      onTrouble(toBrokerError(error), `queue '${record.name}' in vhost '${topology.host}' is not there`);
    }
    counts.release('queues');
  }

  #binding(binding: BindingRecord): void {
    const { topology, queues, counts } = this.#parts;
    const { source, to, destination, key, arguments: args } = binding;
    const end = to === 'exchange' ? { exchange: destination } : topology.queue(destination)?.destination;
    if (end === undefined) {
      if (!queues.isDamaged(destination)) this.stale.push({ type: 'unbound', host: topology.host, binding });
      return;
    }
    counts.add('bindings');
    topology.router.bind(source, end, key, argumentsOf(args));
  }
}
