/** Does what it is asked to one after the other, in the order of asking: each begins when the one before has ended, well or not. */
export class OneByOne {
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  /** Asked and not yet done. */
  get pending(): number {
    return this.#pending;
  }

  run<T>(act: () => Promise<T>): Promise<T> {
    this.#pending++;
    const done = this.#last.then(act).finally(() => {
      this.#pending--;
    });
    this.#last = done.catch(() => {});
    return done;
  }
}
