import type { Clock } from '../../environment/environment.ts';
import { realEnvironment } from '../../environment/real.ts';

const BAR = 24;
/** Terminals are slower than what is counted. */
const REDRAW_MS = 80;
/** What is over sooner needs no bar. */
const SHOW_AFTER_MS = 300;

export interface ProgressOptions {
  /** What is done, as in `importing`. */
  readonly doing: string;
  /** May be found out while it goes on. */
  readonly total: number;
  /** How a number is written; as it is unless given. */
  readonly amount?: (count: number) => string;
  /** Standard error unless given: what a command prints may be somebody's input. */
  readonly output?: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly clock?: Pick<Clock, 'monotonic'>;
}

/** A bar on the terminal, for work that takes long; nothing where there is no terminal. */
export class Progress {
  readonly #options: Required<ProgressOptions>;
  readonly #startedAt: number;
  total: number;
  #done = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #shown = false;

  constructor(options: ProgressOptions) {
    this.#options = { output: process.stderr, clock: realEnvironment().clock, amount: String, ...options };
    this.total = options.total;
    this.#startedAt = this.#options.clock.monotonic();
  }

  add(count: number): void {
    this.#done += count;
    const { output, clock } = this.#options;
    const now = clock.monotonic();
    if (!output.isTTY || now - this.#startedAt < SHOW_AFTER_MS || now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#shown = true;
    output.write(`\r${this.#text(now)}\x1b[K`);
  }

  /** Takes the bar away: what came of the work is told by the command. */
  end(): void {
    if (this.#shown) this.#options.output.write('\r\x1b[K');
    this.#shown = false;
  }

  #text(now: number): string {
    const { doing, amount } = this.#options;
    const { total } = this;
    const part = total === 0 ? 1 : Math.min(1, this.#done / total);
    const full = Math.round(part * BAR);
    const bar = '█'.repeat(full) + '░'.repeat(BAR - full);
    const leftSeconds = part === 0 ? 0 : Math.round(((now - this.#startedAt) / part - (now - this.#startedAt)) / 1000);
    return `${doing} ${bar} ${Math.floor(part * 100)} % (${amount(this.#done)} of ${amount(total)}), ${leftSeconds} s left`;
  }
}
