import { describe, expect, test } from 'vitest';
import { EMPTY_TABLE } from '../messages/index.ts';
import { DEFAULT_QUEUE_SETTINGS } from '../queues/settings.ts';
import { DEFAULT_DELIVERY_LIMIT, queueSettings } from './effective-settings.ts';
import { args, HostFixture, refusal } from './fixture.contract.ts';
import { type Policy, PolicyBook, type PolicyTarget } from './policy.ts';

function policy(name: string, more: Partial<Policy> = {}): Policy {
  return { name, pattern: '.*', applyTo: 'all', priority: 0, definition: { 'max-length': 1 }, ...more };
}

describe('which policy applies', () => {
  const queue: PolicyTarget = { kind: 'queue', name: 'orders', type: 'classic' };
  test.each<[what: string, policies: Policy[], target: PolicyTarget, applies: string | undefined]>([
    ['none matches', [policy('p', { pattern: '^x' })], queue, undefined],
    ['a part matches', [policy('p', { pattern: 'der' })], queue, 'p'],
    ['the highest of several', [policy('a', { priority: 1 }), policy('b', { priority: 2 })], queue, 'b'],
    ['for exchanges only', [policy('p', { applyTo: 'exchanges' })], queue, undefined],
    ['for queues only', [policy('p', { applyTo: 'queues' })], { kind: 'exchange', name: 'orders' }, undefined],
    ['for another kind of queue', [policy('p', { applyTo: 'quorum_queues' })], queue, undefined],
    ['for its kind of queue', [policy('p', { applyTo: 'classic_queues' })], queue, 'p'],
    [
      'for streams',
      [policy('p', { applyTo: 'streams', definition: { 'max-age': '1D' } })],
      { kind: 'queue', name: 's', type: 'stream' },
      'p',
    ],
    [
      'one with what this kind cannot do does not',
      [policy('p', { definition: { 'max-age': '1h' } })],
      queue,
      undefined,
    ],
    [
      'the next one does then',
      [policy('a', { priority: 9, definition: { 'delivery-limit': 1 } }), policy('b')],
      queue,
      'b',
    ],
  ])('%s', (_what, policies, target, applies) => {
    const book = new PolicyBook();
    for (const each of policies) book.set(each);
    expect(book.match(target)?.name).toBe(applies);
  });
});

describe('with the arguments', () => {
  test.each<
    [
      what: string,
      type: 'classic' | 'quorum',
      given: Parameters<typeof args>[0],
      definition: Policy['definition'],
      expected: object,
    ]
  >([
    ['nothing', 'classic', {}, {}, {}],
    [
      'arguments alone',
      'classic',
      { 'x-message-ttl': 5, 'x-max-priority': 9, 'x-single-active-consumer': true, 'x-dead-letter-exchange': '' },
      {},
      { messageTtlMs: 5, maxPriority: 9, singleActiveConsumer: true, deadLetterExchange: '' },
    ],
    [
      'the policy alone',
      'classic',
      {},
      {
        'message-ttl': 5,
        expires: 6,
        'max-length': 7,
        'max-length-bytes': 8,
        overflow: 'reject-publish',
        'dead-letter-exchange': 'd',
        'dead-letter-routing-key': 'k',
      },
      {
        messageTtlMs: 5,
        expiresMs: 6,
        maxLength: 7,
        maxLengthBytes: 8,
        overflow: 'reject-publish',
        deadLetterExchange: 'd',
        deadLetterRoutingKey: 'k',
      },
    ],
    [
      'of two limits the narrower',
      'classic',
      { 'x-message-ttl': 5, 'x-max-length': 10, 'x-expires': 7 },
      { 'message-ttl': 6, 'max-length': 9, expires: 7 },
      { messageTtlMs: 5, maxLength: 9, expiresMs: 7 },
    ],
    [
      'else the argument',
      'classic',
      { 'x-overflow': 'drop-head', 'x-dead-letter-exchange': 'a', 'x-dead-letter-routing-key': 'k' },
      { overflow: 'reject-publish', 'dead-letter-exchange': 'b', 'dead-letter-routing-key': 'l' },
      { overflow: 'drop-head', deadLetterExchange: 'a', deadLetterRoutingKey: 'k' },
    ],
    ['a delivery limit by default', 'quorum', {}, {}, { deliveryLimit: DEFAULT_DELIVERY_LIMIT }],
    ['a delivery limit', 'quorum', { 'x-delivery-limit': 5 }, { 'delivery-limit': 3 }, { deliveryLimit: 3 }],
    ['no delivery limit', 'quorum', { 'x-delivery-limit': -1 }, {}, { deliveryLimit: undefined }],
    ['a limit rather than none', 'quorum', { 'x-delivery-limit': -1 }, { 'delivery-limit': 3 }, { deliveryLimit: 3 }],
  ])('%s', (_what, type, given, definition, expected) => {
    expect(queueSettings(type, args(given), policy('p', { definition }))).toEqual({
      ...DEFAULT_QUEUE_SETTINGS,
      ...expected,
    });
  });
});

describe('what cannot be set', () => {
  test.each<[more: Partial<Policy>, text: string]>([
    [{ name: '' }, 'a policy needs a name'],
    [{ pattern: '(' }, "'(' is not a regular expression"],
    [{ applyTo: 'bogus' as 'all' }, "apply-to 'bogus' unrecognised"],
    [{ priority: 1.5 }, 'priority should be a whole number'],
    [{ definition: {} }, 'no policy provided'],
    [{ definition: { bogus: 1 } }, "'bogus' is not a recognised policy setting"],
    [{ definition: { toString: 1 } as never }, "'toString' is not a recognised policy setting"],
    [{ definition: { 'message-ttl': -1 } }, '-1 is not a valid message TTL'],
    [{ definition: { expires: 0 } }, '0 is not a valid queue expiry'],
    [{ definition: { overflow: 'x' } }, '"x" is not a valid overflow value'],
    [{ definition: { 'max-age': '1w' } }, '"1w" is not a valid max age'],
  ])('%j', async (more, text) => {
    const fixture = await HostFixture.start();
    expect(await refusal(() => fixture.host.setPolicy(policy('p', more)))).toMatch(`invalid-argument: ${text}`);
  });
});

describe('set and deleted', () => {
  test('it applies to the queues that there are and that come', async () => {
    const fixture = await HostFixture.start();
    const entry = await fixture.declare('q', { arguments: args({ 'x-max-length': 10 }) });
    const limits = () =>
      [...fixture.host.queues()].map((each) => each.kind === 'queue' && each.queue.settings.maxLength);
    await fixture.host.setPolicy(policy('p', { definition: { 'max-length': 5 } }));
    await fixture.declare('r');
    expect(limits()).toEqual([5, 5]);
    expect(entry.policy?.name).toBe('p');
    await fixture.host.setPolicy(policy('p', { definition: { 'max-length': 20 } }));
    expect(limits()).toEqual([10, 20]);
    await fixture.restart();
    expect(limits()).toEqual([10, 20]);
    await fixture.host.deletePolicy('p');
    expect(limits()).toEqual([10, undefined]);
    expect(await refusal(() => fixture.host.deletePolicy('p'))).toMatch('not-found');
  });

  test('it drops what is too much at once', async () => {
    const fixture = await HostFixture.start();
    await fixture.declare('q');
    for (const body of ['a', 'b', 'c']) fixture.publish('', 'q', body);
    await fixture.settled();
    await fixture.host.setPolicy(policy('p', { definition: { 'max-length': 1 } }));
    expect(await fixture.bodies('q')).toEqual(['c']);
  });

  test('it gives exchanges an alternate, unless they were declared with one', async () => {
    const fixture = await HostFixture.start();
    await fixture.declare('q');
    await fixture.declare('own');
    await fixture.exchange('x', 'direct');
    await fixture.exchange('y', 'direct', { arguments: args({ 'alternate-exchange': 'amq.direct' }) });
    await fixture.bind('q', 'amq.fanout');
    await fixture.bind('own', 'amq.direct', 'k');
    await fixture.host.setPolicy(
      policy('p', { pattern: '^[xy]$', definition: { 'alternate-exchange': 'amq.fanout' } }),
    );
    fixture.publish('x', 'k', 'x');
    fixture.publish('y', 'k', 'y');
    await fixture.host.deletePolicy('p');
    expect(fixture.publish('x', 'k', 'z').routed).toBe(false);
    expect(await fixture.bodies('q')).toEqual(['x']);
    expect(await fixture.bodies('own')).toEqual(['y']);
    expect(fixture.host.exchange('x')).toMatchObject({ policy: undefined, arguments: EMPTY_TABLE });
  });
});
