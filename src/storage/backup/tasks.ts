/** Work that goes on beside other work, so many at a time. */
export class Tasks {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Begins when there is room. Rejects with what went wrong with any of them before. */
  async add(work: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#limit) await Promise.race(this.#running);
    this.#check();
    const running: Promise<void> = work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Waits for all of them. */
  async end(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Waits for all of them. Rejects with what went wrong with any. */
  async settle(): Promise<void> {
    await this.end();
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
