import { expect, test } from 'vitest';
import type { TransactionSummary } from '../../src/protocols/http/shapes/transactions.ts';
import { startStreams } from './streams-fixture.ts';

test('a transaction is seen while it is open, and aborted for who cannot', async () => {
  const { ask, kafka } = await startStreams();
  await ask('PUT', '/api/streams/orders', { partitions: 2 });
  const producer = kafka.producer({ transactionalId: 'payments/1', maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: 'orders', messages: [{ partition: 1, value: 'x' }] });
  const path = '/api/transactions/payments%2F1';
  expect(await ask('GET', path)).toMatchObject({
    status: 200,
    body: {
      ...{ name: 'payments/1', state: 'Ongoing', producer_epoch: 0, partitions: 1, groups: 0 },
      partition_details: [{ stream: 'orders', partitions: [1] }],
    },
  });
  const [open] = (await ask('GET', '/api/transactions?open=true')).body as TransactionSummary[];
  expect(open?.started_at).toBeGreaterThan(0);
  expect(open?.age_ms).toBeGreaterThanOrEqual(0);
  expect((await ask('GET', '/api/transactions?states=Empty,CompleteCommit')).body).toEqual([]);
  expect(await ask('GET', '/api/transactions?states=half')).toMatchObject({ status: 400 });

  expect(await ask('POST', `${path}/abort`, {})).toMatchObject({ status: 204 });
  expect((await ask('GET', '/api/transactions?open=true')).body).toEqual([]);
  expect((await ask('GET', '/api/streams/orders/messages')).body).toMatchObject({
    items: [{ transaction: 'aborted' }],
  });
  // The producer that had it cannot go on.
  await expect(transaction.send({ topic: 'orders', messages: [{ partition: 1, value: 'y' }] })).rejects.toThrow();
  await producer.disconnect();
  expect(await ask('POST', '/api/transactions/none/abort', {})).toMatchObject({ status: 404 });
});

test('a transaction that its coordinator knows is not ended behind its back', async () => {
  const { ask, kafka } = await startStreams();
  await ask('PUT', '/api/streams/orders', {});
  const producer = kafka.producer({ transactionalId: 'payments', maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: 'orders', messages: [{ value: 'x' }] });
  const [{ producer_id, producer_epoch } = { producer_id: 0, producer_epoch: 0 }] = (
    await ask('GET', '/api/streams/orders/producers')
  ).body as { producer_id: number; producer_epoch: number }[];
  const body = { producer_id, producer_epoch };
  expect(await ask('POST', '/api/streams/orders/partitions/0/abort-transaction', body)).toMatchObject({ status: 409 });
  expect(await ask('POST', '/api/streams/orders/partitions/7/abort-transaction', body)).toMatchObject({ status: 404 });
  await transaction.commit();
  await producer.disconnect();
  expect((await ask('GET', '/api/streams/orders/messages')).body).toMatchObject({
    items: [{ transaction: 'committed' }],
  });
});
