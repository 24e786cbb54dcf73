import { describe, expect, test } from 'vitest';
import { array, integer, longString, MessageBytes, type Properties, plainTable } from '../messages/index.ts';
import { args, HostFixture, refusal } from './fixture.contract.ts';

const keys = (...list: string[]) => array(list.map(longString));
const headers = (values: Parameters<typeof args>[0]): Properties => ({ headers: args(values) });

test('goes by the name of the queue through the default exchange, and by bindings through others', async () => {
  const fixture = await HostFixture.start();
  await fixture.declare('q');
  await fixture.exchange('x', 'topic');
  await fixture.bind('q', 'x', 'a.*');
  expect(fixture.publish('', 'q', 'one')).toEqual({ routed: true, refused: false });
  expect(fixture.publish('x', 'a.b', 'two')).toEqual({ routed: true, refused: false });
  expect(fixture.publish('x', 'b.b', 'three')).toEqual({ routed: false, refused: false });
  expect(fixture.publish('', 'nope', 'four')).toEqual({ routed: false, refused: false });
  expect(await fixture.bodies('q')).toEqual(['one', 'two']);
});

test('a route is the same until something changes, and never one to a queue that is gone', async () => {
  const fixture = await HostFixture.start();
  await fixture.declare('q');
  await fixture.bind('q', 'amq.topic', 'k');
  const route = (exchange: string, key: string) =>
    fixture.host.route(exchange, MessageBytes.of(exchange, key, Buffer.alloc(2), Buffer.alloc(0)));
  for (const [exchange, key] of [
    ['', 'q'],
    ['amq.topic', 'k'],
  ] as const) {
    const first = route(exchange, key);
    expect(route(exchange, key)).toBe(first);
    expect(first.targets.map(({ name }) => name)).toEqual(['q']);
  }
  await fixture.host.deleteQueue('q');
  expect(route('', 'q').targets).toEqual([]);
  expect(route('amq.topic', 'k').targets).toEqual([]);
  const { destination } = await fixture.declare('q');
  expect(route('', 'q').targets).toEqual([destination]);
});

test('a full queue that refuses says so', async () => {
  const fixture = await HostFixture.start();
  await fixture.declare('q', { arguments: args({ 'x-max-length': 1, 'x-overflow': 'reject-publish' }) });
  expect(fixture.publish('', 'q', 'a').refused).toBe(false);
  expect(fixture.publish('', 'q', 'b')).toEqual({ routed: true, refused: true });
});

describe('copies', () => {
  test('go to the keys in CC and BCC, each queue gets one, and BCC is nobody’s business', async () => {
    const fixture = await HostFixture.start();
    for (const name of ['a', 'b', 'c']) await fixture.declare(name);
    fixture.publish('', 'a', 'm', headers({ CC: keys('b', 'a'), BCC: keys('c', 'b'), other: 1 }));
    for (const name of ['a', 'b', 'c']) {
      const [message, ...more] = await fixture.drain(name);
      expect(more).toEqual([]);
      expect(plainTable(message?.properties.headers ?? new Map())).toEqual({ CC: ['b', 'a'], other: 1 });
      expect(message?.routingKey).toBe('a');
    }
  });

  test('go through exchanges too, whose alternate gets it only when no key matches', async () => {
    const fixture = await HostFixture.start();
    for (const name of ['a', 'b', 'rest']) await fixture.declare(name);
    await fixture.exchange('x', 'direct', { arguments: args({ 'alternate-exchange': 'amq.fanout' }) });
    await fixture.bind('a', 'x', 'a');
    await fixture.bind('rest', 'amq.fanout');
    fixture.publish('x', 'nothing', 'one', headers({ CC: keys('a') }));
    fixture.publish('x', 'nothing', 'two', headers({ CC: keys('nothing either') }));
    expect(await fixture.bodies('a')).toEqual(['one']);
    expect(await fixture.bodies('rest')).toEqual(['two']);
  });

  test('are asked for by arrays', async () => {
    const fixture = await HostFixture.start();
    expect(await refusal(() => fixture.publish('', 'q', 'm', headers({ CC: 'b' })))).toBe(
      'precondition-failed: invalid message: {unacceptable_type_in_header,"CC",longstr}',
    );
    expect(await refusal(() => fixture.publish('', 'q', 'm', headers({ BCC: 1 })))).toBe(
      'precondition-failed: invalid message: {unacceptable_type_in_header,"BCC",signedint}',
    );
  });
});

describe('dead letters', () => {
  const dead = (exchange: string, more: Parameters<typeof args>[0] = {}) => ({
    arguments: args({ 'x-dead-letter-exchange': exchange, ...more }),
  });

  test('go through the exchange to where it leads, with their story', async () => {
    const fixture = await HostFixture.start();
    await fixture.declare('q', dead('amq.fanout', { 'x-message-ttl': 100 }));
    await fixture.declare('dlq');
    await fixture.bind('dlq', 'amq.fanout');
    fixture.publish('', 'q', 'm', { expiration: '5000' });
    await fixture.settled();
    await fixture.clock.advance(100);
    const [message] = await fixture.drain('dlq');
    expect(message).toMatchObject({ body: 'm', exchange: 'amq.fanout', routingKey: 'q' });
    expect(message?.properties.expiration).toBeUndefined();
    expect(plainTable(message?.properties.headers ?? new Map())).toMatchObject({
      'x-death': [{ reason: 'expired', queue: 'q', exchange: '', 'original-expiration': '5000', count: 1 }],
      'x-first-death-queue': 'q',
    });
    expect(await fixture.bodies('q')).toEqual([]);
  });

  test('take another key where they are told, to a queue by the default exchange', async () => {
    const fixture = await HostFixture.start();
    await fixture.declare('q', dead('', { 'x-dead-letter-routing-key': 'dlq', 'x-max-length': 1 }));
    await fixture.declare('dlq');
    fixture.publish('', 'q', 'one');
    fixture.publish('', 'q', 'two');
    expect(await fixture.bodies('q')).toEqual(['two']);
    expect(await fixture.bodies('dlq')).toEqual(['one']);
  });

  test('are dropped where there is no such exchange', async () => {
    const fixture = await HostFixture.start();
    await fixture.declare('q', dead('nope', { 'x-max-length': 1 }));
    fixture.publish('', 'q', 'one');
    fixture.publish('', 'q', 'two');
    expect(await fixture.bodies('q')).toEqual(['two']);
    expect(fixture.troubles).toEqual([]);
  });

  test('that cannot be published are lost, and the queue goes on', async () => {
    const fixture = await HostFixture.start();
    await fixture.declare('q', dead('', { 'x-dead-letter-routing-key': 'k'.repeat(256), 'x-max-length': 1 }));
    fixture.publish('', 'q', 'one');
    fixture.publish('', 'q', 'two');
    expect(await fixture.bodies('q')).toEqual(['two']);
    expect(fixture.troubles).toEqual([expect.stringContaining("a dead letter of queue 'q' was lost")]);
  });

  test('do not go round for ever', async () => {
    const fixture = await HostFixture.start();
    await fixture.declare('a', dead('', { 'x-dead-letter-routing-key': 'b', 'x-message-ttl': 10 }));
    await fixture.declare('b', dead('', { 'x-dead-letter-routing-key': 'a', 'x-message-ttl': 10 }));
    fixture.publish('', 'a', 'm');
    await fixture.settled();
    await fixture.clock.advance(10);
    await fixture.settled();
    const counts = () => [...fixture.host.queues()].map((entry) => entry.kind === 'queue' && entry.queue.readyCount);
    expect(counts()).toEqual([0, 1]);
    await fixture.clock.advance(1000);
    expect(counts()).toEqual([0, 0]);
  });

  test('of which one was rejected go round as long as somebody rejects it', async () => {
    const fixture = await HostFixture.start();
    const entry = await fixture.declare('work', dead('', { 'x-dead-letter-routing-key': 'retry' }));
    await fixture.declare('retry', dead('', { 'x-dead-letter-routing-key': 'work', 'x-message-ttl': 10 }));
    if (entry.kind !== 'queue') throw new Error('it is no queue');
    fixture.publish('', 'work', 'm');
    for (let round = 0; round < 3; round++) {
      await fixture.settled();
      expect(await entry.queue.get(false, (delivery) => delivery.reject())).toBe(true);
      await fixture.settled();
      await fixture.clock.advance(10);
    }
    const [message] = await fixture.drain('work');
    expect(plainTable(message?.properties.headers ?? new Map())['x-death']).toMatchObject([
      { queue: 'retry', reason: 'expired', count: 3 },
      { queue: 'work', reason: 'rejected', count: 3 },
    ]);
  });
});

describe('delayed exchanges', () => {
  const delayed = (ms: number) => headers({ 'x-delay': ms });
  async function withDelay(type = 'direct') {
    const fixture = await HostFixture.start();
    await fixture.exchange('d', 'x-delayed-message', { arguments: args({ 'x-delayed-type': type }) });
    await fixture.declare('q');
    await fixture.bind('q', 'd', 'k');
    return fixture;
  }

  test('hold messages back to the millisecond, in the order in which they are due', async () => {
    const fixture = await withDelay();
    fixture.publish('d', 'k', 'late', delayed(50));
    expect(fixture.publish('d', 'k', 'soon', delayed(20))).toEqual({ routed: true, refused: false });
    fixture.publish('d', 'k', 'now');
    fixture.publish('d', 'k', 'also now', delayed(0));
    fixture.publish('d', 'k', 'before', delayed(-5));
    expect(await fixture.bodies('q')).toEqual(['now', 'also now', 'before']);
    await fixture.clock.advance(19);
    expect(await fixture.bodies('q')).toEqual([]);
    await fixture.clock.advance(1);
    const [soon] = await fixture.drain('q');
    expect(soon).toMatchObject({ body: 'soon', exchange: 'd', routingKey: 'k' });
    expect(soon?.properties.headers?.get('x-delay')).toEqual(integer(-20));
    await fixture.clock.advance(30);
    expect(await fixture.bodies('q')).toEqual(['late']);
  });

  test.each(['close', 'crash'] as const)('keep them over a %s', async (how) => {
    const fixture = await withDelay();
    fixture.publish('d', 'k', 'a', delayed(100));
    fixture.publish('d', 'k', 'b', delayed(50));
    await fixture.restart(how);
    await fixture.clock.advance(60);
    expect(await fixture.bodies('q')).toEqual(['b']);
    await fixture.restart(how);
    expect(await fixture.bodies('q')).toEqual([]);
    await fixture.clock.advance(40);
    expect(await fixture.bodies('q')).toEqual(['a']);
    await fixture.restart(how);
    await fixture.clock.advance(1000);
    expect(await fixture.bodies('q')).toEqual([]);
  });

  test('send them where the bindings lead when they are due, with copies', async () => {
    const fixture = await withDelay('topic');
    await fixture.declare('r');
    fixture.publish('d', 'k', 'm', headers({ 'x-delay': 10, BCC: keys('other') }));
    await fixture.settled();
    await fixture.bind('r', 'd', 'other');
    await fixture.clock.advance(10);
    expect(await fixture.bodies('q')).toEqual(['m']);
    const [copy] = await fixture.drain('r');
    expect(copy?.properties.headers?.has('BCC')).toBe(false);
  });

  test('drop them when they are gone by then', async () => {
    const fixture = await withDelay();
    fixture.publish('d', 'k', 'm', delayed(10));
    await fixture.settled();
    await fixture.host.deleteExchange('d');
    await fixture.clock.advance(10);
    await fixture.settled();
    expect(fixture.troubles).toEqual([]);
  });
});
