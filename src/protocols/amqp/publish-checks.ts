import type { MessageBytes } from '../../broker/index.ts';
import { AmqpError } from './errors.ts';
import { REPLY_TO } from './reply-to.ts';

/** Bits of the property flags, in the order of the properties (section 4.2.6.1, and the class definition of basic). */
const REPLY_TO_FLAG = 0x0200;
const EXPIRATION_FLAG = 0x0100;
const USER_ID_FLAG = 0x0010;
const SPECIAL = REPLY_TO_FLAG | EXPIRATION_FLAG | USER_ID_FLAG;

/** Ten years in milliseconds. */
const MAX_EXPIRATION_MS = 315_360_000_000;

type Kind = 'shortstr' | 'table' | 'octet' | 'timestamp';

const PROPERTIES: readonly (readonly [flag: number, kind: Kind])[] = [
  [0x8000, 'shortstr'], // content-type
  [0x4000, 'shortstr'], // content-encoding
  [0x2000, 'table'], // headers
  [0x1000, 'octet'], // delivery-mode
  [0x0800, 'octet'], // priority
  [0x0400, 'shortstr'], // correlation-id
  [REPLY_TO_FLAG, 'shortstr'],
  [EXPIRATION_FLAG, 'shortstr'],
  [0x0080, 'shortstr'], // message-id
  [0x0040, 'timestamp'],
  [0x0020, 'shortstr'], // type
  [USER_ID_FLAG, 'shortstr'],
];

/** Whether a message has properties that publishing has to look at. Its properties were checked when they came in. */
export function needsChecks({ properties, propertiesStart }: MessageBytes): boolean {
  return (properties.readUInt16BE(propertiesStart) & SPECIAL) !== 0;
}

/** Throws `PRECONDITION_FAILED`, in RabbitMQ's words, for an expiration that is none. */
export function checkExpiration(message: MessageBytes): void {
  const expiration = shortString(message, EXPIRATION_FLAG);
  if (expiration === undefined) return;
  const why = wrongWithExpiration(expiration);
  if (why !== undefined) throw new AmqpError('PRECONDITION_FAILED', `invalid expiration '${expiration}': ${why}`);
}

function wrongWithExpiration(expiration: string): string | undefined {
  const [digits] = /^[+-]?\d+/.exec(expiration) ?? [];
  if (digits === undefined) return 'no_integer';
  if (digits.length < expiration.length) return `{leftover_string,${JSON.stringify(expiration.slice(digits.length))}}`;
  const value = Number(digits);
  if (value < 0) return `{value_negative,${digits}}`;
  return value > MAX_EXPIRATION_MS ? `{value_too_large,${digits}}` : undefined;
}

/** Throws `PRECONDITION_FAILED` for a message that says that it is another user's. */
export function checkUserId(
  message: MessageBytes,
  user: { readonly name: string; readonly tags: readonly string[] },
): void {
  const claimed = shortString(message, USER_ID_FLAG);
  if (claimed === undefined || claimed === user.name || user.tags.includes('impersonator')) return;
  throw new AmqpError(
    'PRECONDITION_FAILED',
    `user_id property set to '${claimed}' but authenticated user was '${user.name}'`,
  );
}

/** Whether the sender asks for replies on the channel itself. */
export function wantsDirectReply(message: MessageBytes): boolean {
  return shortString(message, REPLY_TO_FLAG) === REPLY_TO;
}

/** Puts another reply-to in place of the one there is. */
export function replaceReplyTo(message: MessageBytes, replyTo: string): void {
  const { properties, propertiesStart, propertiesEnd } = message;
  const at = position(message, REPLY_TO_FLAG);
  const after = at + 1 + (properties[at] ?? 0);
  const text = Buffer.from(replyTo);
  const replaced = Buffer.concat([
    properties.subarray(propertiesStart, at),
    Buffer.of(text.length),
    text,
    properties.subarray(after, propertiesEnd),
  ]);
  message.properties = replaced;
  message.propertiesStart = 0;
  message.propertiesEnd = replaced.length;
}

function shortString(message: MessageBytes, flag: number): string | undefined {
  const at = position(message, flag);
  if (at < 0) return undefined;
  const { properties } = message;
  return properties.toString('utf8', at + 1, at + 1 + (properties[at] ?? 0));
}

/** Where a property's value begins; -1 when it is not there. */
function position({ properties, propertiesStart }: MessageBytes, wanted: number): number {
  const flags = properties.readUInt16BE(propertiesStart);
  if ((flags & wanted) === 0) return -1;
  let at = propertiesStart + 2;
  for (const [flag, kind] of PROPERTIES) {
    if (flag === wanted) break;
    if ((flags & flag) === 0) continue;
    if (kind === 'shortstr') at += 1 + (properties[at] ?? 0);
    else if (kind === 'table') at += 4 + properties.readUInt32BE(at);
    else at += kind === 'octet' ? 1 : 8;
  }
  return at;
}
