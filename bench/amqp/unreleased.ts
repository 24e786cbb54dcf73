/**
 * Which of a run of numbered slots are in use: taken in order, released in any. A slot is taken again only after it was
 * released, and not more than `window` are in use at a time.
 */
export class Unreleased {
  /** Numbers taken so far; the next one is this. */
  taken = 0;
  released = 0;
  readonly slots: number;
  readonly #window: number;
  readonly #used: Uint8Array;
  /** All below are released. */
  #lowest = 0;

  constructor(window: number, slots: number) {
    this.#window = window;
    this.slots = slots;
    this.#used = new Uint8Array(slots);
  }

  get mayTake(): boolean {
    return this.taken - this.released < this.#window && this.#used[this.taken % this.slots] === 0;
  }

  /** Answers the slot. */
  take(): number {
    const slot = this.taken++ % this.slots;
    this.#used[slot] = 1;
    return slot;
  }

  /** Throws when the number is not in use. */
  release(number: number): void {
    const slot = number % this.slots;
    if (number >= this.taken || number < this.#lowest || this.#used[slot] === 0)
      throw new Error(`message ${number} was released that does not wait for it`);
    this.#used[slot] = 0;
    this.released++;
    while (this.#lowest < this.taken && this.#used[this.#lowest % this.slots] === 0) this.#lowest++;
  }

  /** All in use up to and with the number; calls back with each. */
  releaseUpTo(number: number, each: (number: number) => void): void {
    for (let at = this.#lowest; at <= number; at++) {
      if (this.#used[at % this.slots] === 0) continue;
      each(at);
      this.release(at);
    }
  }
}
