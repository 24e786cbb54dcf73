import type { Clock, Timer } from './environment.ts';

interface PendingTimer {
  readonly due: number;
  readonly sequence: number;
  readonly callback: () => void;
}

/** Saturday, 1 January 2000, 00:00 UTC. */
const EPOCH = Date.UTC(2000, 0, 1);

/** A clock that stands still until it is turned. */
export class VirtualClock implements Clock {
  #elapsed = 0;
  #offset: number;
  #sequence = 0;
  readonly #timers = new Set<PendingTimer>();

  /** Begins at `now`, milliseconds since the Unix epoch. */
  constructor(now: number = EPOCH) {
    this.#offset = now;
  }

  now(): number {
    return this.#offset + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { due: this.#elapsed + Math.max(0, delayMs), sequence: this.#sequence++, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Timers that are waiting. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Sets the wall clock, as an operator or NTP does; intervals and timers do not notice. */
  set(now: number): void {
    this.#offset = now - this.#elapsed;
  }

  /**
   * Turns the clock on, firing what falls due in its order, each at its own time. What a timer set off (promises, simulated
   * files) runs before the next one fires, as far as it needs no more time.
   */
  async advance(ms: number): Promise<void> {
    const target = this.#elapsed + ms;
    await settled();
    for (let timer = this.#earliest(target); timer; timer = this.#earliest(target)) {
      this.#timers.delete(timer);
      this.#elapsed = Math.max(this.#elapsed, timer.due);
      timer.callback();
      await settled();
    }
    this.#elapsed = Math.max(this.#elapsed, target);
  }

  #earliest(target: number): PendingTimer | undefined {
    let earliest: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.due > target) continue;
      if (!earliest || timer.due < earliest.due || (timer.due === earliest.due && timer.sequence < earliest.sequence))
        earliest = timer;
    }
    return earliest;
  }
}

/** Resolves when the jobs that are waiting, and those that they started in their turn, have run. */
function settled(): Promise<void> {
  // Node runs all microtasks between two immediates; the second one lets those run that came of immediates.
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
