/** What became due at one moment. */
interface Due {
  readonly at: number;
  count: number;
}

/** When what is sent at a fixed rate becomes due, and what is due but could not be sent yet. Milliseconds. */
export class Schedule {
  readonly #perSecond: number;
  readonly #startedAt: number;
  #made = 0;
  #waiting = 0;
  readonly #due: Due[] = [];

  constructor(perSecond: number, startedAt: number) {
    this.#perSecond = perSecond;
    this.#startedAt = startedAt;
  }

  /** What ought to have been sent until now and is not waiting yet has been waiting since now: what the client is late with is not the broker's. */
  tick(now: number): void {
    const made = Math.floor(((now - this.#startedAt) / 1000) * this.#perSecond);
    if (made <= this.#made) return;
    this.#due.push({ at: now, count: made - this.#made });
    this.#waiting += made - this.#made;
    this.#made = made;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Takes the one that has been waiting longest. Answers since when; undefined when nothing waits. */
  take(): number | undefined {
    const first = this.#due[0];
    if (first === undefined) return undefined;
    this.#waiting--;
    if (--first.count === 0) this.#due.shift();
    return first.at;
  }
}
