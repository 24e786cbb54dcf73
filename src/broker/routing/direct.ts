import { type Binding, type Bindings, minus, type Named, plus } from './binding.ts';
import type { RoutingTable, Search } from './routing-table.ts';

/** Binding key and routing key are the same. */
export class DirectTable<Target extends Named> implements RoutingTable<Target> {
  readonly #byKey = new Map<string, Bindings<Target>>();

  check(): void {}

  add(binding: Binding<Target>): void {
    this.#byKey.set(binding.key, plus(this.#byKey.get(binding.key), binding));
  }

  remove(binding: Binding<Target>): void {
    const left = minus(this.#byKey.get(binding.key), binding);
    if (left === undefined) this.#byKey.delete(binding.key);
    else this.#byKey.set(binding.key, left);
  }

  match(search: Search<Target>): void {
    for (const key of search.keys) search.foundAll(this.#byKey.get(key));
  }
}
