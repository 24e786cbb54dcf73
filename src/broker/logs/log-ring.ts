import type { LogLevel } from './level.ts';

/** Lines that are remembered, and characters of all of them. */
const MAX_LINES = 5_000;
const MAX_CHARACTERS = 4 * 1024 * 1024;
/** Of one line. */
const MAX_LINE = 8 * 1024;

/** One line of the log. */
export interface LogEntry {
  /** Grows by one with each line, from the start of the broker on. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly level: LogLevel;
  readonly part: string;
  readonly message: string;
  /** As JSON. */
  readonly facts: string;
}

/** The latest lines of the log, in memory. */
export class LogRing {
  /** By id, from `#first` on; those before it are forgotten. */
  readonly #lines: LogEntry[] = [];
  #first = 0;
  #nextId = 1;
  #characters = 0;
  readonly #listeners = new Set<(entry: LogEntry) => void>();

  add(line: Omit<LogEntry, 'id' | 'facts'>, facts: object): void {
    const message = line.message.slice(0, MAX_LINE);
    const entry = { ...line, id: this.#nextId++, message, facts: factsText(facts) };
    this.#lines.push(entry);
    this.#characters += sizeOf(entry);
    while (this.#lines.length - this.#first > MAX_LINES || this.#characters > MAX_CHARACTERS) this.#forget();
    for (const listener of this.#listeners) listener(entry);
  }

  /** The newest first. */
  *newestFirst(before = Number.POSITIVE_INFINITY): Generator<LogEntry, void, undefined> {
    for (let i = this.#lines.length - 1; i >= this.#first; i--) {
      const entry = this.#lines[i];
      if (entry !== undefined && entry.id < before) yield entry;
    }
  }

  /** Calls back with each line, until the answered function is called. */
  onLine(callback: (entry: LogEntry) => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  #forget(): void {
    const oldest = this.#lines[this.#first];
    if (oldest === undefined) return;
    this.#first++;
    this.#characters -= sizeOf(oldest);
    if (this.#first < MAX_LINES) return;
    this.#lines.splice(0, this.#first);
    this.#first = 0;
  }
}

function sizeOf({ message, facts }: LogEntry): number {
  return message.length + facts.length;
}

/** Errors are what they say, with where they come from. */
function factsText(facts: object): string {
  try {
    const text = JSON.stringify(facts, (_, value: unknown) => {
      if (value instanceof Error) return value.stack ?? value.message;
      return typeof value === 'bigint' ? String(value) : value;
    });
    return text.length > MAX_LINE ? JSON.stringify({ cut: text.slice(0, MAX_LINE) }) : text;
  } catch {
    return '{}';
  }
}
