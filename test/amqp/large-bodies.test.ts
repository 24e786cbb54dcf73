import { randomBytes } from 'node:crypto';
import type { Message } from 'amqplib';
import { Connection } from 'rabbitmq-client';
import { expect, onTestFinished, test } from 'vitest';
import { channel, channelOn, confirmChannel, connection, fresh, startBroker, until } from './fixture.ts';
import { Inbox, take } from './messages.ts';
import { BODY, frame, header, method, publish, RawClient, shortString, u32 } from './raw-client.ts';

const MiB = 1024 * 1024;

test('a body of 16 MiB comes as it went, in frames of the size that was agreed', async () => {
  const broker = await startBroker();
  const own = await confirmChannel(broker);
  const { queue } = await own.assertQueue('', { exclusive: true });
  const body = randomBytes(16 * MiB);
  own.sendToQueue(queue, body, { persistent: true });
  await own.waitForConfirms();
  const { content } = await take(own, queue);
  expect(content.equals(body)).toBe(true);
});

test.each([0, 1, 4087, 4088, 4089, 131_063, 131_064, 131_065, 1_000_000])(
  'a body of %i bytes, by connections of different frame sizes',
  async (size) => {
    const broker = await startBroker();
    const small = await (await connection(broker, '?frameMax=4096')).createConfirmChannel();
    const large = await channel(broker);
    const queue = fresh('q');
    await large.assertQueue(queue);
    const body = randomBytes(size);
    small.sendToQueue(queue, body);
    await small.waitForConfirms();
    const inbox = await Inbox.open(large, queue);
    await inbox.received(1);
    expect(inbox.at(0).content.equals(body)).toBe(true);
    // And the other way: what one frame brought leaves in many.
    await inbox.cancel();
    large.nack(inbox.at(0));
    large.sendToQueue(queue, body);
    await large.close();
    for (let i = 0; i < 2; i++) expect((await take(small, queue)).content.equals(body)).toBe(true);
  },
);

test('bodies of several channels come in frames between each other', async () => {
  const broker = await startBroker();
  const client = await RawClient.open(broker, { channels: 2 });
  const queue = fresh('q');
  const own = await confirmChannel(broker);
  await own.assertQueue(queue, { autoDelete: true });
  client.send(publish(1, '', queue), publish(2, '', queue), header(1, 6), header(2, 6));
  for (const part of ['abc', 'def'])
    client.send(frame(BODY, 1, Buffer.from(part)), frame(BODY, 2, Buffer.from(part.toUpperCase())));
  const inbox = await Inbox.open(own, queue);
  await inbox.received(2);
  expect(inbox.texts.toSorted()).toEqual(['ABCDEF', 'abcdef']);
});

test('a connection that agreed on small frames gets small ones', async () => {
  const broker = await startBroker();
  const client = await RawClient.open(broker, { frameMax: 4096 });
  const queue = fresh('q');
  const own = await confirmChannel(broker);
  await own.assertQueue(queue, { autoDelete: true });
  own.sendToQueue(queue, randomBytes(100_000));
  await own.waitForConfirms();
  const noAck = 0b10;
  client.send(method(1, '60.20', Buffer.alloc(2), shortString(queue), shortString('t'), Buffer.from([noAck]), u32(0)));
  await client.method('60.60');
  const bytes = () => client.frames.reduce((sum, { type, payload }) => sum + (type === BODY ? payload.length : 0), 0);
  await client.until(() => bytes() === 100_000);
  for (const { payload } of client.frames) expect(payload.length).toBeLessThanOrEqual(4096 - 8);
});

test('a message that comes back for want of a queue comes back whole', async () => {
  const own = await confirmChannel(await startBroker());
  const returned: Message[] = [];
  own.on('return', (message: Message) => returned.push(message));
  const body = randomBytes(MiB);
  own.publish('', fresh('nowhere'), body, { mandatory: true });
  await own.waitForConfirms();
  expect(returned[0]?.content.equals(body)).toBe(true);
});

test('many large messages through one consumer with a small prefetch', async () => {
  const broker = await startBroker();
  const client = new Connection(broker.url);
  onTestFinished(() => client.close());
  const queue = fresh('q');
  const sizes: number[] = [];
  const publisher = client.createPublisher({ confirm: true, queues: [{ queue, durable: true }] });
  const consumer = client.createConsumer(
    { queue, queueOptions: { durable: true }, qos: { prefetchCount: 2 } },
    (message) => {
      sizes.push((message.body as Buffer).length);
    },
  );
  onTestFinished(() => consumer.close());
  onTestFinished(() => publisher.close());
  for (let i = 1; i <= 30; i++) await publisher.send({ routingKey: queue, durable: true }, Buffer.alloc(i * 100_000));
  await until(() => sizes.length === 30);
  expect(sizes).toEqual(Array.from({ length: 30 }, (_, i) => (i + 1) * 100_000));
});

test('a channel of a connection that reads slowly does not hold up others', async () => {
  const broker = await startBroker();
  const own = await confirmChannel(broker);
  const [slow, quick] = [fresh('slow'), fresh('quick')];
  for (const queue of [slow, quick]) await own.assertQueue(queue, { autoDelete: true });
  const client = await RawClient.open(broker);
  client.send(method(1, '60.20', Buffer.alloc(2), shortString(slow), shortString('t'), Buffer.from([0b10]), u32(0)));
  await client.method('60.21');
  client.pause();
  for (let i = 0; i < 40; i++) own.sendToQueue(slow, Buffer.alloc(MiB));
  own.sendToQueue(quick, Buffer.from('m'));
  await own.waitForConfirms();
  const inbox = await Inbox.open(await channelOn(await connection(broker)), quick);
  await inbox.received(1);
});
