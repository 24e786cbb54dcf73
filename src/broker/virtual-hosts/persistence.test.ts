import { describe, expect, test } from 'vitest';
import { array, EMPTY_TABLE, longString } from '../messages/index.ts';
import { args, HostFixture, refusal } from './fixture.contract.ts';

function contents(fixture: HostFixture) {
  const { host } = fixture;
  return {
    queues: [...host.queues()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, type, durable, autoDelete, arguments: given, policy }) => ({
        ...{ name, type, durable, autoDelete },
        arguments: [...given],
        policy: policy?.name,
      })),
    exchanges: [...host.exchanges()].map(({ name, type, autoDelete, internal, arguments: given, policy }) => ({
      ...{ name, type, autoDelete, internal },
      arguments: [...given],
      policy: policy?.name,
    })),
    bindings: [...host.bindings()]
      .map(({ source, destinationName, key, args: given }) =>
        JSON.stringify([source, destinationName, key, [...given]]),
      )
      .sort(),
    policies: [...host.policies()],
  };
}

test.each(['close', 'crash'] as const)('all that is durable is there again after a %s, and works', async (how) => {
  const fixture = await HostFixture.start();
  const odd = args({ 'x-max-priority': 3, 'x-odd': array([longString('ü'), { type: 'V', value: null }]) });
  await fixture.declare('q', { arguments: odd });
  await fixture.declare('lazy', { autoDelete: true, arguments: args({ 'x-queue-type': 'classic' }) });
  await fixture.declare('quorum', { arguments: args({ 'x-queue-type': 'quorum' }) });
  await fixture.exchange('x', 'topic', { internal: true, arguments: args({ 'alternate-exchange': 'amq.fanout' }) });
  await fixture.exchange('gone', 'topic');
  await fixture.host.setPolicy({
    ...{ name: 'p', pattern: '^q', applyTo: 'all', priority: 3 },
    definition: { 'max-length': 5, 'alternate-exchange': 'amq.match' },
  });
  await fixture.bind('q', 'amq.headers', '', args({ 'x-match': 'any', h: 1 }));
  await fixture.bind('q', 'amq.direct', 'key');
  await fixture.bind('lazy', 'x', '#');
  await fixture.bind('q', 'gone', 'a');
  await fixture.host.bindExchange('x', 'amq.topic', 'a.#', EMPTY_TABLE);
  await fixture.host.deleteExchange('gone');
  const before = contents(fixture);
  fixture.publish('amq.topic', 'a.b', 'm');
  await fixture.restart(how);
  expect(contents(fixture)).toEqual(before);
  fixture.publish('amq.topic', 'a.b', 'n');
  expect(await fixture.bodies('lazy')).toEqual(['m', 'n']);
  expect(fixture.troubles).toEqual([]);
});

test('what is transient is gone, and its bindings with it', async () => {
  const fixture = await HostFixture.start();
  await fixture.declare('lasting');
  await fixture.declare('transient', { durable: false });
  await fixture.declare('exclusive', { exclusive: true, owner: {} });
  await fixture.exchange('transient', 'fanout', { durable: false });
  await fixture.bind('transient', 'amq.fanout');
  await fixture.bind('lasting', 'transient');
  await fixture.bind('lasting', 'amq.fanout');
  await fixture.restart();
  const { queues, bindings } = contents(fixture);
  expect(queues.map(({ name }) => name)).toEqual(['lasting']);
  expect(bindings).toEqual(['["amq.fanout","lasting","",[]]']);
  expect(fixture.host.exchange('transient')).toBeUndefined();
});

test('a queue that cannot be opened keeps its name and its bindings, and the others from nothing', async () => {
  const fixture = await HostFixture.start();
  await fixture.declare('q');
  const broken = { name: 'broken', type: 'classic', autoDelete: false, arguments: '', logs: [] } as const;
  await fixture.catalog.change(() => [
    { type: 'queue-created', host: '/', queue: broken },
    {
      type: 'bound',
      host: '/',
      binding: { source: 'amq.fanout', to: 'queue', destination: 'broken', key: '', arguments: '' },
    },
  ]);
  await fixture.restart();
  expect(fixture.troubles).toHaveLength(1);
  await fixture.bind('q', 'amq.fanout');
  const text = "not-found: queue 'broken' in vhost '/' has crashed and failed to restart";
  expect(await refusal(() => fixture.declare('broken'))).toBe(text);
  expect(await refusal(() => fixture.host.checkQueue('broken'))).toBe(text);
  expect([...(fixture.catalog.state.virtualHosts.get('/')?.bindings ?? [])]).toHaveLength(2);
  await fixture.host.deleteQueue('broken');
  await fixture.declare('broken');
  expect([...(fixture.catalog.state.virtualHosts.get('/')?.bindings ?? [])]).toHaveLength(1);
});

test('what expired while the broker was down takes the way of dead letters when it is up', async () => {
  const fixture = await HostFixture.start();
  await fixture.declare('q', { arguments: args({ 'x-message-ttl': 50, 'x-dead-letter-exchange': 'amq.fanout' }) });
  await fixture.declare('dlq');
  await fixture.bind('dlq', 'amq.fanout');
  fixture.publish('', 'q', 'm');
  await fixture.settled();
  await fixture.hosts.close();
  await fixture.clock.advance(100);
  await fixture.restart('crash');
  await fixture.clock.advance(0);
  expect(await fixture.bodies('dlq')).toEqual(['m']);
});

test('the same from a snapshot of the catalog', async () => {
  const fixture = await HostFixture.start();
  const names = Array.from({ length: 3000 }, (_, i) => `queue-${i}-${'x'.repeat(60)}`);
  await Promise.all(names.map((name) => fixture.declare(name, { arguments: args({ 'x-max-length': 10 }) })));
  await Promise.all(names.map((name) => fixture.bind(name, 'amq.topic', name)));
  await fixture.host.deleteQueue(names[0] ?? '');
  await fixture.restart('crash');
  expect([...fixture.host.queues()]).toHaveLength(2999);
  expect([...fixture.host.bindings()]).toHaveLength(2999);
  expect(fixture.publish('amq.topic', names[1] ?? '', 'm').routed).toBe(true);
  expect(fixture.publish('amq.topic', names[0] ?? '', 'm').routed).toBe(false);
});

describe('limits', () => {
  test('hold over all virtual hosts and at the same moment', async () => {
    const fixture = await HostFixture.start({ maxQueues: 2, maxExchanges: 13, maxBindings: 1, maxVirtualHosts: 2 });
    const other = await fixture.hosts.create('other');
    const plain = { durable: true, exclusive: false, autoDelete: false, arguments: EMPTY_TABLE };
    const outcomes = await Promise.allSettled([
      fixture.declare('a'),
      fixture.declare('b', { durable: false }),
      other.declareQueue({ name: 'c', ...plain }),
      fixture.declare('a'),
    ]);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual([
      false,
      false,
      'limit-exceeded',
      false,
    ]);
    await fixture.bind('a', 'amq.fanout');
    await fixture.bind('a', 'amq.fanout');
    expect(await refusal(() => fixture.bind('b', 'amq.fanout'))).toMatch('limit-exceeded');
    await fixture.exchange('x', 'fanout');
    expect(await refusal(() => fixture.exchange('y', 'fanout'))).toMatch('limit-exceeded');
    expect(await refusal(() => fixture.hosts.create('third'))).toMatch('limit-exceeded');
    await fixture.host.deleteQueue('a');
    await other.declareQueue({ name: 'c', ...plain });
    await fixture.bind('b', 'amq.fanout');
  });

  test('do not count what is deleted with its virtual host', async () => {
    const fixture = await HostFixture.start({ maxQueues: 1, maxExchanges: 12, maxVirtualHosts: 2 });
    for (let round = 0; round < 3; round++) {
      const other = await fixture.hosts.create('other');
      const plain = { durable: true, exclusive: false, autoDelete: false, arguments: EMPTY_TABLE };
      await other.declareQueue({ name: 'q', ...plain });
      await other.bindQueue('q', 'amq.fanout', '', EMPTY_TABLE);
      await fixture.hosts.delete('other');
    }
  });
});

describe('virtual hosts', () => {
  test('are apart, and there again after a restart', async () => {
    const fixture = await HostFixture.start();
    const other = await fixture.hosts.create('other', { defaultQueueType: 'quorum' });
    expect(await fixture.hosts.create('other')).toBe(other);
    const declaration = { name: 'q', durable: true, exclusive: false, autoDelete: false, arguments: EMPTY_TABLE };
    expect((await other.declareQueue(declaration)).type).toBe('quorum');
    expect((await other.declareQueue({ ...declaration, name: 't', durable: false })).type).toBe('classic');
    expect(fixture.host.queue('q')).toBeUndefined();
    await fixture.restart();
    expect(fixture.hosts.names()).toEqual(['/', 'other']);
    expect([...(fixture.hosts.get('other')?.queues() ?? [])].map(({ name }) => name)).toEqual(['q']);
  });

  test('are deleted with all that is in them', async () => {
    const fixture = await HostFixture.start();
    const deleted: string[] = [];
    fixture.hosts.onDeleted(({ name }) => deleted.push(name));
    const other = await fixture.hosts.create('other');
    const plain = { durable: true, exclusive: false, autoDelete: false };
    await other.declareQueue({ name: 'q', ...plain, arguments: EMPTY_TABLE });
    await other.declareQueue({ name: 's', ...plain, arguments: args({ 'x-queue-type': 'stream' }) });
    expect([...fixture.streams.all()].map(({ name }) => name)).toEqual(['other.s']);
    await fixture.hosts.delete('other');
    expect(deleted).toEqual(['other']);
    expect(fixture.streams.size).toBe(0);
    expect(await refusal(() => other.declareQueue({ name: 'r', ...plain, arguments: EMPTY_TABLE }))).toMatch(
      'not-found',
    );
    expect(await refusal(() => fixture.hosts.delete('other'))).toMatch('not-found');
    await other.ownerGone({});
    const again = await fixture.hosts.create('other');
    expect(again.queue('q')).toBeUndefined();
    await fixture.restart();
    expect([...(fixture.hosts.get('other')?.queues() ?? [])]).toEqual([]);
    await fixture.settled();
    expect(fixture.catalog.state.deleting.size).toBe(0);
  });
});

describe('streams as queues', () => {
  const stream = args({ 'x-queue-type': 'stream', 'x-max-age': '2h', 'x-max-length-bytes': 5000 });

  test('are streams of their name, with the limits that they are declared with', async () => {
    const fixture = await HostFixture.start();
    const entry = await fixture.declare('s', { arguments: stream });
    expect(entry.kind).toBe('stream');
    expect(fixture.streams.get('s')?.config).toMatchObject({ retentionMs: 7_200_000, retentionBytes: 5000 });
    await fixture.bind('s', 'amq.topic', '#');
    await fixture.restart();
    expect(await fixture.declare('s', { arguments: stream })).toMatchObject({ type: 'stream' });
    fixture.publish('amq.topic', 'k', 'm');
    fixture.publish('', 's', 'n');
    await fixture.settled();
    expect(fixture.streams.get('s')?.partitions[0]?.log.highWatermark).toBe(2);
    await fixture.host.setPolicy({
      ...{ name: 'p', pattern: '.', applyTo: 'streams', priority: 0 },
      definition: { 'max-length-bytes': 1000 },
    });
    expect(fixture.streams.get('s')?.config).toMatchObject({ retentionMs: 7_200_000, retentionBytes: 1000 });
    await fixture.host.deleteQueue('s');
    expect(fixture.streams.get('s')).toBeUndefined();
    expect(fixture.publish('amq.topic', 'k', 'm').routed).toBe(false);
  });

  test('declared many times at once, and used meanwhile, they are one', async () => {
    const fixture = await HostFixture.start({ maxQueues: 2 });
    const found = new Set<unknown>();
    const look = () => found.add(fixture.host.queue('s')?.destination);
    const declared = Array.from({ length: 3 }, () => fixture.declare('s', { arguments: stream }).finally(look));
    while (fixture.host.queue('s') === undefined) await new Promise((resolve) => setImmediate(resolve));
    await fixture.bind('s', 'amq.fanout');
    look();
    await Promise.all(declared);
    expect(found.size).toBe(1);
    expect([...fixture.host.queues()]).toHaveLength(1);
    await fixture.declare('s', { arguments: stream });
    await fixture.declare('q');
    expect(fixture.publish('amq.fanout', '', 'm').routed).toBe(true);
    await Promise.all([fixture.host.deleteQueue('s'), fixture.host.deleteQueue('s'), fixture.streams.delete('s')]);
    await fixture.declare('s', { arguments: stream });
  });

  test('one whose name ends like a partition of another is another', async () => {
    const fixture = await HostFixture.start();
    const other = await fixture.hosts.create('other');
    const declaration = { durable: true, exclusive: false, autoDelete: false, arguments: stream };
    await other.declareQueue({ name: 's', ...declaration });
    await other.declareQueue({ name: 's-0', ...declaration });
    expect([...fixture.streams.all()].map(({ name }) => name).sort()).toEqual(['other.s', 'other.s-0']);
  });

  test('a queue can have the name of a topic that nobody uses as a queue', async () => {
    const fixture = await HostFixture.start();
    await fixture.streams.create({ name: 'orders', partitions: 2 });
    expect(fixture.publish('', 'orders', 'to the topic').routed).toBe(true);
    await fixture.declare('orders');
    expect(fixture.publish('', 'orders', 'to the queue').routed).toBe(true);
    await fixture.restart();
    await fixture.streams.delete('orders');
    await fixture.settled();
    expect(fixture.host.queue('orders')).toMatchObject({ kind: 'queue', queue: { readyCount: 1 } });
  });

  test('a stream that nobody declared is a queue too, as long as it is there', async () => {
    const fixture = await HostFixture.start();
    await fixture.streams.create({ name: 'orders', partitions: 2 });
    await fixture.bind('orders', 'amq.fanout');
    expect(fixture.host.queue('orders')).toMatchObject({ kind: 'stream', durable: true });
    expect(fixture.publish('', 'orders', 'm').routed).toBe(true);
    expect(fixture.publish('', 'orders-1', 'm').routed).toBe(true);
    expect(await refusal(() => fixture.host.deleteQueue('orders-1'))).toMatch('precondition-failed');
    expect(await refusal(() => fixture.declare('orders'))).toBe(
      "precondition-failed: inequivalent arg 'x-queue-type' for queue 'orders' in vhost '/': received none but current is " +
        "the value 'stream' of type 'longstr'",
    );
    await fixture.restart();
    expect(fixture.publish('amq.fanout', '', 'm').routed).toBe(true);
    await fixture.streams.delete('orders');
    await fixture.settled();
    expect(fixture.host.queue('orders')).toBeUndefined();
    expect(fixture.host.queue('orders-1')).toBeUndefined();
    expect(fixture.publish('amq.fanout', '', 'm').routed).toBe(false);
    await fixture.streams.create({ name: 'orders', partitions: 1 });
    await fixture.restart();
    expect(fixture.publish('amq.fanout', '', 'm').routed).toBe(false);
  });
});
