import type { Clock } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { producerEpoch, producerId, type TransactionOutcome } from '../../records/index.ts';
import type { Shard } from '../../storage/index.ts';
import type { LogPlace } from '../catalog/state.ts';
import { appendTogether, ShardEventLog } from '../event-log.ts';
import { type Groups, hash } from '../groups/groups.ts';
import type { Partition } from '../streams/partition.ts';
import type { Streams } from '../streams/streams.ts';
import { TransactionCoordinator } from './coordinator.ts';
import { Markers, type Participants } from './markers.ts';
import { DEFAULT_TRANSACTION_SETTINGS, type TransactionSettings } from './settings.ts';
import { type TransactionEvent, type TransactionsState, transactionEventCodec, transactionsMachine } from './state.ts';
import { isBeingEnded, type Transaction, type TransactionState } from './transaction.ts';

export interface TransactionsOptions {
  readonly shards: readonly Shard[];
  /** Where transactions keep what they know. Their number decides where a transactional id is found: it never changes. */
  readonly logs: readonly LogPlace[];
  readonly clock: Clock;
  readonly settings: Partial<TransactionSettings>;
  readonly streams: Pick<Streams, 'getById' | 'all'>;
  readonly groups: Groups;
  readonly newProducerId: () => Promise<number>;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

export interface TransactionFilter {
  readonly states?: readonly TransactionState[];
  readonly producerIds?: readonly number[];
  /** Only those that have been open for longer than this. */
  readonly minDurationMs?: number;
  readonly matches?: (transactionalId: string) => boolean;
}

interface Coordinator {
  readonly coordinator: TransactionCoordinator;
  readonly log: ShardEventLog<TransactionsState, TransactionEvent>;
}

/** All transactions of the broker: a transactional id belongs to one of several coordinators, by its hash. */
export class Transactions {
  readonly #options: TransactionsOptions;
  readonly #coordinators: readonly Coordinator[];

  private constructor(options: TransactionsOptions, coordinators: readonly Coordinator[]) {
    this.#options = options;
    this.#coordinators = coordinators;
  }

  static async open(options: TransactionsOptions): Promise<Transactions> {
    const { clock, shards, streams, groups, newProducerId, onTrouble } = options;
    const settings = { ...DEFAULT_TRANSACTION_SETTINGS, ...options.settings };
    const participants: Participants = {
      partition: (streamId, index) => streams.getById(streamId)?.partitions[index],
      shardOfGroup: (groupId) => groups.shardOf(groupId),
      stageGroups: (...ended) => groups.stageTransactionEnd(...ended),
    };
    const coordinators = options.logs.map(async ({ logId, shard: index }) => {
      const shard = shards[index];
      if (shard === undefined) throw new Error(`shard ${index} of the transactions is not there`);
      const log = await ShardEventLog.open({
        shard,
        logId,
        machine: transactionsMachine,
        codec: transactionEventCodec,
        now: () => clock.now(),
        onTrouble,
      });
      const coordinator = new TransactionCoordinator({ clock, log, settings, participants, newProducerId, onTrouble });
      return { coordinator, log };
    });
    const transactions = new Transactions(options, await Promise.all(coordinators));
    await transactions.#endHanging();
    await Promise.all(transactions.#coordinators.map(({ coordinator }) => coordinator.start()));
    return transactions;
  }

  coordinatorOf(transactionalId: string): TransactionCoordinator {
    const found = this.#coordinators[hash(transactionalId) % this.#coordinators.length];
    if (found === undefined) throw new Error('a broker has at least one coordinator');
    return found.coordinator;
  }

  list({ states = [], producerIds = [], minDurationMs = -1, matches }: TransactionFilter = {}): Transaction[] {
    const now = this.#options.clock.now();
    const found: Transaction[] = [];
    for (const { coordinator } of this.#coordinators) {
      for (const transaction of coordinator.all()) {
        const { state, startTime, transactionalId } = transaction;
        if (states.length > 0 && !states.includes(state)) continue;
        if (producerIds.length > 0 && !producerIds.includes(transaction.producerId)) continue;
        if (minDurationMs >= 0 && (startTime < 0 || now - startTime <= minDurationMs)) continue;
        if (matches !== undefined && !matches(transactionalId)) continue;
        found.push(transaction);
      }
    }
    return found;
  }

  /** Throws `unknown-producer-id` for a batch that says to be of a transaction, and does not say of which. */
  checkBatch(batch: Buffer, transactionalId: string | null): asserts transactionalId is string {
    if (transactionalId !== null) return;
    throw new BrokerError(
      'unknown-producer-id',
      `producer ${producerId(batch, 0)} of epoch ${producerEpoch(batch, 0)} sends a transactional batch without a transactional id`,
    );
  }

  /**
   * Ends, in one partition, a transaction that no coordinator knows. Rejects with `invalid-transaction-state` for one that a coordinator will
   * end, `producer-fenced` or `coordinator-fenced` when somebody else has come.
   */
  async endUnknown(
    streamId: string,
    partition: Partition,
    marker: {
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly coordinatorEpoch: number;
      readonly outcome: TransactionOutcome;
    },
  ): Promise<void> {
    if (partOf(this.#open().get(marker.producerId), streamId, partition.index))
      throw new BrokerError('invalid-transaction-state', 'the coordinator of this transaction ends it');
    partition.producers.checkMarker(marker.producerId, marker.producerEpoch, marker.coordinatorEpoch);
    await this.#mark(partition, marker);
  }

  async close(): Promise<void> {
    for (const { coordinator } of this.#coordinators) coordinator.close();
    await Promise.all(this.#coordinators.map(({ log }) => log.close()));
  }

  /**
   * A transaction in a partition or group that no coordinator knows: one of their shards lost what was not synced, and the other did not. Nobody
   * else would ever end it.
   */
  async #endHanging(): Promise<void> {
    const open = this.#open();
    const ended: Promise<void>[] = [];
    for (const { id: streamId, name, partitions } of this.#options.streams.all()) {
      for (const partition of partitions) {
        const { producers, index, shard } = partition;
        for (const id of [...producers.transactions.open.keys()]) {
          if (partOf(open.get(id), streamId, index)) continue;
          const error = new BrokerError(
            'no-such-transaction',
            `no coordinator knows the transaction of producer ${id}`,
          );
          this.#options.onTrouble(error, `it is aborted in ${name}-${index}`);
          const known = { producerId: id, producerEpoch: producers.epochOf(id) ?? 0 };
          ended.push(this.#mark(partition, { ...known, coordinatorEpoch: shard.epoch, outcome: 'abort' }));
        }
      }
    }
    for (const [id, groupIds] of this.#options.groups.pendingTransactions()) {
      const unknown = groupIds.filter((groupId) => open.get(id)?.groups.has(groupId) !== true);
      for (const staged of this.#options.groups.stageTransactionEnd(id, unknown, 'abort'))
        ended.push(appendTogether(staged.shard, [staged]).settled);
    }
    await Promise.all(ended);
  }

  async #mark(
    partition: Partition,
    marker: Omit<ConstructorParameters<typeof Markers>[1], 'timestamp'>,
  ): Promise<void> {
    const markers = new Markers([partition], { ...marker, timestamp: this.#options.clock.now() });
    await markers.append((entries) => appendTogether(partition.shard, [], entries));
  }

  #open(): Map<number, Transaction> {
    const open = new Map<number, Transaction>();
    for (const { coordinator } of this.#coordinators) {
      for (const transaction of coordinator.all()) {
        if (transaction.state === 'Ongoing' || isBeingEnded(transaction)) open.set(transaction.producerId, transaction);
      }
    }
    return open;
  }
}

function partOf(transaction: Transaction | undefined, streamId: string, index: number): boolean {
  return transaction?.partitions.get(streamId)?.has(index) === true;
}
