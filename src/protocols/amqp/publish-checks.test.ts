import { expect, test } from 'vitest';
import { MessageBytes } from '../../broker/index.ts';
import { checkExpiration, checkUserId, needsChecks, replaceReplyTo, wantsDirectReply } from './publish-checks.ts';
import { REPLY_TO } from './reply-to.ts';

const shortString = (text: string) => Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text)]);
const table = (bytes: number) => Buffer.concat([Buffer.of(0, 0, 0, bytes), Buffer.alloc(bytes)]);

/** A message with the given properties, in order. */
function message(flags: number, ...values: readonly Buffer[]): MessageBytes {
  const properties = Buffer.concat([Buffer.from('before'), Buffer.of(flags >>> 8, flags & 0xff), ...values]);
  const made = new MessageBytes();
  made.properties = properties;
  made.propertiesStart = 6;
  made.propertiesEnd = properties.length;
  return made;
}

const EXPIRATION = 0x0100;

test('only reply-to, expiration and user-id have to be looked at', () => {
  expect(needsChecks(message(0xf800, shortString('a'), shortString('b'), table(4), Buffer.of(2), Buffer.of(1)))).toBe(
    false,
  );
  for (const flag of [0x0200, 0x0100, 0x0010]) expect(needsChecks(message(flag, shortString('1')))).toBe(true);
});

test.each([
  ['', 'no_integer'],
  ['soon', 'no_integer'],
  ['12s', '{leftover_string,"s"}'],
  ['-1', '{value_negative,-1}'],
  ['315360000001', '{value_too_large,315360000001}'],
])("an expiration of '%s' is refused as RabbitMQ refuses it", (expiration, why) => {
  expect(() => checkExpiration(message(EXPIRATION, shortString(expiration)))).toThrow(
    `invalid expiration '${expiration}': ${why}`,
  );
});

test('an expiration that is one, or none, is fine', () => {
  for (const each of ['0', '60000', '315360000000']) checkExpiration(message(EXPIRATION, shortString(each)));
  checkExpiration(message(0));
});

test('a message says that it is its own user, or nobody', () => {
  const claims = (name: string) => message(0x4010, shortString('gzip'), shortString(name));
  const alice = { name: 'alice', tags: [] };
  checkUserId(claims('alice'), alice);
  checkUserId(message(0), alice);
  checkUserId(claims('bob'), { name: 'alice', tags: ['impersonator'] });
  expect(() => checkUserId(claims('bob'), alice)).toThrow(
    "user_id property set to 'bob' but authenticated user was 'alice'",
  );
});

test('a reply-to is replaced where it stands', () => {
  const asks = message(0x2780, table(3), shortString('id'), shortString(REPLY_TO), shortString('9'), shortString('m'));
  expect(wantsDirectReply(asks)).toBe(true);
  replaceReplyTo(asks, 'elsewhere');
  expect(wantsDirectReply(asks)).toBe(false);
  const expected = message(
    0x2780,
    table(3),
    shortString('id'),
    shortString('elsewhere'),
    shortString('9'),
    shortString('m'),
  );
  expect(asks.properties.subarray(asks.propertiesStart, asks.propertiesEnd)).toEqual(
    expected.properties.subarray(expected.propertiesStart, expected.propertiesEnd),
  );
});
