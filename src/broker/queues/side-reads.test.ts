import { expect, test, vi } from 'vitest';
import type { Log } from '../../storage/index.ts';
import { QueueFixture, TestConsumer } from './fixture.contract.ts';
import type { Queue } from './queue.ts';
import type { QueueSettings } from './settings.ts';

const MESSAGES = 2000;

/** Reads of segments that are under way: how many there were at a time, at most. */
class Watched {
  most = 0;
  #now = 0;

  constructor(log: Log) {
    const read = log.read.bind(log);
    vi.spyOn(log, 'read').mockImplementation((...args) => {
      const reading = read(...args);
      if (!(reading instanceof Promise)) return reading;
      this.most = Math.max(this.most, ++this.#now);
      return reading.finally(() => {
        this.#now--;
      });
    });
  }
}

/** A queue of which every message is in segments. */
async function coldQueue(settings: Partial<QueueSettings>, expiration?: string) {
  const fixture = await new QueueFixture({ flushBytes: 10_000, tailCacheBytes: 0 }).start();
  const queue: Queue = await fixture.queue('q', settings);
  for (let i = 0; i < MESSAGES; i++) {
    fixture.publish(queue, `m${i}`, expiration === undefined ? {} : { expiration });
    if (i % 50 === 0) await fixture.settled();
  }
  await fixture.settled();
  await fixture.shard.flush();
  const log = fixture.shard.log(queue.logIds[0] ?? '');
  expect(log.batchInMemory(0)).toBeUndefined();
  return { fixture, queue, log };
}

const everything = Array.from({ length: MESSAGES }, (_, i) => `m${i}`);

test('many messages that expire together are read one piece after the other', async () => {
  const { fixture, queue, log } = await coldQueue({ deadLetterExchange: 'dlx' }, '1000');
  const reads = new Watched(log);
  await fixture.clock.advance(1000);
  await expect.poll(() => fixture.clock.advance(0).then(() => fixture.deadLetters.length)).toBe(MESSAGES);
  expect(fixture.deadLetters.map(({ body }) => body)).toEqual(everything);
  expect([queue.readyCount, reads.most]).toEqual([0, 1]);
});

test('many messages that are rejected together are read one piece after the other, and go in their order', async () => {
  const { fixture, queue, log } = await coldQueue({ deadLetterExchange: 'dlx' });
  const consumer = new TestConsumer(queue);
  await expect.poll(() => consumer.received.length).toBe(MESSAGES);
  const reads = new Watched(log);
  for (const { delivery } of consumer.received) delivery.reject();
  await expect.poll(() => fixture.deadLetters.length).toBe(MESSAGES);
  expect(fixture.deadLetters.map(({ body }) => body)).toEqual(everything);
  expect(reads.most).toBe(1);
});

test('messages that come back are not read to learn when they expire', async () => {
  const { fixture, queue, log } = await coldQueue({ deadLetterExchange: 'dlx' }, '5000');
  const consumer = new TestConsumer(queue);
  await expect.poll(() => consumer.received.length).toBe(MESSAGES);
  const reads = new Watched(log);
  consumer.consumer.cancel();
  for (const { delivery } of consumer.received) delivery.requeue();
  await fixture.settled();
  expect([queue.readyCount, reads.most]).toEqual([MESSAGES, 0]);
  await fixture.clock.advance(5000);
  await expect.poll(() => fixture.clock.advance(0).then(() => fixture.deadLetters.length)).toBe(MESSAGES);
});

test('who consumes while the first message is loaded for its time to live gets it all the same', async () => {
  const { fixture } = await coldQueue({ messageTtlMs: 60_000 });
  await fixture.restart();
  const queue = await fixture.queue('q', { messageTtlMs: 60_000 });
  const consumer = new TestConsumer(queue);
  await expect.poll(() => consumer.received.length).toBe(MESSAGES);
});
