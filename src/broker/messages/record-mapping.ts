import { isUtf8 } from 'node:buffer';
import { BrokerError } from '../../errors.ts';
import type { LogRecord, NewRecord } from '../../records/index.ts';
import type { MessageBytes } from './message-bytes.ts';
import {
  EXACT_HEADER,
  EXCHANGE_HEADER,
  type Headers,
  type RecordProperties,
  ROUTING_KEY_HEADER,
  recordProperties,
} from './record-headers.ts';
import { RecordMessages } from './record-messages.ts';

/** A record made of a message. Its buffers are its own. */
export interface MessageRecord extends NewRecord {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Headers;
  /** About what it takes in a batch. */
  readonly bytes: number;
}

/** How far from now a message may say that it was made, in milliseconds. */
export interface TimestampBounds {
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
}

const NO_BOUNDS: TimestampBounds = {
  timestampBeforeMaxMs: Number.POSITIVE_INFINITY,
  timestampAfterMaxMs: Number.POSITIVE_INFINITY,
};
/** Who is further ahead than this does not count in seconds, and would keep retention from ever removing anything. */
const MAX_AHEAD_MS = 3_600_000;
/** Bytes of a record beside key, value and headers, and of a header beside name and value; at most. */
const RECORD_OVERHEAD = 32;
const HEADER_OVERHEAD = 8;

const trial = new RecordMessages({ name: '' });

/**
 * A published message as a record, as docs/message-mapping.md says. `now` is in milliseconds since the epoch. Throws
 * `invalid-argument` for properties that are none.
 */
export function recordOf(message: MessageBytes, now: number, bounds = NO_BOUNDS): MessageRecord {
  // One buffer for all that it keeps: the message's own are reused.
  const { address, addressStart, addressEnd, properties, propertiesStart, propertiesEnd } = message;
  const blockAt = addressEnd - addressStart;
  const valueAt = blockAt + propertiesEnd - propertiesStart;
  const bytes = Buffer.allocUnsafe(valueAt + message.bodyLength);
  address.copy(bytes, 0, addressStart, addressEnd);
  properties.copy(bytes, blockAt, propertiesStart, propertiesEnd);
  message.body.copy(bytes, valueAt, message.bodyStart, message.bodyEnd);
  const block = bytes.subarray(blockAt, valueAt);
  const body = bytes.subarray(valueAt);

  const headers: Headers = addressHeaders(bytes);
  const said = propertiesOf(block, headers);
  const timestamp = timestampOf(said.timestamp, now, bounds);
  const value = said.tombstone && body.length === 0 ? null : body;
  if (!isExact(said, block, { offset: 0, timestamp, key: said.key, value, headers }))
    headers.push([EXACT_HEADER, block]);
  return { timestamp, key: said.key, value, headers, bytes: sizeOf(said.key, value, headers) };
}

function addressHeaders(address: Buffer): Headers {
  const keyAt = 1 + (address[0] ?? 0);
  return [
    [EXCHANGE_HEADER, address.subarray(1, keyAt)],
    [ROUTING_KEY_HEADER, address.subarray(keyAt + 1, keyAt + 1 + (address[keyAt] ?? 0))],
  ];
}

function propertiesOf(block: Buffer, headers: Headers): RecordProperties {
  try {
    return recordProperties(block, headers);
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    throw new BrokerError('invalid-argument', error.message, { cause: error });
  }
}

/** Whether the record gives back the properties that it was made of. */
function isExact({ exact }: RecordProperties, block: Buffer, record: LogRecord): boolean {
  if (exact !== 'perhaps') return exact === 'yes';
  const { properties, propertiesStart, propertiesEnd } = trial.of(record);
  return block.equals(properties.subarray(propertiesStart, propertiesEnd));
}

function timestampOf(seconds: bigint | undefined, now: number, bounds: TimestampBounds): number {
  if (seconds === undefined) return now;
  const said = Number(seconds);
  // The publisher's second is this one: then milliseconds are worth more.
  if (said === Math.floor(now / 1000)) return now;
  const time = said * 1000;
  const after = Math.min(bounds.timestampAfterMaxMs, MAX_AHEAD_MS);
  return time - now > after || now - time > bounds.timestampBeforeMaxMs ? now : time;
}

function sizeOf(key: Buffer | null, value: Buffer | null, headers: Headers): number {
  let bytes = RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of headers) bytes += HEADER_OVERHEAD + name.length * 3 + (content?.length ?? 0);
  return bytes;
}

/** The text of a record's header; undefined when it is not there just once, or not text. */
export function headerText(headers: LogRecord['headers'], wanted: string): string | undefined {
  let text: string | undefined;
  for (const [name, value] of headers) {
    if (name !== wanted) continue;
    if (text !== undefined || value === null || !isUtf8(value)) return undefined;
    text = value.toString();
  }
  return text;
}
