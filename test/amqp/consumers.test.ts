import { describe, expect, test } from 'vitest';
import { channel, channelOn, confirmChannel, connection, fresh, startBroker, until } from './fixture.ts';
import { drain, Inbox, publish, text } from './messages.ts';
import { closedByBroker, refusal } from './refusal.ts';

/** A queue, and a channel that publishes to it. */
async function queueOf(args: Record<string, unknown> = {}) {
  const broker = await startBroker();
  const own = await confirmChannel(broker);
  const queue = fresh('q');
  await own.assertQueue(queue, { arguments: args });
  return { broker, own, queue };
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

test('a consumer has the tag that it asks for, and sees how each message came', async () => {
  const { own, queue } = await queueOf();
  const inbox = await Inbox.open(own, queue, { consumerTag: 'me' });
  expect(inbox.consumerTag).toBe('me');
  await publish(own, { key: queue }, 'a', 'b');
  await inbox.received(2);
  expect(inbox.messages.map(({ fields }) => fields)).toEqual([
    { consumerTag: 'me', deliveryTag: 1, redelivered: false, exchange: '', routingKey: queue },
    { consumerTag: 'me', deliveryTag: 2, redelivered: false, exchange: '', routingKey: queue },
  ]);
});

test('two channels may each have a consumer of the same tag; one channel may not', async () => {
  const { broker, queue } = await queueOf();
  const model = await connection(broker);
  const [one, other] = [await channelOn(model), await channelOn(model)];
  await one.consume(queue, () => {}, { consumerTag: 't' });
  await other.consume(queue, () => {}, { consumerTag: 't' });
  const refused = closedByBroker(model);
  one.consume(queue, () => {}, { consumerTag: 't' }).catch(() => {});
  expect(await refused).toEqual({
    code: 530,
    text: "NOT_ALLOWED - attempt to reuse consumer tag 't'",
  });
});

test('a cancelled consumer gets nothing more; cancelling what is not there is answered', async () => {
  const { own, queue } = await queueOf();
  const inbox = await Inbox.open(own, queue);
  await publish(own, { key: queue }, 'a');
  await inbox.received(1);
  await inbox.cancel();
  await publish(own, { key: queue }, 'b');
  expect(await drain(own, queue)).toEqual(['b']);
  expect(inbox.texts).toEqual(['a']);
  expect(await own.cancel('nobody')).toEqual({ consumerTag: 'nobody' });
});

test('an x-priority that is no number is refused', async () => {
  const { own, queue } = await queueOf();
  const attempt = () => own.consume(queue, () => {}, { arguments: { 'x-priority': 'high' } });
  expect(await refusal(own, attempt)).toEqual({
    code: 406,
    text: `PRECONDITION_FAILED - invalid arg 'x-priority' for queue '${queue}' in vhost '/': "expected integer, got longstr"`,
    method: '60.20',
  });
});

describe('exclusive', () => {
  test.each([
    ['beside it', true, false],
    ['it beside another', false, true],
  ])('nobody consumes %s', async (_what, first, second) => {
    const { broker, own, queue } = await queueOf();
    await own.consume(queue, () => {}, { exclusive: first });
    const attempt = await channel(broker);
    expect(await refusal(attempt, () => attempt.consume(queue, () => {}, { exclusive: second }))).toEqual({
      code: 403,
      text: `ACCESS_REFUSED - queue '${queue}' in vhost '/' in exclusive use`,
      method: '60.20',
    });
  });

  test('when it has gone, others may', async () => {
    const { broker, own, queue } = await queueOf();
    const inbox = await Inbox.open(own, queue, { exclusive: true });
    await inbox.cancel();
    await Inbox.open(await channel(broker), queue);
  });
});

describe('told that its queue is gone', () => {
  test('when the queue is deleted', async () => {
    const { broker, own, queue } = await queueOf();
    const inbox = await Inbox.open(await channel(broker), queue);
    await own.deleteQueue(queue);
    await until(() => inbox.cancelled);
  });

  test('and its channel goes on, for other queues', async () => {
    const { own, queue } = await queueOf();
    const inbox = await Inbox.open(own, queue);
    await publish(own, { key: queue }, 'held');
    await inbox.received(1);
    await own.deleteQueue(queue);
    await until(() => inbox.cancelled);
    own.ack(inbox.at(0));
    const { queue: other } = await own.assertQueue('', { exclusive: true });
    await publish(own, { key: other }, 'm');
    expect(await drain(own, other)).toEqual(['m']);
  });
});

describe('consumers of different priority', () => {
  test('the highest is served as long as it can take messages, then the next', async () => {
    const { broker, own, queue } = await queueOf();
    const open = async (priority: number) => {
      const consumer = await channel(broker);
      await consumer.prefetch(2);
      return Inbox.open(consumer, queue, { priority });
    };
    const [low, high, middle] = [await open(-5), await open(10), await open(0)];
    await publish(own, { key: queue }, ...numbered(5));
    await Promise.all([high.received(2), middle.received(2), low.received(1)]);
    expect([high.texts, middle.texts, low.texts]).toEqual([['0', '1'], ['2', '3'], ['4']]);
    high.channel.ack(high.at(0));
    // The queue knows of it when it answers on the same channel.
    await high.settled();
    await publish(own, { key: queue }, '5');
    await high.received(3);
    expect(low.texts).toEqual(['4']);
  });
});

describe('a single active consumer', () => {
  const single = { 'x-single-active-consumer': true };

  test('is the first one, and gets everything, in order', async () => {
    const { broker, own, queue } = await queueOf(single);
    const [first, second] = [
      await Inbox.open(await channel(broker), queue),
      await Inbox.open(await channel(broker), queue),
    ];
    await publish(own, { key: queue }, ...numbered(20));
    await first.received(20);
    expect(first.texts).toEqual(numbered(20));
    expect((await second.settled()).texts).toEqual([]);
  });

  test('is followed by the next when it is cancelled, which gets what comes from then on', async () => {
    const { broker, own, queue } = await queueOf(single);
    const [first, second] = [
      await Inbox.open(await channel(broker), queue),
      await Inbox.open(await channel(broker), queue),
    ];
    await publish(own, { key: queue }, 'a');
    await first.received(1);
    first.channel.ack(first.at(0));
    await first.cancel();
    await publish(own, { key: queue }, 'b');
    await second.received(1);
    expect([first.texts, second.texts]).toEqual([['a'], ['b']]);
  });

  test('is followed by the next when its channel closes, which gets what it held first', async () => {
    const { broker, own, queue } = await queueOf(single);
    const [first, second] = [
      await Inbox.open(await channel(broker), queue),
      await Inbox.open(await channel(broker), queue),
    ];
    await publish(own, { key: queue }, ...numbered(3));
    await first.received(3);
    first.channel.ack(first.at(0));
    await first.channel.close();
    await second.received(2);
    expect(second.messages.map((message) => [text(message), message.fields.redelivered])).toEqual([
      ['1', true],
      ['2', true],
    ]);
  });

  test('is not to be had by an exclusive consumer', async () => {
    const { own, queue } = await queueOf(single);
    const attempt = () => own.consume(queue, () => {}, { exclusive: true });
    expect((await refusal(own, attempt)).code).toBe(403);
  });
});
