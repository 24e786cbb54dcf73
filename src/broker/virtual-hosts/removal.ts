import type { VirtualHostEvent } from '../catalog/virtual-host-state.ts';
import type { Binding } from '../routing/binding.ts';
import type { Destination } from './destination.ts';
import type { ExchangeEntry } from './exchange-entry.ts';
import type { QueueEntry } from './queue-entry.ts';
import { bindingRecord } from './records.ts';
import type { Topology } from './topology.ts';

/**
 * What is to go from a virtual host, all at once: what was asked for, and what goes with it. A queue's bindings go with it, an
 * exchange's from and to it; and an auto-delete exchange goes with the last binding from it.
 */
export class Removal {
  readonly queues = new Set<QueueEntry>();
  readonly #topology: Topology;
  readonly #exchanges = new Set<ExchangeEntry>();
  readonly #bindings = new Set<Binding<Destination>>();
  /** Bindings that are to go, by the exchange that they come from. */
  readonly #counts = new Map<string, number>();

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  queue(entry: QueueEntry): this {
    this.queues.add(entry);
    for (const binding of this.#topology.router.bindingsTo(entry.destination)) this.binding(binding);
    return this;
  }

  exchange(entry: ExchangeEntry): this {
    if (this.#exchanges.has(entry)) return this;
    this.#exchanges.add(entry);
    const { router } = this.#topology;
    for (const binding of router.bindingsFrom(entry.name)) this.#bindings.add(binding);
    for (const binding of router.bindingsTo({ exchange: entry.name })) this.binding(binding);
    return this;
  }

  binding(binding: Binding<Destination>): this {
    if (this.#bindings.has(binding)) return this;
    this.#bindings.add(binding);
    const count = (this.#counts.get(binding.source) ?? 0) + 1;
    this.#counts.set(binding.source, count);
    const source = this.#topology.exchange(binding.source);
    if (source?.autoDelete === true && count === this.#topology.router.countFrom(source.name)) this.exchange(source);
    return this;
  }

  /** What the catalog has to know of it. */
  events(): VirtualHostEvent[] {
    const { host } = this.#topology;
    const events: VirtualHostEvent[] = [];
    for (const { name, durable } of this.queues) if (durable) events.push({ type: 'queue-deleted', host, name });
    for (const { name, durable } of this.#exchanges) if (durable) events.push({ type: 'exchange-deleted', host, name });
    for (const binding of this.#alone()) {
      if (this.#topology.isDurable(binding)) events.push({ type: 'unbound', host, binding: bindingRecord(binding) });
    }
    return events;
  }

  /** Takes it all out of the virtual host. */
  apply(): void {
    for (const binding of this.#alone()) this.#topology.unbind(binding);
    for (const entry of this.queues) {
      this.#topology.removeQueue(entry);
      if (entry.kind === 'queue') entry.queue.delete();
    }
    for (const { name } of this.#exchanges) this.#topology.removeExchange(name);
  }

  /** Bindings that go without one of their ends. */
  #alone(): Binding<Destination>[] {
    return [...this.#bindings].filter((binding) => {
      const { source, destination } = this.#topology.endsOf(binding);
      if (source !== undefined && this.#exchanges.has(source)) return false;
      if (destination === undefined) return true;
      return 'internal' in destination ? !this.#exchanges.has(destination) : !this.queues.has(destination);
    });
  }
}
