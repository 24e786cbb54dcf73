import type { Clock, Random } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { Transfer, type TransferDescription } from './transfer.ts';

/** Under way at a time. */
export const MAX_RUNNING_TRANSFERS = 16;
/** Of those that ended, as many are remembered. */
export const MAX_FINISHED_TRANSFERS = 100;

/** The transfers of a broker: those under way, and the last that ended. They do not outlive a restart: what they moved is moved, the rest stays. */
export class Transfers {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #running = new Map<string, { readonly transfer: Transfer; readonly end: Promise<void> }>();
  readonly #finished = new Map<string, Transfer>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Begins at once. Throws `limit-exceeded`, and `already-exists` when another one takes from the same queue. */
  start(description: TransferDescription, work: (transfer: Transfer) => Promise<void>): Transfer {
    if (this.#running.size >= MAX_RUNNING_TRANSFERS)
      throw new BrokerError('limit-exceeded', `${MAX_RUNNING_TRANSFERS} transfers are under way: wait, or stop one`);
    const { virtualHost, source, dryRun } = description;
    for (const { transfer } of this.#running.values()) {
      const other = transfer.description;
      if (!dryRun && !other.dryRun && other.virtualHost === virtualHost && other.source === source)
        throw new BrokerError('already-exists', `transfer ${transfer.id} takes messages from '${source}' already`);
    }
    const transfer = new Transfer(this.#random.uuid(), this.#clock, description);
    const end = transfer.run(() => work(transfer)).then(() => this.#ended(transfer));
    this.#running.set(transfer.id, { transfer, end });
    return transfer;
  }

  /** Newest first. */
  all(): Transfer[] {
    const running = Array.from(this.#running.values(), ({ transfer }) => transfer);
    return [...this.#finished.values(), ...running].reverse();
  }

  get(id: string): Transfer | undefined {
    return this.#running.get(id)?.transfer ?? this.#finished.get(id);
  }

  /** Resolves when the transfer has ended, or so many milliseconds have passed. */
  async wait({ id }: Transfer, ms: number): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined || ms <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(ms, resolve);
      void running.end.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** The broker stops: all of them stop, and what they have under way is finished. */
  async close(): Promise<void> {
    const ends = Array.from(this.#running.values(), ({ transfer, end }) => {
      transfer.stop();
      return end;
    });
    await Promise.all(ends);
  }

  #ended(transfer: Transfer): void {
    this.#running.delete(transfer.id);
    this.#finished.set(transfer.id, transfer);
    for (const id of this.#finished.keys()) {
      if (this.#finished.size <= MAX_FINISHED_TRANSFERS) break;
      this.#finished.delete(id);
    }
  }
}
