import type { Channel, ConfirmChannel } from 'amqplib';
import { describe, expect, test } from 'vitest';
import { confirmChannel, fresh, onSluice, startBroker } from './fixture.ts';
import { drain, publish } from './messages.ts';
import { refusal } from './refusal.ts';

/** An exchange and a queue that is bound to it by each of the keys. */
async function bound(own: Channel, type: string, ...keys: readonly string[]) {
  const exchange = fresh(type);
  await own.assertExchange(exchange, type);
  const { queue } = await own.assertQueue('', { exclusive: true });
  for (const key of keys) await own.bindQueue(queue, exchange, key);
  return { exchange, queue };
}

/** Which of the keys an exchange brings to the queue. */
async function routed(own: ConfirmChannel, exchange: string, queue: string, keys: readonly string[]) {
  for (const key of keys) await publish(own, { exchange, key }, key);
  return drain(own, queue);
}

test('direct: the key as it is, letter by letter', async () => {
  const own = await confirmChannel(await startBroker());
  const { exchange, queue } = await bound(own, 'direct', 'a', 'b.*', '');
  expect(await routed(own, exchange, queue, ['a', 'A', 'b.c', 'b.*', '', '#'])).toEqual(['a', 'b.*', '']);
});

test('fanout: whatever the key, once for each queue', async () => {
  const own = await confirmChannel(await startBroker());
  const { exchange, queue } = await bound(own, 'fanout', 'a', 'b', '');
  expect(await routed(own, exchange, queue, ['a', 'x', ''])).toEqual(['a', 'x', '']);
});

describe('topic', () => {
  const keys = ['', 'a', 'b', 'a.b', 'a.b.c', 'a.b.c.d', '.', 'a.', '.b', 'a..b', 'b.a'];
  test.each<[pattern: string, matches: readonly string[]]>([
    ['', ['']],
    ['a', ['a']],
    ['*', ['a', 'b']],
    ['a.*', ['a.b', 'a.']],
    ['*.b', ['a.b', '.b']],
    ['*.*', ['a.b', '.', 'a.', '.b', 'b.a']],
    ['#', keys],
    ['a.#', ['a', 'a.b', 'a.b.c', 'a.b.c.d', 'a.', 'a..b']],
    ['#.b', ['b', 'a.b', '.b', 'a..b']],
    ['#.a.#', ['a', 'a.b', 'a.b.c', 'a.b.c.d', 'a.', 'a..b', 'b.a']],
    ['a.#.c', ['a.b.c']],
    ['#.#', keys],
    ['*.#', keys.filter((key) => key !== '')],
    ['a*', []],
    ['a.*.*', ['a.b.c', 'a..b']],
  ])('pattern %j', async (pattern, matches) => {
    const own = await confirmChannel(await startBroker());
    const { exchange, queue } = await bound(own, 'topic', pattern);
    expect(await routed(own, exchange, queue, keys)).toEqual(matches);
  });

  test('a queue that several patterns bring a message to gets it once', async () => {
    const own = await confirmChannel(await startBroker());
    const { exchange, queue } = await bound(own, 'topic', 'a.*', '*.b', '#', 'a.b');
    expect(await routed(own, exchange, queue, ['a.b'])).toEqual(['a.b']);
  });
});

describe('headers', () => {
  async function matched(binding: Record<string, unknown>, headers: Record<string, unknown> | undefined) {
    const own = await confirmChannel(await startBroker());
    const exchange = fresh('headers');
    await own.assertExchange(exchange, 'headers');
    const { queue } = await own.assertQueue('', { exclusive: true });
    await own.bindQueue(queue, exchange, '', binding);
    await publish(own, { exchange, key: '', ...(headers && { headers }) }, 'm');
    return (await drain(own, queue)).length === 1;
  }

  test.each<[binding: Record<string, unknown>, headers: Record<string, unknown> | undefined, matches: boolean]>([
    [{ 'x-match': 'all', a: 1, b: 'x' }, { a: 1, b: 'x', c: true }, true],
    [{ 'x-match': 'all', a: 1, b: 'x' }, { a: 1 }, false],
    [{ a: 1, b: 'x' }, { a: 1 }, false],
    [{ a: 1 }, { a: 1 }, true],
    [{ 'x-match': 'any', a: 1, b: 'x' }, { a: 2, b: 'x' }, true],
    [{ 'x-match': 'any', a: 1, b: 'x' }, { a: 2, b: 'y' }, false],
    [{ 'x-match': 'any', a: 1 }, undefined, false],
    [{ 'x-match': 'all' }, undefined, true],
    [{ 'x-match': 'any' }, { a: 1 }, false],
    [{ 'x-match': 'all', a: 1 }, { a: '1' }, false],
    [{ 'x-match': 'all', 'x-a': 1 }, { b: 1 }, true],
    [{ 'x-match': 'all-with-x', 'x-a': 1 }, { b: 1 }, false],
    [{ 'x-match': 'all-with-x', 'x-a': 1 }, { 'x-a': 1 }, true],
    [{ 'x-match': 'any-with-x', 'x-a': 1, b: 2 }, { 'x-a': 1 }, true],
    [{ 'x-match': 'any', 'x-a': 1, b: 2 }, { 'x-a': 1 }, false],
    [{ 'x-match': 'all', a: null }, { a: 'anything' }, true],
    [{ 'x-match': 'all', a: null }, { b: 1 }, false],
  ])('binding %j, message %j: %s', async (binding, headers, matches) => {
    expect(await matched(binding, headers)).toBe(matches);
  });

  test.each<[value: unknown, text: string]>([
    ['some', 'Invalid x-match field value <<"some">>; expected all, any, all-with-x, or any-with-x'],
    [3, 'Invalid x-match field type byte (value 3); expected longstr'],
  ])('x-match %j is refused', async (value, text) => {
    const own = await confirmChannel(await startBroker());
    const { queue } = await own.assertQueue('', { exclusive: true });
    expect(await refusal(own, () => own.bindQueue(queue, 'amq.headers', '', { 'x-match': value }))).toEqual({
      code: 406,
      text: `PRECONDITION_FAILED - ${text}`,
      method: '50.20',
    });
  });
});

test('the default exchange brings a message to the queue of that name, if there is one', async () => {
  const own = await confirmChannel(await startBroker());
  const { queue } = await own.assertQueue('', { exclusive: true });
  await publish(own, { key: queue }, 'a');
  await publish(own, { key: fresh('nowhere') }, 'b');
  expect(await drain(own, queue)).toEqual(['a']);
});

// A plugin of RabbitMQ's; here it is there.
describe.runIf(onSluice)('x-consistent-hash', () => {
  test('a key goes to one queue, always the same, and many keys to all in proportion to their weights', async () => {
    const own = await confirmChannel(await startBroker());
    const exchange = fresh('hash');
    await own.assertExchange(exchange, 'x-consistent-hash');
    const queues: string[] = [];
    for (const weight of ['1', '1', '2']) {
      const { queue } = await own.assertQueue('', { exclusive: true });
      await own.bindQueue(queue, exchange, weight);
      queues.push(queue);
    }
    const keys = Array.from({ length: 1000 }, (_, i) => `key-${i}`);
    for (let round = 0; round < 2; round++) for (const key of keys) own.publish(exchange, key, Buffer.from(key));
    await own.waitForConfirms();
    const received = await Promise.all(queues.map((queue) => drain(own, queue)));
    expect(received.flat().toSorted()).toEqual([...keys, ...keys].toSorted());
    for (const mine of received) expect(mine.length).toBe(2 * new Set(mine).size);
    const [one = 0, other = 0, double = 0] = received.map(({ length }) => length);
    expect(double).toBeGreaterThan(Math.max(one, other));
    expect(Math.min(one, other)).toBeGreaterThan(200);
  });

  test('a header or a property can be what is hashed', async () => {
    const own = await confirmChannel(await startBroker());
    for (const args of [{ 'hash-header': 'who' }, { 'hash-property': 'message_id' }]) {
      const exchange = fresh('hash');
      await own.assertExchange(exchange, 'x-consistent-hash', { arguments: args });
      const queues = [await own.assertQueue('', { exclusive: true }), await own.assertQueue('', { exclusive: true })];
      for (const { queue } of queues) await own.bindQueue(queue, exchange, '10');
      for (let i = 0; i < 50; i++)
        await publish(own, { exchange, key: `${i}`, headers: { who: 'me' }, messageId: 'me' }, 'm');
      const counts = await Promise.all(queues.map(async ({ queue }) => (await drain(own, queue)).length));
      expect(counts.toSorted((a, b) => a - b)).toEqual([0, 50]);
    }
  });

  test('a binding key that is no number is refused', async () => {
    const own = await confirmChannel(await startBroker());
    const exchange = fresh('hash');
    await own.assertExchange(exchange, 'x-consistent-hash');
    const { queue } = await own.assertQueue('', { exclusive: true });
    expect((await refusal(own, () => own.bindQueue(queue, exchange, 'many'))).code).toBe(406);
  });
});
