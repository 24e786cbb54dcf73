import { expect, test } from 'vitest';
import { QueueFixture, TestConsumer } from './fixture.contract.ts';

/*
 * What was published is in the queue for whoever asks next, though the turn has not ended.
 */

test('a limit counts before the next message is taken', async () => {
  const fixture = await new QueueFixture().start();
  const queue = await fixture.queue('q', { maxLength: 1 });
  fixture.publish(queue, 'a');
  fixture.publish(queue, 'b');
  const got: string[] = [];
  await queue.get(true, (_, { body, bodyStart, bodyEnd }) => got.push(body.toString('latin1', bodyStart, bodyEnd)));
  expect([got, queue.readyCount]).toEqual([['b'], 0]);
});

test('messages that expire at the same time leave in their order', async () => {
  const fixture = await new QueueFixture().start();
  const queue = await fixture.queue('q', { deadLetterExchange: 'dlx' });
  const bodies = Array.from({ length: 100 }, (_, i) => `m${i}`);
  for (const body of bodies) fixture.publish(queue, body, { expiration: '100' });
  await fixture.settled();
  await fixture.clock.advance(100);
  expect(fixture.deadLetters.map(({ body }) => body)).toEqual(bodies);
});

test('consumers have what was published before a purge', async () => {
  const fixture = await new QueueFixture().start();
  const queue = await fixture.queue('q');
  const consumer = new TestConsumer(queue, 1);
  fixture.publish(queue, 'a');
  fixture.publish(queue, 'b');
  expect([queue.purge(), consumer.bodies]).toEqual([1, ['a']]);
});
