import type { Clock } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { Lane } from './lane.ts';
import { MessageReader } from './message-reader.ts';

/** Is shown a message, valid during the call only, and when it was published: milliseconds since the epoch. */
export type Visit = (message: MessageBytes, timestamp: number) => void;

export interface SideReadsOptions {
  readonly clock: Clock;
  readonly closed: () => boolean;
  /** None waits any more. */
  readonly onDone: () => void;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** After a read failed, it is tried again, and others go on until then. */
const RETRY_MS = 1000;

interface Waiting {
  readonly offset: number;
  readonly visit: Visit;
}

/**
 * Reads messages of a lane that are not the next one: rejected ones, and those that expire in the middle. In the order that they are
 * asked for, and one piece of a segment after the other, so that many of them at a time cost no more memory than one.
 */
export class SideReads {
  readonly #lane: Lane;
  readonly #options: SideReadsOptions;
  readonly #reader: MessageReader;
  #waiting: Waiting[] = [];
  #failed: Waiting[] = [];
  /** Those before it were read. */
  #head = 0;
  #running = false;

  constructor(lane: Lane, options: SideReadsOptions) {
    this.#lane = lane;
    this.#options = options;
    this.#reader = new MessageReader(lane.log);
  }

  /** Some wait for others, or to be loaded. */
  get busy(): boolean {
    return this.#running;
  }

  /** At once, or when it was loaded; not at all when it is done with by then, or the queue is gone. */
  read(offset: number, visit: Visit): void {
    if (!this.#running && this.#lane.read(this.#reader, offset)) {
      visit(this.#reader.message, this.#reader.timestamp);
      return;
    }
    this.#waiting.push({ offset, visit });
    if (!this.#running) void this.#run();
  }

  /** The batches from `nextOffset` on are gone: others may come to lie there. */
  rollBack(nextOffset: number): void {
    this.#waiting = this.#waiting.slice(this.#head).filter(({ offset }) => offset < nextOffset);
    this.#head = 0;
    this.#failed = this.#failed.filter(({ offset }) => offset < nextOffset);
    this.#reader.forget();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#head < this.#waiting.length && !this.#options.closed()) await this.#showNext();
    this.#waiting = [];
    this.#head = 0;
    this.#running = false;
    if (!this.#options.closed()) this.#options.onDone();
  }

  /** Shows those that can be read now; then loads what the next one lacks. */
  async #showNext(): Promise<void> {
    for (let next = this.#waiting[this.#head]; next !== undefined; next = this.#waiting[this.#head]) {
      const { offset, visit } = next;
      if (!this.#lane.isDone(offset)) {
        if (!this.#lane.read(this.#reader, offset)) {
          await this.#load(next);
          return;
        }
        visit(this.#reader.message, this.#reader.timestamp);
      }
      this.#head++;
    }
  }

  async #load(next: Waiting): Promise<void> {
    const { offset } = next;
    try {
      await this.#reader.load(offset);
    } catch (error) {
      // Trimmed meanwhile: then it is passed over.
      if (this.#options.closed() || this.#lane.isDone(offset)) return;
      if (this.#waiting[this.#head] !== next) return;
      this.#head++;
      this.#failed.push(next);
      if (this.#failed.length === 1) this.#options.clock.setTimer(RETRY_MS, () => this.#tryAgain());
      this.#options.onTrouble(toBrokerError(error), 'a message stays, until it can be read');
    }
  }

  #tryAgain(): void {
    const failed = this.#failed;
    this.#failed = [];
    if (!this.#options.closed()) for (const { offset, visit } of failed) this.read(offset, visit);
  }
}
