import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BrokerError } from '../../errors.ts';
import { AmqpError, refusalOf, shortText } from './errors.ts';

test('a broker error is told by its reply code, name and text', () => {
  expect(refusalOf(new BrokerError('not-found', "no queue 'q' in vhost '/'"))).toEqual({
    code: 404,
    text: "NOT_FOUND - no queue 'q' in vhost '/'",
    hard: false,
    ours: false,
  });
});

test('a protocol error closes the connection', () => {
  expect(refusalOf(new AmqpError('CHANNEL_ERROR', "expected 'channel.open'"))).toMatchObject({ code: 504, hard: true });
});

test('what the broker did wrong is not told in words', () => {
  expect(refusalOf(new TypeError('secret'))).toEqual({ code: 541, text: 'INTERNAL_ERROR', hard: true, ours: true });
  expect(refusalOf(new BrokerError('internal', 'secret'))).toMatchObject({ text: 'INTERNAL_ERROR', ours: true });
});

test('a text is cut to what a short string holds, between characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      const short = shortText(text);
      expect(Buffer.byteLength(short)).toBeLessThanOrEqual(255);
      expect(text.startsWith(short)).toBe(true);
      expect(Buffer.from(short).toString()).toBe(short);
      if (Buffer.byteLength(text) <= 255) expect(short).toBe(text);
      else expect(Buffer.byteLength(short)).toBeGreaterThan(250);
    }),
  );
});
