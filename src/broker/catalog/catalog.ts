import { type EventLogOptions, jsonCodec, ShardEventLog } from '../event-log.ts';
import { type CatalogEvent, type CatalogState, catalogMachine } from './state.ts';

/** The catalog's own log has this id on the first shard of every broker; all others are found through it. */
const CATALOG_LOG_ID = '00000000-0000-4000-8000-000000000001';

/** What exists, durably. Changes are made one after the other, each deciding upon what the one before left. */
export class Catalog {
  readonly #log: ShardEventLog<CatalogState, CatalogEvent>;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(log: ShardEventLog<CatalogState, CatalogEvent>) {
    this.#log = log;
  }

  static async open(
    options: Pick<EventLogOptions<CatalogState, CatalogEvent>, 'shard' | 'now' | 'onTrouble'>,
  ): Promise<Catalog> {
    return new Catalog(
      await ShardEventLog.open({ ...options, logId: CATALOG_LOG_ID, machine: catalogMachine, codec: jsonCodec() }),
    );
  }

  get state(): Readonly<CatalogState> {
    return this.#log.state;
  }

  /**
   * Lets `decide` look at the state and say what is to happen. When that is durable and applied, `follow` does the same to
   * what its caller holds besides; only then the next change begins, so that the two never differ for one that decides. What
   * has happened cannot be refused any more: `follow` must not fail.
   */
  change(
    decide: (state: Readonly<CatalogState>) => readonly CatalogEvent[],
    follow: () => void = () => {},
  ): Promise<void> {
    const change = this.#last.then(() => this.#log.append(decide(this.#log.state))).then(follow);
    this.#last = change.catch(() => {});
    return change;
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}
