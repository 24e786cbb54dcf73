import {
  changeProperties,
  type MessageBytes,
  type Permitted,
  type PropertyName,
  propertyPosition,
} from '../../broker/index.ts';
import { AmqpError } from './errors.ts';
import { REPLY_TO } from './reply-to.ts';

/** Property flags of reply-to, expiration and user-id. */
const SPECIAL = 0x0200 | 0x0100 | 0x0010;

/** Users with it may say of a message that another user sent it. */
const IMPERSONATOR = 'impersonator';

/** Ten years in milliseconds. */
const MAX_EXPIRATION_MS = 315_360_000_000;

/** Whether a message has properties that publishing has to look at. Its properties were checked when they came in. */
export function needsChecks({ properties, propertiesStart }: MessageBytes): boolean {
  return (properties.readUInt16BE(propertiesStart) & SPECIAL) !== 0;
}

/** Throws `PRECONDITION_FAILED`, in RabbitMQ's words, for an expiration that is none. */
export function checkExpiration(message: MessageBytes): void {
  const expiration = shortString(message, 'expiration');
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
export function checkUserId(message: MessageBytes, user: Pick<Permitted, 'name' | 'tags'>): void {
  const claimed = shortString(message, 'userId');
  if (claimed === undefined || claimed === user.name || user.tags.includes(IMPERSONATOR)) return;
  throw new AmqpError(
    'PRECONDITION_FAILED',
    `user_id property set to '${claimed}' but authenticated user was '${user.name}'`,
  );
}

/** Whether the sender asks for replies on the channel itself. */
export function wantsDirectReply(message: MessageBytes): boolean {
  return shortString(message, 'replyTo') === REPLY_TO;
}

/** Puts another reply-to in place of the one there is. */
export function replaceReplyTo(message: MessageBytes, replyTo: string): void {
  const { properties, propertiesStart, propertiesEnd } = message;
  message.properties = changeProperties(properties, propertiesStart, propertiesEnd, { replyTo });
  message.propertiesStart = 0;
  message.propertiesEnd = message.properties.length;
}

function shortString({ properties, propertiesStart }: MessageBytes, name: PropertyName): string | undefined {
  const at = propertyPosition(properties, propertiesStart, name);
  return at < 0 ? undefined : properties.toString('utf8', at + 1, at + 1 + (properties[at] ?? 0));
}
