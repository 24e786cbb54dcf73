import { type BrokerError, toBrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import type { Catalog } from './catalog.ts';

/** Has the shards delete the logs of what was deleted, and the catalog forget them. */
export class LogSweeper {
  readonly #catalog: Catalog;
  readonly #shards: readonly Shard[];
  readonly #onTrouble: (error: BrokerError, what: string) => void;
  #sweeping: Promise<void> | undefined;
  /** The one after that. */
  #next: Promise<void> | undefined;

  constructor(catalog: Catalog, shards: readonly Shard[], onTrouble: (error: BrokerError, what: string) => void) {
    this.#catalog = catalog;
    this.#shards = shards;
    this.#onTrouble = onTrouble;
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
    const places = [...this.#catalog.state.deleting.values()];
    if (places.length === 0) return;
    const shards = this.#shards;
    try {
      await Promise.all(places.map(({ logId, shard }) => shards[shard]?.delete(shards[shard].log(logId))));
      await this.#catalog.change(
        () => [{ type: 'logs-deleted', logIds: places.map(({ logId }) => logId) }],
        () => {},
        { makes: [] },
      );
    } catch (error) {
      this.#onTrouble(toBrokerError(error), 'data of what was deleted takes space until the next start');
    }
  }
}
