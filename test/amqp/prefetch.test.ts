import { describe, expect, test } from 'vitest';
import { channel, channelOn, confirmChannel, connection, fresh, startBroker } from './fixture.ts';
import { Inbox, publish, ready } from './messages.ts';
import { closedByBroker } from './refusal.ts';

const bodies = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

/** A queue with so many messages, and a channel to consume them by. */
async function filled(count: number) {
  const broker = await startBroker();
  const publisher = await confirmChannel(broker);
  const queue = fresh('q');
  await publisher.assertQueue(queue, { durable: false });
  await publish(publisher, { key: queue }, ...bodies(count));
  return { broker, queue, publisher, own: await channel(broker) };
}

test('without a limit a consumer has everything at once', async () => {
  const { own, queue } = await filled(200);
  const inbox = await Inbox.open(own, queue);
  await inbox.received(200);
  expect(inbox.texts).toEqual(bodies(200));
});

test('a consumer has so many messages unacknowledged, and one more for each that it acknowledges', async () => {
  const { own, queue } = await filled(10);
  await own.prefetch(3);
  const inbox = await Inbox.open(own, queue);
  await inbox.received(3);
  expect((await inbox.settled()).texts).toEqual(['0', '1', '2']);
  own.ack(inbox.at(1));
  await inbox.received(4);
  expect((await inbox.settled()).texts).toEqual(['0', '1', '2', '3']);
  own.ack(inbox.at(3), true);
  await inbox.received(7);
  expect((await inbox.settled()).texts).toEqual(bodies(7));
});

test('the limit counts for each consumer that comes after it, not for those that are there', async () => {
  const { own, queue } = await filled(10);
  await own.prefetch(2);
  const first = await Inbox.open(own, queue);
  await first.received(2);
  await own.prefetch(3);
  const second = await Inbox.open(own, queue);
  await second.received(3);
  expect([(await first.settled()).messages.length, (await second.settled()).messages.length]).toEqual([2, 3]);
});

test('a limit for the channel counts for all its consumers together', async () => {
  const { own, queue } = await filled(10);
  await own.prefetch(3, true);
  const inboxes = [await Inbox.open(own, queue), await Inbox.open(own, queue)];
  const total = async () => {
    let sum = 0;
    for (const inbox of inboxes) sum += (await inbox.settled()).messages.length;
    return sum;
  };
  await expect.poll(total).toBe(3);
  expect(await total()).toBe(3);
  const message = inboxes.flatMap(({ messages }) => messages)[0];
  if (message) own.ack(message);
  await expect.poll(total).toBe(4);
});

test('both limits hold when there are both, and 0 lifts the one of the channel', async () => {
  const { own, queue } = await filled(20);
  await own.prefetch(2, false);
  await own.prefetch(3, true);
  const [first, second] = [await Inbox.open(own, queue), await Inbox.open(own, queue)];
  await first.received(2);
  await second.received(1);
  expect([(await first.settled()).messages.length, (await second.settled()).messages.length]).toEqual([2, 1]);
  await own.prefetch(0, true);
  await second.received(2);
  expect([(await first.settled()).messages.length, (await second.settled()).messages.length]).toEqual([2, 2]);
});

test('a limit for consumers that is set after one for the channel takes its place', async () => {
  const { own, queue } = await filled(20);
  await own.prefetch(3, true);
  await own.prefetch(10, false);
  const inbox = await Inbox.open(own, queue);
  await inbox.received(10);
});

test('who takes messages without acknowledging is not held back', async () => {
  const { own, queue } = await filled(50);
  await own.prefetch(1);
  const inbox = await Inbox.open(own, queue, { noAck: true });
  await inbox.received(50);
});

test('basic.get asks for no credit', async () => {
  const { own, queue } = await filled(5);
  await own.prefetch(1, true);
  for (let i = 0; i < 5; i++) expect(await own.get(queue)).not.toBe(false);
});

test('messages are handed round among consumers that can take them', async () => {
  const { own, queue, publisher, broker } = await filled(0);
  const inboxes = [await Inbox.open(own, queue), await Inbox.open(await channel(broker), queue)];
  await publish(publisher, { key: queue }, ...bodies(40));
  await expect.poll(() => inboxes.reduce((sum, { messages }) => sum + messages.length, 0)).toBe(40);
  expect(inboxes.map(({ messages }) => messages.length)).toEqual([20, 20]);
});

test('a limit in bytes is not to be had', async () => {
  const model = await connection(await startBroker());
  const own = await channelOn(model);
  const refused = closedByBroker(model);
  // Not in amqplib's types: class 60, method 10.
  const raw = own as unknown as { rpc(id: number, fields: object, reply: number): Promise<unknown> };
  raw.rpc(0x003c_000a, { prefetchSize: 10, prefetchCount: 1, global: false }, 0x003c_000b).catch(() => {});
  expect(await refused).toEqual({
    code: 540,
    text: 'NOT_IMPLEMENTED - prefetch_size!=0 (10)',
  });
});

describe('messages that a consumer holds', () => {
  test('count as delivered, and are back in their places when it goes', async () => {
    const { own, queue, publisher, broker } = await filled(5);
    await own.prefetch(3);
    const inbox = await Inbox.open(own, queue);
    await inbox.received(3);
    expect(await ready(publisher, queue)).toBe(2);
    await own.close();
    await expect.poll(() => ready(publisher, queue)).toBe(5);
    const next = await Inbox.open(await channel(broker), queue);
    await next.received(5);
    expect(next.messages.map(({ content, fields }) => `${content} ${fields.redelivered}`)).toEqual([
      '0 true',
      '1 true',
      '2 true',
      '3 false',
      '4 false',
    ]);
  });

  test('stay with it when it is cancelled, and can be acknowledged still', async () => {
    const { own, queue, publisher } = await filled(5);
    await own.prefetch(3);
    const inbox = await Inbox.open(own, queue);
    await inbox.received(3);
    await inbox.cancel();
    expect(await ready(publisher, queue)).toBe(2);
    for (const message of inbox.messages) own.ack(message);
    await own.close();
    expect(await ready(publisher, queue)).toBe(2);
  });
});
