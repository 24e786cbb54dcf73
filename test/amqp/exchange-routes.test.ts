import type { Channel } from 'amqplib';
import { describe, expect, test } from 'vitest';
import { channel, confirmChannel, fresh, onSluice, startBroker, startOnVirtualClock } from './fixture.ts';
import { drain, drainMessages, publish, ready } from './messages.ts';
import { refusal } from './refusal.ts';

async function exchangeOf(own: Channel, type: string, options = {}): Promise<string> {
  const exchange = fresh(type);
  await own.assertExchange(exchange, type, options);
  return exchange;
}

async function boundQueue(own: Channel, exchange: string, key: string): Promise<string> {
  const { queue } = await own.assertQueue('', { exclusive: true });
  await own.bindQueue(queue, exchange, key);
  return queue;
}

describe('exchange to exchange', () => {
  test('a message goes on by the bindings between exchanges, each by its own kind', async () => {
    const own = await confirmChannel(await startBroker());
    const [topic, direct, fanout] = [
      await exchangeOf(own, 'topic'),
      await exchangeOf(own, 'direct'),
      await exchangeOf(own, 'fanout'),
    ];
    await own.bindExchange(direct, topic, 'a.#');
    await own.bindExchange(fanout, direct, 'a.b');
    const queues = [
      await boundQueue(own, topic, '#.b'),
      await boundQueue(own, direct, 'a.c'),
      await boundQueue(own, fanout, ''),
    ];
    for (const key of ['a.b', 'a.c', 'x.b']) await publish(own, { exchange: topic, key }, key);
    const received = [];
    for (const queue of queues) received.push(await drain(own, queue));
    expect(received).toEqual([['a.b', 'x.b'], ['a.c'], ['a.b']]);
  });

  test('a message that gets to a queue by several ways, or round in a circle, is there once', async () => {
    const own = await confirmChannel(await startBroker());
    const [a, b] = [await exchangeOf(own, 'fanout'), await exchangeOf(own, 'fanout')];
    await own.bindExchange(b, a, '');
    await own.bindExchange(a, b, '');
    const queue = await boundQueue(own, a, '');
    await own.bindQueue(queue, b, '');
    await publish(own, { exchange: a, key: '' }, 'once');
    const [message, ...more] = await drainMessages(own, queue);
    expect(more).toEqual([]);
    expect(message?.fields.exchange).toBe(a);
  });

  test('it is bound once however often it is asked for, and gone when it is unbound', async () => {
    const own = await confirmChannel(await startBroker());
    const [source, destination] = [await exchangeOf(own, 'direct'), await exchangeOf(own, 'fanout')];
    const queue = await boundQueue(own, destination, '');
    await own.bindExchange(destination, source, 'k');
    await own.bindExchange(destination, source, 'k');
    await publish(own, { exchange: source, key: 'k' }, 'one');
    await own.unbindExchange(destination, source, 'k');
    await own.unbindExchange(destination, source, 'k');
    await publish(own, { exchange: source, key: 'k' }, 'two');
    expect(await drain(own, queue)).toEqual(['one']);
  });

  test.each<[what: string, attempt: (own: Channel) => unknown, code: number, text: string]>([
    [
      'a destination that is not there',
      (own) => own.bindExchange('nope', 'amq.direct', ''),
      404,
      "NOT_FOUND - no exchange 'nope' in vhost '/'",
    ],
    [
      'a source that is not there',
      (own) => own.bindExchange('amq.direct', 'nope', ''),
      404,
      "NOT_FOUND - no exchange 'nope' in vhost '/'",
    ],
    [
      'the default exchange as source',
      (own) => own.bindExchange('amq.direct', '', ''),
      403,
      'ACCESS_REFUSED - operation not permitted on the default exchange',
    ],
    [
      'the default exchange as destination',
      (own) => own.bindExchange('', 'amq.direct', ''),
      403,
      'ACCESS_REFUSED - operation not permitted on the default exchange',
    ],
  ])('refused: %s', async (_what, attempt, code, text) => {
    expect(await refusal(await channel(await startBroker()), attempt)).toEqual({ code, text, method: '40.30' });
  });
});

describe('alternate exchange', () => {
  test('gets what its exchange has no queue for, and nothing else', async () => {
    const own = await confirmChannel(await startBroker());
    const alternate = await exchangeOf(own, 'fanout');
    const exchange = await exchangeOf(own, 'direct', { alternateExchange: alternate });
    const rest = await boundQueue(own, alternate, '');
    const queue = await boundQueue(own, exchange, 'known');
    for (const key of ['known', 'unknown']) await publish(own, { exchange, key }, key);
    expect(await drain(own, queue)).toEqual(['known']);
    const [message] = await drainMessages(own, rest);
    expect(message?.fields).toMatchObject({ exchange, routingKey: 'unknown' });
  });

  test('may have one itself, and they may form a circle', async () => {
    const own = await confirmChannel(await startBroker());
    const [a, b] = [fresh('a'), fresh('b')];
    await own.assertExchange(a, 'direct', { alternateExchange: b });
    await own.assertExchange(b, 'direct', { alternateExchange: a });
    const returned: unknown[] = [];
    own.on('return', (message) => returned.push(message.fields));
    await publish(own, { exchange: a, key: 'k', mandatory: true }, 'm');
    expect(returned).toMatchObject([{ exchange: a, routingKey: 'k' }]);
  });

  test('that is not there is as good as none, until it is', async () => {
    const own = await confirmChannel(await startBroker());
    const alternate = fresh('later');
    const exchange = await exchangeOf(own, 'direct', { alternateExchange: alternate });
    await publish(own, { exchange, key: 'k' }, 'lost');
    await own.assertExchange(alternate, 'fanout');
    const queue = await boundQueue(own, alternate, '');
    await publish(own, { exchange, key: 'k' }, 'found');
    expect(await drain(own, queue)).toEqual(['found']);
  });

  test('of an exchange that others are bound to, it gets what those have no queue for as well', async () => {
    const own = await confirmChannel(await startBroker());
    const alternate = await exchangeOf(own, 'fanout');
    const inner = await exchangeOf(own, 'direct', { alternateExchange: alternate });
    const outer = await exchangeOf(own, 'fanout');
    await own.bindExchange(inner, outer, '');
    const queue = await boundQueue(own, alternate, '');
    await publish(own, { exchange: outer, key: 'k' }, 'm');
    expect(await drain(own, queue)).toEqual(['m']);
  });
});

test('nobody publishes to an internal exchange but by way of another', async () => {
  const own = await confirmChannel(await startBroker());
  const internal = await exchangeOf(own, 'fanout', { internal: true });
  const open = await exchangeOf(own, 'fanout');
  await own.bindExchange(internal, open, '');
  const queue = await boundQueue(own, internal, '');
  await publish(own, { exchange: open, key: '' }, 'm');
  expect(await drain(own, queue)).toEqual(['m']);
  expect(await refusal(own, () => own.publish(internal, '', Buffer.from('m')))).toEqual({
    code: 403,
    text: `ACCESS_REFUSED - cannot publish to internal exchange '${internal}' in vhost '/'`,
    method: '60.40',
  });
});

// A plugin of RabbitMQ's; here it is there.
describe.runIf(onSluice)('x-delayed-message', () => {
  test('a message waits its time and then goes by the type that the exchange has beneath', async () => {
    const broker = await startOnVirtualClock();
    const own = await confirmChannel(broker);
    const exchange = await exchangeOf(own, 'x-delayed-message', { arguments: { 'x-delayed-type': 'topic' } });
    const queue = await boundQueue(own, exchange, 'a.*');
    for (const [body, delay] of [
      ['late', 5000],
      ['soon', 100],
      ['later', 10_000],
    ] as const)
      await publish(own, { exchange, key: 'a.b', headers: { 'x-delay': delay } }, body);
    await publish(own, { exchange, key: 'a.b' }, 'now');
    expect(await drain(own, queue)).toEqual(['now']);
    await broker.pass(99);
    expect(await ready(own, queue)).toBe(0);
    await broker.pass(1);
    expect(await drain(own, queue)).toEqual(['soon']);
    await broker.pass(9900);
    expect(await drain(own, queue)).toEqual(['late', 'later']);
  });

  test('without a type beneath it is refused', async () => {
    const own = await channel(await startBroker());
    const attempt = () => own.assertExchange(fresh('delayed'), 'x-delayed-message');
    expect((await refusal(own, attempt)).code).toBe(406);
  });
});
