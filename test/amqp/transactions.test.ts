import { type Channel, Connection } from 'rabbitmq-client';
import { expect, onTestFinished, test } from 'vitest';
import { fresh, startBroker } from './fixture.ts';

// By rabbitmq-client: amqplib has no transactions.
async function channels() {
  const broker = await startBroker();
  const connection = new Connection(broker.url);
  const opened: Channel[] = [];
  onTestFinished(async () => {
    await Promise.all(opened.map((channel) => channel.close()));
    await connection.close();
  });
  const open = async () => {
    const channel = await connection.acquire();
    opened.push(channel);
    return channel;
  };
  const [own, other] = [await open(), await open()];
  const queue = fresh('q');
  await other.queueDeclare({ queue });
  return { own, other, queue };
}

async function drain(channel: Channel, queue: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const message = await channel.basicGet({ queue, noAck: true });
    if (message === undefined) return bodies;
    bodies.push(String(message.body));
  }
}

const count = async (channel: Channel, queue: string) =>
  (await channel.queueDeclare({ queue, passive: true })).messageCount;

test('what is published is there when it is committed, all of it, and not before', async () => {
  const { own, other, queue } = await channels();
  await own.txSelect();
  for (const body of ['a', 'b', 'c']) await own.basicPublish(queue, body);
  expect(await count(own, queue)).toBe(0);
  await own.txCommit();
  expect(await drain(other, queue)).toEqual(['a', 'b', 'c']);
});

test('what is rolled back never was; the channel goes on with the next transaction', async () => {
  const { own, other, queue } = await channels();
  await own.txSelect();
  await own.basicPublish(queue, 'a');
  await own.txRollback();
  await own.txCommit();
  await own.basicPublish(queue, 'b');
  await own.txCommit();
  expect(await drain(other, queue)).toEqual(['b']);
});

test('what is not committed when the channel closes never was', async () => {
  const { own, other, queue } = await channels();
  await own.txSelect();
  await own.basicPublish(queue, 'a');
  await own.close();
  expect(await drain(other, queue)).toEqual([]);
});

test('acknowledgements take effect with the commit, and can be given again after a rollback', async () => {
  const { own, other, queue } = await channels();
  await other.basicPublish(queue, 'm');
  await expect.poll(() => count(other, queue)).toBe(1);
  await own.txSelect();
  const message = await own.basicGet(queue);
  const { deliveryTag = 0 } = message ?? {};
  own.basicAck({ deliveryTag });
  await own.txRollback();
  own.basicAck({ deliveryTag });
  await own.txCommit();
  await own.close();
  expect(await drain(other, queue)).toEqual([]);
});

test('a message is back when its acknowledgement was not committed', async () => {
  const { own, other, queue } = await channels();
  await other.basicPublish(queue, 'm');
  await expect.poll(() => count(other, queue)).toBe(1);
  await own.txSelect();
  const { deliveryTag = 0 } = (await own.basicGet(queue)) ?? {};
  own.basicAck({ deliveryTag });
  await own.close();
  await expect.poll(() => count(other, queue)).toBe(1);
});

test('a rejection is committed as well', async () => {
  const { own, other, queue } = await channels();
  await other.basicPublish(queue, 'm');
  await expect.poll(() => count(other, queue)).toBe(1);
  await own.txSelect();
  const { deliveryTag = 0 } = (await own.basicGet(queue)) ?? {};
  own.basicNack({ deliveryTag, requeue: true });
  expect(await count(other, queue)).toBe(0);
  await own.txCommit();
  expect(await count(other, queue)).toBe(1);
});

test.each(['txCommit', 'txRollback'] as const)('%s wants a transaction', async (operation) => {
  const { own } = await channels();
  await expect(own[operation]()).rejects.toMatchObject({
    code: 'PRECONDITION_FAILED',
    message: expect.stringMatching(/PRECONDITION_FAILED - channel is not transactional$/),
  });
});

test('a transactional channel cannot confirm', async () => {
  const { own } = await channels();
  await own.txSelect();
  await own.txSelect();
  await expect(own.confirmSelect()).rejects.toMatchObject({
    code: 'PRECONDITION_FAILED',
    message: expect.stringMatching(/PRECONDITION_FAILED - cannot switch from tx to confirm mode$/),
  });
});
