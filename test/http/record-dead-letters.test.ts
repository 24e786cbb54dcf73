import { type IHeaders, Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import type { DeadLetterMessage, DeadLetterQueue } from '../../src/protocols/http/shapes/dead-letters.ts';
import type { MessagePage, ShownTransfer } from '../../src/protocols/http/shapes/queue-messages.ts';
import { until } from '../kafka/fixture.ts';
import { startApi } from './fixture.ts';

const REDRIVE = '/api/dead-letters/%2F/dlq.orders/redrive';

/** A topic, and one that has what share groups gave up of it. */
async function startTopics() {
  const listeners = ['http://127.0.0.1:0', 'kafka://127.0.0.1:0'];
  const { ask, sluice } = await startApi({ listeners });
  const kafka = new Kafka({ brokers: [`127.0.0.1:${sluice.listeners[1]?.port}`], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const taking = [{ name: 'errors.deadletterqueue.group.enable', value: 'true' }];
  await admin.createTopics({
    topics: [
      { topic: 'orders', numPartitions: 2 },
      { topic: 'dlq.orders', numPartitions: 1, configEntries: taking },
    ],
  });
  const producer = kafka.producer();
  await producer.connect();
  const letter = (offset: number, value: string | null, more: IHeaders = {}) =>
    producer.send({
      topic: 'dlq.orders',
      messages: [
        {
          ...{ key: value === null ? null : `key ${offset}`, value },
          headers: {
            ...more,
            '__dlq.errors.topic': 'orders',
            '__dlq.errors.partition': '1',
            '__dlq.errors.offset': String(offset),
            '__dlq.errors.group': 'workers',
            '__dlq.errors.delivery.count': '5',
            '__dlq.errors.message': 'Offset rejected by client.',
          },
        },
      ],
    });
  const come: string[] = [];
  const consumer = kafka.consumer({ groupId: 'reader' });
  await consumer.connect();
  await consumer.subscribe({ topic: 'orders', fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      come.push(`${partition} ${message.key} ${message.value} ${Object.keys(message.headers ?? {})}`);
    },
  });
  const redrive = async (body: object) => (await ask('POST', REDRIVE, body)).body as ShownTransfer;
  const stop = async () => {
    await Promise.all([admin.disconnect(), producer.disconnect(), consumer.disconnect()]);
  };
  return { ask, letter, come, redrive, stop };
}

test('what share groups gave up is found, told of, and copied back to its partition, once', async () => {
  const { ask, letter, come, redrive, stop } = await startTopics();
  await letter(3, 'a', { own: 'x' });
  await letter(4, 'b');
  await letter(5, null);
  const [found] = (await ask('GET', '/api/dead-letters')).body as readonly DeadLetterQueue[];
  expect(found).toMatchObject({
    ...{ name: 'dlq.orders', type: 'stream', messages: 3, redriven: 0, sources: { orders: 3 } },
    reasons: { 'Offset rejected by client.': 3 },
  });
  const { items } = (await ask('GET', '/api/dead-letters/%2F/dlq.orders/messages'))
    .body as MessagePage<DeadLetterMessage>;
  expect(items[0]).toMatchObject({
    payload: { data: 'a' },
    deaths: [],
    origin: {
      ...{ topic: 'orders', partition: 1, offset: 3, group: 'workers', delivery_count: 5 },
      message: 'Offset rejected by client.',
    },
  });
  expect(await redrive({ dry_run: true })).toMatchObject({ targets: { orders: 2 }, skipped: { 'no-copy': 1 } });
  expect(await redrive({ count: 1 })).toMatchObject({ state: 'done', moved: 1 });
  expect(await redrive({})).toMatchObject({ moved: 1, skipped: { 'no-copy': 1 } });
  expect(await redrive({})).toMatchObject({ looked_at: 0, moved: 0 });
  await letter(6, 'c');
  expect(await redrive({})).toMatchObject({ moved: 1 });
  await until(() => come.length >= 3);
  expect(come).toEqual(['1 key 3 a own', '1 key 4 b ', '1 key 6 c ']);
  const groups = (await ask('GET', '/api/groups')).body as readonly { readonly id?: string; readonly name?: string }[];
  expect(JSON.stringify(groups)).toContain('sluice-redrive');
  await stop();
});
