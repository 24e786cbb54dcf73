import { isUtf8 } from 'node:buffer';
import { markerOf, RecordMessages, type SeenRecord, sizeOf } from '../../broker/index.ts';
import { propertiesOf } from './message-properties.ts';
import type { Payload, ShownRecord } from './shapes/streams.ts';

/** Longer text is not tried to be read as JSON. */
const MAX_JSON = 256 * 1024;
/** A header that says how a record was published: where it is, the record was a message. */
const EXCHANGE_HEADER = 'exchange';

const messages = new RecordMessages({ name: '' });

/** A record for people and programs; of key, value and each header no more than so many bytes. */
export function showRecord(seen: SeenRecord, truncate: number): ShownRecord {
  const { record, batch, partition } = seen;
  const { offset, timestamp, key, value, headers } = record;
  const { producerId, producerEpoch, baseSequence, baseOffset } = batch;
  return {
    ...{ partition, offset, timestamp, timestamp_type: batch.timestampType },
    key: batch.isControl ? null : payloadOf(key, truncate),
    value: batch.isControl ? null : payloadOf(value, truncate),
    headers: headers.map(([name, content]) => ({ name, value: payloadOf(content, truncate) })),
    bytes: sizeOf(record),
    compression: batch.compression,
    leader_epoch: batch.leaderEpoch,
    producer:
      producerId < 0
        ? null
        : { id: producerId, epoch: producerEpoch, sequence: batch.isControl ? -1 : baseSequence + offset - baseOffset },
    transaction: batch.fate,
    control: controlOf(seen),
    message: messageOf(seen, truncate),
  };
}

/** About how many bytes of an answer that takes. */
export function shownBytes({ record: { key, value, headers } }: SeenRecord, truncate: number): number {
  let bytes = 400 + Math.min(key?.length ?? 0, truncate) + Math.min(value?.length ?? 0, truncate);
  for (const [name, content] of headers) bytes += 80 + name.length + Math.min(content?.length ?? 0, truncate);
  return bytes;
}

/** Bytes as text where they are that, else as base64. */
export function payloadOf(bytes: Buffer | null, truncate: number): Payload | null {
  if (bytes === null) return null;
  const { length } = bytes;
  const part = length > truncate ? bytes.subarray(0, truncate) : bytes;
  const truncated = length > truncate;
  // A character may have been cut in two.
  const text = truncated ? part.subarray(0, characterEnd(part)) : part;
  if (!isUtf8(text)) return { format: 'binary', data: part.toString('base64'), bytes: length, truncated };
  const data = text.toString();
  return { format: !truncated && isJson(data) ? 'json' : 'text', data, bytes: length, truncated };
}

/** Where the last whole character ends, if it is UTF-8. */
function characterEnd(bytes: Buffer): number {
  const { length } = bytes;
  for (let at = length - 1; at >= Math.max(0, length - 3); at--) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x80) return length;
    // The first byte of a character says how long that is.
    if (byte >= 0xc0) return at + (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > length ? at : length;
  }
  return length;
}

function isJson(text: string): boolean {
  if (text.length > MAX_JSON || !/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function controlOf(seen: SeenRecord): ShownRecord['control'] {
  const marker = markerOf(seen);
  if (marker === undefined) return null;
  if (marker === 'other') return { type: 'other', coordinator_epoch: null };
  return { type: marker.outcome, coordinator_epoch: marker.coordinatorEpoch };
}

function messageOf({ record, batch }: SeenRecord, truncate: number): ShownRecord['message'] {
  if (batch.isControl || !record.headers.some(([name]) => name === EXCHANGE_HEADER)) return null;
  const bytes = record.headers.reduce((sum, [, content]) => sum + (content?.length ?? 0), 0);
  // What is shown of a record is bounded, whatever it has.
  if (bytes > Math.max(truncate, 64 * 1024)) return null;
  const message = messages.of(record);
  return { exchange: message.exchange, routing_key: message.routingKey, properties: propertiesOf(message) };
}
