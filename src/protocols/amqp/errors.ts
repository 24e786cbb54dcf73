import { BrokerError, type ErrorCode } from '../../errors.ts';
import { CodecError } from './codec/index.ts';

/** Reply codes of section 1.2 of the specification, by name. A hard one closes the connection, a soft one the channel. */
export const REPLIES = {
  CONTENT_TOO_LARGE: { code: 311, hard: false },
  NO_ROUTE: { code: 312, hard: false },
  CONNECTION_FORCED: { code: 320, hard: true },
  ACCESS_REFUSED: { code: 403, hard: false },
  NOT_FOUND: { code: 404, hard: false },
  RESOURCE_LOCKED: { code: 405, hard: false },
  PRECONDITION_FAILED: { code: 406, hard: false },
  FRAME_ERROR: { code: 501, hard: true },
  SYNTAX_ERROR: { code: 502, hard: true },
  COMMAND_INVALID: { code: 503, hard: true },
  CHANNEL_ERROR: { code: 504, hard: true },
  UNEXPECTED_FRAME: { code: 505, hard: true },
  RESOURCE_ERROR: { code: 506, hard: true },
  NOT_ALLOWED: { code: 530, hard: true },
  NOT_IMPLEMENTED: { code: 540, hard: true },
  INTERNAL_ERROR: { code: 541, hard: true },
} as const;

export type ReplyName = keyof typeof REPLIES;

/** What a client did wrong in AMQP's own terms, for which the broker below has no word. */
export class AmqpError extends Error {
  readonly reply: ReplyName;

  constructor(reply: ReplyName, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'AmqpError';
    this.reply = reply;
  }
}

/** The broker's codes in AMQP's, as RabbitMQ answers in the same case. */
const BROKER_REPLIES: Readonly<Record<ErrorCode, ReplyName>> = {
  'invalid-argument': 'COMMAND_INVALID',
  'not-found': 'NOT_FOUND',
  'already-exists': 'PRECONDITION_FAILED',
  'offset-out-of-range': 'PRECONDITION_FAILED',
  'invalid-record': 'PRECONDITION_FAILED',
  'corrupt-message': 'PRECONDITION_FAILED',
  'message-too-large': 'PRECONDITION_FAILED',
  unsupported: 'NOT_IMPLEMENTED',
  'unsupported-compression': 'PRECONDITION_FAILED',
  'limit-exceeded': 'PRECONDITION_FAILED',
  'not-authorized': 'ACCESS_REFUSED',
  'access-refused': 'ACCESS_REFUSED',
  'not-allowed': 'NOT_ALLOWED',
  'precondition-failed': 'PRECONDITION_FAILED',
  'resource-locked': 'RESOURCE_LOCKED',
  'out-of-order-sequence': 'PRECONDITION_FAILED',
  'producer-fenced': 'PRECONDITION_FAILED',
  'invalid-timestamp': 'PRECONDITION_FAILED',
  'invalid-transaction-state': 'PRECONDITION_FAILED',
  'not-in-transaction': 'PRECONDITION_FAILED',
  'concurrent-transactions': 'PRECONDITION_FAILED',
  'unknown-producer-id': 'PRECONDITION_FAILED',
  'invalid-transaction-timeout': 'PRECONDITION_FAILED',
  'no-such-transaction': 'NOT_FOUND',
  'coordinator-fenced': 'INTERNAL_ERROR',
  'unstable-offset': 'PRECONDITION_FAILED',
  'invalid-configuration': 'PRECONDITION_FAILED',
  'storage-failed': 'RESOURCE_ERROR',
  'storage-full': 'RESOURCE_ERROR',
  'storage-damaged': 'RESOURCE_ERROR',
  fenced: 'RESOURCE_ERROR',
  closed: 'CONNECTION_FORCED',
  internal: 'INTERNAL_ERROR',
  'unknown-member': 'INTERNAL_ERROR',
  'illegal-generation': 'INTERNAL_ERROR',
  'rebalance-in-progress': 'INTERNAL_ERROR',
  'inconsistent-group-protocol': 'INTERNAL_ERROR',
  'fenced-instance': 'INTERNAL_ERROR',
  'invalid-group': 'INTERNAL_ERROR',
  'invalid-session-timeout': 'INTERNAL_ERROR',
  'group-not-empty': 'INTERNAL_ERROR',
  'group-max-size': 'INTERNAL_ERROR',
  'group-subscribed-to-topic': 'INTERNAL_ERROR',
  'stale-member-epoch': 'INTERNAL_ERROR',
  'fenced-member-epoch': 'INTERNAL_ERROR',
  'unreleased-instance': 'INTERNAL_ERROR',
  'unsupported-assignor': 'INTERNAL_ERROR',
  'invalid-regular-expression': 'INTERNAL_ERROR',
  'invalid-record-state': 'INTERNAL_ERROR',
};

/** What `connection.close` and `channel.close` say. */
export interface Refusal {
  readonly code: number;
  /** At most 255 bytes: a short string. */
  readonly text: string;
  /** It closes the connection. */
  readonly hard: boolean;
  /** The broker is to blame, and the log has to say why: the client is not told. */
  readonly ours: boolean;
}

/** What a client is told of whatever was thrown. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof AmqpError || error instanceof CodecError) return refusal(error.reply, error.message, false);
  if (error instanceof BrokerError && error.code !== 'internal')
    return refusal(BROKER_REPLIES[error.code], error.message, false);
  return refusal('INTERNAL_ERROR', '', true);
}

function refusal(name: ReplyName, message: string, ours: boolean): Refusal {
  const { code, hard } = REPLIES[name];
  return { code, text: shortText(message === '' ? name : `${name} - ${message}`), hard, ours };
}

const MAX_SHORT_STRING_BYTES = 255;

/** As much of a text as a short string holds. */
export function shortText(text: string): string {
  if (Buffer.byteLength(text) <= MAX_SHORT_STRING_BYTES) return text;
  let end = Math.min(text.length, MAX_SHORT_STRING_BYTES);
  while (Buffer.byteLength(text.slice(0, end)) > MAX_SHORT_STRING_BYTES) end--;
  // Half of a surrogate pair is no character.
  const last = text.charCodeAt(end - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end);
}
