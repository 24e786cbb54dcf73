import type { Channel } from 'amqplib';
import { describe, expect, test } from 'vitest';
import { channel, confirmChannel, fresh, startBroker } from './fixture.ts';
import { drain, Inbox, publish, ready, take, text } from './messages.ts';
import { refusal } from './refusal.ts';

async function filled(...bodies: readonly string[]) {
  const broker = await startBroker();
  const own = await confirmChannel(broker);
  const queue = fresh('q');
  await own.assertQueue(queue, { durable: false });
  await publish(own, { key: queue }, ...bodies);
  return { broker, queue, own };
}

const tag = (deliveryTag: number) => ({ fields: { deliveryTag } }) as never;

describe('get', () => {
  test('takes one message and tells how many are left; an empty queue says so', async () => {
    const { own, queue } = await filled('a', 'b');
    const first = await take(own, queue);
    expect([text(first), first.fields.messageCount, first.fields.redelivered]).toEqual(['a', 1, false]);
    expect(first.fields).toMatchObject({ exchange: '', routingKey: queue, deliveryTag: 1 });
    expect((await take(own, queue)).fields).toMatchObject({ messageCount: 0, deliveryTag: 2 });
    expect(await own.get(queue)).toBe(false);
  });

  test('without acknowledgement the message is gone; with, it is back when the channel closes', async () => {
    const { broker, own, queue } = await filled('a', 'b');
    expect(await own.get(queue, { noAck: true })).not.toBe(false);
    await take(own, queue);
    await own.close();
    const other = await channel(broker);
    await expect.poll(() => ready(other, queue)).toBe(1);
    expect((await take(other, queue)).fields.redelivered).toBe(true);
  });
});

test('purge drops what is ready, not what is out, and tells how much', async () => {
  const { own, queue } = await filled('a', 'b', 'c');
  const out = await take(own, queue);
  expect(await own.purgeQueue(queue)).toEqual({ messageCount: 2 });
  expect(await own.get(queue)).toBe(false);
  own.nack(out);
  expect(await drain(own, queue)).toEqual(['a']);
  expect(await own.purgeQueue(queue)).toEqual({ messageCount: 0 });
});

describe('requeued messages', () => {
  test('go back to their places, marked as redelivered', async () => {
    const { own, queue } = await filled('a', 'b', 'c', 'd');
    const taken = [await take(own, queue), await take(own, queue), await take(own, queue)];
    // In whatever order they come back.
    for (const i of [2, 0]) own.reject(taken[i] as never, true);
    const again = await take(own, queue);
    expect([text(again), again.fields.redelivered]).toEqual(['a', true]);
    const third = await take(own, queue);
    expect([text(third), third.fields.redelivered]).toEqual(['c', true]);
    own.nack(taken[1] as never);
    const second = await take(own, queue);
    expect([text(second), second.fields.redelivered]).toEqual(['b', true]);
    const last = await take(own, queue);
    expect([text(last), last.fields.redelivered]).toEqual(['d', false]);
  });

  test('go to another consumer that can take them', async () => {
    const { broker, own, queue } = await filled();
    await own.prefetch(1);
    const first = await Inbox.open(own, queue);
    await publish(own, { key: queue }, 'm');
    await first.received(1);
    const second = await Inbox.open(await channel(broker), queue);
    await own.cancel(first.consumerTag);
    own.nack(first.at(0));
    const [message] = await second.received(1);
    expect(message?.fields.redelivered).toBe(true);
  });

  test('may go back to the consumer that they come from, when there is no other', async () => {
    const { own, queue } = await filled('m');
    const inbox = await Inbox.open(own, queue);
    await inbox.received(1);
    own.nack(inbox.at(0));
    await inbox.received(2);
    expect(inbox.messages.map(({ fields }) => [fields.deliveryTag, fields.redelivered])).toEqual([
      [1, false],
      [2, true],
    ]);
  });
});

describe('several at once', () => {
  test('an ack of all up to one leaves those after it', async () => {
    const { own, queue } = await filled('a', 'b', 'c', 'd');
    const taken = [];
    for (let i = 0; i < 4; i++) taken.push(await take(own, queue));
    own.ack(taken[2] as never, true);
    own.nackAll(true);
    expect(await drain(own, queue)).toEqual(['d']);
  });

  test('tag 0 means everything that is out', async () => {
    const { own, queue } = await filled('a', 'b', 'c');
    for (let i = 0; i < 3; i++) await take(own, queue);
    own.ackAll();
    own.nackAll(true);
    expect(await own.get(queue)).toBe(false);
  });

  test('a nack of all without requeue drops them', async () => {
    const { own, queue } = await filled('a', 'b', 'c');
    const taken = [await take(own, queue), await take(own, queue)];
    own.nack(taken[1] as never, true, false);
    expect(await drain(own, queue)).toEqual(['c']);
  });
});

describe('a delivery tag that is not out closes the channel', () => {
  test.each<[what: string, attempt: (own: Channel) => unknown, deliveryTag: number, method: string]>([
    ['ack', (own) => own.ack(tag(7)), 7, '60.80'],
    ['ack of all up to', (own) => own.ack(tag(7), true), 7, '60.80'],
    ['ack of 0', (own) => own.ack(tag(0)), 0, '60.80'],
    ['nack', (own) => own.nack(tag(7)), 7, '60.120'],
    ['reject', (own) => own.reject(tag(7)), 7, '60.90'],
  ])('%s', async (_what, attempt, deliveryTag, method) => {
    expect(await refusal(await channel(await startBroker()), attempt)).toEqual({
      code: 406,
      text: `PRECONDITION_FAILED - unknown delivery tag ${deliveryTag}`,
      method,
    });
  });

  test('ack for the second time', async () => {
    const { own, queue } = await filled('a');
    const message = await take(own, queue);
    const twice = () => {
      own.ack(message);
      own.ack(message);
    };
    expect(await refusal(own, twice)).toMatchObject({
      code: 406,
      text: 'PRECONDITION_FAILED - unknown delivery tag 1',
    });
  });

  test('ack on another channel', async () => {
    const { broker, own, queue } = await filled('a');
    const message = await take(own, queue);
    expect((await refusal(await channel(broker), (other) => other.ack(message))).code).toBe(406);
  });

  test('ack of what needed none', async () => {
    const { own, queue } = await filled('a');
    const message = await own.get(queue, { noAck: true });
    expect((await refusal(own, () => own.ack(message as never))).code).toBe(406);
  });
});

test('recover gives back what the channel holds, to whoever consumes', async () => {
  const { own, queue } = await filled('a', 'b');
  const inbox = await Inbox.open(own, queue);
  await inbox.received(2);
  await own.recover();
  await inbox.received(4);
  expect(inbox.messages.map(({ content, fields }) => `${content} ${fields.redelivered}`)).toEqual([
    'a false',
    'b false',
    'a true',
    'b true',
  ]);
});

test('acknowledgements of many messages leave nothing behind', async () => {
  const bodies = Array.from({ length: 2000 }, (_, i) => `${i}`);
  const { broker, own, queue } = await filled(...bodies);
  const consumer = await channel(broker);
  await consumer.prefetch(100);
  const received: string[] = [];
  await consumer.consume(queue, (message) => {
    if (message === null) return;
    received.push(text(message));
    consumer.ack(message);
  });
  await expect.poll(() => received.length, { timeout: 10_000 }).toBe(2000);
  expect(received).toEqual(bodies);
  await consumer.close();
  expect(await ready(own, queue)).toBe(0);
});
