import type { Delivery } from './delivery.ts';

/** Messages of a queue that are out, and which of them are void: those whose append failed afterwards. */
export class Outstanding {
  #count = 0;
  #generation = 0;
  /** From these offsets on, what went out before is void. */
  readonly #lost: { readonly generation: number; readonly lane: number; readonly from: number }[] = [];

  get count(): number {
    return this.#count;
  }

  /** Grows with each append that fails. */
  get generation(): number {
    return this.#generation;
  }

  add(): void {
    this.#count++;
  }

  /** The batches of a lane from the offset on are gone. */
  lose(lane: number, from: number): void {
    this.#generation++;
    this.#lost.push({ generation: this.#generation, lane, from });
  }

  /** A message is out no more. Answers whether anything comes of that: not when it is void. */
  settle(delivery: Delivery): boolean {
    this.#count--;
    if (delivery.generation === this.#generation) return true;
    const { generation, lane, offset } = delivery;
    const isVoid = this.#lost.some((lost) => lost.generation > generation && lost.lane === lane && offset >= lost.from);
    if (this.#count === 0) this.#lost.length = 0;
    return !isVoid;
  }
}
