import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createTopic, findTopic, KafkaClient, removeTopics } from '../../src/client/index.ts';
import { deleteRecords } from '../../src/protocols/kafka/codec/apis/delete-records.ts';
import { endTxn } from '../../src/protocols/kafka/codec/apis/end-txn.ts';
import { type FetchRequest, fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { initProducerId } from '../../src/protocols/kafka/codec/apis/init-producer-id.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { batchesIn, encodeBatch } from '../../src/records/index.ts';
import { startBroker } from './fixture.ts';

// What a session leaves out is what its client knows already (KIP-227).

const TOPIC = 't';
const PARTITIONS = 4;
const LATER = 60_000;

/** Two, for answers come in the order of the requests: behind one that waits nothing can be done. */
async function clientsOfTopic(): Promise<readonly [KafkaClient, KafkaClient]> {
  const { listeners } = await startBroker();
  const { host, port } = listeners[0] ?? { host: '', port: 0 };
  const connect = () => KafkaClient.connect({ host, port, timeoutMs: LATER });
  const clients = [await connect(), await connect()] as const;
  for (const client of clients) onTestFinished(() => client.close());
  await createTopic(clients[0], { name: TOPIC, partitions: PARTITIONS });
  return clients;
}

async function produceTo(client: KafkaClient, index: number, batch = encodeBatch({ records: [{}], timestamp: 1 })) {
  const topicData = [{ name: TOPIC, partitionData: [{ index, records: batch }] }];
  await client.request(produce, { acks: -1, timeoutMs: LATER, topicData }, { maxVersion: 12 });
}

/** Deletes what is in a partition. */
async function trim(client: KafkaClient, partitionIndex: number): Promise<void> {
  const partitions = [{ partitionIndex, offset: -1 }];
  await client.request(deleteRecords, { topics: [{ name: TOPIC, partitions }], timeoutMs: LATER });
}

/** Transactions, one open at a time. */
class Producer {
  readonly #client: KafkaClient;
  #identity: { readonly producerId: number; producerEpoch: number } | undefined;
  readonly #sequences = new Map<number, number>();
  #open = false;

  constructor(client: KafkaClient) {
    this.#client = client;
  }

  async produceTo(index: number): Promise<void> {
    if (this.#identity === undefined) {
      const asked = { transactionalId: 'x', transactionTimeoutMs: LATER };
      const { producerId, producerEpoch } = await this.#client.request(initProducerId, asked);
      this.#identity = { producerId: Number(producerId), producerEpoch };
    }
    const sequence = this.#sequences.get(index) ?? 0;
    this.#sequences.set(index, sequence + 1);
    const of = { ...this.#identity, baseSequence: sequence, transactional: true };
    const records = encodeBatch({ records: [{}], timestamp: 1, ...of });
    const topicData = [{ name: TOPIC, partitionData: [{ index, records }] }];
    const body = { transactionalId: 'x', acks: -1, timeoutMs: LATER, topicData };
    await this.#client.request(produce, body, { maxVersion: 12 });
    this.#open = true;
  }

  async end(committed: boolean): Promise<void> {
    if (!this.#open || this.#identity === undefined) return;
    const body = { transactionalId: 'x', ...this.#identity, committed };
    const { errorCode, producerEpoch } = await this.#client.request(endTxn, body);
    expect(errorCode).toBe(0);
    this.#identity.producerEpoch = producerEpoch;
    this.#sequences.clear();
    this.#open = false;
  }
}

/** The last version of Fetch that has topics by their names, and one that has them by their ids. */
const BY_NAME = 12;
const BY_ID = 17;

interface Known {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly startOffset: number;
}

/** Of a topic that is not there. */
const UNKNOWN = new Set<number>([KafkaError.UNKNOWN_TOPIC_OR_PARTITION, KafkaError.UNKNOWN_TOPIC_ID]);

/** A client as Kafka's: it names the partitions whose offset has changed, and remembers what it was told of the others. */
class Reader {
  readonly offsets = new Map<number, number>();
  readonly known = new Map<number, Known>();
  /** What one answer may bring. */
  maxBytes = 100;
  readonly #client: KafkaClient;
  readonly #isolationLevel: number;
  readonly #version: number;
  #topicId: string;
  readonly #told = new Map<number, number>();
  #forgotten: { topic: string; topicId: string; partitions: number[] }[] = [];
  #sessionId = 0;
  #sessionEpoch = 0;

  constructor(client: KafkaClient, isolationLevel: number, version: number, topicId: string) {
    this.#client = client;
    this.#isolationLevel = isolationLevel;
    this.#version = version;
    this.#topicId = topicId;
    for (let partition = 0; partition < PARTITIONS; partition++) this.offsets.set(partition, 0);
  }

  /** Answers how many partitions there was something to say of. */
  async fetch(limits: Partial<FetchRequest> = {}): Promise<number> {
    const changed = [...this.offsets].filter(([partition, offset]) => this.#told.get(partition) !== offset);
    this.#forget([...this.#told.keys()].filter((partition) => !this.offsets.has(partition)));
    const forgottenTopicsData = this.#forgotten;
    this.#forgotten = [];
    this.#told.clear();
    for (const [partition, offset] of this.offsets) this.#told.set(partition, offset);
    const isNew = this.#sessionEpoch === 0;
    const answer = await this.#ask(new Map(changed), {
      sessionId: this.#sessionId,
      sessionEpoch: this.#sessionEpoch,
      forgottenTopicsData,
      ...limits,
    });
    expect(answer.errorCode).toBe(0);
    this.#sessionId = answer.sessionId;
    this.#sessionEpoch++;
    const told = answer.responses.flatMap(({ partitions }) => partitions);
    if (isNew) expect(told).toHaveLength(this.offsets.size);
    for (const { partitionIndex, errorCode, highWatermark, logStartOffset, records } of told) {
      expect(this.offsets.has(partitionIndex)).toBe(true);
      if (errorCode === KafkaError.OFFSET_OUT_OF_RANGE) {
        // That is over when it asks for another offset; what comes with an error is no news to clients.
        this.offsets.set(partitionIndex, logStartOffset);
        this.known.delete(partitionIndex);
        continue;
      }
      this.known.set(partitionIndex, { errorCode, highWatermark, startOffset: logStartOffset });
      for (const { lastOffset } of batchesIn(records ?? Buffer.alloc(0)))
        this.offsets.set(partitionIndex, lastOffset + 1);
    }
    return told.filter(({ errorCode }) => !UNKNOWN.has(errorCode)).length;
  }

  forget(partition: number): void {
    this.offsets.delete(partition);
    this.known.delete(partition);
  }

  /** The answer was lost: the session is given up for another. */
  beginAnew(): void {
    this.#sessionEpoch = 0;
    this.#told.clear();
    this.known.clear();
  }

  /** There is another topic of the name. */
  renewed(topicId: string): void {
    if (this.#version < BY_ID) return;
    this.#forget([...this.#told.keys()]);
    this.#topicId = topicId;
    this.#told.clear();
    this.known.clear();
  }

  /** Fetches until there is nothing more; then it has to know what one is told who asks of all partitions. */
  async catchUp(): Promise<void> {
    while ((await this.fetch()) > 0);
    const { responses } = await this.#ask(this.offsets, {});
    for (const { partitionIndex, ...told } of responses.flatMap(({ partitions }) => partitions)) {
      const { errorCode, highWatermark, lastStableOffset, logStartOffset: startOffset, records } = told;
      expect(this.known.get(partitionIndex)).toEqual({ errorCode, highWatermark, startOffset });
      expect(records ?? []).toHaveLength(0);
      const end = this.#isolationLevel === 0 ? highWatermark : lastStableOffset;
      expect(this.offsets.get(partitionIndex)).toBeGreaterThanOrEqual(end);
    }
  }

  #forget(partitions: number[]): void {
    if (partitions.length > 0) this.#forgotten.push({ topic: TOPIC, topicId: this.#topicId, partitions });
  }

  #ask(offsets: ReadonlyMap<number, number>, options: Partial<FetchRequest>) {
    const { maxBytes } = this;
    const partitions = Array.from(offsets, ([partition, fetchOffset]) => ({
      partition,
      fetchOffset,
      partitionMaxBytes: maxBytes,
    }));
    const topics = partitions.length === 0 ? [] : [{ topic: TOPIC, topicId: this.#topicId, partitions }];
    const body = { maxWaitMs: 0, minBytes: 0, maxBytes, isolationLevel: this.#isolationLevel, ...options, topics };
    return this.#client.request(fetch, body, { maxVersion: this.#version });
  }
}

const partition = fc.nat(PARTITIONS - 1);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('produce' as const), partition }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), partition, trimmed: partition }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('transaction' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), committed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete records' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remember' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('make anew' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait for a transaction' as const), partition }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('seek' as const), partition, offset: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('begin anew' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('take' as const), bytes: fc.constantFrom(1, 100, 200, 1_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fetch' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('catch up' as const) }) },
);

const arbitraries = [
  fc.constantFrom(0, 1),
  fc.constantFrom(BY_NAME, BY_ID),
  fc.array(step, { maxLength: 30 }),
] as const;

async function topicId(client: KafkaClient): Promise<string> {
  return (await findTopic(client, TOPIC)).id;
}

test('a session tells, bit by bit, what asking of all partitions would', { timeout: 60_000 }, async () => {
  const [readers, client] = await clientsOfTopic();
  await fc.assert(
    fc.asyncProperty(...arbitraries, async (isolationLevel, version, steps) => {
      const reader = new Reader(readers, isolationLevel, version, await topicId(client));
      const producer = new Producer(client);
      await reader.catchUp();
      for (const next of steps) {
        switch (next.do) {
          case 'produce':
            await produceTo(client, next.partition);
            break;
          case 'wait': {
            // Who does not see the end of the log, for an open transaction, would not be answered.
            await producer.end(true);
            await reader.catchUp();
            if (!reader.offsets.has(next.partition)) break;
            // There is something to say of this one, which nobody is called for.
            await trim(client, next.trimmed);
            const fetched = reader.fetch({ maxWaitMs: LATER, minBytes: 1 });
            await produceTo(client, next.partition);
            expect(await fetched).toBeGreaterThan(0);
            break;
          }
          case 'transaction':
            await producer.produceTo(next.partition);
            break;
          case 'end':
            await producer.end(next.committed);
            break;
          case 'delete records':
            await trim(client, next.partition);
            break;
          case 'forget':
            reader.forget(next.partition);
            await reader.fetch();
            break;
          case 'remember':
            if (!reader.offsets.has(next.partition)) reader.offsets.set(next.partition, 0);
            break;
          case 'wait for a transaction':
            // Readers of committed records see what it brings when it has ended.
            await producer.end(true);
            await reader.catchUp();
            if (reader.offsets.has(next.partition)) {
              const fetched = reader.fetch({ maxWaitMs: LATER, minBytes: 1 });
              await producer.produceTo(next.partition);
              await producer.end(true);
              expect(await fetched).toBe(1);
            }
            break;
          case 'make anew': {
            await producer.end(false);
            await reader.catchUp();
            const fetched = reader.fetch({ maxWaitMs: LATER, minBytes: 1 });
            await removeTopics(client, [TOPIC]);
            await fetched;
            await reader.fetch();
            await createTopic(client, { name: TOPIC, partitions: PARTITIONS });
            reader.renewed(await topicId(client));
            break;
          }
          case 'seek':
            if (reader.offsets.has(next.partition)) reader.offsets.set(next.partition, next.offset);
            break;
          case 'begin anew':
            await reader.fetch();
            reader.beginAnew();
            break;
          case 'take':
            reader.maxBytes = next.bytes;
            break;
          case 'fetch':
            await reader.fetch();
            break;
          case 'catch up':
            await reader.catchUp();
        }
      }
      await reader.catchUp();
      await producer.end(true);
      await reader.catchUp();
    }),
    { numRuns: 100 },
  );
});
