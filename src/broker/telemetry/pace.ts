/** Things that are looked at before others have their turn. */
const SLICE = 1_000;

/** Has long work done in pieces, with others served in between. */
export class Pace {
  #done = 0;

  /** So much more is done: whether it is time to rest. */
  due(work = 1): boolean {
    this.#done += work;
    return this.#done >= SLICE;
  }

  rest(): Promise<void> {
    this.#done = 0;
    return new Promise((resolve) => setImmediate(resolve));
  }
}
