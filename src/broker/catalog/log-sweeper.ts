import type { Clock, Timer } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import type { Catalog } from './catalog.ts';

export interface LogSweeperOptions {
  readonly catalog: Catalog;
  readonly shards: readonly Shard[];
  /** Without it, what is to be done soon is done at once. */
  readonly clock?: Clock;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** Deletions within this time are done together: each costs a look at all logs of the shard. */
const GATHER_MS = 200;

/** Has the shards delete the logs of what was deleted, and the catalog forget them. */
export class LogSweeper {
  readonly #options: LogSweeperOptions;
  #timer: Timer | undefined;
  #sweeping: Promise<void> | undefined;
  /** The one after that. */
  #next: Promise<void> | undefined;

  constructor(options: LogSweeperOptions) {
    this.#options = options;
  }

  /** What is to be deleted by now is deleted soon. */
  sweepSoon(): void {
    const { clock } = this.#options;
    if (clock === undefined) void this.sweep();
    else {
      this.#timer ??= clock.setTimer(GATHER_MS, () => {
        this.#timer = undefined;
        void this.sweep();
      });
    }
  }

  /** What is left is deleted after the next start. */
  stop(): void {
    this.#timer?.cancel();
  }

  /** Resolves when what is to be deleted by now is deleted, or has to wait for the next start. */
  sweep(): Promise<void> {
    if (this.#sweeping === undefined) {
      this.#sweeping = this.#sweep().finally(() => {
        this.#sweeping = undefined;
      });
      return this.#sweeping;
    }
    // The one under way may have begun too early.
    this.#next ??= this.#sweeping.then(() => {
      this.#next = undefined;
      return this.sweep();
    });
    return this.#next;
  }

  async #sweep(): Promise<void> {
    const { catalog, shards, onTrouble } = this.#options;
    const places = [...catalog.state.deleting.values()];
    if (places.length === 0) return;
    try {
      await Promise.all(places.map(({ logId, shard }) => shards[shard]?.delete(shards[shard].log(logId))));
      await catalog.change(
        () => [{ type: 'logs-deleted', logIds: places.map(({ logId }) => logId) }],
        () => {},
        { makes: [] },
      );
    } catch (error) {
      onTrouble(toBrokerError(error), 'data of what was deleted takes space until the next start');
    }
  }
}
