import { type Field, findField, type MessageBytes, propertyPosition } from '../messages/index.ts';
import { KEY_FIELD } from '../messages/record-headers.ts';
import { hashBytes } from './place.ts';

/** What people know a message by. Empty where it does not say. */
export interface MessageIdentity {
  readonly messageId: string;
  /** As Kafka's clients have it; text. */
  readonly key: string;
  /** W3C trace context: https://www.w3.org/TR/trace-context/. */
  readonly traceparent: string;
}

const KAFKA_KEY = Buffer.from(KEY_FIELD);
const TRACEPARENT = Buffer.from('traceparent');
/** Of the body of a message that has no id. */
const HASHED_BYTES = 64;

/** `idHeader` names a message that has no message-id. */
export function identityOf(message: MessageBytes, idHeader: Buffer): MessageIdentity {
  const messageId = shortProperty(message, 'messageId');
  if (!message.hasHeaders) return { messageId, key: '', traceparent: '' };
  return {
    messageId: messageId === '' ? headerText(message, idHeader) : messageId,
    key: headerText(message, KAFKA_KEY),
    traceparent: headerText(message, TRACEPARENT),
  };
}

/**
 * The same for a message wherever it comes by, also as a dead letter: made of its message-id, else of its body. Allocates nothing. Messages
 * without an id and with the same body are in the sample together or not at all.
 */
export function sampleHash(message: MessageBytes): number {
  const { properties, propertiesStart, body, bodyStart, bodyEnd, bodyLength } = message;
  const at = propertyPosition(properties, propertiesStart, 'messageId');
  if (at >= 0) return hashBytes(properties, at + 1, at + 1 + (properties[at] ?? 0));
  return hashBytes(body, Math.max(bodyStart, bodyEnd - HASHED_BYTES), bodyEnd, bodyLength);
}

/** The text of one of a message's headers; empty when it is not there. */
export function headerText({ properties, propertiesStart }: MessageBytes, name: Buffer): string {
  const at = propertyPosition(properties, propertiesStart, 'headers');
  if (at < 0) return '';
  return textOf(findField(properties, at + 4, at + 4 + properties.readUInt32BE(at), name));
}

function textOf(field: Field | undefined): string {
  if (field === undefined) return '';
  if (field.type === 'x') return field.value.toString();
  if (typeof field.value === 'string') return field.value;
  return typeof field.value === 'number' || typeof field.value === 'bigint' ? String(field.value) : '';
}

function shortProperty({ properties, propertiesStart }: MessageBytes, name: 'messageId'): string {
  const at = propertyPosition(properties, propertiesStart, name);
  return at < 0 ? '' : properties.toString('utf8', at + 1, at + 1 + (properties[at] ?? 0));
}
