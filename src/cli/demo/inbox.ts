import { BrokerError } from '../../errors.ts';
import { pause } from '../pause.ts';

/** Everything here is on this machine: what has not come by then does not come. */
const PATIENCE_MS = 20_000;

/** What came, until somebody takes it, one after the other. */
export class Inbox<Item> {
  readonly #items: Item[] = [];
  #arrived = new AbortController();

  put(item: Item): void {
    this.#items.push(item);
    this.#arrived.abort();
  }

  /** The next one. Rejects when it takes too long. */
  async next(what: string): Promise<Item> {
    if (this.#items.length === 0) {
      this.#arrived = new AbortController();
      await pause(PATIENCE_MS, this.#arrived.signal);
    }
    const item = this.#items.shift();
    if (item === undefined) throw new BrokerError('internal', `${what} did not come: this is a bug; please report it`);
    return item;
  }
}
