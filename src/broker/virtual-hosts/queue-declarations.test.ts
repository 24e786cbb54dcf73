import { describe, expect, test } from 'vitest';
import { type Field, integer } from '../messages/index.ts';
import { args, HostFixture, refusal } from './fixture.contract.ts';
import type { QueueDeclaration } from './queue-entry.ts';

const Q = "queue 'q' in vhost '/'";
const LOCKED =
  `resource-locked: cannot obtain exclusive access to locked ${Q}. It could be originally declared on another ` +
  'connection or the exclusive property value does not match that of the original declaration.';

type Values = Parameters<typeof args>[0];

describe('declared again', () => {
  test.each<[what: string, first: Partial<QueueDeclaration>, second: Partial<QueueDeclaration>, text: string]>([
    ['transient', {}, { durable: false }, "'durable' for Q: received 'false' but current is 'true'"],
    ['auto-delete', {}, { autoDelete: true }, "'auto_delete' for Q: received 'true' but current is 'false'"],
    [
      'with one more argument',
      {},
      { arguments: args({ 'x-message-ttl': { type: 'b', value: 100 } }) },
      "'x-message-ttl' for Q: received the value '100' of type 'byte' but current is none",
    ],
    [
      'with one less',
      { arguments: args({ 'x-dead-letter-exchange': 'dlx' }) },
      {},
      "'x-dead-letter-exchange' for Q: received none but current is the value 'dlx' of type 'longstr'",
    ],
    [
      'with another value',
      { arguments: args({ 'x-max-length': 5 }) },
      { arguments: args({ 'x-max-length': 6 }) },
      "'x-max-length' for Q: received '6' but current is '5'",
    ],
    [
      'with a value that is wrong',
      { arguments: args({ 'x-max-length': 5 }) },
      { arguments: args({ 'x-max-length': -6 }) },
      "'x-max-length' for Q: received '-6' but current is '5'",
    ],
    [
      'as another kind',
      {},
      { arguments: args({ 'x-queue-type': 'quorum' }) },
      "'x-queue-type' for Q: received the value 'quorum' of type 'longstr' but current is none",
    ],
    [
      'as the kind that is the default',
      { arguments: args({ 'x-queue-type': 'quorum' }) },
      { arguments: args({ 'x-queue-type': 'classic' }) },
      "'x-queue-type' for Q: received 'classic' but current is 'quorum'",
    ],
  ])('%s, it is refused', async (_what, first, second, text) => {
    const fixture = await HostFixture.start();
    await fixture.declare('q', first);
    expect(await refusal(() => fixture.declare('q', second))).toBe(
      `precondition-failed: inequivalent arg ${text.replace('Q', Q)}`,
    );
  });

  test.each<[what: string, first: Values, second: Values]>([
    ['the same', { 'x-max-length': 5, 'x-overflow': 'drop-head' }, { 'x-overflow': 'drop-head', 'x-max-length': 5 }],
    ['a number of another size', { 'x-max-length': 100 }, { 'x-max-length': { type: 'l', value: 100 } }],
    ['other arguments that mean nothing', { 'x-unknown': 1 }, { 'x-other': 'x' }],
    ['the kind that it is anyway', {}, { 'x-queue-type': 'classic' }],
    ['no kind where it is the default', { 'x-queue-type': 'classic' }, {}],
  ])('with %s, it is the one that is there', async (_what, first, second) => {
    const fixture = await HostFixture.start();
    const entry = await fixture.declare('q', { arguments: args(first) });
    expect(await fixture.declare('q', { arguments: args(second) })).toBe(entry);
  });

  test('many times at once, it is one', async () => {
    const fixture = await HostFixture.start();
    const entries = await Promise.all(Array.from({ length: 5 }, () => fixture.declare('q')));
    expect(new Set(entries).size).toBe(1);
    const outcomes = await Promise.allSettled([
      fixture.declare('p', { autoDelete: true }),
      fixture.declare('p', { autoDelete: false }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });
});

describe('arguments that a queue cannot have', () => {
  const double: Field = { type: 'd', value: 1.5 };
  test.each<[values: Values, text: string]>([
    [{ 'x-message-ttl': -1 }, '{value_negative,-1}'],
    [{ 'x-message-ttl': 'abc' }, '"expected integer, got longstr"'],
    [{ 'x-message-ttl': double }, '"expected integer, got double"'],
    [{ 'x-message-ttl': true }, '"expected integer, got bool"'],
    [{ 'x-message-ttl': { type: 'l', value: 315_360_000_001 } }, '{value_too_large,315360000001}'],
    [{ 'x-expires': 0 }, '{value_zero,0}'],
    [{ 'x-expires': -1 }, '{value_negative,-1}'],
    [{ 'x-max-length': -1 }, '{value_negative,-1}'],
    [{ 'x-max-length-bytes': -1 }, '{value_negative,-1}'],
    [{ 'x-overflow': 'bad' }, 'invalid_overflow'],
    [{ 'x-overflow': integer(1) }, '{unacceptable_type,signedint}'],
    [{ 'x-max-priority': 256 }, '{max_value_exceeded,256}'],
    [{ 'x-max-priority': -1 }, '{value_negative,-1}'],
    [{ 'x-queue-type': 'bogus' }, `"unsupported queue type 'bogus'"`],
    [{ 'x-queue-type': 1 }, '{unacceptable_type,signedint}'],
    [{ 'x-queue-mode': 'bad' }, `"unsupported queue mode 'bad'"`],
    [{ 'x-queue-version': 3 }, `"unsupported queue version '3'"`],
    [{ 'x-single-active-consumer': 'x' }, '{unacceptable_type,longstr}'],
    [{ 'x-dead-letter-routing-key': 'k' }, 'routing_key_but_no_dlx_defined'],
    [{ 'x-queue-leader-locator': 'moon' }, 'invalid_queue_locator_arg'],
  ])('%j', async (values, text) => {
    const fixture = await HostFixture.start();
    const [name] = Object.keys(values);
    expect(await refusal(() => fixture.declare('q', { arguments: args(values) }))).toBe(
      `precondition-failed: invalid arg '${name}' for ${Q}: ${text}`,
    );
  });

  test.each<[name: string, value: number | string, text: string]>([
    ['x-dead-letter-strategy', 'whatever', 'invalid_dlx_strategy'],
    ['x-quorum-initial-group-size', 0, '{value_zero,0}'],
    ['x-max-in-memory-length', -1, '{value_negative,-1}'],
  ])('of a quorum queue: %s %j', async (name, value, text) => {
    const fixture = await HostFixture.start();
    const quorum = args({ 'x-queue-type': 'quorum', [name]: value });
    expect(await refusal(() => fixture.declare('q', { arguments: quorum }))).toBe(
      `precondition-failed: invalid arg '${name}' for ${Q}: ${text}`,
    );
  });

  test.each<[what: string, declaration: Partial<QueueDeclaration>, text: string]>([
    [
      'of another kind',
      { arguments: args({ 'x-delivery-limit': 3 }) },
      "arg 'x-delivery-limit' for Q of queue type rabbit_classic_queue",
    ],
    [
      'of a stream',
      { arguments: args({ 'x-max-age': '1h' }) },
      "arg 'x-max-age' for Q of queue type rabbit_classic_queue",
    ],
    [
      'of a classic queue',
      { arguments: args({ 'x-queue-type': 'quorum', 'x-max-priority': 3 }) },
      "arg 'x-max-priority' for Q of queue type rabbit_quorum_queue",
    ],
    [
      'that is no name',
      { arguments: args({ 'x-dead-letter-exchange': 1 }) },
      "type 'signedint' for arg 'x-dead-letter-exchange' in Q",
    ],
    ['transient', { durable: false, arguments: args({ 'x-queue-type': 'quorum' }) }, "property 'non-durable' for Q"],
    [
      'auto-delete',
      { autoDelete: true, arguments: args({ 'x-queue-type': 'quorum' }) },
      "property 'auto-delete' for Q",
    ],
    [
      'exclusive',
      { exclusive: true, owner: {}, arguments: args({ 'x-queue-type': 'stream' }) },
      "property 'exclusive-owner' for Q",
    ],
  ])('%s', async (_what, declaration, text) => {
    const fixture = await HostFixture.start();
    expect(await refusal(() => fixture.declare('q', declaration))).toBe(
      `precondition-failed: invalid ${text.replace('Q', Q)}`,
    );
    expect(fixture.host.queue('q')).toBeUndefined();
  });
});

describe('names', () => {
  test('are made up where there is none', async () => {
    const fixture = await HostFixture.start();
    const [one, other] = [await fixture.declare('', { durable: false }), await fixture.declare('', { durable: false })];
    expect(one.name).toMatch(/^amq\.gen-[\w-]{22}$/);
    expect(other.name).not.toBe(one.name);
    expect(await refusal(() => fixture.declare('', { arguments: args({ 'x-queue-type': 'quorum' }) }))).toBe(
      'precondition-failed: Cannot declare a server-named queue for type rabbit_quorum_queue',
    );
  });

  test('that begin with amq. are reserved, unless there is such a queue', async () => {
    const fixture = await HostFixture.start();
    expect(await refusal(() => fixture.declare('amq.foo'))).toBe(
      "access-refused: queue name 'amq.foo' contains reserved prefix 'amq.*'",
    );
    const { name } = await fixture.declare('', { durable: false });
    await fixture.declare(name, { durable: false });
  });

  test('lose their line ends', async () => {
    const fixture = await HostFixture.start();
    expect((await fixture.declare('a\r\nb')).name).toBe('ab');
    expect(fixture.host.checkQueue('a\nb').name).toBe('ab');
  });

  test('of no queue', async () => {
    const fixture = await HostFixture.start();
    expect(await refusal(() => fixture.host.checkQueue('nope'))).toBe("not-found: no queue 'nope' in vhost '/'");
    expect(await fixture.host.deleteQueue('nope')).toBe(0);
  });
});

describe('a queue that a connection has for itself', () => {
  const owner = {};
  test('is locked to others', async () => {
    const fixture = await HostFixture.start();
    await fixture.declare('q', { exclusive: true, owner });
    await fixture.declare('q', { exclusive: true, owner });
    fixture.host.checkQueue('q', owner);
    const attempts = [
      () => fixture.host.checkQueue('q', {}),
      () => fixture.host.checkQueue('q'),
      () => fixture.declare('q', { exclusive: true, owner: {} }),
      () => fixture.declare('q', { owner }),
      () => fixture.host.deleteQueue('q', { owner: {} }),
      () => fixture.host.bindQueue('q', 'amq.direct', 'k', args({}), {}),
    ];
    for (const attempt of attempts) expect(await refusal(attempt)).toBe(LOCKED);
  });

  test('cannot be one that there is', async () => {
    const fixture = await HostFixture.start();
    await fixture.declare('q');
    expect(await refusal(() => fixture.declare('q', { exclusive: true, owner }))).toBe(LOCKED);
  });

  test('goes with it, and comes not after it', async () => {
    const fixture = await HostFixture.start();
    await fixture.exchange('x', 'fanout', { autoDelete: true });
    for (const name of ['q', 'p']) {
      await fixture.declare(name, { exclusive: true, owner });
      await fixture.host.bindQueue(name, 'x', '', args({}), owner);
    }
    await fixture.host.ownerGone(owner);
    expect([...fixture.host.queues()]).toEqual([]);
    expect(fixture.host.exchange('x')).toBeUndefined();
    expect(fixture.host.exchange('amq.direct')).toBeDefined();
    expect(await refusal(() => fixture.declare('q', { exclusive: true, owner }))).toMatch('closed');
    await fixture.restart();
    expect(fixture.host.exchange('x')).toBeUndefined();
  });
});

describe('deleting', () => {
  test('says how many messages there were, and minds who cares', async () => {
    const fixture = await HostFixture.start();
    const entry = await fixture.declare('q');
    fixture.publish('', 'q', 'm');
    await fixture.settled();
    expect(await refusal(() => fixture.host.deleteQueue('q', { ifEmpty: true }))).toBe(
      `precondition-failed: ${Q} not empty`,
    );
    if (entry.kind !== 'queue') throw new Error('it is no queue');
    const consumer = entry.queue.subscribe({
      ...{ tag: 'c', noAck: false, exclusive: false, priority: 0 },
      canTake: () => false,
      deliver: () => {},
      cancelled: () => {},
    });
    expect(await refusal(() => fixture.host.deleteQueue('q', { ifUnused: true }))).toBe(
      `precondition-failed: ${Q} in use`,
    );
    consumer.cancel();
    expect(await fixture.host.deleteQueue('q', { ifUnused: true })).toBe(1);
    expect(fixture.host.queue('q')).toBeUndefined();
  });

  test('leaves nothing for a new queue of the name, nor in the storage', async () => {
    const fixture = await HostFixture.start();
    const first = await fixture.declare('q');
    await fixture.bind('q', 'amq.fanout');
    fixture.publish('amq.fanout', '', 'm');
    await fixture.settled();
    await fixture.host.deleteQueue('q');
    const second = await fixture.declare('q');
    expect(fixture.publish('amq.fanout', '', 'm').routed).toBe(false);
    await fixture.settled();
    if (first.kind !== 'queue' || second.kind !== 'queue') throw new Error('they are no queues');
    expect(second.queue.logIds).not.toEqual(first.queue.logIds);
    expect(second.queue.readyCount).toBe(0);
    await fixture.clock.advance(1000);
    expect(fixture.catalog.state.deleting.size).toBe(0);
    await fixture.restart();
    expect(fixture.publish('amq.fanout', '', 'm').routed).toBe(false);
  });
});

test('a queue without use for its x-expires goes', async () => {
  const fixture = await HostFixture.start();
  await fixture.declare('q', { arguments: args({ 'x-expires': 1000 }) });
  await fixture.clock.advance(999);
  await fixture.declare('q', { arguments: args({ 'x-expires': 1000 }) });
  await fixture.clock.advance(999);
  expect(fixture.host.queue('q')).toBeDefined();
  await fixture.clock.advance(1);
  await fixture.settled();
  expect(fixture.host.queue('q')).toBeUndefined();
});

test('an auto-delete queue goes with its last consumer, not before there was one', async () => {
  const fixture = await HostFixture.start();
  const entry = await fixture.declare('q', { autoDelete: true });
  if (entry.kind !== 'queue') throw new Error('it is no queue');
  const subscribe = () =>
    entry.queue.subscribe({
      ...{ tag: 'c', noAck: false, exclusive: false, priority: 0 },
      canTake: () => true,
      deliver: () => {},
      cancelled: () => {},
    });
  const consumers = [subscribe(), subscribe()];
  consumers[0]?.cancel();
  await fixture.settled();
  expect(fixture.host.queue('q')).toBe(entry);
  consumers[1]?.cancel();
  await fixture.settled();
  expect(fixture.host.queue('q')).toBeUndefined();
});
