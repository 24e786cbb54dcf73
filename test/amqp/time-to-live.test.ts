import { describe, expect, test } from 'vitest';
import { channel, confirmChannel, fresh, startOnVirtualClock } from './fixture.ts';
import { drain, Inbox, publish, ready, take } from './messages.ts';

const TTL = 600;

async function queueOf(options: Record<string, unknown> = {}) {
  const broker = await startOnVirtualClock();
  const own = await confirmChannel(broker);
  const queue = fresh('q');
  await own.assertQueue(queue, options);
  return { broker, own, queue };
}

describe('messages of a queue with a time to live', () => {
  test('are gone when it is over, and not before', async () => {
    const { broker, own, queue } = await queueOf({ messageTtl: TTL });
    await publish(own, { key: queue }, 'a');
    if (broker.sluice !== undefined) await broker.pass(TTL - 1);
    expect(await ready(own, queue)).toBe(1);
    await broker.pass(1 + (broker.sluice === undefined ? TTL : 0));
    expect(await ready(own, queue)).toBe(0);
    expect(await own.get(queue)).toBe(false);
  });

  test('each count from when they came', async () => {
    const { broker, own, queue } = await queueOf({ messageTtl: TTL });
    await publish(own, { key: queue }, 'early');
    await broker.pass(TTL / 2);
    await publish(own, { key: queue }, 'late');
    await broker.pass(TTL / 2);
    expect(await drain(own, queue)).toEqual(['late']);
  });

  test('that are out are not touched; back in the queue, they are gone at once', async () => {
    const { broker, own, queue } = await queueOf({ messageTtl: TTL });
    await publish(own, { key: queue }, 'acknowledged', 'returned');
    const [one, other] = [await take(own, queue), await take(own, queue)];
    await broker.pass(TTL);
    own.ack(one);
    own.nack(other);
    expect(await own.get(queue)).toBe(false);
  });

  test('with a time of 0 reach a consumer that waits, and nobody else', async () => {
    const { broker, own, queue } = await queueOf({ messageTtl: 0 });
    await publish(own, { key: queue }, 'nobody there');
    await broker.pass(0);
    expect(await ready(own, queue)).toBe(0);
    const inbox = await Inbox.open(await channel(broker), queue);
    await publish(own, { key: queue }, 'm');
    await inbox.received(1);
    expect(inbox.texts).toEqual(['m']);
  });
});

describe('messages with an expiration of their own', () => {
  test('are gone when they are at the head of the queue', async () => {
    const { broker, own, queue } = await queueOf();
    await publish(own, { key: queue, expiration: `${TTL}` }, 'short');
    await publish(own, { key: queue }, 'for ever');
    await broker.pass(TTL);
    expect(await drain(own, queue)).toEqual(['for ever']);
  });

  test('behind others are never delivered late', async () => {
    const { broker, own, queue } = await queueOf();
    await publish(own, { key: queue }, 'for ever');
    await publish(own, { key: queue, expiration: `${TTL}` }, 'short');
    await publish(own, { key: queue, expiration: '600000' }, 'long');
    await broker.pass(TTL);
    expect(await drain(own, queue)).toEqual(['for ever', 'long']);
  });

  test('live no longer than the queue lets them, nor than they say', async () => {
    const { broker, own, queue } = await queueOf({ messageTtl: TTL });
    await publish(own, { key: queue, expiration: '600000' }, 'as the queue says');
    await broker.pass(TTL);
    expect(await ready(own, queue)).toBe(0);
    const other = fresh('q');
    await own.assertQueue(other, { messageTtl: 600_000 });
    await publish(own, { key: other, expiration: `${TTL}` }, 'as it says');
    await broker.pass(TTL);
    expect(await ready(own, other)).toBe(0);
  });

  test('of 0 reach a consumer that waits', async () => {
    const { broker, own, queue } = await queueOf();
    const inbox = await Inbox.open(await channel(broker), queue);
    await publish(own, { key: queue, expiration: '0' }, 'm');
    await inbox.received(1);
    expect(inbox.at(0).properties.expiration).toBe('0');
  });
});

test('what has expired does not count when a consumer comes', async () => {
  const { broker, own, queue } = await queueOf({ messageTtl: TTL });
  await publish(own, { key: queue }, 'a', 'b', 'c');
  await broker.pass(TTL);
  await publish(own, { key: queue }, 'd');
  const inbox = await Inbox.open(await channel(broker), queue);
  await inbox.received(1);
  expect((await inbox.settled()).texts).toEqual(['d']);
});
