import type { Clock, Timer } from '../../environment/environment.ts';

/**
 * Calls once when a time has passed, unless it is put off or cancelled before. Putting off costs nothing: it is done at every
 * heartbeat and commit, so the timer that runs is left to run, and set for the rest when it fires too early.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #onPassed: () => void;
  /** On the monotonic clock; undefined when nothing is waited for. */
  #due: number | undefined;
  #timer: Timer | undefined;
  #timerDue = 0;

  constructor(clock: Clock, onPassed: () => void) {
    this.#clock = clock;
    this.#onPassed = onPassed;
  }

  /** Sets the time anew, whether or not one was set before. */
  set(delayMs: number): void {
    const due = this.#clock.monotonic() + delayMs;
    this.#due = due;
    if (this.#timer !== undefined && this.#timerDue <= due) return;
    this.#timer?.cancel();
    this.#start(due, delayMs);
  }

  cancel(): void {
    this.#due = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #start(due: number, delayMs: number): void {
    this.#timerDue = due;
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      if (this.#due === undefined) return;
      const left = this.#due - this.#clock.monotonic();
      if (left > 0) {
        this.#start(this.#due, left);
        return;
      }
      this.#due = undefined;
      this.#onPassed();
    });
  }
}
