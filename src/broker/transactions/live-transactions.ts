import type { Entry } from '../../storage/index.ts';
import type { StagedEvents } from '../event-log.ts';
import { type AppendedTogether, appendTogether, type ShardEventLog } from '../event-log.ts';
import type { TransactionEvent, TransactionsState } from './state.ts';
import type { Transaction } from './transaction.ts';

interface Change {
  /** Of its event. */
  readonly offset: number;
  readonly transactionalId: string;
  readonly before: Transaction | undefined;
  readonly settled: Promise<void>;
}

/**
 * The transactions as the events that were appended make them, durable or not: what is appended after one of them is durable only if
 * that one is. What is lost is taken back before anybody can decide upon it.
 */
export class LiveTransactions {
  readonly log: ShardEventLog<TransactionsState, TransactionEvent>;
  readonly #live: Map<string, Transaction>;
  readonly #ongoing = new Set<string>();
  /** Not durable yet, oldest first. */
  #changes: Change[] = [];
  /** The last of them of each id. */
  readonly #last = new Map<string, Change>();
  #participants = 0;

  constructor(log: ShardEventLog<TransactionsState, TransactionEvent>) {
    this.log = log;
    this.#live = new Map(log.state);
    for (const transaction of this.#live.values()) this.#count(transaction, 1);
    log.onLost = (nextOffset) => this.#takeBack(nextOffset);
  }

  get size(): number {
    return this.#live.size;
  }

  /** Partitions and groups of those that are open. */
  get participants(): number {
    return this.#participants;
  }

  get(transactionalId: string): Transaction | undefined {
    return this.#live.get(transactionalId);
  }

  all(): Iterable<Transaction> {
    return this.#live.values();
  }

  /** Those that are open or being ended. */
  get open(): ReadonlySet<string> {
    return this.#ongoing;
  }

  /** Resolves when what was appended for this id is durable; undefined when it is. */
  settled(transactionalId: string): Promise<void> | undefined {
    return this.#last.get(transactionalId)?.settled;
  }

  /** Appends an event with what is to be there with it. `after` is what it makes of the transaction. */
  append(
    event: TransactionEvent,
    after: Transaction | { readonly transactionalId: string; readonly forget: true },
    staged: readonly StagedEvents[] = [],
    entries: readonly Entry[] = [],
  ): AppendedTogether {
    const { transactionalId } = after;
    const offset = this.log.nextOffset;
    const appended = appendTogether(this.log.shard, [this.log.stage([event]), ...staged], entries);
    const change = { offset, transactionalId, before: this.#live.get(transactionalId), settled: appended.settled };
    // Not everybody waits for it.
    appended.settled.catch(() => {});
    // A shard that is closed took nothing.
    if (this.log.nextOffset > offset) this.#changed(change, 'forget' in after ? undefined : after);
    return appended;
  }

  #changed(change: Change, after: Transaction | undefined): void {
    this.#set(change.transactionalId, after);
    this.#changes.push(change);
    this.#last.set(change.transactionalId, change);
    change.settled.then(
      () => this.#durable(change),
      // It was taken back already.
      () => {},
    );
  }

  #durable(change: Change): void {
    // They become durable in their order.
    if (this.#changes[0] === change) this.#changes.shift();
    if (this.#last.get(change.transactionalId) === change) this.#last.delete(change.transactionalId);
  }

  #takeBack(nextOffset: number): void {
    for (
      let last = this.#changes.at(-1);
      last !== undefined && last.offset >= nextOffset;
      last = this.#changes.at(-1)
    ) {
      this.#changes.pop();
      this.#set(last.transactionalId, last.before);
      this.#last.delete(last.transactionalId);
    }
    for (const change of this.#changes) this.#last.set(change.transactionalId, change);
  }

  #set(transactionalId: string, transaction: Transaction | undefined): void {
    const before = this.#live.get(transactionalId);
    if (before !== undefined) this.#count(before, -1);
    if (transaction === undefined) this.#live.delete(transactionalId);
    else {
      this.#live.set(transactionalId, transaction);
      this.#count(transaction, 1);
    }
  }

  #count({ transactionalId, partitions, groups, state }: Transaction, by: 1 | -1): void {
    let count = groups.size;
    for (const indexes of partitions.values()) count += indexes.size;
    this.#participants += by * count;
    const open = state === 'Ongoing' || state === 'PrepareCommit' || state === 'PrepareAbort';
    if (by > 0 && open) this.#ongoing.add(transactionalId);
    else this.#ongoing.delete(transactionalId);
  }
}
