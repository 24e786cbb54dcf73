import { describe, expect, test } from 'vitest';
import { MessageBytes } from '../messages/message-bytes.ts';
import { bodyOf, properties, QueueFixture, TestConsumer } from './fixture.contract.ts';
import type { Queue } from './queue.ts';

const numbered = (count: number, first = 0) => Array.from({ length: count }, (_, i) => `m${first + i}`);

describe('delivery', () => {
  test('messages come in order, each to one consumer, in turn', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q');
    const [a, b] = [new TestConsumer(queue), new TestConsumer(queue)];
    for (const body of numbered(6)) fixture.publish(queue, body);
    await fixture.settled();
    expect(a.bodies).toEqual(['m0', 'm2', 'm4']);
    expect(b.bodies).toEqual(['m1', 'm3', 'm5']);
    expect([queue.readyCount, queue.unacknowledgedCount]).toEqual([0, 6]);
    for (const { delivery } of [...a.received, ...b.received]) delivery.acknowledge();
    await fixture.settled();
    expect([queue.readyCount, queue.unacknowledgedCount]).toEqual([0, 0]);
  });

  test('a consumer gets no more than it can take, and the rest when it can', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q');
    const consumer = new TestConsumer(queue, 2);
    for (const body of numbered(5)) fixture.publish(queue, body);
    await fixture.settled();
    expect(consumer.bodies).toEqual(['m0', 'm1']);
    consumer.give(2);
    await fixture.settled();
    expect(consumer.bodies).toEqual(numbered(4));
    expect(queue.readyCount).toBe(1);
  });

  test('consumers of a higher priority are served first', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q');
    const low = new TestConsumer(queue, 10);
    const high = new TestConsumer(queue, 2, { priority: 5 });
    for (const body of numbered(4)) fixture.publish(queue, body);
    await fixture.settled();
    expect(high.bodies).toEqual(['m0', 'm1']);
    expect(low.bodies).toEqual(['m2', 'm3']);
  });

  test('a single active consumer gets all, until it goes', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q', { singleActiveConsumer: true });
    const [a, b] = [new TestConsumer(queue), new TestConsumer(queue)];
    fixture.publish(queue, 'm0');
    await fixture.settled();
    expect([a.bodies, b.bodies]).toEqual([['m0'], []]);
    a.consumer.cancel();
    a.received[0]?.delivery.requeue();
    fixture.publish(queue, 'm1');
    await fixture.settled();
    expect(b.bodies).toEqual(['m0', 'm1']);
  });

  test('nobody consumes beside an exclusive consumer', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q');
    const first = new TestConsumer(queue, 1, { exclusive: true });
    expect(() => new TestConsumer(queue)).toThrow(expect.objectContaining({ code: 'access-refused' }));
    first.consumer.cancel();
    new TestConsumer(queue);
    expect(() => new TestConsumer(queue, 1, { exclusive: true })).toThrow();
  });

  test('what is requeued comes back to its old place, marked and counted', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q');
    const first = new TestConsumer(queue, 3);
    for (const body of numbered(5)) fixture.publish(queue, body);
    await fixture.settled();
    first.consumer.cancel();
    for (const { delivery } of first.received.toReversed()) delivery.requeue();
    const second = new TestConsumer(queue);
    await fixture.settled();
    expect(second.bodies).toEqual(numbered(5));
    expect(second.received.map(({ delivery }) => delivery.redelivered)).toEqual([true, true, true, false, false]);
    expect(second.received.map(({ delivery }) => delivery.deliveryCount)).toEqual([1, 1, 1, 0, 0]);
  });

  test('one can be taken without consuming', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q');
    fixture.publish(queue, 'm0');
    const taken: string[] = [];
    expect(await queue.get(true, (_, message) => taken.push(message.routingKey))).toBe(true);
    expect(await queue.get(true, () => {})).toBe(false);
    expect(taken).toEqual(['key']);
  });

  test('higher priorities first, in order within one', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q', { maxPriority: 5 });
    for (const [body, priority] of [
      ['a', 0],
      ['b', 9],
      ['c', 3],
      ['d', 5],
      ['e', 3],
    ] as const)
      fixture.publish(queue, body, { priority });
    await fixture.settled();
    const consumer = new TestConsumer(queue);
    await fixture.settled();
    expect(consumer.bodies).toEqual(['b', 'd', 'c', 'e', 'a']);
  });

  test('messages to one queue by different routes stay in order', async () => {
    const fixture = await new QueueFixture().start();
    const [a, b] = [await fixture.queue('a'), await fixture.queue('b')];
    const [toA, toB] = [new TestConsumer(a), new TestConsumer(b)];
    fixture.publish([a, b], 'm0');
    fixture.publish(a, 'm1');
    fixture.publish([a, b], 'm2');
    fixture.publish(b, 'm3');
    await fixture.settled();
    expect(toA.bodies).toEqual(['m0', 'm1', 'm2']);
    expect(toB.bodies).toEqual(['m0', 'm2', 'm3']);
  });

  test('a queue deleted in the turn of a publish costs the others nothing', async () => {
    const fixture = await new QueueFixture().start();
    const [a, b] = [await fixture.queue('a'), await fixture.queue('b')];
    const [toA, toB] = [new TestConsumer(a), new TestConsumer(b)];
    fixture.publish([a, b], 'm0');
    a.delete();
    await fixture.settled();
    expect([toA.cancelled, toA.bodies, toB.bodies]).toEqual([true, [], ['m0']]);
  });
});

describe('leaving otherwise', () => {
  test('a rejected message is a dead letter, or gone where nobody wants those', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q', { deadLetterExchange: 'dlx' });
    const plain = await fixture.queue('p');
    const consumers = [new TestConsumer(queue), new TestConsumer(plain)];
    fixture.publish([queue, plain], 'm0');
    await fixture.settled();
    for (const consumer of consumers) consumer.received[0]?.delivery.reject();
    await fixture.settled();
    expect(fixture.deadLetters).toEqual([{ queue: 'q', body: 'm0', reason: 'rejected' }]);
    expect([queue.unacknowledgedCount, queue.shard.log(queue.logIds[0] ?? '').startOffset]).toEqual([0, 1]);
  });

  test('a message that comes back too often is a dead letter', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q', { deadLetterExchange: 'dlx', deliveryLimit: 2 });
    const consumer = new TestConsumer(queue);
    fixture.publish(queue, 'm0');
    for (let i = 0; i < 3; i++) {
      await fixture.settled();
      consumer.received.at(-1)?.delivery.requeue();
    }
    await fixture.settled();
    expect(consumer.bodies).toEqual(['m0', 'm0', 'm0']);
    expect(fixture.deadLetters).toMatchObject([{ reason: 'delivery_limit' }]);
  });

  test("messages expire by the queue's time, by their own when it is shorter, also behind others", async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q', { deadLetterExchange: 'dlx', messageTtlMs: 1000 });
    fixture.publish(queue, 'm0');
    fixture.publish(queue, 'm1', { expiration: '300' });
    fixture.publish(queue, 'm2', { expiration: '5000' });
    await fixture.settled();
    await fixture.clock.advance(299);
    expect(fixture.deadLetters).toEqual([]);
    await fixture.clock.advance(1);
    expect(fixture.deadLetters.map(({ body }) => body)).toEqual(['m1']);
    expect(queue.readyCount).toBe(2);
    await fixture.clock.advance(700);
    expect(fixture.deadLetters.map(({ body }) => body)).toEqual(['m1', 'm0', 'm2']);
    expect(queue.readyCount).toBe(0);
  });

  test('a queue that keeps messages until a time keeps to it, also after a restart', async () => {
    const fixture = await new QueueFixture().start();
    const expiryOf = (message: MessageBytes, publishedAt: number) => publishedAt + Number(bodyOf(message));
    const delayed = (queue: Queue, delay: number) => {
      const route = { targets: [queue], memo: undefined };
      const message = MessageBytes.of('', 'k', properties({ expiration: '1' }), Buffer.from(`${delay}`));
      fixture.turns.current.publishUntil(route, message, fixture.clock.now() + delay);
    };
    const queue = await fixture.queue('q', { deadLetterExchange: 'dlx' }, { expiryOf });
    for (const delay of [300, 100, 200]) delayed(queue, delay);
    await fixture.settled();
    await fixture.clock.advance(150);
    expect(fixture.deadLetters.map(({ body }) => body)).toEqual(['100']);
    await fixture.restart('crash');
    delayed(await fixture.queue('q', { deadLetterExchange: 'dlx' }, { expiryOf }), 10);
    await fixture.settled();
    await fixture.clock.advance(50);
    expect(fixture.deadLetters.map(({ body }) => body)).toEqual(['100', '10', '200']);
    await fixture.clock.advance(100);
    expect(fixture.deadLetters.map(({ body }) => body)).toEqual(['100', '10', '200', '300']);
  });

  test('messages that may not wait at all reach those who wait for them, and nobody else', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q', { messageTtlMs: 0 });
    const consumer = new TestConsumer(queue, 1);
    fixture.publish(queue, 'm0');
    fixture.publish(queue, 'm1', { expiration: '0' });
    await fixture.settled();
    await fixture.clock.advance(1);
    consumer.give(1);
    await fixture.settled();
    expect([consumer.bodies, queue.readyCount]).toEqual([['m0'], 0]);
  });

  test('what is out does not expire, and does when it comes back too late', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q', { deadLetterExchange: 'dlx' });
    const consumer = new TestConsumer(queue, 1);
    fixture.publish(queue, 'm0', { expiration: '100' });
    await fixture.settled();
    await fixture.clock.advance(1000);
    expect(fixture.deadLetters).toEqual([]);
    consumer.received[0]?.delivery.requeue();
    await fixture.settled();
    await fixture.clock.advance(1);
    expect(fixture.deadLetters).toMatchObject([{ body: 'm0', reason: 'expired' }]);
  });

  test('beyond its length the queue drops its oldest messages', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q', { deadLetterExchange: 'dlx', maxLength: 2 });
    for (const body of numbered(5)) fixture.publish(queue, body);
    await fixture.settled();
    expect(fixture.deadLetters.map(({ body, reason }) => `${body} ${reason}`)).toEqual(
      numbered(3).map((body) => `${body} maxlen`),
    );
    expect(queue.readyCount).toBe(2);
  });

  test('beyond its bytes as well', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q', { maxLengthBytes: 10 });
    for (const body of ['12345', '67890', 'abc', 'de']) fixture.publish(queue, body);
    await fixture.settled();
    const consumer = new TestConsumer(queue);
    await fixture.settled();
    expect(consumer.bodies).toEqual(['67890', 'abc', 'de']);
  });

  test('or refuses what comes, where it is told to', async () => {
    const fixture = await new QueueFixture().start();
    const full = await fixture.queue('q', { maxLength: 1, overflow: 'reject-publish' });
    const other = await fixture.queue('o');
    expect(fixture.publish([full, other], 'm0')).toBe('taken');
    expect(fixture.publish([full, other], 'm1')).toBe('refused');
    await fixture.settled();
    expect([full.readyCount, other.readyCount]).toEqual([1, 2]);
  });

  test('a purge takes what is ready and leaves what is out', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q');
    const consumer = new TestConsumer(queue, 2);
    for (const body of numbered(6)) fixture.publish(queue, body);
    await fixture.settled();
    consumer.received[1]?.delivery.requeue();
    expect(queue.purge()).toBe(5);
    expect([queue.readyCount, queue.unacknowledgedCount]).toEqual([0, 1]);
    consumer.received[0]?.delivery.requeue();
    consumer.give(5);
    await fixture.settled();
    expect(consumer.bodies).toEqual(['m0', 'm1', 'm0']);
  });

  test('a queue nobody uses says so, and one whose consumers have gone', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q', { expiresMs: 1000 });
    const consumer = new TestConsumer(queue);
    await fixture.clock.advance(5000);
    expect(fixture.expirations).toEqual([]);
    consumer.consumer.cancel();
    expect(fixture.expirations).toEqual(['q unused']);
    await fixture.clock.advance(999);
    queue.touch();
    await fixture.clock.advance(999);
    expect(fixture.expirations).toEqual(['q unused']);
    await fixture.clock.advance(1);
    expect(fixture.expirations).toEqual(['q unused', 'q idle']);
  });
});

describe.each(['close', 'crash'] as const)('after a %s', (how) => {
  test('what was not acknowledged is there, in order, and nothing else', async () => {
    const fixture = await new QueueFixture().start();
    const queue = await fixture.queue('q');
    const consumer = new TestConsumer(queue, 6);
    for (const body of numbered(10)) fixture.publish(queue, body);
    await fixture.settled();
    for (const at of [0, 1, 3, 5]) consumer.received[at]?.delivery.acknowledge();
    await fixture.restart(how);
    const again = new TestConsumer(await fixture.queue('q'));
    await fixture.settled();
    expect(again.bodies).toEqual(['m2', 'm4', 'm6', 'm7', 'm8', 'm9']);
    expect(again.received.map(({ delivery }) => delivery.redelivered)).toEqual(
      how === 'close' ? [true, true, false, false, false, false] : Array(6).fill(true),
    );
  });

  test('messages that are not persistent are gone, where the queue does not keep all', async () => {
    const fixture = await new QueueFixture().start();
    for (const [name, keepsTransient] of [
      ['classic', false],
      ['quorum', true],
    ] as const) {
      const queue = await fixture.queue(name, {}, { keepsTransient });
      for (const body of numbered(6)) fixture.publish(queue, body, { persistent: body === 'm1' || body === 'm4' });
    }
    await fixture.restart(how);
    const [classic, quorum] = [
      await fixture.queue('classic'),
      await fixture.queue('quorum', {}, { keepsTransient: true }),
    ];
    expect([classic.readyCount, quorum.readyCount]).toEqual([2, 6]);
    const consumer = new TestConsumer(classic);
    await fixture.settled();
    expect(consumer.bodies).toEqual(['m1', 'm4']);
  });

  test('priorities, expirations, delivery counts and bytes are what they were', async () => {
    const fixture = await new QueueFixture().start();
    const settings = { maxPriority: 2, deliveryLimit: 1, deadLetterExchange: 'dlx', maxLengthBytes: 7 };
    const queue = await fixture.queue('q', settings);
    const consumer = new TestConsumer(queue, 1);
    fixture.publish(queue, 'a', { priority: 1 });
    await fixture.settled();
    fixture.publish(queue, 'b', { priority: 0, expiration: '500' });
    fixture.publish(queue, 'ccc', { priority: 2 });
    await fixture.settled();
    consumer.received[0]?.delivery.requeue();
    consumer.consumer.cancel();
    await fixture.restart(how);
    const next = await fixture.queue('q', settings);
    expect([next.readyCount, next.readyBytes]).toEqual([3, 5]);
    await fixture.clock.advance(500);
    expect(fixture.deadLetters).toEqual([{ queue: 'q', body: 'b', reason: 'expired' }]);
    const again = new TestConsumer(next);
    await fixture.settled();
    expect(again.bodies).toEqual(['ccc', 'a']);
    again.received[1]?.delivery.requeue();
    await fixture.settled();
    expect(fixture.deadLetters.at(-1)).toEqual({ queue: 'q', body: 'a', reason: 'delivery_limit' });
  });
});

test('a backlog that is in segments is read from there, and what comes back from it too', async () => {
  const fixture = await new QueueFixture({ flushBytes: 10_000, tailCacheBytes: 0 }).start();
  const queue = await fixture.queue('q', { deadLetterExchange: 'dlx' });
  for (let i = 0; i < 20; i++) {
    for (const body of numbered(100, i * 100)) fixture.publish(queue, body);
    await fixture.settled();
  }
  await fixture.shard.flush();
  expect(queue.shard.log(queue.logIds[0] ?? '').batchInMemory(0)).toBeUndefined();
  const consumer = new TestConsumer(queue, 1000);
  await expect.poll(() => consumer.received.length).toBe(1000);
  consumer.received[10]?.delivery.requeue();
  consumer.received[500]?.delivery.reject();
  consumer.give(2000);
  await expect.poll(() => consumer.received.length).toBe(2001);
  expect(consumer.bodies.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)))).toEqual([
    ...numbered(11),
    'm10',
    ...numbered(1989, 11),
  ]);
  expect(fixture.deadLetters).toEqual([{ queue: 'q', body: 'm500', reason: 'rejected' }]);
});

test('a message that stays out does not hold the space of those after it, and is not lost', async () => {
  const fixture = await new QueueFixture().start();
  const queue = await fixture.queue('q', { deadLetterExchange: 'dlx' });
  const [messages = ''] = queue.logIds;
  const consumer = new TestConsumer(queue);
  fixture.publish(queue, 'stuck', { priority: 3 });
  fixture.publish(queue, 'rejected');
  fixture.publish(queue, 'acknowledged');
  await fixture.settled();
  for (let i = 0; i < 12; i++) {
    for (const body of numbered(1000)) fixture.publish(queue, body);
    await fixture.settled();
    for (const { delivery } of consumer.received.splice(3)) delivery.acknowledge();
    await fixture.settled();
  }
  expect(fixture.shard.log(messages).startOffset).toBeGreaterThan(10_000);
  const [stuck, rejected, acknowledged] = consumer.received;
  rejected?.delivery.reject();
  acknowledged?.delivery.acknowledge();
  await fixture.settled();
  expect(fixture.deadLetters).toMatchObject([{ body: 'rejected' }]);
  stuck?.delivery.requeue();
  await fixture.settled();
  expect(consumer.bodies.at(-1)).toBe('stuck');
  for (const how of ['crash', 'close'] as const) {
    await fixture.restart(how);
    const again = new TestConsumer(await fixture.queue('q'));
    await fixture.settled();
    expect(again.bodies).toEqual(['stuck']);
  }
});
