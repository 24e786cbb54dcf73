import type { Channel, Message } from 'amqplib';
import { describe, expect, test } from 'vitest';
import { channel, confirmChannel, fresh, startBroker, until } from './fixture.ts';
import { drain, drainMessages, publish, take, text } from './messages.ts';
import { refusal } from './refusal.ts';

test('all properties and headers arrive as they were sent', async () => {
  const own = await confirmChannel(await startBroker());
  const { queue } = await own.assertQueue('', { exclusive: true });
  const headers = {
    text: 'ü',
    yes: true,
    no: false,
    byte: -5,
    short: 1_000,
    int: 100_000,
    long: 2 ** 40,
    double: 0.5,
    nothing: null,
    bytes: Buffer.from([0, 1, 255]),
    list: [1, 'two', [3], { four: 4 }],
    table: { inner: { deeper: 'x' } },
    when: { '!': 'timestamp', value: 1_700_000_000 },
    decimal: { '!': 'decimal', value: { digits: 314, places: 2 } },
  };
  await publish(
    own,
    {
      key: queue,
      contentType: 'text/plain',
      contentEncoding: 'utf-8',
      headers,
      deliveryMode: 2,
      priority: 7,
      correlationId: 'correlation',
      replyTo: 'reply',
      expiration: '600000',
      messageId: 'message',
      timestamp: 1_700_000_000,
      type: 'type',
      userId: 'guest',
      appId: 'app',
    },
    'body',
  );
  const { properties, content } = await take(own, queue);
  expect(properties).toEqual({
    contentType: 'text/plain',
    contentEncoding: 'utf-8',
    headers,
    deliveryMode: 2,
    priority: 7,
    correlationId: 'correlation',
    replyTo: 'reply',
    expiration: '600000',
    messageId: 'message',
    timestamp: 1_700_000_000,
    type: 'type',
    userId: 'guest',
    appId: 'app',
    clusterId: undefined,
  });
  expect(content.toString()).toBe('body');
});

test('a message without properties and without a body is one', async () => {
  const own = await confirmChannel(await startBroker());
  const { queue } = await own.assertQueue('', { exclusive: true });
  await publish(own, { key: queue, deliveryMode: 1 }, '');
  const { content, fields } = await take(own, queue);
  expect(content).toHaveLength(0);
  expect(fields).toMatchObject({ exchange: '', routingKey: queue, redelivered: false, messageCount: 0 });
});

test('an exchange that is not there closes the channel', async () => {
  const own = await channel(await startBroker());
  expect(await refusal(own, () => own.publish('nope', 'k', Buffer.from('m')))).toEqual({
    code: 404,
    text: "NOT_FOUND - no exchange 'nope' in vhost '/'",
    method: '60.40',
  });
});

describe('mandatory', () => {
  test('what no queue gets comes back, whole, before its confirm', async () => {
    const own = await confirmChannel(await startBroker());
    const events: unknown[] = [];
    own.on('return', (message: Message) => events.push([text(message), message.properties.headers, message.fields]));
    const key = fresh('nowhere');
    const options = { mandatory: true, headers: { n: 1 } };
    own.publish('amq.direct', key, Buffer.from('lost'), options, () => events.push('confirmed'));
    await own.waitForConfirms();
    expect(events).toEqual([
      ['lost', { n: 1 }, { replyCode: 312, replyText: 'NO_ROUTE', exchange: 'amq.direct', routingKey: key }],
      'confirmed',
    ]);
  });

  test('what one queue gets does not come back; what is not mandatory neither', async () => {
    const own = await confirmChannel(await startBroker());
    const returned: string[] = [];
    own.on('return', (message: Message) => returned.push(text(message)));
    const { queue } = await own.assertQueue('', { exclusive: true });
    await publish(own, { key: queue, mandatory: true }, 'a');
    await publish(own, { key: fresh('nowhere') }, 'b');
    await publish(own, { key: fresh('nowhere'), mandatory: true }, 'c');
    expect(returned).toEqual(['c']);
    expect(await drain(own, queue)).toEqual(['a']);
  });

  test('without confirms it comes back as well', async () => {
    const own = await channel(await startBroker());
    const returned: string[] = [];
    own.on('return', (message: Message) => returned.push(text(message)));
    for (let i = 0; i < 10; i++) own.publish('', fresh('nowhere'), Buffer.from(`${i}`), { mandatory: true });
    await until(() => returned.length === 10);
    expect(returned).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
  });
});

describe('CC and BCC', () => {
  test('a message goes by each of the keys, once to each queue; readers see CC and not BCC', async () => {
    const own = await confirmChannel(await startBroker());
    const queues: string[] = [];
    for (let i = 0; i < 4; i++) queues.push((await own.assertQueue('', { exclusive: true })).queue);
    const [first = '', second = '', third = '', fourth = ''] = queues;
    await publish(own, { key: first, CC: [second, first], BCC: [third], headers: { other: 1 } }, 'm');
    for (const queue of [first, second, third]) {
      const [message, ...more] = await drainMessages(own, queue);
      expect(more).toEqual([]);
      expect(message?.fields.routingKey).toBe(first);
      expect(message?.properties.headers).toEqual({ other: 1, CC: [second, first] });
    }
    expect(await drain(own, fourth)).toEqual([]);
  });

  test('must be lists', async () => {
    const own = await channel(await startBroker());
    expect(await refusal(own, () => own.publish('', 'k', Buffer.from('m'), { headers: { CC: 'k' } }))).toEqual({
      code: 406,
      text: 'PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,"CC",longstr}',
      method: '60.40',
    });
  });
});

test('a user id that is not the user’s own is refused', async () => {
  const own = await channel(await startBroker());
  expect(await refusal(own, () => own.publish('', 'k', Buffer.from('m'), { userId: 'other' }))).toEqual({
    code: 406,
    text: "PRECONDITION_FAILED - user_id property set to 'other' but authenticated user was 'guest'",
    method: '60.40',
  });
});

test.each([
  ['abc', 'no_integer'],
  ['-1', '{value_negative,-1}'],
  ['1.5', '{leftover_string,".5"}'],
  [' 5', 'no_integer'],
  ['99999999999999', '{value_too_large,99999999999999}'],
])('an expiration of %j is refused', async (expiration, text) => {
  const own = await channel(await startBroker());
  const attempt = (to: Channel) => to.publish('', 'nowhere', Buffer.from('m'), { expiration });
  expect(await refusal(own, attempt)).toEqual({
    code: 406,
    text: `PRECONDITION_FAILED - invalid expiration '${expiration}': ${text}`,
    method: '60.40',
  });
});
