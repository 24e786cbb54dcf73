import { type Binding, type Bindings, minus, type Named, plus } from './binding.ts';
import type { RoutingTable, Search } from './routing-table.ts';

/** Every binding matches, whatever its key. */
export class FanoutTable<Target extends Named> implements RoutingTable<Target> {
  #bindings: Bindings<Target>;

  check(): void {}

  add(binding: Binding<Target>): void {
    this.#bindings = plus(this.#bindings, binding);
  }

  remove(binding: Binding<Target>): void {
    this.#bindings = minus(this.#bindings, binding);
  }

  match(search: Search<Target>): void {
    search.foundAll(this.#bindings);
  }
}
