import type { EachBatchPayload, Transaction } from 'kafkajs';
import type { SeededRandom } from '../../../src/environment/seeded-random.ts';
import { kafkajs } from '../../kafka/fixture.ts';
import { ACCOUNTS_TOPIC, placeOf, type RequestTopic, SESSION_MS } from './accounts.ts';
import type { Entry, Outcomes, Request } from './ledger.ts';

const GROUP = 'clerk-of-kafkajs';
const RECONNECT_MS = 20;
const MAX_REQUESTS = 10;

/**
 * Carries out what is asked for with kafkajs: posts both halves of each transfer in a transaction with the group's offsets. kafkajs commits offsets without
 * the group's generation, so there is one clerk in the group, with one transactional id.
 */
export class KafkajsClerk {
  readonly #requests: RequestTopic;
  readonly #address: string;
  readonly #random: SeededRandom;
  readonly #outcomes: Outcomes;
  #count = 0;
  #stop: (() => void) | undefined;
  readonly #stopped: Promise<void>;
  #stopping = false;
  readonly troubles = new Map<string, number>();

  constructor(requests: RequestTopic, address: string, random: SeededRandom, outcomes: Outcomes) {
    this.#requests = requests;
    this.#address = address;
    this.#random = random;
    this.#outcomes = outcomes;
    this.#stopped = new Promise((resolve) => {
      this.#stop = resolve;
    });
  }

  stop(): void {
    this.#stopping = true;
    this.#stop?.();
  }

  /** Until `stop` is called: lives of a producer and a consumer, each of which ends with the first thing that goes wrong. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#life();
      } catch (error) {
        const what = String(error instanceof Error ? error.message : error).slice(0, 200);
        this.troubles.set(what, (this.troubles.get(what) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      }
    }
  }

  async #life(): Promise<void> {
    const kafka = kafkajs(this.#address);
    const producer = kafka.producer({ transactionalId: GROUP, maxInFlightRequests: 1 });
    const consumer = kafka.consumer({
      ...{ groupId: GROUP, maxWaitTimeInMs: 50, retry: { retries: 0, restartOnFailure: async () => false } },
      // The consumer of the life before may not have been able to leave.
      ...{ sessionTimeout: SESSION_MS, rebalanceTimeout: SESSION_MS, heartbeatInterval: SESSION_MS / 4 },
    });
    try {
      await producer.connect();
      // What the life before left open is ended by this: before anybody asks where the group stands.
      let transaction = await producer.transaction();
      await consumer.connect();
      await consumer.subscribe({ topic: this.#requests.topic, fromBeginning: true });
      let joins = 0;
      const failed = new Promise<never>((_, reject) => {
        consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
        consumer.on('consumer.group_join', () => {
          if (++joins > 1) reject(new Error('the group was joined again: nobody knows what is under way'));
        });
        const eachBatch = async (payload: EachBatchPayload) => {
          if (this.#stopping || joins > 1 || payload.isStale()) return;
          try {
            await this.#carryOut(transaction, payload);
            transaction = await producer.transaction();
          } catch (error) {
            joins = Number.POSITIVE_INFINITY;
            reject(error);
          }
        };
        consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch }).catch(reject);
      });
      await Promise.race([failed, this.#stopped]);
    } finally {
      await Promise.allSettled([consumer.disconnect(), producer.disconnect()]);
    }
  }

  async #carryOut(transaction: Transaction, { batch, resolveOffset }: EachBatchPayload): Promise<void> {
    const messages = batch.messages.slice(0, MAX_REQUESTS);
    const last = messages.at(-1)?.offset;
    if (last === undefined) return;
    const attempt = `${GROUP}/${++this.#count}`;
    this.#outcomes.aborted.add(attempt);
    const postings = messages.flatMap(({ value }) => {
      const { request: transfer, from, to, amount } = JSON.parse(`${value}`) as Request;
      const both = [
        { account: from, amount: -amount },
        { account: to, amount },
      ];
      return both.map((half): Entry & { kind: 'posting' } => ({ kind: 'posting', transfer, attempt, ...half }));
    });
    await transaction.send({
      topic: ACCOUNTS_TOPIC,
      messages: postings.map((posting) => ({
        partition: placeOf(posting.account).partition,
        value: JSON.stringify(posting),
      })),
    });
    const partitions = [{ partition: batch.partition, offset: `${BigInt(last) + 1n}` }];
    await transaction.sendOffsets({ consumerGroupId: GROUP, topics: [{ topic: batch.topic, partitions }] });
    // What is not resolved comes again.
    if (this.#random.chance(0.15)) return await transaction.abort();
    this.#outcomes.aborted.delete(attempt);
    await transaction.commit();
    this.#outcomes.committed.add(attempt);
    resolveOffset(last);
  }
}
