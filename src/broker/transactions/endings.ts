import type { Clock, Timer } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';
import type { TransactionOutcome } from '../../records/index.ts';
import { appendTogether, type ShardEventLog } from '../event-log.ts';
import type { LiveTransactions } from './live-transactions.ts';
import { Markers, type Participants, type Share, sharesOf } from './markers.ts';
import type { TransactionSettings } from './settings.ts';
import type { TransactionEvent, TransactionsState } from './state.ts';
import { completed, isBeingEnded, type ProducerIdentity, type Transaction } from './transaction.ts';

export interface EndingsOptions {
  readonly clock: Clock;
  readonly log: ShardEventLog<TransactionsState, TransactionEvent>;
  readonly settings: Pick<TransactionSettings, 'markerRetryMs'>;
  readonly transactions: LiveTransactions;
  readonly participants: Participants;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/**
 * How a coordinator ends transactions. One that has all its partitions and groups in the coordinator's shard ends in one append: its markers, the groups'
 * offsets and the fact. Otherwise the decision is appended first, together with the markers of this shard; when it is durable, the markers of each
 * other shard follow, and then the fact that they are there. Who starts after a crash in between goes on with the markers.
 */
export class Endings {
  readonly #options: EndingsOptions;
  /** Those that are under way over several shards, by transactional id. */
  readonly #ending = new Map<string, Promise<void>>();
  readonly #retries = new Set<Timer>();
  readonly #transactions: LiveTransactions;
  #closed = false;

  constructor(options: EndingsOptions) {
    this.#options = options;
    this.#transactions = options.transactions;
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#retries) timer.cancel();
  }

  /** Ends a transaction of which it was just decided how. Resolves with what it is then; rejects when the decision was lost. */
  async conclude(decided: Transaction): Promise<ProducerIdentity> {
    const { shard } = this.#options.log;
    const shares = sharesOf(decided, this.#options.participants);
    const own = shares.get(shard);
    shares.delete(shard);
    if (shares.size === 0) {
      const done = completed(decided, this.#options.clock.now());
      await this.#store(done, decided, own);
      return done;
    }
    const left = withShares(decided, shares.values());
    await this.#store(left, decided, own);
    await this.finish(left);
    return completed(left, this.#options.clock.now());
  }

  /** Appends what became of a transaction, with its markers in this shard. */
  #store(transaction: Transaction, decided: Transaction, own: Share | undefined): Promise<void> {
    const staged = this.#stageGroups(decided, own);
    const event = { type: 'stored', transaction } as const;
    if (own === undefined || own.partitions.length === 0)
      return this.#transactions.append(event, transaction, staged).settled;
    return this.#markers(decided, own).append((entries) =>
      this.#transactions.append(event, transaction, staged, entries),
    );
  }

  #stageGroups({ producerId: id, state }: Transaction, share: Share | undefined) {
    const groups = share?.groups ?? [];
    return groups.length === 0 ? [] : this.#options.participants.stageGroups(id, groups, outcomeOf(state));
  }

  #markers({ producerId: id, producerEpoch: epoch, state }: Transaction, share: Share): Markers {
    return new Markers(
      share.partitions.map(({ partition }) => partition),
      {
        producerId: id,
        producerEpoch: epoch,
        outcome: outcomeOf(state),
        coordinatorEpoch: this.#options.log.shard.epoch,
        timestamp: this.#options.clock.now(),
      },
    );
  }

  /** Writes the markers that are missing; those that cannot be written now, later. Resolves when it has tried. */
  finish(decided: Transaction): Promise<void> {
    const { transactionalId } = decided;
    const running = this.#ending.get(transactionalId);
    if (running !== undefined) return running;
    const ending = this.#tryToFinish(decided)
      .catch((error: unknown) => this.#retry(transactionalId, toBrokerError(error)))
      .finally(() => this.#ending.delete(transactionalId));
    this.#ending.set(transactionalId, ending);
    return ending;
  }

  async #tryToFinish(decided: Transaction): Promise<void> {
    const shares = sharesOf(decided, this.#options.participants).values();
    // Those that are there, or there twice in the end, change nothing any more.
    await Promise.all(
      Array.from(shares, async (share) => {
        const staged = this.#stageGroups(decided, share);
        await this.#markers(decided, share).append((entries) => appendTogether(share.shard, staged, entries));
      }),
    );
    const done = completed(decided, this.#options.clock.now());
    const { settled } = this.#transactions.append({ type: 'stored', transaction: done }, done);
    // When that is lost, it is being ended again; nobody need wait for it.
    settled.catch((error: unknown) => this.#retry(decided.transactionalId, toBrokerError(error)));
  }

  #retry(transactionalId: string, error: BrokerError): void {
    if (this.#closed || error.code === 'closed' || error.code === 'fenced') return;
    this.#options.onTrouble(error, `the end of the transaction of '${transactionalId}' is tried again`);
    const timer = this.#options.clock.setTimer(this.#options.settings.markerRetryMs, () => {
      this.#retries.delete(timer);
      const transaction = this.#transactions.get(transactionalId);
      if (transaction !== undefined && isBeingEnded(transaction)) void this.finish(transaction);
    });
    this.#retries.add(timer);
  }
}

function outcomeOf(state: Transaction['state']): TransactionOutcome {
  return state === 'PrepareCommit' || state === 'CompleteCommit' ? 'commit' : 'abort';
}

/** What is left of it to be ended. */
function withShares(transaction: Transaction, shares: Iterable<Share>): Transaction {
  const partitions = new Map<string, Set<number>>();
  const groups = new Set<string>();
  for (const share of shares) {
    for (const { streamId, partition } of share.partitions)
      partitions.set(streamId, (partitions.get(streamId) ?? new Set()).add(partition.index));
    for (const groupId of share.groups) groups.add(groupId);
  }
  return { ...transaction, partitions, groups };
}
