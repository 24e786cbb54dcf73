import type { Clock, Timer } from '../../environment/environment.ts';

const MAX_TIMER_MS = 0x7fffffff;

/** Tells when something was not used for a time. */
export class IdleWatch {
  readonly #clock: Clock;
  /** Milliseconds; undefined while nobody wants to know. */
  readonly #expiresMs: () => number | undefined;
  readonly #isUsed: () => boolean;
  readonly #onIdle: () => void;
  #usedAt = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(clock: Clock, expiresMs: () => number | undefined, isUsed: () => boolean, onIdle: () => void) {
    this.#clock = clock;
    this.#expiresMs = expiresMs;
    this.#isUsed = isUsed;
    this.#onIdle = onIdle;
  }

  /** It is used now. To be called once more when it stops being in use all the time. */
  touch(): void {
    this.#usedAt = this.#clock.monotonic();
    this.#watch();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #watch(): void {
    const expiresMs = this.#expiresMs();
    if (expiresMs === undefined || this.#timer !== undefined || this.#stopped) return;
    const wait = Math.max(0, this.#usedAt + expiresMs - this.#clock.monotonic());
    this.#timer = this.#clock.setTimer(Math.min(wait, MAX_TIMER_MS), () => {
      this.#timer = undefined;
      const limit = this.#expiresMs();
      if (limit === undefined || this.#isUsed()) return;
      if (this.#clock.monotonic() - this.#usedAt >= limit) this.#onIdle();
      else this.#watch();
    });
  }
}
