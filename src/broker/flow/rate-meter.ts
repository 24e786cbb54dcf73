/** What comes at once may be so many milliseconds' worth: as much as goes through Kafka's windows (ten of a second) before it throttles. */
const BURST_MS = 10_000;

/** How much of something there was lately, and how long to wait so that it is no more than it may be (GCRA, ITU-T I.371). */
export class RateMeter {
  /** When all that was counted would have been used up at the rate that is allowed, in milliseconds. */
  #usedUpAt = 0;

  /** Counts, and answers for how many milliseconds nothing more is to come. `now` is of a clock that does not step back. */
  record(amount: number, limitPerSecond: number, now: number): number {
    this.#usedUpAt = Math.max(this.#usedUpAt, now) + (amount * 1000) / limitPerSecond;
    return Math.max(Math.ceil(this.#usedUpAt - now - BURST_MS), 0);
  }

  /** Nothing that was counted counts any more. */
  isIdle(now: number): boolean {
    return this.#usedUpAt <= now;
  }
}
