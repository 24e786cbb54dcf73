import type { BrokerError } from '../errors.ts';
import type { Durability, Position } from './commit-log.ts';
import type { Log } from './log.ts';

/** An append that the commit log has and that is not durable yet. */
export interface InFlight {
  readonly end: Position;
  /** The logs and the offsets up to which they are durable when this is. */
  readonly logs: readonly Log[];
  readonly nextOffsets: readonly number[];
  /** What takes effect when this is durable. */
  readonly trims: readonly { readonly log: Log; readonly before: number }[];
  readonly deletes: readonly Log[];
  readonly durability: Durability;
}

type Waiting = InFlight & { settle: ((error?: BrokerError) => void) | undefined };

const SETTLED = Promise.resolve();

/** The appends of a shard that are not durable, in their order, and those who wait for them. */
export class InFlightAppends {
  /** Oldest first, from `#head` on; those before `#writtenHead` are written. */
  #appends: Waiting[] = [];
  #head = 0;
  #writtenHead = 0;

  get length(): number {
    return this.#appends.length - this.#head;
  }

  /** Takes an append that ends after all before it. The promise is settled when it is as safe as was asked, or lost. */
  push(append: InFlight): Promise<void> {
    const waiting: Waiting = { ...append, settle: undefined };
    this.#appends.push(waiting);
    if (append.durability === 'memory') return SETTLED;
    return new Promise((resolve, reject) => {
      waiting.settle = (error) => (error === undefined ? resolve() : reject(error));
    });
  }

  /** Settles those that wait for no more than this. */
  written(upTo: Position): void {
    let append = this.#appends[this.#writtenHead];
    while (append !== undefined && append.end <= upTo) {
      if (append.durability === 'written') settle(append);
      append = this.#appends[++this.#writtenHead];
    }
  }

  /** Takes out what is durable, hands each to `visit`, and then settles them. */
  durable(upTo: Position, visit: (append: InFlight) => void): void {
    const from = this.#head;
    let append = this.#appends[this.#head];
    while (append !== undefined && append.end <= upTo) {
      visit(append);
      append = this.#appends[++this.#head];
    }
    const settled = this.#appends.slice(from, this.#head);
    this.#writtenHead = Math.max(this.#writtenHead, this.#head);
    if (this.#head > 1024 && this.#head * 2 > this.#appends.length) {
      this.#appends = this.#appends.slice(this.#head);
      this.#writtenHead -= this.#head;
      this.#head = 0;
    }
    for (const done of settled) settle(done);
  }

  /** Takes all out: they are lost. Answers them with a function that tells those who wait. */
  takeLost(): { readonly lost: readonly InFlight[]; readonly reject: (error: BrokerError) => void } {
    const lost = this.#appends.slice(this.#head);
    this.#appends = [];
    this.#head = 0;
    this.#writtenHead = 0;
    return {
      lost,
      reject(error) {
        for (const append of lost) settle(append, error);
      },
    };
  }
}

function settle(append: Waiting, error?: BrokerError): void {
  const { settle } = append;
  append.settle = undefined;
  settle?.(error);
}
