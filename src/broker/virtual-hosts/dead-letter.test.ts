import { describe, expect, test } from 'vitest';
import {
  array,
  encodeProperties,
  type Field,
  longString,
  MessageBytes,
  type Properties,
  plainTable,
} from '../messages/index.ts';
import { type Death, deadLetterOf, isCycle } from './dead-letter.ts';
import { seenMessage } from './fixture.contract.ts';

const DEATH: Death = { queue: 'q', reason: 'rejected', now: 1_700_000_000_999, exchange: 'dlx', routingKey: undefined };

function message(properties: Properties = {}, exchange = 'x', key = 'k') {
  return MessageBytes.of(exchange, key, encodeProperties(properties), Buffer.from('body'));
}

/** The dead letter, and its headers as plain values. */
function letterOf(of: MessageBytes, death: Partial<Death> = {}) {
  const letter = deadLetterOf(of, { ...DEATH, ...death });
  const seen = seenMessage(letter.message);
  return { ...letter, seen, headers: plainTable(seen.properties.headers ?? new Map()) };
}

test('says where, why, when and how often a message died', () => {
  const { seen, headers, routingKeys } = letterOf(message({ correlationId: 'c' }));
  expect(headers).toEqual({
    'x-death': [
      { count: 1, exchange: 'x', queue: 'q', reason: 'rejected', 'routing-keys': ['k'], time: 1_700_000_000 },
    ],
    'x-first-death-exchange': 'x',
    'x-first-death-queue': 'q',
    'x-first-death-reason': 'rejected',
    'x-last-death-exchange': 'x',
    'x-last-death-queue': 'q',
    'x-last-death-reason': 'rejected',
  });
  expect(seen).toMatchObject({ body: 'body', exchange: 'dlx', routingKey: 'k', properties: { correlationId: 'c' } });
  expect(routingKeys).toEqual(['k']);
});

test('types are those that clients of RabbitMQ know', () => {
  const [death] = letterOf(message()).deaths;
  if (death?.type !== 'F') throw new Error('it is no table');
  expect(Object.fromEntries([...death.value].map(([name, { type }]) => [name, type]))).toEqual({
    ...{ count: 'l', exchange: 'S', queue: 'S', reason: 'S', 'routing-keys': 'A', time: 'T' },
  });
});

test('counts by queue and reason, the latest death first, and remembers the first', () => {
  let current = message();
  const die = (queue: string, reason: Death['reason']) => {
    current = letterOf(current, { queue, reason }).message;
  };
  die('a', 'expired');
  die('b', 'rejected');
  die('a', 'rejected');
  die('a', 'expired');
  const { headers } = letterOf(current, { queue: 'b', reason: 'rejected', now: 0 });
  expect(headers['x-death']).toMatchObject([
    { queue: 'b', reason: 'rejected', count: 2, time: 1_700_000_000 },
    { queue: 'a', reason: 'expired', count: 2, exchange: 'x' },
    { queue: 'a', reason: 'rejected', count: 1, exchange: 'dlx' },
  ]);
  expect(headers).toMatchObject({
    ...{ 'x-first-death-queue': 'a', 'x-first-death-reason': 'expired', 'x-first-death-exchange': 'x' },
    ...{ 'x-last-death-queue': 'b', 'x-last-death-reason': 'rejected', 'x-last-death-exchange': 'dlx' },
  });
});

test('does not expire again, and tells when it would have', () => {
  const { seen, headers } = letterOf(message({ expiration: '100' }), { reason: 'expired' });
  expect(seen.properties.expiration).toBeUndefined();
  expect(headers['x-death']).toMatchObject([{ 'original-expiration': '100', reason: 'expired' }]);
});

describe('copies', () => {
  const copied = () => message({ headers: new Map([['CC', array([longString('c1'), longString('c2')])]]) });

  test('go along where the routing key stays', () => {
    const { headers, routingKeys } = letterOf(copied());
    expect(routingKeys).toEqual(['k', 'c1', 'c2']);
    expect(headers).toMatchObject({ CC: ['c1', 'c2'], 'x-death': [{ 'routing-keys': ['k', 'c1', 'c2'] }] });
  });

  test('do not where it is replaced', () => {
    const { seen, headers, routingKeys } = letterOf(copied(), { routingKey: 'other' });
    expect(routingKeys).toEqual(['other']);
    expect(seen.routingKey).toBe('other');
    expect(headers['CC']).toBeUndefined();
    expect(headers['x-death']).toMatchObject([{ 'routing-keys': ['k', 'c1', 'c2'] }]);
  });
});

test('begins anew where a client made something else of x-death', () => {
  const { headers } = letterOf(message({ headers: new Map([['x-death', longString('[object Object]')]]) }));
  expect(headers['x-death']).toMatchObject([{ count: 1, queue: 'q' }]);
});

describe('going in circles', () => {
  const deaths = (...list: [queue: string, reason: Death['reason']][]) =>
    list.reverse().reduce<readonly Field[]>((before, [queue, reason]) => {
      const headers = new Map<string, Field>([['x-death', array(before)]]);
      return letterOf(message({ headers }), { queue, reason }).deaths;
    }, []);

  test.each<[is: boolean, what: string, queue: string, list: [string, Death['reason']][]]>([
    [true, 'back to the queue that it expired in', 'a', [['a', 'expired']]],
    [
      true,
      'back by way of another',
      'a',
      [
        ['b', 'maxlen'],
        ['a', 'expired'],
      ],
    ],
    [
      false,
      'to a queue that it was not in',
      'c',
      [
        ['b', 'maxlen'],
        ['a', 'expired'],
      ],
    ],
    [
      false,
      'where somebody rejected it on the way',
      'a',
      [
        ['b', 'rejected'],
        ['a', 'expired'],
      ],
    ],
    [
      false,
      'where somebody rejected it there',
      'a',
      [
        ['b', 'expired'],
        ['a', 'rejected'],
      ],
    ],
    [
      true,
      'where it was rejected only before',
      'a',
      [
        ['a', 'expired'],
        ['b', 'rejected'],
      ],
    ],
  ])('%s: %s', (is, _what, queue, list) => {
    expect(isCycle(queue, deaths(...list))).toBe(is);
  });
});
