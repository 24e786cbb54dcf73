import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { createTopic, KafkaClient, removeTopics } from '../../src/client/index.ts';
import { deleteRecords } from '../../src/protocols/kafka/codec/apis/delete-records.ts';
import { endTxn } from '../../src/protocols/kafka/codec/apis/end-txn.ts';
import { type FetchRequest, fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { initProducerId } from '../../src/protocols/kafka/codec/apis/init-producer-id.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { batchesIn, encodeBatch } from '../../src/records/index.ts';
import { startBroker } from './fixture.ts';

// What a session leaves out is what its client knows already (KIP-227). The APIs are used in versions that know topics by name.

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

interface Known {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly startOffset: number;
}

/** A client as Kafka's: it names the partitions whose offset has changed, and remembers what it was told of the others. */
class Reader {
  readonly offsets = new Map<number, number>();
  readonly known = new Map<number, Known>();
  readonly #client: KafkaClient;
  readonly #isolationLevel: number;
  readonly #told = new Map<number, number>();
  #sessionId = 0;
  #sessionEpoch = 0;

  constructor(client: KafkaClient, isolationLevel: number) {
    this.#client = client;
    this.#isolationLevel = isolationLevel;
    for (let partition = 0; partition < PARTITIONS; partition++) this.offsets.set(partition, 0);
  }

  /** Answers how many partitions there was something to say of. */
  async fetch(limits: Partial<FetchRequest> = {}): Promise<number> {
    const changed = [...this.offsets].filter(([partition, offset]) => this.#told.get(partition) !== offset);
    const forgotten = [...this.#told.keys()].filter((partition) => !this.offsets.has(partition));
    this.#told.clear();
    for (const [partition, offset] of this.offsets) this.#told.set(partition, offset);
    const answer = await fetchOf(this.#client, new Map(changed), {
      isolationLevel: this.#isolationLevel,
      sessionId: this.#sessionId,
      sessionEpoch: this.#sessionEpoch,
      forgottenTopicsData: forgotten.length === 0 ? [] : [{ topic: TOPIC, topicId: '', partitions: forgotten }],
      ...limits,
    });
    expect(answer.errorCode).toBe(0);
    this.#sessionId = answer.sessionId;
    this.#sessionEpoch++;
    const told = answer.responses.flatMap(({ partitions }) => partitions);
    for (const { partitionIndex, errorCode, highWatermark, logStartOffset, records } of told) {
      expect(this.offsets.has(partitionIndex)).toBe(true);
      const outOfRange = errorCode === KafkaError.OFFSET_OUT_OF_RANGE;
      // That is over when it asks for another offset.
      if (outOfRange) this.offsets.set(partitionIndex, logStartOffset);
      this.known.set(partitionIndex, {
        errorCode: outOfRange ? 0 : errorCode,
        highWatermark,
        startOffset: logStartOffset,
      });
      for (const { lastOffset } of batchesIn(records ?? Buffer.alloc(0)))
        this.offsets.set(partitionIndex, lastOffset + 1);
    }
    return told.filter(({ errorCode }) => errorCode !== KafkaError.UNKNOWN_TOPIC_OR_PARTITION).length;
  }

  forget(partition: number): void {
    this.offsets.delete(partition);
    this.known.delete(partition);
  }

  /** Fetches until there is nothing more; then it has to know what one is told who asks of all partitions. */
  async catchUp(): Promise<void> {
    while ((await this.fetch()) > 0);
    const { responses } = await fetchOf(this.#client, this.offsets, { isolationLevel: this.#isolationLevel });
    for (const { partitionIndex, ...told } of responses.flatMap(({ partitions }) => partitions)) {
      const { errorCode, highWatermark, logStartOffset: startOffset, records } = told;
      expect(this.known.get(partitionIndex)).toEqual({ errorCode, highWatermark, startOffset });
      expect(records ?? []).toHaveLength(0);
    }
  }
}

function fetchOf(client: KafkaClient, offsets: ReadonlyMap<number, number>, options: Partial<FetchRequest>) {
  const partitions = Array.from(offsets, ([partition, fetchOffset]) => ({
    partition,
    fetchOffset,
    partitionMaxBytes: 1_000,
  }));
  const topics = partitions.length === 0 ? [] : [{ topic: TOPIC, partitions }];
  const body = { maxWaitMs: 0, minBytes: 0, maxBytes: 1_000, ...options, topics };
  return client.request(fetch, body, { maxVersion: 12 });
}

const partition = fc.nat(PARTITIONS - 1);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('produce' as const), partition }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), partition }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('transaction' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), committed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete records' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remember' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('make anew' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('catch up' as const) }) },
);

test('a session tells, bit by bit, what asking of all partitions would', { timeout: 60_000 }, async () => {
  const [readers, client] = await clientsOfTopic();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(0, 1), fc.array(step, { maxLength: 30 }), async (isolationLevel, steps) => {
      const reader = new Reader(readers, isolationLevel);
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
            const fetched = reader.fetch({ maxWaitMs: LATER, minBytes: 1 });
            await produceTo(client, next.partition);
            expect(await fetched).toBe(1);
            break;
          }
          case 'transaction':
            await producer.produceTo(next.partition);
            break;
          case 'end':
            await producer.end(next.committed);
            break;
          case 'delete records': {
            const partitions = [{ partitionIndex: next.partition, offset: -1 }];
            await client.request(deleteRecords, { topics: [{ name: TOPIC, partitions }], timeoutMs: LATER });
            break;
          }
          case 'forget':
            reader.forget(next.partition);
            await reader.fetch();
            break;
          case 'remember':
            if (!reader.offsets.has(next.partition)) reader.offsets.set(next.partition, 0);
            break;
          case 'make anew':
            await producer.end(false);
            await removeTopics(client, [TOPIC]);
            await reader.fetch();
            await createTopic(client, { name: TOPIC, partitions: PARTITIONS });
            break;
          case 'catch up':
            await reader.catchUp();
        }
      }
      await reader.catchUp();
      await producer.end(true);
      await reader.catchUp();
    }),
    { numRuns: 40 },
  );
});
