import { once } from 'node:events';
import { connect } from 'amqplib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { realEnvironment } from '../../src/environment/real.ts';
import { createBroker } from '../../src/index.ts';
import { onSluice } from './fixture.ts';

describe.runIf(onSluice)('when memory runs short', () => {
  test('who publishes waits and is told why, who consumes goes on, and all goes on when there is memory again', async () => {
    let used = 0;
    let look = () => {};
    const memory = {
      used: () => used,
      total: () => 1_000,
      collect: () => {},
      watch: (callback: () => void) => {
        look = callback;
        return { cancel: () => {} };
      },
    };
    const environment = { ...realEnvironment(), memory };
    const broker = await createBroker({ environment, listeners: ['amqp://127.0.0.1:0'] });
    onTestFinished(() => broker.close());
    const { port } = broker.listeners[0] ?? {};
    const [publisher, consumer] = [
      await connect(`amqp://127.0.0.1:${port}`),
      await connect(`amqp://127.0.0.1:${port}`),
    ];
    const own = await publisher.createConfirmChannel();
    await own.assertQueue('q');
    own.sendToQueue('q', Buffer.from('before'));
    await own.waitForConfirms();

    used = 600;
    look();
    const blocked = once(publisher, 'blocked');
    let confirmed = 0;
    // The connection is held back from the first publish on: the second is not even read.
    own.sendToQueue('q', Buffer.from('first'), {}, () => confirmed++);
    expect(await blocked).toEqual(['low on memory']);
    own.sendToQueue('q', Buffer.from('second'), {}, () => confirmed++);
    const received: string[] = [];
    const other = await consumer.createChannel();
    await other.consume('q', (message) => {
      if (message === null) return;
      received.push(`${message.content}`);
      other.ack(message);
    });
    await expect.poll(() => received).toEqual(['before', 'first']);
    expect(confirmed).toBe(1);

    used = 0;
    const unblocked = once(publisher, 'unblocked');
    look();
    await unblocked;
    await own.waitForConfirms();
    await expect.poll(() => received).toEqual(['before', 'first', 'second']);
  });
});
