import { expect, test } from 'vitest';
import { channel, confirmChannel, startBroker, until } from './fixture.ts';

test('what is published and confirmed is delivered once, and gone when it is acknowledged', async () => {
  const broker = await startBroker();
  const publisher = await confirmChannel(broker);
  await publisher.assertQueue('work', { durable: true });
  for (let i = 0; i < 1000; i++) publisher.sendToQueue('work', Buffer.from(`job ${i}`), { persistent: true });
  await publisher.waitForConfirms();

  const consumer = await channel(broker);
  await consumer.prefetch(10);
  const bodies: string[] = [];
  await consumer.consume('work', (message) => {
    if (message === null) return;
    bodies.push(message.content.toString());
    consumer.ack(message);
  });
  await until(() => bodies.length >= 1000);
  expect(bodies).toEqual(Array.from({ length: 1000 }, (_, i) => `job ${i}`));
  expect(await publisher.checkQueue('work')).toMatchObject({ messageCount: 0, consumerCount: 1 });
});

test('a body of many frames comes as it went', async () => {
  const broker = await startBroker();
  const publisher = await confirmChannel(broker);
  const { queue } = await publisher.assertQueue('', { exclusive: true });
  const body = Buffer.alloc(5_000_000, 'sluice');
  publisher.sendToQueue(queue, body);
  await publisher.waitForConfirms();
  const message = await publisher.get(queue);
  expect(message !== false && message.content.equals(body)).toBe(true);
});
