import type { Clock } from '../../src/environment/environment.ts';
import type { SeededRandom } from '../../src/environment/seeded-random.ts';
import { encodeBatch } from '../../src/records/index.ts';
import { type SimulatedBroker, STREAM } from './simulated-storage.ts';

export interface SimulatedTransaction {
  readonly name: string;
  /** Values that were acknowledged, with their partitions. */
  readonly records: { readonly partition: number; readonly value: string }[];
  /** What its group has committed when it is. */
  offset: number | undefined;
  /** `unknown`: it was asked to be committed, and nobody knows yet what came of it. */
  state: 'aborted' | 'unknown' | 'committed';
}

const TIMEOUT_MS = 2000;
const TOPIC_ID = '0b6d7a5e-0c1f-4a51-9d0e-3f2a5b6c7d8e';

/** A producer with a transactional id, with or without an epoch for each transaction (KIP-890). */
export class SimulatedProducer {
  readonly id: string;
  readonly groupId: string;
  readonly transactions: SimulatedTransaction[] = [];
  readonly #random: SeededRandom;
  readonly #clock: () => Clock;
  #producerId = -1;
  #producerEpoch = -1;
  #sequences = new Map<number, number>();
  #count = 0;

  /** `clock` answers that of the broker's present life. */
  constructor(id: string, random: SeededRandom, clock: () => Clock) {
    this.#clock = clock;
    this.id = id;
    this.groupId = `group-of-${id}`;
    this.#random = random;
  }

  /** Transaction after transaction until it is told to stop. In a broker that has crashed it waits for ever. */
  async run(broker: SimulatedBroker, going: () => boolean): Promise<void> {
    while (going()) {
      try {
        await this.init(broker);
        const epochPerTransaction = this.#random.chance(0.6);
        while (going()) {
          await this.#transaction(broker, epochPerTransaction);
          await this.#pause();
        }
      } catch (error) {
        if (error instanceof ZombieHeard) throw error;
        await this.#pause();
      }
    }
  }

  /** The clock stands still as long as anything is done. */
  #pause(): Promise<void> {
    return new Promise((resolve) => this.#clock().setTimer(1 + this.#random.below(40), resolve));
  }

  /** A new instance: what was open is aborted. */
  async init({ transactions }: SimulatedBroker): Promise<void> {
    const expected = undefined;
    const given = await transactions
      .coordinatorOf(this.id)
      .init({ transactionalId: this.id, timeoutMs: TIMEOUT_MS, expected });
    this.#is(given);
  }

  #is({ producerId, producerEpoch }: { readonly producerId: number; readonly producerEpoch: number }): void {
    if (producerId !== this.#producerId || producerEpoch !== this.#producerEpoch) this.#sequences = new Map();
    this.#producerId = producerId;
    this.#producerEpoch = producerEpoch;
  }

  async #transaction(broker: SimulatedBroker, epochPerTransaction: boolean): Promise<void> {
    const random = this.#random;
    const coordinator = broker.transactions.coordinatorOf(this.id);
    const name = `${this.id}/${this.#count++}`;
    const transaction: SimulatedTransaction = { name, records: [], offset: undefined, state: 'aborted' };
    this.transactions.push(transaction);
    const identity = { transactionalId: this.id, producerId: this.#producerId, producerEpoch: this.#producerEpoch };
    const acknowledged: Promise<void>[] = [];
    // As a request does that has batches for several partitions; nobody waits for it.
    const ahead = broker.partitions.map((_, index) => index).filter(() => random.chance(0.3));
    if (epochPerTransaction && ahead.length > 0)
      coordinator.add({ ...identity, partitions: [{ streamId: STREAM, partitions: ahead }] }).catch(() => {});
    for (let i = 1 + random.below(4); i > 0; i--) {
      const partition = random.below(broker.partitions.length);
      if (!epochPerTransaction)
        await coordinator.add({ ...identity, partitions: [{ streamId: STREAM, partitions: [partition] }] });
      const produced = this.#produce(broker, partition, transaction, epochPerTransaction);
      produced.catch(() => {});
      acknowledged.push(produced);
      if (random.chance(0.3)) await Promise.all(acknowledged);
    }
    if (random.chance(0.5)) {
      if (!epochPerTransaction) await coordinator.add({ ...identity, groupId: this.groupId });
      await this.#commitOffset(broker, transaction, epochPerTransaction);
    }
    await Promise.all(acknowledged);
    const commits = random.chance(0.7);
    if (commits) transaction.state = 'unknown';
    const before = { producerId: this.#producerId, producerEpoch: this.#producerEpoch };
    const next = await coordinator.end({ ...identity, outcome: commits ? 'commit' : 'abort', epochPerTransaction });
    if (commits) transaction.state = 'committed';
    this.#is(next);
    if (random.chance(0.3)) await this.#late(broker, before);
  }

  async #produce(
    broker: SimulatedBroker,
    index: number,
    transaction: SimulatedTransaction,
    addsPartition: boolean,
  ): Promise<void> {
    const partition = broker.partitions[index];
    if (partition === undefined) return;
    const values = Array.from(
      { length: 1 + this.#random.below(3) },
      (_, k) => `${transaction.name}/${index}/${transaction.records.length}/${k}`,
    );
    const batch = this.#batch(index, values);
    const appended = broker.transactions.coordinatorOf(this.id).produce({
      transactionalId: this.id,
      streamId: STREAM,
      partition,
      batch,
      durability: 'durable',
      addsPartition,
    });
    // Before anything else can be, in case that it is.
    for (const value of values) transaction.records.push({ partition: index, value });
    const { settled } = await appended;
    await settled;
  }

  #batch(index: number, values: readonly string[]): Buffer {
    const baseSequence = this.#sequences.get(index) ?? 0;
    this.#sequences.set(index, baseSequence + values.length);
    return encodeBatch({
      timestamp: 1000,
      producerId: this.#producerId,
      producerEpoch: this.#producerEpoch,
      baseSequence,
      transactional: true,
      records: values.map((value) => ({ key: null, value: Buffer.from(value) })),
    });
  }

  async #commitOffset(
    { transactions, groups }: SimulatedBroker,
    transaction: SimulatedTransaction,
    addsGroup: boolean,
  ): Promise<void> {
    const { id: transactionalId, groupId } = this;
    const producer = { producerId: this.#producerId, producerEpoch: this.#producerEpoch };
    const offset = this.#count;
    const topics = [
      { topic: 'source', topicId: TOPIC_ID, partitions: [{ partition: 0, offset, leaderEpoch: -1, metadata: null }] },
    ];
    await transactions
      .coordinatorOf(transactionalId)
      .commitOffsets({ ...producer, transactionalId, groupId, addsGroup }, () =>
        groups.coordinatorOf(groupId).commitTransactionalOffsets({
          groupId,
          generation: -1,
          memberId: '',
          groupInstanceId: null,
          producerId: producer.producerId,
          topics,
        }),
      );
    transaction.offset = offset;
  }

  /** A batch that was long on its way: its transaction has ended. */
  async #late(
    broker: SimulatedBroker,
    { producerId, producerEpoch }: { producerId: number; producerEpoch: number },
  ): Promise<void> {
    // Where the epoch is still the same, Kafka cannot tell it from the next transaction's first.
    if (producerId === this.#producerId && producerEpoch === this.#producerEpoch) return;
    const partition = broker.partitions[this.#random.below(broker.partitions.length)];
    if (partition === undefined) return;
    const records = [{ key: null, value: Buffer.from('late') }];
    const batch = encodeBatch({
      timestamp: 1,
      producerId,
      producerEpoch,
      baseSequence: 0,
      transactional: true,
      records,
    });
    try {
      const { id: transactionalId } = this;
      const place = { streamId: STREAM, partition, batch, durability: 'durable', addsPartition: true } as const;
      // It may have to wait behind other batches of its partition before it is looked at.
      await broker.transactions.coordinatorOf(transactionalId).produce({ transactionalId, ...place });
    } catch {
      return;
    }
    throw new ZombieHeard(`a batch of ${this.id} was taken after the end of its transaction`);
  }

  /** What the group has committed, as far as a reader sees it. */
  async committedOffset({ groups }: SimulatedBroker): Promise<number> {
    const { groupId } = this;
    const topics = [{ topic: 'source', topicId: TOPIC_ID, partitions: [0] }];
    const [topic] = await groups.coordinatorOf(groupId).fetchOffsets({ groupId, requireStable: true, topics });
    const [found] = topic?.partitions ?? [];
    if (found === undefined || found.error !== null) throw new Error(`the offset of ${groupId} is ${found?.error}`);
    return found.offset;
  }
}

class ZombieHeard extends Error {}
