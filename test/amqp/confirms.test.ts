import { Connection } from 'rabbitmq-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { channel, confirmChannel, fresh, startBroker, until } from './fixture.ts';
import { drain, Inbox, publish, ready } from './messages.ts';
import { refusal } from './refusal.ts';

test('every message is confirmed once, whether a queue gets it or not, persistent or not', async () => {
  const own = await confirmChannel(await startBroker());
  const queue = fresh('q');
  await own.assertQueue(queue);
  const waiting = new Set(Array.from({ length: 1000 }, (_, i) => i + 1));
  const twice: number[] = [];
  own.on('ack', ({ deliveryTag, multiple }: { deliveryTag: number; multiple: boolean }) => {
    if (!waiting.delete(deliveryTag)) twice.push(deliveryTag);
    if (multiple) for (const tag of waiting) if (tag < deliveryTag) waiting.delete(tag);
  });
  for (let i = 0; i < 1000; i++) {
    const key = i % 10 === 0 ? fresh('nowhere') : queue;
    own.publish('', key, Buffer.from(`${i}`), { persistent: i % 3 === 0 });
  }
  await own.waitForConfirms();
  expect([...waiting, ...twice]).toEqual([]);
  expect(await drain(own, queue)).toHaveLength(900);
});

test('what is confirmed is there for whoever looks', async () => {
  const broker = await startBroker();
  const own = await confirmChannel(broker);
  const other = await channel(broker);
  const queue = fresh('q');
  await own.assertQueue(queue);
  for (let i = 1; i <= 20; i++) {
    await publish(own, { key: queue, persistent: true }, `${i}`);
    expect(await ready(other, queue)).toBe(i);
  }
});

test('a message is confirmed although its consumer has not acknowledged it', async () => {
  const broker = await startBroker();
  const own = await confirmChannel(broker);
  const { queue } = await own.assertQueue('', { exclusive: true });
  const inbox = await Inbox.open(own, queue);
  await publish(own, { key: queue, persistent: true }, 'm');
  await inbox.received(1);
});

test('a queue that is full and refuses has the publisher told so, message by message', async () => {
  const own = await confirmChannel(await startBroker());
  const queue = fresh('q');
  await own.assertQueue(queue, { maxLength: 2, overflow: 'reject-publish' });
  const outcomes = await Promise.all(
    ['a', 'b', 'c', 'd'].map(
      (body) =>
        new Promise<string>((resolve) =>
          own.sendToQueue(queue, Buffer.from(body), {}, (error: Error | null) =>
            resolve(`${body} ${error === null ? 'taken' : 'refused'}`),
          ),
        ),
    ),
  );
  expect(outcomes).toEqual(['a taken', 'b taken', 'c refused', 'd refused']);
  expect(await drain(own, queue)).toEqual(['a', 'b']);
});

test('rabbitmq-client is told of a refusal as well', async () => {
  const broker = await startBroker();
  const queue = fresh('q');
  const connection = new Connection(broker.url);
  onTestFinished(() => connection.close());
  const full = { queue, arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } } as const;
  const publisher = connection.createPublisher({ confirm: true, queues: [full] });
  onTestFinished(() => publisher.close());
  await publisher.send(queue, 'one');
  await expect(publisher.send(queue, 'two')).rejects.toThrow('message rejected by server');
});

test('tags begin with 1 on each channel, and with confirm.select', async () => {
  const broker = await startBroker();
  const connection = new Connection(broker.url);
  onTestFinished(() => connection.close());
  const own = await connection.acquire();
  onTestFinished(() => own.close());
  await own.basicPublish(fresh('nowhere'), 'before');
  await own.confirmSelect();
  await own.confirmSelect();
  await own.basicPublish(fresh('nowhere'), 'after');
});

describe('a channel', () => {
  test('that confirms cannot become transactional', async () => {
    const connection = new Connection((await startBroker()).url);
    onTestFinished(() => connection.close());
    const own = await connection.acquire();
    onTestFinished(() => own.close());
    await own.confirmSelect();
    await expect(own.txSelect()).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      message: 'TxSelect: PRECONDITION_FAILED - cannot switch from confirm to tx mode',
    });
  });

  test('that is closed for an error may leave messages unconfirmed, and they are settled for the client', async () => {
    const own = await confirmChannel(await startBroker());
    const outcomes: (Error | null)[] = [];
    expect(
      await refusal(own, () => {
        own.publish('nope', 'k', Buffer.from('m'), {}, (error: Error | null) => outcomes.push(error));
      }),
    ).toMatchObject({ code: 404 });
    await until(() => outcomes.length === 1);
    expect(outcomes[0]).toBeInstanceOf(Error);
  });
});
