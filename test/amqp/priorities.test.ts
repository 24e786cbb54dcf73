import { expect, test } from 'vitest';
import { channel, confirmChannel, fresh, startBroker } from './fixture.ts';
import { drain, Inbox, publish, take, text } from './messages.ts';

async function queueOf(maxPriority: number, args: Record<string, unknown> = {}) {
  const broker = await startBroker();
  const own = await confirmChannel(broker);
  const queue = fresh('q');
  await own.assertQueue(queue, { maxPriority, arguments: args });
  return { broker, own, queue };
}

async function publishAll(
  own: Awaited<ReturnType<typeof confirmChannel>>,
  queue: string,
  priorities: (number | undefined)[],
) {
  for (const [i, priority] of priorities.entries())
    await publish(own, { key: queue, ...(priority !== undefined && { priority }) }, `${i}:${priority ?? 'none'}`);
}

test('the highest comes first, those of one priority in their order, those without as 0', async () => {
  const { own, queue } = await queueOf(10);
  await publishAll(own, queue, [1, undefined, 5, 1, 10, 0, 5]);
  expect(await drain(own, queue)).toEqual(['4:10', '2:5', '6:5', '0:1', '3:1', '1:none', '5:0']);
});

test('what is above the queue’s highest counts as that', async () => {
  const { own, queue } = await queueOf(3);
  await publishAll(own, queue, [3, 200, 2, 3]);
  expect(await drain(own, queue)).toEqual(['0:3', '1:200', '3:3', '2:2']);
});

test('all 255 can be told apart', async () => {
  const { own, queue } = await queueOf(255);
  await publishAll(own, queue, [254, 255, 253]);
  expect(await drain(own, queue)).toEqual(['1:255', '0:254', '2:253']);
});

test('a queue without priorities does not mind them', async () => {
  const own = await confirmChannel(await startBroker());
  const queue = fresh('q');
  await own.assertQueue(queue);
  await publishAll(own, queue, [1, 9, 5]);
  expect(await drain(own, queue)).toEqual(['0:1', '1:9', '2:5']);
});

test('a consumer that is busy has the highest of those that came meanwhile next', async () => {
  const { broker, own, queue } = await queueOf(5);
  const consumer = await channel(broker);
  await consumer.prefetch(1);
  await publishAll(own, queue, [1]);
  const inbox = await Inbox.open(consumer, queue);
  await inbox.received(1);
  await publishAll(own, queue, [2, 5, 3]);
  for (let i = 1; i < 4; i++) {
    consumer.ack(inbox.at(-1));
    await inbox.received(i + 1);
  }
  expect(inbox.texts).toEqual(['0:1', '1:5', '2:3', '0:2']);
});

test('what is requeued goes back to its place among its like', async () => {
  const { own, queue } = await queueOf(5);
  await publishAll(own, queue, [2, 2, 5, 2]);
  const taken = [await take(own, queue), await take(own, queue), await take(own, queue)];
  expect(taken.map(text)).toEqual(['2:5', '0:2', '1:2']);
  own.nackAll(true);
  expect(await drain(own, queue)).toEqual(['2:5', '0:2', '1:2', '3:2']);
});

test('of a queue that is full the head goes, which is the highest', async () => {
  const { own, queue } = await queueOf(5, { 'x-max-length': 2 });
  await publishAll(own, queue, [1, 5, 3]);
  expect(await drain(own, queue)).toEqual(['2:3', '0:1']);
});
