import type { Clock, Timer } from '../../environment/environment.ts';

/** Waits shorter than this are put off until there is more to wait for. */
const MIN_WAIT_MS = 20;
const SECOND = 1000;

/** Keeps the bytes that go through it, on average, to a rate. */
export class Throttle {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  /** When what went through would have been due; milliseconds of the clock's `monotonic`. */
  #due: number;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#due = clock.monotonic();
  }

  /** To be waited for, if it answers something. */
  spend(bytes: number): Promise<void> | undefined {
    const now = this.#clock.monotonic();
    // Time that was not used is not made up for.
    this.#due = Math.max(this.#due, now) + (bytes / this.#bytesPerSecond) * SECOND;
    const wait = this.#due - now;
    if (wait < MIN_WAIT_MS) return undefined;
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = this.#clock.setTimer(wait, resolve);
    });
  }

  /** Nobody waits any more. */
  stop(): void {
    this.#timer?.cancel();
    this.#wake?.();
  }
}
