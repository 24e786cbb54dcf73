import type { Clock } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { Throttle } from '../compaction/throttle.ts';

/** How far a backup, a verification or a restore has come; and who wants it to stop says so here. */
export class Progress {
  bytesDone = 0;
  /** Grows while it is found out what there is to do. */
  bytesTotal = 0;
  /** Looked at now and then: throws what the work is to end with. */
  check: () => void = () => {};
  readonly #throttle: Throttle | undefined;
  #stopped = false;

  /** Goes as fast as it can without a rate. */
  constructor(rate?: { readonly clock: Clock; readonly bytesPerSecond: number }) {
    this.#throttle = rate && new Throttle(rate.clock, rate.bytesPerSecond);
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Takes note of bytes that were read or written. Rejects with `closed` when it was stopped. */
  async did(bytes: number): Promise<void> {
    this.bytesDone += bytes;
    await this.#throttle?.spend(bytes);
    this.going();
  }

  /** Throws when the work is not to go on. */
  going(): void {
    if (this.#stopped) throw new BrokerError('closed', 'it was stopped');
    this.check();
  }

  stop(): void {
    this.#stopped = true;
    this.#throttle?.stop();
  }
}
