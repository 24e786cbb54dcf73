import type { Memory, Timer } from '../../environment/environment.ts';

export interface MemoryAlarmOptions {
  readonly memory: Memory;
  /** Bytes from which on publishers are held back. */
  readonly limitBytes: number;
  /** Told when the alarm is raised, and when it ends. */
  readonly onChange: (raised: boolean, usedBytes: number) => void;
}

/** What was raised ends only this far below the limit, so that it does not come and go all the time. */
const RELIEF = 0.95;

/**
 * Watches the process's memory. What grows beyond its own bounds (messages that are out, many connections) must not end the
 * broker: publishers wait while consumers go on.
 */
export class MemoryAlarm {
  readonly #options: MemoryAlarmOptions;
  readonly #waiting = new Set<() => void>();
  readonly #timer: Timer;
  #raised = false;

  constructor(options: MemoryAlarmOptions) {
    this.#options = options;
    this.#timer = options.memory.watch(() => this.#check());
  }

  get raised(): boolean {
    return this.#raised;
  }

  get limitBytes(): number {
    return this.#options.limitBytes;
  }

  /** Calls back once, when the alarm ends; at the latest when the broker closes. */
  onRelief(callback: () => void): void {
    this.#waiting.add(callback);
  }

  close(): void {
    this.#timer.cancel();
    this.#relieve();
  }

  #check(): void {
    const { memory, limitBytes, onChange } = this.#options;
    let used = memory.used();
    const bound = this.#raised ? limitBytes * RELIEF : limitBytes;
    if (used >= bound) {
      // What is not needed any more does not count, and with publishers waiting nothing else would collect it.
      memory.collect();
      used = memory.used();
    }
    const raised = used >= bound;
    if (raised === this.#raised) return;
    this.#raised = raised;
    onChange(raised, used);
    if (!raised) this.#relieve();
  }

  #relieve(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }
}
