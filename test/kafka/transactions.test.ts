import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Kafka } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { endTxn } from '../../src/protocols/kafka/codec/apis/end-txn.ts';
import { initProducerId } from '../../src/protocols/kafka/codec/apis/init-producer-id.ts';
import { listOffsets } from '../../src/protocols/kafka/codec/apis/list-offsets.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { encodeBatch } from '../../src/records/index.ts';
import { hasConfluent, PYTHON } from './clients/available.ts';
import { kafkajs, startBroker, temporaryDirectory, until } from './fixture.ts';
import { ask, RawClient } from './raw-client.ts';

/** What a reader of committed records finds in a topic, from the beginning to its last stable offset. */
async function committed(kafka: Kafka, topic: string, count: number, readUncommitted = false): Promise<string[]> {
  const consumer = kafka.consumer({
    groupId: `reader-${topic}-${Math.random()}`,
    readUncommitted,
    maxWaitTimeInMs: 50,
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  await consumer.run({ eachMessage: async ({ message }) => void values.push(`${message.value}`) });
  await until(() => values.length >= count);
  await consumer.disconnect();
  return values;
}

const SHARDS = [1, 3];

describe.each(SHARDS)('transactions of kafkajs, over %i shards', (shards) => {
  const start = async (partitions = 4) => {
    const broker = await startBroker({ settings: { storage: { shards } } });
    const kafka = kafkajs(broker.address);
    const admin = kafka.admin();
    await admin.createTopics({
      topics: ['orders', 'invoices'].map((topic) => ({ topic, numPartitions: partitions })),
    });
    await admin.disconnect();
    return kafka;
  };

  it('show readers of committed records all of what was committed, and nothing of what was aborted', async () => {
    const kafka = await start();
    const producer = kafka.producer({ transactionalId: 'billing', maxInFlightRequests: 1 });
    await producer.connect();
    for (let i = 0; i < 10; i++) {
      const transaction = await producer.transaction();
      for (const topic of ['orders', 'invoices']) {
        const messages = [0, 1, 2, 3].map((partition) => ({ partition, value: `${i}-${partition}` }));
        await transaction.send({ topic, messages });
      }
      if (i % 3 === 1) await transaction.abort();
      else await transaction.commit();
    }
    const values = [0, 2, 3, 5, 6, 8, 9].flatMap((i) => [0, 1, 2, 3].map((partition) => `${i}-${partition}`));
    for (const topic of ['orders', 'invoices'])
      expect((await committed(kafka, topic, values.length)).sort()).toEqual([...values].sort());
    expect(await committed(kafka, 'orders', 40, true)).toHaveLength(40);
    await producer.disconnect();
  });

  it('commit a group’s offsets with them, or not at all', async () => {
    const kafka = await start(1);
    const producer = kafka.producer({ transactionalId: 'copier', maxInFlightRequests: 1 });
    await producer.connect();
    const admin = kafka.admin();
    const offset = async () => {
      const [topic] = await admin.fetchOffsets({ groupId: 'copiers', topics: ['orders'] });
      return topic?.partitions[0]?.offset;
    };
    const consume = (to: string) => ({
      consumerGroupId: 'copiers',
      topics: [{ topic: 'orders', partitions: [{ partition: 0, offset: to }] }],
    });
    const aborted = await producer.transaction();
    await aborted.sendOffsets(consume('5'));
    expect(await offset()).toBe('-1');
    await aborted.abort();
    expect(await offset()).toBe('-1');
    const transaction = await producer.transaction();
    await transaction.send({ topic: 'invoices', messages: [{ value: 'copied' }] });
    await transaction.sendOffsets(consume('7'));
    expect(await offset()).toBe('-1');
    await transaction.commit();
    expect(await offset()).toBe('7');
    expect(await committed(kafka, 'invoices', 1)).toEqual(['copied']);
    await Promise.all([producer.disconnect(), admin.disconnect()]);
  });

  it('of a producer that another one has replaced are aborted, and it can do nothing more', async () => {
    const kafka = await start(1);
    const zombie = kafka.producer({ transactionalId: 'one', maxInFlightRequests: 1 });
    await zombie.connect();
    const lost = await zombie.transaction();
    await lost.send({ topic: 'orders', messages: [{ value: 'lost' }] });
    const producer = kafka.producer({ transactionalId: 'one', maxInFlightRequests: 1 });
    await producer.connect();
    const transaction = await producer.transaction();
    await expect(lost.send({ topic: 'orders', messages: [{ value: 'late' }] })).rejects.toThrow();
    await expect(lost.commit()).rejects.toThrow();
    await transaction.send({ topic: 'orders', messages: [{ value: 'kept' }] });
    await transaction.commit();
    expect(await committed(kafka, 'orders', 1)).toEqual(['kept']);
    await Promise.all([zombie.disconnect().catch(() => {}), producer.disconnect()]);
  });
});

it('are there after a restart: what was committed stays, and what was open can be aborted', async () => {
  const directory = await temporaryDirectory();
  const options = { storage: 'disk' as const, directory };
  const first = await startBroker(options);
  let kafka = kafkajs(first.address);
  const one = kafka.producer({ transactionalId: 'a', maxInFlightRequests: 1 });
  await one.connect();
  const done = await one.transaction();
  await done.send({ topic: 'orders', messages: [{ value: 'done' }] });
  await done.commit();
  const open = await one.transaction();
  await open.send({ topic: 'orders', messages: [{ value: 'open' }] });
  await first.close();
  await one.disconnect().catch(() => {});
  const second = await startBroker(options);
  kafka = kafkajs(second.address);
  const again = kafka.producer({ transactionalId: 'a', maxInFlightRequests: 1 });
  await again.connect();
  const transaction = await again.transaction();
  await transaction.send({ topic: 'orders', messages: [{ value: 'then' }] });
  await transaction.commit();
  expect(await committed(kafka, 'orders', 2)).toEqual(['done', 'then']);
  await again.disconnect();
});

it.skipIf(!hasConfluent)('librdkafka copies a topic exactly once, with aborts in between', async () => {
  const broker = await startBroker({ settings: { storage: { shards: 2 } } });
  const child = spawn(PYTHON, [new URL('clients/transactions.py', import.meta.url).pathname, broker.address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  expect((await once(child, 'close'))[0]).toBe(0);
  const {
    copied,
    committed: offset,
    uncommitted,
  } = JSON.parse(output) as {
    copied: string[];
    committed: number;
    uncommitted: number;
  };
  expect(copied).toEqual(Array.from({ length: 100 }, (_, i) => `value-${i}`));
  expect(offset).toBe(100);
  expect(uncommitted).toBeGreaterThan(100);
});

it('may take as long as the settings say, and there may be as many transactional ids', async () => {
  const settings = { transactions: { maxTimeoutMs: 5000, maxTransactionalIds: 1, idExpirationMs: 60_000 } };
  const broker = await startBroker({ clock: 'virtual', settings });
  const client = await RawClient.connect(broker.listeners[0]?.port ?? 0);
  const init = async (transactionalId: string, transactionTimeoutMs: number) =>
    (await ask(client, initProducerId, 5, { transactionalId, transactionTimeoutMs })).errorCode;
  expect(await init('a', 5001)).toBe(KafkaError.INVALID_TRANSACTION_TIMEOUT);
  expect(await init('a', 5000)).toBe(0);
  expect(await init('b', 5000)).toBe(KafkaError.POLICY_VIOLATION);
  // It is looked once an hour.
  await broker.clock.advance(2 * 3_600_000);
  const again = await RawClient.connect(broker.listeners[0]?.port ?? 0);
  expect((await ask(again, initProducerId, 5, { transactionalId: 'b', transactionTimeoutMs: 1 })).errorCode).toBe(0);
  for (const { socket } of [client, again]) socket.destroy();
});

it('that take longer than they may are aborted, and their producer is fenced', async () => {
  const broker = await startBroker({ clock: 'virtual' });
  const client = await RawClient.connect(broker.listeners[0]?.port ?? 0);
  await ask(client, createTopics, 7, {
    topics: [{ name: 'orders', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 1000,
  });
  const transactionalId = 'slow';
  const { producerId, producerEpoch } = await ask(client, initProducerId, 5, {
    transactionalId,
    transactionTimeoutMs: 5000,
  });
  const batch = encodeBatch({
    ...{ timestamp: broker.clock.now(), producerId, producerEpoch, baseSequence: 0, transactional: true },
    records: [{ key: null, value: Buffer.from('slow') }],
  });
  const partitionData = [{ index: 0, records: batch }];
  const produced = await ask(client, produce, 12, {
    transactionalId,
    acks: -1,
    timeoutMs: 0,
    topicData: [{ name: 'orders', partitionData }],
  });
  expect(produced.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0 });
  const end = async (isolationLevel: number) => {
    const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -1 }] }];
    const answer = await ask(client, listOffsets, 6, { replicaId: -1, isolationLevel, topics });
    return answer.topics[0]?.partitions[0]?.offset;
  };
  expect([await end(0), await end(1)]).toEqual([1, 0]);
  await broker.clock.advance(7000);
  expect([await end(0), await end(1)]).toEqual([2, 2]);
  const late = await ask(client, endTxn, 5, { transactionalId, producerId, producerEpoch, committed: true });
  expect(late.errorCode).toBe(KafkaError.PRODUCER_FENCED);
  client.destroy();
});
