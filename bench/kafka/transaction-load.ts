import { setTimeout as delay } from 'node:timers/promises';
import type { Histogram } from '../../src/cli/bench/histogram.ts';
import { addPartitionsToTxn } from '../../src/protocols/kafka/codec/apis/add-partitions-to-txn.ts';
import { endTxn } from '../../src/protocols/kafka/codec/apis/end-txn.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { RequestConnection } from './request-connection.ts';
import type { Producer } from './transactional-producer.ts';
import { TransactionalRequest } from './transactional-request.ts';

/** Before KIP-890 partitions are added by a request of its own, and the epoch stays; with it, producing adds them. */
export type TransactionProtocol = 'v1' | 'v2';

const VERSIONS = {
  v1: { produce: 11, endTxn: 4 },
  v2: { produce: 12, endTxn: 5 },
} as const;
const ADD_PARTITIONS_VERSION = 3;
/** How long Kafka's own client waits when the last transaction is still being ended. */
const BACKOFF_MS = 20;

export interface TransactionLoadOptions {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  readonly producer: Producer;
  readonly protocol: TransactionProtocol;
  /** Records that each partition gets in a transaction, by partition. */
  readonly recordsOf: readonly number[];
  readonly recordBytes: number;
  /** Where the time from the beginning of a transaction to its end goes. */
  readonly latency: Histogram;
  readonly onFailed: (error: Error) => void;
}

/** One connection that commits one transaction after the other, and sees to it that each is answered as it must be. */
export class TransactionLoad {
  /** Transactions committed, and the bytes of their batches. */
  records = 0;
  bytes = 0;
  /** Requests that were to be sent again, as the transaction before was still being ended. */
  retries = 0;
  readonly #options: TransactionLoadOptions;
  readonly #request: TransactionalRequest;
  readonly #batchBytes: number;
  readonly #connection: RequestConnection;
  #stopping = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: TransactionLoadOptions, connection: RequestConnection) {
    this.#options = options;
    this.#connection = connection;
    const { producer, protocol, topic, recordsOf: records, recordBytes } = options;
    const version = VERSIONS[protocol].produce;
    this.#request = new TransactionalRequest({ producer, version, topic, records, recordBytes });
    this.#batchBytes = this.#request.batchBytes;
  }

  static async open(options: TransactionLoadOptions): Promise<TransactionLoad> {
    const { host, port, onFailed } = options;
    return new TransactionLoad(options, await RequestConnection.open({ host, port, onLost: onFailed }));
  }

  start(): void {
    this.#running = this.#run();
    this.#running.catch(this.#options.onFailed);
  }

  /** Begins no more. Resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  close(): void {
    this.#stopping = true;
    this.#connection.end();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const begunAt = performance.now();
      if (this.#options.protocol === 'v1') await this.#untilDone('AddPartitionsToTxn', () => this.#addPartitions());
      await this.#untilDone('Produce', () => this.#produce());
      this.#request.produced();
      await this.#untilDone('EndTxn', () => this.#end());
      this.#options.latency.record(performance.now() - begunAt);
      this.records++;
      this.bytes += this.#batchBytes;
    }
  }

  /** Sends a request again for as long as it is answered that the transaction before is still being ended. */
  async #untilDone(what: string, send: () => Promise<readonly number[]>): Promise<void> {
    for (;;) {
      const errors = (await send()).filter((error) => error !== KafkaError.NONE);
      if (errors.length === 0) return;
      const other = errors.find((error) => error !== KafkaError.CONCURRENT_TRANSACTIONS);
      if (other !== undefined) throw new Error(`${what} was answered with error ${other}`);
      this.retries++;
      await delay(BACKOFF_MS);
    }
  }

  async #addPartitions(): Promise<number[]> {
    const { topic, recordsOf, producer } = this.#options;
    const answer = await this.#connection.request(addPartitionsToTxn, ADD_PARTITIONS_VERSION, {
      v3AndBelowTransactionalId: producer.transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [...recordsOf.keys()] }],
    });
    return answer.resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) =>
      resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
    );
  }

  async #produce(): Promise<number[]> {
    const { protocol, producer } = this.#options;
    const answer = await this.#connection.exchange(produce, VERSIONS[protocol].produce, (id) =>
      this.#request.next(id, producer.producerEpoch),
    );
    const answers = answer.responses.flatMap(({ partitionResponses }) => partitionResponses);
    return answers.map(({ errorCode }) => errorCode);
  }

  async #end(): Promise<number[]> {
    const { protocol, producer } = this.#options;
    const version = VERSIONS[protocol].endTxn;
    const asked = { ...producer, committed: true };
    const { errorCode, producerId, producerEpoch } = await this.#connection.request(endTxn, version, asked);
    if (protocol === 'v2' && errorCode === KafkaError.NONE) {
      if (Number(producerId) !== producer.producerId) throw new Error('the epochs are used up: take fewer --seconds');
      producer.producerEpoch = producerEpoch;
      this.#request.newEpoch();
    }
    return [errorCode];
  }
}
