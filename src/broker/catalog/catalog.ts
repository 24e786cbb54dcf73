import { toBrokerError } from '../../errors.ts';
import { type EventLogOptions, jsonCodec, ShardEventLog } from '../event-log.ts';
import { type CatalogEvent, type CatalogState, catalogMachine } from './state.ts';

/** The catalog's own log has this id on the first shard of every broker; all others are found through it. */
const CATALOG_LOG_ID = '00000000-0000-4000-8000-000000000001';

/** Changes that share an append, at most. */
const MAX_TOGETHER = 1000;

/** What a change has to do with, by names that those who make such changes agree upon. */
export interface ChangeScope {
  /** What is made or taken away, or else done to something. */
  readonly makes: readonly string[];
  /** What the decision depends on besides. */
  readonly needs?: readonly string[];
}

type Decide = (state: Readonly<CatalogState>) => readonly CatalogEvent[];

interface Change {
  readonly decide: Decide;
  readonly follow: () => void;
  readonly scope: ChangeScope | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What exists, durably. Changes are made one after the other, each deciding upon what the one before left. */
export class Catalog {
  readonly #log: ShardEventLog<CatalogState, CatalogEvent>;
  #waiting: Change[] = [];
  #changing = false;

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
   *
   * Changes with a scope that wait at the same time may be decided together and share one append, which costs one flush: where
   * none has to do with what an earlier one makes, none can tell that the earlier ones did not happen yet.
   */
  change(decide: Decide, follow: () => void = () => {}, scope?: ChangeScope): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ decide, follow, scope, resolve, reject });
      if (!this.#changing) void this.#makeChanges();
    });
  }

  /** Its writer's epoch, and the offset that the next event will have. */
  get end(): { readonly epoch: number; readonly endOffset: number } {
    return { epoch: this.#log.shard.epoch, endOffset: this.#log.nextOffset };
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  async #makeChanges(): Promise<void> {
    this.#changing = true;
    // Those that are asked for at the same moment go together.
    await undefined;
    while (this.#waiting.length > 0) await this.#makeSome();
    this.#changing = false;
  }

  /** Makes the first changes that wait: as many as can go together. */
  async #makeSome(): Promise<void> {
    const together: Change[] = [];
    const events: CatalogEvent[] = [];
    const made = new Set<string>();
    let seen = 0;
    for (const change of this.#waiting) {
      if (seen > 0 && (seen === MAX_TOGETHER || dependsOn(change.scope, made))) break;
      seen++;
      try {
        events.push(...change.decide(this.#log.state));
        together.push(change);
      } catch (error) {
        change.reject(error);
      }
      if (change.scope === undefined) break;
      for (const name of change.scope.makes) made.add(name);
    }
    this.#waiting = this.#waiting.slice(seen);
    try {
      await this.#log.append(events);
    } catch (error) {
      for (const { reject } of together) reject(error);
      return;
    }
    for (const { follow, resolve, reject } of together) {
      try {
        follow();
        resolve();
      } catch (error) {
        reject(toBrokerError(error));
      }
    }
  }
}

function dependsOn(scope: ChangeScope | undefined, made: ReadonlySet<string>): boolean {
  if (scope === undefined) return true;
  const { makes, needs = [] } = scope;
  return makes.some((name) => made.has(name)) || needs.some((name) => made.has(name));
}
