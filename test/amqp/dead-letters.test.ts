import type { ConfirmChannel } from 'amqplib';
import { describe, expect, test } from 'vitest';
import { confirmChannel, fresh, startBroker, startOnVirtualClock } from './fixture.ts';
import { drain, drainMessages, Inbox, publish, ready, take, text } from './messages.ts';

/** A queue, an exchange for its dead letters, and a queue that gets them all. */
async function deadLettered(args: Record<string, unknown> = {}, start = startBroker) {
  const broker = await start();
  const own = await confirmChannel(broker);
  const [queue, exchange, dead] = [fresh('q'), fresh('dlx'), fresh('dead')];
  await own.assertExchange(exchange, 'topic');
  await own.assertQueue(dead);
  await own.bindQueue(dead, exchange, '#');
  await own.assertQueue(queue, { arguments: { 'x-dead-letter-exchange': exchange, ...args } });
  return { broker, own, queue, exchange, dead };
}

async function letter(own: ConfirmChannel, dead: string) {
  await expect.poll(() => ready(own, dead)).toBeGreaterThan(0);
  const [first, ...more] = await drainMessages(own, dead);
  expect(more).toEqual([]);
  // It is there, or the poll would not have ended.
  return first as NonNullable<typeof first>;
}

const TIME = { '!': 'timestamp', value: expect.any(Number) };

test('a rejected message goes there with its key, and tells where it died and why', async () => {
  const { own, queue, exchange, dead } = await deadLettered();
  await own.bindQueue(queue, 'amq.topic', 'some.key');
  await publish(own, { exchange: 'amq.topic', key: 'some.key', headers: { mine: 1 }, messageId: 'id' }, 'm');
  own.reject(await take(own, queue), false);
  const { fields, properties, content } = await letter(own, dead);
  expect(fields).toMatchObject({ exchange, routingKey: 'some.key', redelivered: false });
  expect(properties).toMatchObject({ messageId: 'id' });
  // Later versions of RabbitMQ add x-last-death-*.
  expect(properties.headers).toMatchObject({
    mine: 1,
    'x-death': [
      { count: 1, reason: 'rejected', queue, time: TIME, exchange: 'amq.topic', 'routing-keys': ['some.key'] },
    ],
    'x-first-death-exchange': 'amq.topic',
    'x-first-death-queue': queue,
    'x-first-death-reason': 'rejected',
  });
  expect(content.toString()).toBe('m');
});

test.each<[how: string, refuse: (own: ConfirmChannel, queue: string) => Promise<void>]>([
  ['nack', async (own, queue) => own.nack(await take(own, queue), false, false)],
  [
    'nack of all up to',
    async (own, queue) => {
      await publish(own, { key: queue }, 'second');
      await take(own, queue);
      own.nackAll(false);
    },
  ],
])('%s without requeue does the same; with requeue nothing dies', async (_how, refuse) => {
  const { own, queue, dead } = await deadLettered();
  await publish(own, { key: queue }, 'm');
  own.nack(await take(own, queue));
  expect(await ready(own, dead)).toBe(0);
  await refuse(own, queue);
  await letter(own, dead);
});

test('the queue may say by which key they go', async () => {
  const { own, queue, exchange, dead } = await deadLettered({ 'x-dead-letter-routing-key': 'died' });
  await publish(own, { key: queue, CC: ['elsewhere'] }, 'm');
  own.reject(await take(own, queue), false);
  const { fields, properties } = await letter(own, dead);
  expect(fields).toMatchObject({ exchange, routingKey: 'died' });
  expect(properties.headers).toMatchObject({ 'x-death': [{ 'routing-keys': [queue, 'elsewhere'] }] });
});

test('an expired message loses its expiration, which the trail keeps', async () => {
  const { broker, own, queue, dead } = await deadLettered({}, startOnVirtualClock);
  await publish(own, { key: queue, expiration: '300' }, 'm');
  await broker.pass(300);
  const { properties } = await letter(own, dead);
  expect(properties.expiration).toBeUndefined();
  expect(properties.headers).toMatchObject({
    'x-first-death-reason': 'expired',
    'x-death': [{ reason: 'expired', queue, exchange: '', 'original-expiration': '300', 'routing-keys': [queue] }],
  });
});

test('messages that expire by the queue’s time to live go in their order', async () => {
  const { broker, own, queue, dead } = await deadLettered({ 'x-message-ttl': 300 }, startOnVirtualClock);
  const bodies = Array.from({ length: 50 }, (_, i) => `${i}`);
  await publish(own, { key: queue }, ...bodies);
  await broker.pass(300);
  await expect.poll(() => ready(own, dead)).toBe(50);
  expect(await drain(own, dead)).toEqual(bodies);
});

describe('the trail', () => {
  test('counts deaths of one reason in one queue, and puts the latest first', async () => {
    const { own, queue, dead } = await deadLettered();
    await publish(own, { key: queue }, 'm');
    for (let i = 0; i < 3; i++) {
      own.reject(await take(own, queue), false);
      const message = await letter(own, dead);
      const { headers } = message.properties;
      await publish(own, { key: queue, ...(headers && { headers }) }, text(message));
    }
    const { properties } = await take(own, queue);
    expect(properties.headers?.['x-death']).toMatchObject([{ count: 3, queue, reason: 'rejected' }]);
  });

  test('has an entry for each queue and reason, the latest first', async () => {
    const { own, queue, dead, exchange } = await deadLettered();
    const last = fresh('last');
    const middle = fresh('middle');
    await own.assertQueue(last);
    await own.assertQueue(middle, {
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': last, 'x-max-length': 0 },
    });
    await own.unbindQueue(dead, exchange, '#');
    await own.bindQueue(middle, exchange, '#');
    await publish(own, { key: queue }, 'm');
    own.reject(await take(own, queue), false);
    const { properties, fields } = await letter(own, last);
    expect(fields).toMatchObject({ exchange: '', routingKey: last });
    expect(properties.headers).toMatchObject({
      'x-death': [
        { queue: middle, reason: 'maxlen', count: 1, exchange, 'routing-keys': [queue] },
        { queue, reason: 'rejected', count: 1, exchange: '', 'routing-keys': [queue] },
      ],
      'x-first-death-queue': queue,
      'x-first-death-reason': 'rejected',
    });
  });
});

describe('circles', () => {
  test('a message that would come to a queue again where it died without anybody’s doing is dropped', async () => {
    const broker = await startOnVirtualClock();
    const own = await confirmChannel(broker);
    const [one, other] = [fresh('one'), fresh('other')];
    for (const [queue, next] of [
      [one, other],
      [other, one],
    ] as const)
      await own.assertQueue(queue, {
        arguments: { 'x-message-ttl': 100, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': next },
      });
    await publish(own, { key: one }, 'm');
    await broker.pass(1000);
    expect([await ready(own, one), await ready(own, other)]).toEqual([0, 0]);
  });

  test('a message that somebody rejects goes round as often as they like', async () => {
    const broker = await startOnVirtualClock();
    const own = await confirmChannel(broker);
    const [work, wait] = [fresh('work'), fresh('wait')];
    await own.assertQueue(work, {
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': wait },
    });
    await own.assertQueue(wait, {
      arguments: { 'x-message-ttl': 100, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': work },
    });
    await publish(own, { key: work }, 'm');
    for (let i = 0; i < 3; i++) {
      own.reject(await take(own, work), false);
      await broker.pass(100);
    }
    const { properties } = await take(own, work);
    expect(properties.headers?.['x-death']).toMatchObject([
      { queue: wait, reason: 'expired', count: 3 },
      { queue: work, reason: 'rejected', count: 3 },
    ]);
  });
});

test('an exchange that is not there costs the message, and nobody more', async () => {
  const own = await confirmChannel(await startBroker());
  const queue = fresh('q');
  await own.assertQueue(queue, { deadLetterExchange: fresh('nope') });
  await publish(own, { key: queue }, 'a', 'b');
  own.reject(await take(own, queue), false);
  expect(await drain(own, queue)).toEqual(['b']);
});

describe('a quorum queue with a delivery limit', () => {
  test('counts deliveries in a header, and after the last the message is dead', async () => {
    const { own, queue, dead } = await deadLettered({ 'x-queue-type': 'quorum', 'x-delivery-limit': 2 });
    await publish(own, { key: queue }, 'm');
    const inbox = await Inbox.open(own, queue);
    for (let i = 1; i <= 3; i++) {
      await inbox.received(i);
      own.nack(inbox.at(-1));
    }
    const { properties } = await letter(own, dead);
    expect(inbox.messages.map((message) => message.properties.headers?.['x-delivery-count'])).toEqual([
      undefined,
      1,
      2,
    ]);
    expect(properties.headers).toMatchObject({
      'x-first-death-reason': 'delivery_limit',
      'x-death': [{ reason: 'delivery_limit', queue, count: 1 }],
    });
    expect(await ready(own, queue)).toBe(0);
  });
});
