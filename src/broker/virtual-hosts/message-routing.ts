import { BrokerError } from '../../errors.ts';
import { type Field, findField, type MessageBytes, propertyPosition } from '../messages/index.ts';
import { erlangType } from '../routing/erlang-text.ts';

/*
 * What a message's headers say about where it goes, and when.
 */

export const CC = 'CC';
export const BCC = 'BCC';
export const DELAY = 'x-delay';

const CC_NAME = Buffer.from(CC);
const BCC_NAME = Buffer.from(BCC);
const DELAY_NAME = Buffer.from(DELAY);

/** 2^32 - 1, as in RabbitMQ's plugin for it. */
const MAX_DELAY_MS = 0xffff_ffff;

/** Routing keys besides its own, from one of its headers. */
export interface ExtraKeys {
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
}

/** Undefined when there is neither header. Throws `precondition-failed`, in RabbitMQ's words, when one is no array. */
export function extraKeys(message: MessageBytes): ExtraKeys | undefined {
  const cc = headerOf(message, CC_NAME);
  const bcc = headerOf(message, BCC_NAME);
  if (cc === undefined && bcc === undefined) return undefined;
  return { cc: keysIn(CC, cc), bcc: keysIn(BCC, bcc) };
}

/** Milliseconds that the message asks to be held back; 0 when it does not, or for longer than can be. */
export function delayOf(message: MessageBytes): number {
  const field = headerOf(message, DELAY_NAME);
  if (field === undefined) return 0;
  const delay = typeof field.value === 'object' ? Number.NaN : Math.trunc(Number(field.value));
  return delay > 0 && delay <= MAX_DELAY_MS ? delay : 0;
}

function headerOf(message: MessageBytes, name: Buffer): Field | undefined {
  const { properties, propertiesStart } = message;
  const at = propertyPosition(properties, propertiesStart, 'headers');
  if (at < 0) return undefined;
  return findField(properties, at + 4, at + 4 + properties.readUInt32BE(at), name);
}

function keysIn(name: string, field: Field | undefined): readonly string[] {
  if (field === undefined) return [];
  if (field.type !== 'A')
    throw new BrokerError(
      'precondition-failed',
      `invalid message: {unacceptable_type_in_header,"${name}",${erlangType(field)}}`,
    );
  // Elements of other types are passed over, as in RabbitMQ.
  return field.value.flatMap((element) => (element.type === 'S' ? [element.value] : []));
}
