import type { Clock } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { producerEpoch, producerId } from '../../records/index.ts';
import type { Durability } from '../../storage/index.ts';
import type { ShardEventLog } from '../event-log.ts';
import type { Partition, PartitionAppend } from '../streams/partition.ts';
import { Endings } from './endings.ts';
import { Expiry } from './expiry.ts';
import { LiveTransactions } from './live-transactions.ts';
import type { Participants } from './markers.ts';
import type { TransactionSettings } from './settings.ts';
import type { TransactionEvent, TransactionsState } from './state.ts';
import {
  checkExpected,
  checkProducer,
  decideEnd,
  type EndRequest,
  fencedAbort,
  initialized,
  isBeingEnded,
  isExhausted,
  isPartOf,
  newTransaction,
  type ProducerIdentity,
  prepared,
  type StreamPartitions,
  type Transaction,
  withParticipants,
} from './transaction.ts';

export interface TransactionCoordinatorOptions {
  readonly clock: Clock;
  /** Replayed already. The coordinator appends to it and does not close it. */
  readonly log: ShardEventLog<TransactionsState, TransactionEvent>;
  readonly settings: TransactionSettings;
  readonly participants: Participants;
  /** A producer id that nobody has had. */
  readonly newProducerId: () => Promise<number>;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

export interface InitRequest {
  readonly transactionalId: string;
  readonly timeoutMs: number;
  /** What the producer has had, when it goes on after an error (KIP-360). */
  readonly expected?: ProducerIdentity | undefined;
}

export interface TransactionalBatch {
  readonly transactionalId: string;
  readonly streamId: string;
  readonly partition: Partition;
  readonly batch: Buffer;
  readonly durability: Durability;
  /** The partition becomes part of the transaction by this (KIP-890); else it has to be. */
  readonly addsPartition: boolean;
}

/** What a producer says of itself, and what it wants to be part of its transaction. */
export interface JoinTransaction extends ProducerIdentity {
  readonly transactionalId: string;
  readonly partitions?: readonly StreamPartitions[];
  readonly groupId?: string;
}

/** The transactions of the transactional ids that belong to one shard. Every answer is durable. */
export class TransactionCoordinator {
  readonly #options: TransactionCoordinatorOptions;
  readonly #settings: TransactionSettings;
  readonly #transactions: LiveTransactions;
  readonly #endings: Endings;
  readonly #expiry: Expiry;
  /** Per partition, the last batch that waits for something before it is appended. */
  readonly #producing = new Map<Partition, Promise<void>>();
  #closed = false;

  constructor(options: TransactionCoordinatorOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#transactions = new LiveTransactions(options.log);
    this.#endings = new Endings({ ...options, transactions: this.#transactions });
    this.#expiry = new Expiry({ ...options, transactions: this.#transactions, endings: this.#endings });
  }

  /** Finishes what was decided before the start, and watches over the rest. */
  async start(): Promise<void> {
    const decided = [...this.#transactions.all()].filter(isBeingEnded);
    await Promise.all(decided.map((transaction) => this.#endings.finish(transaction)));
    this.#expiry.start();
  }

  close(): void {
    this.#closed = true;
    this.#endings.close();
    this.#expiry.close();
  }

  get(transactionalId: string): Transaction | undefined {
    return this.#transactions.get(transactionalId);
  }

  all(): Iterable<Transaction> {
    return this.#transactions.all();
  }

  /**
   * Gives a producer its id and an epoch greater than those of all before it, whose transaction is aborted if one is open. Rejects with
   * `invalid-transaction-timeout`, `producer-fenced` when another producer has come since the one that goes on,
   * `concurrent-transactions` while a transaction is being ended, `limit-exceeded`.
   */
  async init(request: InitRequest): Promise<ProducerIdentity> {
    const { transactionalId, timeoutMs } = request;
    let { expected } = request;
    this.#check(transactionalId);
    if (timeoutMs <= 0 || timeoutMs > this.#settings.maxTimeoutMs) {
      throw new BrokerError(
        'invalid-transaction-timeout',
        `a transaction may last 1 to ${this.#settings.maxTimeoutMs} ms, not ${timeoutMs}`,
      );
    }
    for (let newProducerId = -1; ; ) {
      const known = this.#transactions.get(transactionalId);
      if (known?.state === 'Ongoing') {
        checkExpected(known, expected);
        // It has proved who it is; the epoch that it had is gone now.
        expected = undefined;
        await this.#endings.conclude(fencedAbort(known, this.#now()));
        this.#check(transactionalId);
        continue;
      }
      if (known !== undefined && isBeingEnded(known)) {
        throw new BrokerError('concurrent-transactions', `a transaction of '${transactionalId}' is still being ended`);
      }
      if (newProducerId < 0 && (known === undefined || isExhausted(known))) {
        this.#checkRoom(known, 0);
        newProducerId = await this.#options.newProducerId();
        continue;
      }
      const now = this.#now();
      const from = known ?? newTransaction(transactionalId, newProducerId, timeoutMs, now);
      const transaction = initialized(from, timeoutMs, expected, newProducerId, now);
      await this.#transactions.append({ type: 'stored', transaction }, transaction).settled;
      return transaction;
    }
  }

  /** Makes partitions and groups part of the producer's transaction, which begins by that. Rejects with what `checkProducer` throws. */
  async add(request: JoinTransaction): Promise<void> {
    this.#check(request.transactionalId);
    const transaction = checkProducer(this.#transactions.get(request.transactionalId), request);
    await this.#add(transaction, request.partitions ?? [], request.groupId === undefined ? [] : [request.groupId]);
  }

  /** Throws `not-in-transaction` when one of the partitions is not part of it; what `checkProducer` throws. */
  verify(request: JoinTransaction, streamId: string, partition: number): void {
    this.#check(request.transactionalId);
    const transaction = checkProducer(this.#transactions.get(request.transactionalId), request);
    if (!isPartOf(transaction, streamId, partition)) throw notPartOf(transaction);
  }

  /**
   * Appends a producer's batch to a partition as part of its transaction. Throws and rejects with what `checkProducer` throws, `not-in-transaction`, and
   * what `Partition.append` throws.
   */
  produce(request: TransactionalBatch): PartitionAppend | Promise<PartitionAppend> {
    const { partition } = request;
    const before = this.#producing.get(partition);
    const outcome = before === undefined ? this.#produce(request) : before.then(() => this.#produce(request));
    if (!(outcome instanceof Promise)) return outcome;
    // What comes for the partition meanwhile stays behind it, whatever it waits for: a producer's batches have an order.
    const done = outcome.then(
      () => {},
      () => {},
    );
    this.#producing.set(partition, done);
    void done.then(() => {
      if (this.#producing.get(partition) === done) this.#producing.delete(partition);
    });
    return outcome;
  }

  #produce(request: TransactionalBatch): PartitionAppend | Promise<PartitionAppend> {
    const { transactionalId, streamId, partition, batch, addsPartition } = request;
    this.#check(transactionalId);
    const producer = { producerId: producerId(batch, 0), producerEpoch: producerEpoch(batch, 0) };
    const transaction = checkProducer(this.#transactions.get(transactionalId), producer);
    // Who waits for an answer to a transactional batch goes on to commit it.
    const durability = request.durability === 'memory' ? 'memory' : 'durable';
    const options = { transactional: true, epochPerTransaction: addsPartition };
    const isHere = partition.shard === this.#options.log.shard;
    if (isPartOf(transaction, streamId, partition.index)) {
      const settled = isHere ? undefined : this.#transactions.settled(transactionalId);
      if (settled !== undefined) return settled.then(() => this.#produce(request));
      return partition.append(batch, durability, options);
    }
    if (!addsPartition) throw notPartOf(transaction);
    const added = [{ streamId, partitions: [partition.index] }];
    if (!isHere) {
      // Nothing of a transaction is durable anywhere before its coordinator would end it there.
      return this.#add(transaction, added, []).then(() => this.#produce(request));
    }
    this.#checkRoom(transaction, 1);
    return partition.append(batch, durability, {
      ...options,
      append: (entries) => this.#append(transaction, added, [], entries),
    });
  }

  /** Lets `commit` append offsets of a group, as part of the transaction. Rejects with what `checkProducer` throws, `not-in-transaction`. */
  async commitOffsets<T>(
    request: JoinTransaction & { readonly groupId: string; readonly addsGroup: boolean },
    commit: () => Promise<T>,
  ): Promise<T> {
    const { transactionalId, groupId, addsGroup } = request;
    const isHere = this.#options.participants.shardOfGroup(groupId) === this.#options.log.shard;
    for (;;) {
      this.#check(transactionalId);
      const transaction = checkProducer(this.#transactions.get(transactionalId), request);
      const isIn = transaction.state === 'Ongoing' && transaction.groups.has(groupId);
      if (!isIn && !addsGroup) throw notPartOf(transaction);
      const added = isIn ? this.#transactions.settled(transactionalId) : this.#add(transaction, [], [groupId]);
      if (isHere || added === undefined) {
        // In this shard what comes later is durable only if this is.
        added?.catch(() => {});
        return await commit();
      }
      await added;
    }
  }

  /** Ends a transaction. Answers what the producer is to use for the next one. Rejects with what `decideEnd` throws. */
  async end(request: EndRequest): Promise<ProducerIdentity> {
    const { transactionalId, outcome, epochPerTransaction } = request;
    for (let nextProducerId = -1; ; ) {
      this.#check(transactionalId);
      const transaction = this.#transactions.get(transactionalId);
      if (decideEnd(transaction, request) === 'ended' || transaction === undefined) {
        await this.#transactions.settled(transactionalId);
        return transaction ?? request;
      }
      if (epochPerTransaction && isExhausted(transaction) && nextProducerId < 0) {
        nextProducerId = await this.#options.newProducerId();
        continue;
      }
      return await this.#endings.conclude(
        prepared(transaction, outcome, epochPerTransaction, nextProducerId, this.#now()),
      );
    }
  }

  /** Begins or goes on. Resolves when all of it is durable. */
  async #add(
    transaction: Transaction,
    partitions: readonly StreamPartitions[],
    groups: readonly string[],
  ): Promise<void> {
    const { transactionalId } = transaction;
    const newGroups = groups.filter((groupId) => transaction.state !== 'Ongoing' || !transaction.groups.has(groupId));
    const newPartitions = partitions
      .map(({ streamId, partitions: indexes }) => ({
        streamId,
        partitions: indexes.filter((index) => !isPartOf(transaction, streamId, index)),
      }))
      .filter(({ partitions: indexes }) => indexes.length > 0);
    if (newGroups.length === 0 && newPartitions.length === 0) return await this.#transactions.settled(transactionalId);
    const count = newPartitions.reduce((sum, { partitions: indexes }) => sum + indexes.length, newGroups.length);
    this.#checkRoom(transaction, count);
    await this.#append(transaction, newPartitions, newGroups).settled;
  }

  #append(
    transaction: Transaction,
    partitions: readonly StreamPartitions[],
    groups: readonly string[],
    entries: Parameters<LiveTransactions['append']>[3] = [],
  ) {
    const time = this.#now();
    const { transactionalId } = transaction;
    const event = { type: 'participants-added', transactionalId, partitions, groups, time } as const;
    const appended = this.#transactions.append(
      event,
      withParticipants(transaction, partitions, groups, time),
      [],
      entries,
    );
    this.#expiry.watchTimeouts();
    return appended;
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #check(transactionalId: string): void {
    if (this.#closed)
      throw new BrokerError('closed', 'the coordinator of this transactional id has closed; look for it again');
    const { maxIdLength } = this.#settings;
    if (transactionalId === '' || transactionalId.length > maxIdLength)
      throw new BrokerError('invalid-argument', `a transactional id has 1 to ${maxIdLength} characters`);
  }

  #checkRoom(transaction: Transaction | undefined, added: number): void {
    const { maxTransactionalIds, maxParticipants } = this.#settings;
    if (transaction === undefined && this.#transactions.size >= maxTransactionalIds)
      throw new BrokerError('limit-exceeded', `there are ${maxTransactionalIds} transactional ids already`);
    if (added > 0 && this.#transactions.participants + added > maxParticipants)
      throw new BrokerError('limit-exceeded', `all transactions together have ${maxParticipants} partitions already`);
  }
}

function notPartOf({ transactionalId }: Transaction): BrokerError {
  return new BrokerError('not-in-transaction', `this is not part of an open transaction of '${transactionalId}'`);
}
