import { isUtf8 } from 'node:buffer';
import { BrokerError } from '../../errors.ts';
import type { LogRecord } from '../../records/index.ts';
import { fieldEnd, fieldText } from './field-text.ts';
import {
  EXACT_HEADER,
  EXCHANGE_HEADER,
  findProperties,
  HEADERS_PROPERTY,
  type Headers,
  newPositions,
  ROUTING_KEY_HEADER,
  recordProperties,
} from './record-headers.ts';

const MAX_SHORT_STRING = 255;

/** A block that a record carries, and what its headers would be. */
export interface Exact {
  readonly block: Buffer;
  /** How the record's headers begin that are not the block's. */
  readonly addressHeaders: number;
  /** Whether the record's headers, key and value are those of the block. */
  readonly holds: boolean;
}

/** The last header that carries a block of properties, if one does. */
export function exactOf(record: LogRecord): Exact | undefined {
  const { headers, key, value } = record;
  for (let at = headers.length - 1; at >= 0; at--) {
    const [name, block] = headers[at] ?? ['', null];
    if (name !== EXACT_HEADER || block === null) continue;
    try {
      const stoodFor = recordProperties(block);
      const addressHeaders = hasAddress(headers) ? 2 : 0;
      const holds =
        at === headers.length - 1 &&
        isSame(key, stoodFor.key) &&
        (value === null ? stoodFor.tombstone : !stoodFor.tombstone || value.length > 0) &&
        areSame(stoodFor.headers, headers, addressHeaders, at);
      return { block, addressHeaders, holds };
    } catch (error) {
      // Somebody's own header of that name.
      if (!(error instanceof BrokerError)) throw error;
    }
  }
  return undefined;
}

function hasAddress([first, second]: LogRecord['headers']): boolean {
  return (
    first?.[0] === EXCHANGE_HEADER &&
    second?.[0] === ROUTING_KEY_HEADER &&
    isShortString(first[1]) &&
    isShortString(second[1])
  );
}

/** Text that AMQP's short strings can be. */
export function isShortString(value: Buffer | null | undefined): value is Buffer {
  return !!value && value.length <= MAX_SHORT_STRING && isUtf8(value);
}

function areSame(wanted: Headers, headers: LogRecord['headers'], from: number, to: number): boolean {
  if (wanted.length !== to - from) return false;
  for (let i = 0; i < wanted.length; i++) {
    const [name, value] = wanted[i] ?? ['', null];
    const header = headers[from + i];
    if (header === undefined || header[0] !== name || !isSame(header[1], value)) return false;
  }
  return true;
}

/** Of headers' values. */
export function isSame(one: Buffer | null, other: Buffer | null): boolean {
  return one === null || other === null ? one === other : one.equals(other);
}

/** Fields of a block by name, for those headers that nobody changed. The block is a valid one. */
export function typedFields(block: Buffer) {
  const positions = newPositions();
  findProperties(block, positions);
  const fields = new Map<string, { block: Buffer; start: number; end: number; text: Buffer | null }>();
  for (const [name, , start, end] of fieldsOf(block, positions[HEADERS_PROPERTY] ?? -1))
    fields.set(name, { block, start, end, text: fieldText(block, start, end) });
  return fields;
}

/** Each field of the table at `tableAt`: its name, where it begins, where its type stands, where it ends. */
export function* fieldsOf(
  block: Buffer,
  tableAt: number,
): Generator<readonly [string, number, number, number], void, undefined> {
  if (tableAt < 0) return;
  const limit = tableAt + 4 + block.readUInt32BE(tableAt);
  for (let at = tableAt + 4; at < limit; ) {
    const value = at + 1 + (block[at] ?? 0);
    const end = fieldEnd(block, value, limit);
    yield [block.toString('utf8', at + 1, value), at, value, end];
    at = end;
  }
}
