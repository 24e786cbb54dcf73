import type { Channel } from 'amqplib';
import { describe, expect, test } from 'vitest';
import { channel, channelOn, confirmChannel, connection, fresh, startBroker, startOnVirtualClock } from './fixture.ts';
import { drain, Inbox, publish, ready } from './messages.ts';
import { refusal } from './refusal.ts';

/** Whether there is a queue of that name; on a channel of its own, which a "no" closes. */
async function exists(broker: Parameters<typeof channel>[0], queue: string): Promise<boolean> {
  const own = await channel(broker);
  return own.checkQueue(queue).then(
    () => true,
    () => false,
  );
}

describe('a queue is deleted', () => {
  test('with its messages, and their number is told', async () => {
    const own = await confirmChannel(await startBroker());
    const queue = fresh('q');
    await own.assertQueue(queue);
    await publish(own, { key: queue }, 'a', 'b');
    expect(await own.deleteQueue(queue)).toEqual({ messageCount: 2 });
    await own.assertQueue(queue);
    expect(await ready(own, queue)).toBe(0);
  });

  test('not while there is what was published just before, for who wants it empty; that counts for a declaration too', async () => {
    const own = await channel(await startBroker());
    const queue = fresh('q');
    await own.assertQueue(queue);
    own.sendToQueue(queue, Buffer.from('a'));
    expect(await own.checkQueue(queue)).toMatchObject({ messageCount: 1 });
    own.sendToQueue(queue, Buffer.from('b'));
    expect(await own.assertQueue(queue)).toMatchObject({ messageCount: 2 });
    await own.purgeQueue(queue);
    own.sendToQueue(queue, Buffer.from('c'));
    expect(await refusal(own, () => own.deleteQueue(queue, { ifEmpty: true }))).toMatchObject({ code: 406 });
  });

  test('without a word when it is not there', async () => {
    const own = await channel(await startBroker());
    expect(await own.deleteQueue(fresh('nope'))).toEqual({ messageCount: 0 });
  });

  test('not while it is in use or not empty, for who asks for that', async () => {
    const broker = await startBroker();
    const own = await confirmChannel(broker);
    const queue = fresh('q');
    await own.assertQueue(queue);
    await publish(own, { key: queue }, 'a');
    const attempt = await channel(broker);
    expect(await refusal(attempt, () => attempt.deleteQueue(queue, { ifEmpty: true }))).toEqual({
      code: 406,
      text: `PRECONDITION_FAILED - queue '${queue}' in vhost '/' not empty`,
      method: '50.40',
    });
    const inbox = await Inbox.open(own, queue, { noAck: true });
    const again = await channel(broker);
    expect(await refusal(again, () => again.deleteQueue(queue, { ifUnused: true }))).toEqual({
      code: 406,
      text: `PRECONDITION_FAILED - queue '${queue}' in vhost '/' in use`,
      method: '50.40',
    });
    await inbox.cancel();
    await own.deleteQueue(queue, { ifUnused: true, ifEmpty: true });
  });
});

describe('an exclusive queue', () => {
  test.each<[what: string, attempt: (other: Channel, queue: string) => unknown, method: string]>([
    ['looked for', (other, queue) => other.checkQueue(queue), '50.10'],
    ['declared', (other, queue) => other.assertQueue(queue, { exclusive: true }), '50.10'],
    ['consumed', (other, queue) => other.consume(queue, () => {}), '60.20'],
    ['read', (other, queue) => other.get(queue), '60.70'],
    ['bound', (other, queue) => other.bindQueue(queue, 'amq.direct', ''), '50.20'],
    ['purged', (other, queue) => other.purgeQueue(queue), '50.30'],
    ['deleted', (other, queue) => other.deleteQueue(queue), '50.40'],
  ])('is not to be %s by another connection', async (_what, attempt, method) => {
    const broker = await startBroker();
    const own = await channel(broker);
    const queue = fresh('q');
    await own.assertQueue(queue, { exclusive: true });
    expect(await refusal(await channel(broker), (other) => attempt(other, queue))).toEqual({
      code: 405,
      text: `RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '${queue}' in vhost '/'. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.`,
      method,
    });
  });

  test('can be published to by anybody, and used by other channels of its connection', async () => {
    const broker = await startBroker();
    const model = await connection(broker);
    const queue = fresh('q');
    await (await channelOn(model)).assertQueue(queue, { exclusive: true });
    await publish(await confirmChannel(broker), { key: queue }, 'm');
    expect(await drain(await channelOn(model), queue)).toEqual(['m']);
  });

  test('goes with its connection, not with its channel', async () => {
    const broker = await startBroker();
    const model = await connection(broker);
    const queue = fresh('q');
    const own = await channelOn(model);
    await own.assertQueue(queue, { exclusive: true });
    await own.close();
    await (await channelOn(model)).checkQueue(queue);
    await model.close();
    await expect.poll(() => exists(broker, queue)).toBe(false);
  });
});

describe('an auto-delete queue', () => {
  test('goes with its last consumer, whatever is in it', async () => {
    const broker = await startBroker();
    const own = await confirmChannel(broker);
    const queue = fresh('q');
    await own.assertQueue(queue, { autoDelete: true });
    await own.prefetch(1);
    const inboxes = [await Inbox.open(own, queue), await Inbox.open(own, queue)];
    await publish(own, { key: queue }, 'a', 'b', 'c');
    await inboxes[0]?.cancel();
    expect(await exists(broker, queue)).toBe(true);
    await inboxes[1]?.cancel();
    await expect.poll(() => exists(broker, queue)).toBe(false);
  });

  test('stays as long as there was no consumer, and when it is only read', async () => {
    const broker = await startBroker();
    const own = await confirmChannel(broker);
    const queue = fresh('q');
    await own.assertQueue(queue, { autoDelete: true });
    await publish(own, { key: queue }, 'a');
    expect(await drain(own, queue)).toEqual(['a']);
    await own.close();
    expect(await exists(broker, queue)).toBe(true);
  });

  test('goes when the connection of its last consumer does', async () => {
    const broker = await startBroker();
    const model = await connection(broker);
    const own = await channelOn(model);
    const queue = fresh('q');
    await own.assertQueue(queue, { autoDelete: true });
    await own.consume(queue, () => {});
    await model.close();
    await expect.poll(() => exists(broker, queue)).toBe(false);
  });
});

describe('a queue that expires', () => {
  const EXPIRES = 500;

  async function expiring() {
    const broker = await startOnVirtualClock();
    const own = await confirmChannel(broker);
    const queue = fresh('q');
    await own.assertQueue(queue, { expires: EXPIRES });
    return { broker, own, queue };
  }

  test('goes when it was not used for so long, whatever is in it', async () => {
    const { broker, own, queue } = await expiring();
    await publish(own, { key: queue }, 'm');
    await broker.pass(EXPIRES);
    expect(await exists(broker, queue)).toBe(false);
  });

  test('stays while there is a consumer', async () => {
    const { broker, own, queue } = await expiring();
    const inbox = await Inbox.open(own, queue);
    await broker.pass(2 * EXPIRES);
    expect(await exists(broker, queue)).toBe(true);
    await inbox.cancel();
    await broker.pass(EXPIRES);
    expect(await exists(broker, queue)).toBe(false);
  });

  test.each<[what: string, use: (own: Channel, queue: string) => Promise<unknown>]>([
    ['declared', (own, queue) => own.assertQueue(queue, { expires: EXPIRES })],
    ['read', (own, queue) => own.get(queue)],
  ])('stays while it is %s now and then', async (_what, use) => {
    const { broker, own, queue } = await expiring();
    for (let i = 0; i < 4; i++) {
      // On a real clock with time to spare.
      await broker.pass(broker.sluice === undefined ? 0 : EXPIRES - 1);
      await use(own, queue);
    }
    await broker.pass(EXPIRES);
    expect(await exists(broker, queue)).toBe(false);
  });
});
