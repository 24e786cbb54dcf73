import { connect } from 'amqplib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../kafka/fixture.ts';
import {
  channel,
  confirmChannel,
  onSluice,
  startBroker,
  startOnVirtualClock,
  type TestBroker,
  until,
} from './fixture.ts';
import { drain, drainMessages, publish, ready, take } from './messages.ts';
import { refusal } from './refusal.ts';

/** Starts a broker on a disk and a port again and again. */
async function restartable(start = startBroker) {
  const directory = await temporaryDirectory();
  let running: TestBroker | undefined;
  return async () => {
    await running?.sluice?.close();
    const listeners = [`amqp://127.0.0.1:${running?.port ?? 0}`];
    running = await start({ storage: 'disk', directory, listeners });
    return running;
  };
}

const bodies = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

// Nobody restarts another broker from here.
describe.runIf(onSluice)('after a restart', () => {
  test('persistent messages of durable queues are there, in order, with their properties', async () => {
    const start = await restartable();
    const own = await confirmChannel(await start());
    await own.assertQueue('durable');
    await publish(own, { key: 'durable', persistent: true, messageId: 'id', headers: { a: 1 } }, ...bodies(500));
    const again = await channel(await start());
    const messages = await drainMessages(again, 'durable');
    expect(messages.map(({ content }) => `${content}`)).toEqual(bodies(500));
    expect(messages[0]?.properties).toMatchObject({ messageId: 'id', headers: { a: 1 }, deliveryMode: 2 });
    expect(messages[0]?.fields).toMatchObject({ exchange: '', routingKey: 'durable' });
  });

  test('transient messages are gone, those around them stay', async () => {
    const start = await restartable();
    const own = await confirmChannel(await start());
    await own.assertQueue('durable');
    for (let i = 0; i < 10; i++) await publish(own, { key: 'durable', persistent: i % 2 === 0 }, `${i}`);
    expect(await drain(await channel(await start()), 'durable')).toEqual(['0', '2', '4', '6', '8']);
  });

  test('transient queues and exchanges are gone, and so are bindings to and from them', async () => {
    const start = await restartable();
    const own = await confirmChannel(await start());
    await own.assertQueue('transient', { durable: false });
    await own.assertExchange('passing', 'fanout', { durable: false });
    await own.assertQueue('durable');
    await own.bindQueue('transient', 'amq.fanout', '');
    await own.bindQueue('durable', 'passing', '');
    const broker = await start();
    expect((await refusal(await channel(broker), (other) => other.checkQueue('transient'))).code).toBe(404);
    expect((await refusal(await channel(broker), (other) => other.checkExchange('passing'))).code).toBe(404);
    const again = await confirmChannel(broker);
    await again.assertQueue('transient', { durable: false });
    await publish(again, { exchange: 'amq.fanout', key: '' }, 'm');
    expect(await drain(again, 'transient')).toEqual([]);
  });

  test('durable exchanges, their bindings and arguments are there', async () => {
    const start = await restartable();
    const own = await confirmChannel(await start());
    await own.assertExchange('outer', 'topic', { alternateExchange: 'amq.fanout' });
    await own.assertExchange('inner', 'headers');
    await own.bindExchange('inner', 'outer', 'a.#');
    await own.assertQueue('matched', { arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } });
    await own.assertQueue('rest');
    await own.bindQueue('matched', 'inner', '', { 'x-match': 'any', n: 1 });
    await own.bindQueue('rest', 'amq.fanout', '');
    const again = await confirmChannel(await start());
    await again.assertExchange('outer', 'topic', { alternateExchange: 'amq.fanout' });
    await publish(again, { exchange: 'outer', key: 'a.b', headers: { n: 1 } }, 'to inner');
    await publish(again, { exchange: 'outer', key: 'b' }, 'to the alternate');
    await expect(publish(again, { key: 'matched' }, 'too much')).rejects.toThrow('nacked');
    expect(await drain(again, 'matched')).toEqual(['to inner']);
    expect(await drain(again, 'rest')).toEqual(['to the alternate']);
  });

  test('what was acknowledged does not come back; what was out comes, marked', async () => {
    const start = await restartable();
    const own = await confirmChannel(await start());
    await own.assertQueue('durable');
    await publish(own, { key: 'durable', persistent: true }, ...bodies(6));
    const taken = [];
    for (let i = 0; i < 4; i++) taken.push(await take(own, 'durable'));
    for (const i of [0, 2]) own.ack(taken[i] as never);
    // Behind the acknowledgements.
    await own.checkQueue('durable');
    const messages = await drainMessages(await channel(await start()), 'durable');
    expect(messages.map(({ content, fields }) => `${content} ${fields.redelivered}`)).toEqual([
      '1 true',
      '3 true',
      '4 false',
      '5 false',
    ]);
  });

  test('purged and deleted is purged and deleted', async () => {
    const start = await restartable();
    const own = await confirmChannel(await start());
    for (const queue of ['purged', 'deleted', 'recreated']) {
      await own.assertQueue(queue);
      await publish(own, { key: queue, persistent: true }, 'a', 'b');
    }
    await own.purgeQueue('purged');
    await own.deleteQueue('deleted');
    await own.deleteQueue('recreated');
    await own.assertQueue('recreated');
    const broker = await start();
    const again = await channel(broker);
    expect([await ready(again, 'purged'), await ready(again, 'recreated')]).toEqual([0, 0]);
    expect((await refusal(again, () => again.checkQueue('deleted'))).code).toBe(404);
  });

  test('priorities hold', async () => {
    const start = await restartable();
    const own = await confirmChannel(await start());
    await own.assertQueue('priorities', { maxPriority: 5 });
    for (const priority of [1, 5, 3])
      await publish(own, { key: 'priorities', persistent: true, priority }, `${priority}`);
    expect(await drain(await channel(await start()), 'priorities')).toEqual(['5', '3', '1']);
  });

  test('a quorum queue remembers how often a message was delivered', async () => {
    const start = await restartable();
    const own = await confirmChannel(await start());
    const options = { arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 5 } };
    await own.assertQueue('quorum', options);
    await publish(own, { key: 'quorum', persistent: true }, 'm');
    own.nack(await take(own, 'quorum'));
    own.nack(await take(own, 'quorum'));
    await own.checkQueue('quorum');
    const message = await take(await channel(await start()), 'quorum');
    expect(message.properties.headers).toMatchObject({ 'x-delivery-count': 2 });
  });

  test('all messages of a quorum queue are there, whatever they said', async () => {
    const start = await restartable();
    const own = await confirmChannel(await start());
    await own.assertQueue('quorum', { arguments: { 'x-queue-type': 'quorum' } });
    await publish(own, { key: 'quorum', persistent: false }, 'm');
    expect(await drain(await channel(await start()), 'quorum')).toEqual(['m']);
  });

  test('a second restart changes nothing', async () => {
    const start = await restartable();
    const own = await confirmChannel(await start());
    await own.assertQueue('durable');
    await publish(own, { key: 'durable', persistent: true }, ...bodies(100));
    for (let i = 0; i < 2; i++) {
      const again = await channel(await start());
      for (let k = 0; k < 10; k++) again.ack(await take(again, 'durable'));
      await again.checkQueue('durable');
    }
    expect(await drain(await channel(await start()), 'durable')).toEqual(bodies(100).slice(20));
  });

  test('a dead letter is where it went, and nowhere else', async () => {
    const start = await restartable();
    const own = await confirmChannel(await start());
    await own.assertQueue('dead');
    await own.assertQueue('q', { deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
    await publish(own, { key: 'q', persistent: true }, 'a', 'b');
    own.reject(await take(own, 'q'), false);
    await own.checkQueue('q');
    const again = await channel(await start());
    expect([await drain(again, 'q'), await drain(again, 'dead')]).toEqual([['b'], ['a']]);
  });

  test('time to live has gone on counting', async () => {
    const start = await restartable(startOnVirtualClock);
    const first = await start();
    const own = await confirmChannel(first);
    await own.assertQueue('short', { messageTtl: 60_000 });
    await publish(own, { key: 'short', persistent: true }, 'm');
    const second = await start();
    const again = await channel(second);
    expect(await ready(again, 'short')).toBe(1);
    await second.pass(60_000);
    expect(await ready(again, 'short')).toBe(0);
  });

  test('an amqplib that recovers by itself goes on with its consumer', async () => {
    const start = await restartable();
    const first = await start();
    const received: string[] = [];
    const model = await connect(first.url, {
      recovery: {
        initialDelay: 5,
        setup: async (fresh: Awaited<ReturnType<typeof connect>>) => {
          const own = await fresh.createChannel();
          await own.assertQueue('work');
          await own.consume('work', (message) => {
            if (message === null) return;
            received.push(message.content.toString());
            own.ack(message);
          });
        },
      },
    });
    model.on('error', () => {});
    onTestFinished(() => model.close());
    await publish(await confirmChannel(first), { key: 'work', persistent: true }, 'before');
    await until(() => received.length === 1);
    await publish(await confirmChannel(await start()), { key: 'work', persistent: true }, 'after');
    await until(() => received.length === 2);
    expect(received).toEqual(['before', 'after']);
  });
});
