import { describe, expect, test } from 'vitest';
import { confirmChannel, fresh, startBroker } from './fixture.ts';
import { drain, drainMessages, publish, ready, take } from './messages.ts';

async function queueOf(args: Record<string, unknown>) {
  const own = await confirmChannel(await startBroker());
  const [queue, dead] = [fresh('q'), fresh('dead')];
  await own.assertQueue(dead);
  await own.assertQueue(queue, {
    arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead, ...args },
  });
  return { own, queue, dead };
}

type Channel = Awaited<ReturnType<typeof confirmChannel>>;

/** Publishes each body by itself; answers which of them were refused. */
async function refused(own: Channel, queue: string, bodies: readonly string[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const body of bodies) await publish(own, { key: queue }, body).catch(() => wrong.push(body));
  return wrong;
}

describe('drop-head', () => {
  test('is what a queue does that is not told otherwise: the oldest go', async () => {
    const { own, queue, dead } = await queueOf({ 'x-max-length': 2 });
    expect(await refused(own, queue, ['a', 'b', 'c', 'd'])).toEqual([]);
    expect(await drain(own, queue)).toEqual(['c', 'd']);
    const letters = await drainMessages(own, dead);
    expect(letters.map(({ content }) => `${content}`)).toEqual(['a', 'b']);
    expect(letters[0]?.properties.headers?.['x-first-death-reason']).toBe('maxlen');
  });

  test('counts the bytes of bodies', async () => {
    const { own, queue } = await queueOf({ 'x-max-length-bytes': 10 });
    await publish(own, { key: queue, headers: { long: 'x'.repeat(100) } }, '12345', '1234', '1');
    expect(await ready(own, queue)).toBe(3);
    await publish(own, { key: queue }, '1');
    expect(await drain(own, queue)).toEqual(['1234', '1', '1']);
  });

  test('of both limits the one counts that is reached first', async () => {
    const { own, queue } = await queueOf({ 'x-max-length': 3, 'x-max-length-bytes': 10 });
    await publish(own, { key: queue }, '1', '2', '3', '4');
    expect(await ready(own, queue)).toBe(3);
    await publish(own, { key: queue }, '123456789');
    expect(await drain(own, queue)).toEqual(['4', '123456789']);
  });

  test('what is out does not count, and comes back to its place at the head, first to go', async () => {
    const { own, queue, dead } = await queueOf({ 'x-max-length': 2 });
    await publish(own, { key: queue }, 'a', 'b');
    const out = await take(own, queue);
    await publish(own, { key: queue }, 'c');
    expect(await ready(own, queue)).toBe(2);
    own.nack(out);
    expect(await drain(own, queue)).toEqual(['b', 'c']);
    expect(await drain(own, dead)).toEqual(['a']);
  });

  test('a limit of 0 keeps nothing', async () => {
    const { own, queue, dead } = await queueOf({ 'x-max-length': 0 });
    await publish(own, { key: queue }, 'a');
    expect(await drain(own, queue)).toEqual([]);
    expect(await drain(own, dead)).toEqual(['a']);
  });
});

describe('reject-publish', () => {
  test('keeps the oldest and refuses what comes, which goes nowhere', async () => {
    const { own, queue, dead } = await queueOf({ 'x-max-length': 2, 'x-overflow': 'reject-publish' });
    expect(await refused(own, queue, ['a', 'b', 'c', 'd'])).toEqual(['c', 'd']);
    expect(await drain(own, queue)).toEqual(['a', 'b']);
    expect(await drain(own, dead)).toEqual([]);
  });

  test('takes more as soon as there is room', async () => {
    const { own, queue } = await queueOf({ 'x-max-length': 1, 'x-overflow': 'reject-publish' });
    expect(await refused(own, queue, ['a', 'b'])).toEqual(['b']);
    await own.get(queue, { noAck: true });
    expect(await refused(own, queue, ['c', 'd'])).toEqual(['d']);
    expect(await drain(own, queue)).toEqual(['c']);
  });

  test('refuses a message that one of its queues has no room for, though the others take it', async () => {
    const { own, queue } = await queueOf({ 'x-max-length': 1, 'x-overflow': 'reject-publish' });
    const other = fresh('other');
    await own.assertQueue(other);
    const exchange = fresh('fanout');
    await own.assertExchange(exchange, 'fanout');
    for (const each of [queue, other]) await own.bindQueue(each, exchange, '');
    await publish(own, { exchange, key: '' }, 'a');
    await expect(publish(own, { exchange, key: '' }, 'b')).rejects.toThrow('nacked');
    expect([await drain(own, queue), await drain(own, other)]).toEqual([['a'], ['a', 'b']]);
  });
});

test('reject-publish-dlx refuses, and sends what it refused to the dead letters', async () => {
  const { own, queue, dead } = await queueOf({ 'x-max-length': 1, 'x-overflow': 'reject-publish-dlx' });
  expect(await refused(own, queue, ['a', 'b'])).toEqual(['b']);
  expect(await drain(own, queue)).toEqual(['a']);
  const [letter] = await drainMessages(own, dead);
  expect(letter?.content.toString()).toBe('b');
  expect(letter?.properties.headers).toMatchObject({
    'x-first-death-reason': 'maxlen',
    'x-first-death-queue': queue,
    'x-first-death-exchange': '',
  });
});
