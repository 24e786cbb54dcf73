import { expect, test } from 'vitest';
import { MessageBytes } from '../../broker/index.ts';
import { Transaction } from './transaction.ts';

const message = (body: string) => MessageBytes.of('x', 'key', Buffer.alloc(2), Buffer.from(body));

test('messages are copied: what they lay in may be written again', () => {
  const transaction = new Transaction(10_000);
  const published = message('body');
  transaction.publish(published, true);
  published.body.fill(0);
  published.address.fill(0);
  const [pending] = transaction.publishes;
  expect(pending?.mandatory).toBe(true);
  expect([pending?.message.exchange, pending?.message.routingKey, String(pending?.message.body)]).toEqual([
    'x',
    'key',
    'body',
  ]);
});

test('it holds no more than it may, and is empty after it was cleared', () => {
  const transaction = new Transaction(1000);
  const fill = () => {
    for (let i = 0; i < 100; i++) transaction.publish(message('x'.repeat(100)), false);
  };
  expect(fill).toThrow('the transaction is larger than 1000 bytes');
  transaction.clear();
  expect(transaction.publishes).toEqual([]);
  transaction.publish(message('x'.repeat(100)), false);
});
