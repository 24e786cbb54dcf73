import type { Clock } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';

export type TransferKind = 'move' | 'redrive';
export type TransferState = 'running' | 'done' | 'stopped' | 'failed';

/** Why a message stays where it is. */
export type SkipReason =
  /** It is out with a consumer. */
  | 'unacknowledged'
  /** Its id names no message any more. */
  | 'gone'
  /** It would reach no queue. */
  | 'unroutable'
  /** The user may not publish where it would go. */
  | 'refused'
  /** It does not say where it came from. */
  | 'no-trail'
  /** Where it came from is not there any more. */
  | 'no-source'
  /** It only says what it was: the share group kept no copy of the record. */
  | 'no-copy';

export interface TransferDescription {
  readonly kind: TransferKind;
  readonly virtualHost: string;
  /** Name of the queue. */
  readonly source: string;
  /** For people. */
  readonly destination: string;
  readonly user: string;
  readonly dryRun: boolean;
  /** Messages a second; undefined for as fast as it goes. */
  readonly rate: number | undefined;
  /** How many it will look at, as far as that is known before. */
  readonly total: number | undefined;
}

/** Queues that are told of by name in the progress; the others are counted together. */
const MAX_TARGETS = 100;
/** How often a second a rate is kept to. */
const BEATS = 10;

/** Work on many messages: how far it is, and that it should stop. What the work is, is its caller's. */
export class Transfer {
  readonly id: string;
  readonly description: TransferDescription;
  readonly startedAt: number;
  /** Looked at, and of these such that were meant. */
  looked = 0;
  matched = 0;
  /** Safe where they were to go, and gone from where they were. */
  moved = 0;
  /** Safe where they were to go, but a consumer got them from where they were as well. */
  copied = 0;
  readonly skipped = new Map<SkipReason, number>();
  /** Messages by the queue that they went to, or would. */
  readonly targets = new Map<string, number>();
  otherTargets = 0;
  state: TransferState = 'running';
  error: BrokerError | undefined;
  finishedAt: number | undefined;
  readonly #clock: Clock;
  #stopped = false;
  #wake: (() => void) | undefined;
  #paced = 0;
  #pacedSince: number;

  constructor(id: string, clock: Clock, description: TransferDescription) {
    this.id = id;
    this.description = description;
    this.startedAt = clock.now();
    this.#clock = clock;
    this.#pacedSince = clock.monotonic();
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** It ends before the next message; what is under way is finished. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** Does the work; never rejects. */
  async run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.state = this.#stopped ? 'stopped' : 'done';
    } catch (error) {
      this.error = toBrokerError(error);
      this.state = 'failed';
    }
    this.finishedAt = this.#clock.now();
  }

  skip(reason: SkipReason): void {
    this.skipped.set(reason, (this.skipped.get(reason) ?? 0) + 1);
  }

  goesTo(names: Iterable<string>): void {
    for (const name of names) {
      const count = this.targets.get(name);
      if (count === undefined && this.targets.size === MAX_TARGETS) this.otherTargets++;
      else this.targets.set(name, (count ?? 0) + 1);
    }
  }

  /** Messages that go in one append at most, so that the rate is kept. */
  batchOf(most: number): number {
    const { rate } = this.description;
    return rate === undefined ? most : Math.max(1, Math.min(most, Math.floor(rate / BEATS)));
  }

  /** After so many messages went: waits until the rate allows more, or it is stopped. */
  async pace(messages: number): Promise<void> {
    const { rate } = this.description;
    if (rate === undefined || this.#stopped) return;
    this.#paced += messages;
    const due = this.#pacedSince + (this.#paced / rate) * 1000;
    const wait = Math.ceil(due - this.#clock.monotonic());
    if (wait <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(wait, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
