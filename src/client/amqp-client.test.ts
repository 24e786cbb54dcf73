import { expect, onTestFinished, test } from 'vitest';
import { createBroker } from '../index.ts';
import { AmqpClient, type AmqpClientOptions, type AmqpMessage } from './amqp-client.ts';

async function start(): Promise<{ readonly host: string; readonly port: number }> {
  const broker = await createBroker({ listeners: ['amqp://127.0.0.1:0'] });
  onTestFinished(() => broker.close());
  const [{ host, port } = { host: '', port: 0 }] = broker.listeners;
  return { host, port };
}

async function connect(options: AmqpClientOptions): Promise<AmqpClient> {
  const client = await AmqpClient.connect(options);
  onTestFinished(() => client.close());
  return client;
}

test('messages of all sizes are confirmed, come back as they were, and are acknowledged', async () => {
  const broker = await start();
  const bodies = [0, 1, 100, 131_064, 131_065, 1_000_000].map((length, index) => Buffer.alloc(length, index + 1));
  const messages: AmqpMessage[] = [];
  const { promise: all, resolve: haveAll } = Promise.withResolvers<void>();
  const { promise: safe, resolve: areSafe } = Promise.withResolvers<void>();
  let confirmed = 0;
  const client = await connect({
    ...broker,
    onConfirm: (tag, multiple, taken) => {
      expect(taken).toBe(true);
      confirmed = multiple ? tag : confirmed + 1;
      if (confirmed === bodies.length) areSafe();
    },
    onMessage: (message) => {
      messages.push(message);
      if (messages.length === bodies.length) haveAll();
    },
  });
  await client.call('confirm.select', {}, 'confirm.select-ok');
  await client.call('queue.declare', { queue: 'q', durable: true }, 'queue.declare-ok');
  for (const [index, body] of bodies.entries())
    client.publish({ exchange: '', routingKey: 'q', body, properties: { deliveryMode: 2, messageId: String(index) } });
  await safe;
  await client.call('basic.consume', { queue: 'q', consumerTag: 'c' }, 'basic.consume-ok');
  await all;
  expect(messages.map(({ body }) => body.length)).toEqual(bodies.map(({ length }) => length));
  for (const [index, message] of messages.entries()) {
    expect(message.body.equals(bodies[index] as Buffer)).toBe(true);
    expect(message).toMatchObject({ consumerTag: 'c', routingKey: 'q', properties: { messageId: String(index) } });
  }
  client.acknowledge(messages.at(-1)?.deliveryTag ?? 0, true);
  await client.close();
  const other = await connect(broker);
  const { messageCount } = await other.call('queue.declare', { queue: 'q', passive: true }, 'queue.declare-ok');
  expect(messageCount).toBe(0);
});

test('what the broker refuses is told, and what waits is rejected', async () => {
  const broker = await start();
  await expect(connect({ ...broker, password: 'wrong' })).rejects.toMatchObject({ code: 'not-authorized' });
  await expect(connect({ ...broker, virtualHost: 'nowhere' })).rejects.toMatchObject({ code: 'not-allowed' });
  const lost: string[] = [];
  const client = await connect({ ...broker, onLost: ({ code }) => lost.push(code) });
  const calls = [
    client.call('queue.declare', { queue: 'nowhere', passive: true }, 'queue.declare-ok'),
    client.call('queue.declare', { queue: 'other' }, 'queue.declare-ok'),
  ];
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'not-found' });
  expect(lost).toEqual(['not-found']);
  await expect(client.call('basic.qos', { prefetchSize: 0, prefetchCount: 1 }, 'basic.qos-ok')).rejects.toThrow();
});
