import type { Channel, Options } from 'amqplib';
import { describe, expect, test } from 'vitest';
import { channel, confirmChannel, fresh, startBroker } from './fixture.ts';
import { publish } from './messages.ts';
import { refusal } from './refusal.ts';

const DECLARE = '50.10';

type Arguments = Readonly<Record<string, unknown>>;

const withArguments = (args: Arguments): Options.AssertQueue => ({ durable: true, arguments: args });

test('a queue without a name is given one, and the channel remembers it', async () => {
  const broker = await startBroker();
  const own = await channel(broker);
  const { queue, messageCount, consumerCount } = await own.assertQueue('', { exclusive: true });
  expect(queue).toMatch(/^amq\.gen-[\w-]{22}$/);
  expect([messageCount, consumerCount]).toEqual([0, 0]);
  await own.bindQueue('', 'amq.direct', fresh('key'));
  const { consumerTag } = await own.consume('', () => {});
  expect(consumerTag).toMatch(/^amq\.ctag-[\w-]{22}$/);
  expect((await own.checkQueue(queue)).consumerCount).toBe(1);
  const { queue: second } = await own.assertQueue('', { exclusive: true });
  expect(second).not.toBe(queue);
});

test('declared again, it tells how many messages wait and how many consumers there are', async () => {
  const broker = await startBroker();
  const own = await confirmChannel(broker);
  const queue = fresh('q');
  expect(await own.assertQueue(queue)).toEqual({ queue, messageCount: 0, consumerCount: 0 });
  await publish(own, { key: queue }, 'a', 'b', 'c');
  expect(await own.assertQueue(queue)).toEqual({ queue, messageCount: 3, consumerCount: 0 });
  await own.prefetch(1);
  await own.consume(queue, () => {});
  await own.consume(queue, () => {});
  expect(await own.checkQueue(queue)).toEqual({ queue, messageCount: 1, consumerCount: 2 });
});

describe('a queue that is declared again as another is refused', () => {
  test.each<[what: string, first: Options.AssertQueue, second: Options.AssertQueue, text: string]>([
    ['durable', {}, { durable: false }, "'durable' for QUEUE: received 'false' but current is 'true'"],
    ['auto-delete', {}, { autoDelete: true }, "'auto_delete' for QUEUE: received 'true' but current is 'false'"],
    [
      'one more argument',
      {},
      withArguments({ 'x-message-ttl': 100 }),
      "'x-message-ttl' for QUEUE: received the value '100' of type 'byte' but current is none",
    ],
    [
      'one argument less',
      withArguments({ 'x-message-ttl': 100_000 }),
      {},
      "'x-message-ttl' for QUEUE: received none but current is the value '100000' of type 'signedint'",
    ],
    [
      'another number',
      withArguments({ 'x-message-ttl': 100 }),
      withArguments({ 'x-message-ttl': 200 }),
      "'x-message-ttl' for QUEUE: received '200' but current is '100'",
    ],
    [
      'another text',
      withArguments({ 'x-dead-letter-exchange': 'a' }),
      withArguments({ 'x-dead-letter-exchange': 'b' }),
      "'x-dead-letter-exchange' for QUEUE: received 'b' but current is 'a'",
    ],
    [
      'another kind of queue',
      {},
      withArguments({ 'x-queue-type': 'quorum' }),
      "'x-queue-type' for QUEUE: received the value 'quorum' of type 'longstr' but current is none",
    ],
  ])('%s', async (_what, first, second, text) => {
    const broker = await startBroker();
    const queue = fresh('q');
    await (await channel(broker)).assertQueue(queue, first);
    expect(await refusal(await channel(broker), (other) => other.assertQueue(queue, second))).toEqual({
      code: 406,
      text: `PRECONDITION_FAILED - inequivalent arg ${text.replace('QUEUE', `queue '${queue}' in vhost '/'`)}`,
      method: DECLARE,
    });
  });

  test.each<[what: string, first: Arguments, second: Arguments]>([
    ['a number of another size', { 'x-max-length': 100 }, { 'x-max-length': { '!': 'int64', value: 100 } }],
    ['an argument that says nothing', { 'x-unknown': 1 }, { 'x-unknown': 2 }],
    ['the kind that it is anyway', {}, { 'x-queue-type': 'classic' }],
  ])('but not for %s', async (_what, first, second) => {
    const broker = await startBroker();
    const own = await channel(broker);
    const queue = fresh('q');
    await own.assertQueue(queue, withArguments(first));
    await own.assertQueue(queue, withArguments(second));
  });
});

describe('arguments that a queue cannot have are refused', () => {
  const values: [name: string, value: unknown, text: string][] = [
    ['x-message-ttl', -1, '{value_negative,-1}'],
    ['x-message-ttl', 'abc', '"expected integer, got longstr"'],
    ['x-message-ttl', 1.5, '"expected integer, got double"'],
    ['x-message-ttl', true, '"expected integer, got bool"'],
    ['x-expires', 0, '{value_zero,0}'],
    ['x-expires', -1, '{value_negative,-1}'],
    ['x-max-length', -1, '{value_negative,-1}'],
    ['x-max-length-bytes', -1, '{value_negative,-1}'],
    ['x-overflow', 'bad', 'invalid_overflow'],
    ['x-overflow', 1, '{unacceptable_type,byte}'],
    ['x-max-priority', 256, '{max_value_exceeded,256}'],
    ['x-max-priority', -1, '{value_negative,-1}'],
    ['x-queue-type', 'bogus', `"unsupported queue type 'bogus'"`],
    ['x-queue-mode', 'bad', `"unsupported queue mode 'bad'"`],
    ['x-single-active-consumer', 'x', '{unacceptable_type,longstr}'],
    ['x-dead-letter-routing-key', 'k', 'routing_key_but_no_dlx_defined'],
  ];
  test.each(values)('%s: %j', async (name, value, text) => {
    const broker = await startBroker();
    const queue = fresh('q');
    const declare = (own: Channel) => own.assertQueue(queue, withArguments({ [name]: value }));
    expect(await refusal(await channel(broker), declare)).toEqual({
      code: 406,
      text: `PRECONDITION_FAILED - invalid arg '${name}' for queue '${queue}' in vhost '/': ${text}`,
      method: DECLARE,
    });
  });

  test.each<[what: string, options: Options.AssertQueue, text: string]>([
    [
      'what only a quorum queue has',
      withArguments({ 'x-delivery-limit': 3 }),
      "invalid arg 'x-delivery-limit' for QUEUE of queue type rabbit_classic_queue",
    ],
    [
      'what only a stream has',
      withArguments({ 'x-max-age': '1h' }),
      "invalid arg 'x-max-age' for QUEUE of queue type rabbit_classic_queue",
    ],
    [
      'what only a classic queue has',
      withArguments({ 'x-queue-type': 'quorum', 'x-max-priority': 3 }),
      "invalid arg 'x-max-priority' for QUEUE of queue type rabbit_quorum_queue",
    ],
    [
      'a transient quorum queue',
      { durable: false, arguments: { 'x-queue-type': 'quorum' } },
      "invalid property 'non-durable' for QUEUE",
    ],
    [
      'an auto-delete quorum queue',
      { autoDelete: true, arguments: { 'x-queue-type': 'quorum' } },
      "invalid property 'auto-delete' for QUEUE",
    ],
    [
      'an exclusive quorum queue',
      { exclusive: true, arguments: { 'x-queue-type': 'quorum' } },
      "invalid property 'exclusive-owner' for QUEUE",
    ],
    [
      'a dead-letter exchange that is not a name',
      withArguments({ 'x-dead-letter-exchange': 1 }),
      "invalid type 'byte' for arg 'x-dead-letter-exchange' in QUEUE",
    ],
  ])('%s', async (_what, options, text) => {
    const broker = await startBroker();
    const queue = fresh('q');
    expect(await refusal(await channel(broker), (own) => own.assertQueue(queue, options))).toEqual({
      code: 406,
      text: `PRECONDITION_FAILED - ${text.replace('QUEUE', `queue '${queue}' in vhost '/'`)}`,
      method: DECLARE,
    });
  });
});

test.each<[name: string, value: unknown]>([
  ['x-max-priority', 255],
  ['x-queue-mode', 'lazy'],
  ['x-queue-type', 'quorum'],
  ['x-single-active-consumer', true],
  ['x-cancel-on-ha-failover', true],
  ['x-unknown', { nested: [1, 'two', { three: true }] }],
])('argument %s: %j is taken', async (name, value) => {
  const broker = await startBroker();
  const own = await channel(broker);
  const queue = fresh('q');
  expect(await own.assertQueue(queue, withArguments({ [name]: value }))).toMatchObject({ queue });
  expect(await own.assertQueue(queue, withArguments({ [name]: value }))).toMatchObject({ queue });
});

describe('names', () => {
  test.each<[what: string, attempt: (own: Channel) => unknown, code: number, text: string]>([
    [
      'beginning with amq. are the broker’s',
      (own) => own.assertQueue('amq.foo'),
      403,
      "ACCESS_REFUSED - queue name 'amq.foo' contains reserved prefix 'amq.*'",
    ],
    ['of no queue', (own) => own.checkQueue('nope'), 404, "NOT_FOUND - no queue 'nope' in vhost '/'"],
  ])('%s are refused', async (_what, attempt, code, text) => {
    const broker = await startBroker();
    expect(await refusal(await channel(broker), attempt)).toEqual({ code, text, method: DECLARE });
  });

  test('may have 255 bytes of any letters, and lose their line ends', async () => {
    const broker = await startBroker();
    const own = await channel(broker);
    const name = fresh(`${'ü'.repeat(120)}/?#`).slice(0, 130);
    expect((await own.assertQueue(name, { autoDelete: true })).queue).toBe(name);
    const broken = fresh('a\r\nb');
    expect((await own.assertQueue(broken, { autoDelete: true })).queue).toBe(broken.replace('\r\n', ''));
  });
});

test.each<[what: string, attempt: (own: Channel) => unknown, text: string, method: string]>([
  ['purged', (own) => own.purgeQueue('nope'), "no queue 'nope' in vhost '/'", '50.30'],
  ['consumed', (own) => own.consume('nope', () => {}), "no queue 'nope' in vhost '/'", '60.20'],
  ['read', (own) => own.get('nope'), "no queue 'nope' in vhost '/'", '60.70'],
  ['bound', (own) => own.bindQueue('nope', 'amq.direct', ''), "no queue 'nope' in vhost '/'", '50.20'],
  ['meant by no name', (own) => own.bindQueue('', 'amq.direct', ''), 'no previously declared queue', '50.20'],
])('a queue that is not there cannot be %s', async (_what, attempt, text, method) => {
  const broker = await startBroker();
  expect(await refusal(await channel(broker), attempt)).toEqual({ code: 404, text: `NOT_FOUND - ${text}`, method });
});
