import { expect, test } from 'vitest';
import { array, encodeProperties, type Field, long, longString, MessageBytes, table } from '../messages/index.ts';
import { deadLetterOf } from './dead-letter.ts';
import { deathTrail } from './death-trail.ts';

const NO_BODY = Buffer.alloc(0);
const plain = (headers?: ReadonlyMap<string, Field>) =>
  MessageBytes.of('x', 'k', encodeProperties(headers === undefined ? {} : { headers }), NO_BODY);

test('what a queue writes into a dead letter is read again', () => {
  const death = { queue: 'first', reason: 'rejected', now: 5000, exchange: 'dlx', routingKey: undefined } as const;
  const once = deadLetterOf(plain(), death).message;
  const twice = deadLetterOf(once, { ...death, queue: 'second', reason: 'expired', now: 9000 }).message;
  const again = deadLetterOf(twice, { ...death, now: 12_000 }).message;
  expect(deathTrail(again)).toEqual({
    deaths: [
      { queue: 'first', reason: 'rejected', count: 2, time: 5000, exchange: 'x', routingKeys: ['k'] },
      { queue: 'second', reason: 'expired', count: 1, time: 9000, exchange: 'dlx', routingKeys: ['k'] },
    ],
    first: { queue: 'first', reason: 'rejected', exchange: 'x' },
    last: { queue: 'first', reason: 'rejected', exchange: 'dlx' },
  });
});

test('what says of no death has no trail, whatever clients write there', () => {
  expect(deathTrail(plain())).toBeUndefined();
  expect(deathTrail(plain(new Map([['x-death', longString('text')]])))).toBeUndefined();
  expect(deathTrail(plain(new Map([['x-death', array([long(1)])]])))).toBeUndefined();
  const odd = table(
    new Map<string, Field>([
      ['queue', long(1)],
      ['count', longString('many')],
    ]),
  );
  expect(deathTrail(plain(new Map([['x-death', array([odd])]])))).toEqual({
    deaths: [{ queue: '', reason: '', count: 1, time: undefined, exchange: '', routingKeys: [] }],
    ...{ first: undefined, last: undefined },
  });
});
