import type { Clock } from '../../environment/environment.ts';
import { Deadline } from './deadline.ts';

/** How long a rebalance waits for members to join. In an empty group it waits a little, and again if some keep coming. */
export class JoinPhase {
  readonly #deadline: Deadline;
  readonly #initialDelayMs: number;
  /** Waits so many milliseconds more at most if members keep coming. */
  #initial: { newcomers: boolean; delayMs: number; leftMs: number } | undefined;

  constructor(clock: Clock, initialDelayMs: number, onOver: () => void) {
    this.#initialDelayMs = initialDelayMs;
    this.#deadline = new Deadline(clock, () => {
      if (!this.#prolong()) onOver();
    });
  }

  /** It began in an empty group. */
  get isInitial(): boolean {
    return this.#initial !== undefined;
  }

  beginInitial(timeoutMs: number): void {
    const delayMs = this.#initialDelayMs;
    this.#initial = { newcomers: false, delayMs, leftMs: Math.max(timeoutMs - delayMs, 0) };
    this.#deadline.set(delayMs);
  }

  begin(timeoutMs: number): void {
    this.#deadline.set(timeoutMs);
  }

  /** A member has come that was none before. */
  newcomer(): void {
    if (this.#initial !== undefined) this.#initial.newcomers = true;
  }

  end(): void {
    this.#deadline.cancel();
    this.#initial = undefined;
  }

  #prolong(): boolean {
    const initial = this.#initial;
    if (!initial?.newcomers || initial.leftMs <= 0) return false;
    const delayMs = Math.min(this.#initialDelayMs, initial.leftMs);
    this.#initial = { newcomers: false, delayMs, leftMs: Math.max(initial.leftMs - initial.delayMs, 0) };
    this.#deadline.set(delayMs);
    return true;
  }
}
