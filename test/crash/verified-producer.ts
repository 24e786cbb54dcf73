import { KafkaClient } from '../../src/client/index.ts';
import type { SeededRandom } from '../../src/environment/seeded-random.ts';
import { BrokerError } from '../../src/errors.ts';
import { initProducerId } from '../../src/protocols/kafka/codec/apis/init-producer-id.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { encodeBatch } from '../../src/records/index.ts';

export interface Target {
  readonly topic: string;
  readonly partition: number;
}

/** Answers to which an idempotent producer sends the same batch again: LEADER_NOT_AVAILABLE and the like, and errors of the storage. */
const RETRIABLE = new Set([3, 5, 6, 7, 56]);
const IN_FLIGHT = 4;
const NEVER_LATER = 12;

interface Batch {
  readonly bytes: Buffer;
  readonly values: readonly string[];
}

/**
 * An idempotent producer to one partition, over one connection at a time: what is not answered when the connection is lost,
 * or refused for now, is sent again as it was. It takes note of what is acknowledged.
 */
export class VerifiedProducer {
  /** Values that are acknowledged, in order. */
  readonly acknowledged: string[] = [];
  /** What the broker refused for now, by error number. */
  readonly refusals = new Map<number, number>();
  readonly #name: string;
  readonly #target: Target;
  readonly #random: SeededRandom;
  readonly #address: () => string;
  #client: KafkaClient | undefined;
  #producerId = -1;
  #sequence = 0;
  #count = 0;
  /** Oldest first. */
  #unanswered: Batch[] = [];
  #stopping = false;

  /** `address` says where the broker is now. */
  constructor(name: string, target: Target, random: SeededRandom, address: () => string) {
    this.#name = name;
    this.#target = target;
    this.#random = random;
    this.#address = address;
  }

  /** Produces until `stop` is called and everything is acknowledged. Rejects when the broker answers what it must not. */
  async run(): Promise<void> {
    while (!this.#stopping || this.#unanswered.length > 0) {
      try {
        this.#client ??= await this.#connect();
        if (this.#producerId < 0) await this.#initialize(this.#client);
        while (!this.#stopping && this.#unanswered.length < IN_FLIGHT) this.#unanswered.push(this.#batch());
        await this.#sendAll(this.#client);
      } catch (error) {
        if (!(error instanceof BrokerError) || error.code !== 'closed') throw error;
        await this.#client?.close();
        this.#client = undefined;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    await this.#client?.close();
  }

  stop(): void {
    this.#stopping = true;
  }

  #connect(): Promise<KafkaClient> {
    const [host = '', port = ''] = this.#address().split(':');
    return KafkaClient.connect({ host, port: Number(port), clientId: this.#name, timeoutMs: 5_000 });
  }

  async #initialize(client: KafkaClient): Promise<void> {
    const answer = await client.request(initProducerId, { transactionalId: null, transactionTimeoutMs: 0 });
    if (answer.errorCode === 0) this.#producerId = answer.producerId;
    else await this.#refused(answer.errorCode);
  }

  /** Sends what is unanswered at once, in order, and takes note of the answers. */
  async #sendAll(client: KafkaClient): Promise<void> {
    const { topic, partition } = this.#target;
    const batches = [...this.#unanswered];
    const answers = await Promise.allSettled(
      batches.map(({ bytes }) =>
        client.request(
          produce,
          {
            acks: -1,
            timeoutMs: 5_000,
            topicData: [{ name: topic, partitionData: [{ index: partition, records: bytes }] }],
          },
          { maxVersion: NEVER_LATER },
        ),
      ),
    );
    let refusal: number | undefined;
    for (const [i, answer] of answers.entries()) {
      if (answer.status === 'rejected') throw answer.reason;
      const errorCode = answer.value.responses[0]?.partitionResponses[0]?.errorCode ?? -1;
      // What follows a batch that was refused is out of order until that one was sent again.
      if (errorCode === 0 && refusal === undefined) {
        this.acknowledged.push(...(batches[i]?.values ?? []));
        this.#unanswered.shift();
      } else if (errorCode === 0) {
        throw new Error(`${this.#name}: a batch was taken behind one that was refused with ${refusal}`);
      } else if (refusal === undefined || errorCode !== 45) {
        refusal ??= errorCode;
        await this.#refused(errorCode);
      }
    }
  }

  async #refused(errorCode: number): Promise<void> {
    if (!RETRIABLE.has(errorCode)) throw new Error(`${this.#name}: the broker answered error ${errorCode}`);
    this.refusals.set(errorCode, (this.refusals.get(errorCode) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  #batch(): Batch {
    const random = this.#random;
    const values = Array.from({ length: 1 + random.below(5) }, () => `${this.#name} ${this.#count++}`);
    const padding = random.bytes(random.chance(0.1) ? random.below(60_000) : random.below(3_000));
    const bytes = encodeBatch({
      timestamp: 1_000_000 + this.#count,
      producerId: this.#producerId,
      producerEpoch: 0,
      baseSequence: this.#sequence,
      records: values.map((value) => ({ key: Buffer.from(value), value: padding })),
    });
    this.#sequence += values.length;
    return { bytes, values };
  }
}
