import type { Clock, Timer } from '../../environment/environment.ts';

/** A clock whose timers do not fire before it is released, though they may be due. */
export class HeldClock implements Clock {
  readonly #clock: Clock;
  /** What was due meanwhile; undefined once it is released. */
  #due: (() => void)[] | undefined = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (this.#due === undefined) return this.#clock.setTimer(delayMs, callback);
    let cancelled = false;
    const fire = () => {
      if (!cancelled) callback();
    };
    const timer = this.#clock.setTimer(delayMs, () => {
      if (this.#due === undefined) fire();
      else this.#due.push(fire);
    });
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  release(): void {
    const due = this.#due ?? [];
    this.#due = undefined;
    for (const fire of due) fire();
  }
}
