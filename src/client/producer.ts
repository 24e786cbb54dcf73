import { produce } from '../protocols/kafka/codec/apis/produce.ts';
import { BATCH_HEADER_BYTES, type Compression, encodeBatch, type NewRecord, partitionOf } from '../records/index.ts';
import type { KafkaClient } from './kafka-client.ts';
import { throwOnError } from './kafka-error.ts';
import type { Topic } from './topics.ts';

export interface ProducerOptions {
  /** All records go there; without it, by key as Kafka's default partitioner does, and otherwise by turns. */
  readonly partition?: number | undefined;
  /** 0: no answer; 1: written; -1: durable, on all replicas. */
  readonly acks?: 0 | 1 | -1;
  readonly compression?: Compression;
  /** Records are gathered into batches of at most this size, before compression. A larger record goes alone. */
  readonly batchBytes?: number;
}

/** Where records went. */
export interface Produced {
  readonly partition: number;
  /** -1 when the broker did not say (acks 0). */
  readonly baseOffset: number;
  readonly count: number;
}

/** The last version that names topics by their names. */
const LAST_NAMED_VERSION = 12;
const TIMEOUT_MS = 30_000;
/** Half of what topics usually allow. */
const DEFAULT_BATCH_BYTES = 512 * 1024;
/** No less than what a record takes besides its key, value and headers; of a header, besides its name and value. */
const RECORD_OVERHEAD_BYTES = 32;
const HEADER_OVERHEAD_BYTES = 10;

/** Sends records to one topic. Not idempotent: what was in flight when the connection was lost may be there or not. */
export class Producer {
  readonly #client: KafkaClient;
  readonly #topic: Topic;
  readonly #options: ProducerOptions;
  /** Where records without a key go: one partition at a time, so that batches are large. */
  #turn: number;

  constructor(client: KafkaClient, topic: Topic, options: ProducerOptions = {}) {
    this.#client = client;
    this.#topic = topic;
    this.#options = options;
    this.#turn = Math.floor(client.environment.random.float() * 1024);
  }

  /** Sends the records at once. Records of one partition keep their order, over several calls too. */
  async produce(records: readonly NewRecord[]): Promise<Produced[]> {
    const batches = this.#batches(records);
    return Promise.all(batches.map(([partition, part]) => this.#send(partition, part)));
  }

  #batches(records: readonly NewRecord[]): [partition: number, records: NewRecord[]][] {
    const { batchBytes = DEFAULT_BATCH_BYTES } = this.#options;
    const batches: [number, NewRecord[]][] = [];
    const open = new Map<number, { records: NewRecord[]; bytes: number }>();
    this.#turn++;
    for (const record of records) {
      const partition = this.#partitionFor(record);
      const bytes = sizeOf(record);
      let batch = open.get(partition);
      if (batch === undefined || batch.bytes + bytes > batchBytes) {
        batch = { records: [], bytes: BATCH_HEADER_BYTES };
        open.set(partition, batch);
        batches.push([partition, batch.records]);
      }
      batch.records.push(record);
      batch.bytes += bytes;
    }
    return batches;
  }

  #partitionFor({ key }: NewRecord): number {
    const { partition } = this.#options;
    if (partition !== undefined) return partition;
    const count = this.#topic.partitions.length;
    return key === undefined || key === null ? this.#turn % count : partitionOf(key, count);
  }

  async #send(partition: number, records: readonly NewRecord[]): Promise<Produced> {
    const { acks = -1, compression = 'none' } = this.#options;
    const { name } = this.#topic;
    const batch = encodeBatch({ records, timestamp: this.#client.environment.clock.now(), compression });
    const body = {
      acks,
      timeoutMs: TIMEOUT_MS,
      topicData: [{ name, partitionData: [{ index: partition, records: batch }] }],
    };
    const options = { maxVersion: LAST_NAMED_VERSION };
    if (acks === 0) {
      await this.#client.send(produce, body, options);
      return { partition, baseOffset: -1, count: records.length };
    }
    const { responses } = await this.#client.request(produce, body, options);
    const answer = responses[0]?.partitionResponses[0];
    throwOnError(answer?.errorCode ?? -1, `${name} partition ${partition}`, answer?.errorMessage);
    return { partition, baseOffset: answer?.baseOffset ?? -1, count: records.length };
  }
}

/** Bytes that the record takes in a batch, or a few more. */
function sizeOf({ key, value, headers = [] }: NewRecord): number {
  let size = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of headers)
    size += HEADER_OVERHEAD_BYTES + Buffer.byteLength(name) + (content?.length ?? 0);
  return size;
}
