import { BrokerError } from '../../errors.ts';
import type { Field, FieldTable } from './field.ts';

export type { Field, FieldTable, FieldType } from './field.ts';

/*
 * Field tables as bytes (AMQP 0-9-1, section 4.2.5.5, with the types of RabbitMQ's errata page):
 *
 *   table => length:u32 field*        field => name:shortstr value        value => type:u8 …
 *   array => length:u32 value*        decimal => scale:u8 digits:u32      long string, bytes => length:u32 bytes
 *
 * Positions that are handed in and out are those of the fields: the length in front is the caller's, but for `writeTable`.
 * A table is read to be as it was written, but for these: `L` is read as `l`, any true is 1, a name that stands there twice
 * counts once (the first), and a name that is not UTF-8 is changed.
 */

/** Tables and arrays within one another. Those of real messages are two or three deep. */
const MAX_DEPTH = 64;

/** By type: bytes of a value; LENGTH for a length of 32 bits and so many bytes; UNKNOWN. */
const VALUE_BYTES = new Int8Array(256).fill(-1);
const LENGTH = -2;
const UNKNOWN = -1;
for (const [types, bytes] of [
  ['V', 0],
  ['tbB', 1],
  ['su', 2],
  ['Iif', 4],
  ['D', 5],
  ['lLTd', 8],
  ['SxAF', LENGTH],
] as const) {
  for (const type of types) VALUE_BYTES[type.charCodeAt(0)] = bytes;
}

const ARRAY = 0x41;
const TABLE = 0x46;

/** Throws `invalid-argument` unless there are fields from `start` to `end` exactly. Allocates nothing. */
export function checkTable(buffer: Buffer, start: number, end: number, depth = 1): void {
  if (end > buffer.length) throw malformed(start);
  let at = start;
  while (at < end) {
    at = checkValue(buffer, at + 1 + (buffer[at] ?? 0), end, depth);
  }
}

/** Answers where the value ends. */
function checkValue(buffer: Buffer, at: number, end: number, depth: number): number {
  if (at >= end) throw malformed(at);
  const type = buffer[at] ?? 0;
  const bytes = VALUE_BYTES[type] ?? UNKNOWN;
  if (bytes >= 0) {
    if (at + 1 + bytes > end) throw malformed(at);
    return at + 1 + bytes;
  }
  if (bytes === UNKNOWN) throw new BrokerError('invalid-argument', `a field of the unknown type ${type} at byte ${at}`);
  if (at + 5 > end) throw malformed(at);
  const start = at + 5;
  const after = start + buffer.readUInt32BE(at + 1);
  if (after > end) throw malformed(at);
  if (type === TABLE || type === ARRAY) {
    if (depth >= MAX_DEPTH)
      throw new BrokerError('invalid-argument', `tables and arrays more than ${MAX_DEPTH} deep within one another`);
    if (type === TABLE) checkTable(buffer, start, after, depth + 1);
    else for (let next = start; next < after; ) next = checkValue(buffer, next, after, depth + 1);
  }
  return after;
}

/** Reads the fields from `start` to `end`; nothing of the result refers to the buffer. Throws `invalid-argument` for anything else. */
export function decodeTable(buffer: Buffer, start: number, end: number): FieldTable {
  checkTable(buffer, start, end);
  return readTable(buffer, start, end);
}

/** The first field of that name, without decoding the others. The table was checked when it came in. */
export function findField(buffer: Buffer, start: number, end: number, name: Buffer): Field | undefined {
  let at = start;
  while (at < end) {
    const length = buffer[at] ?? 0;
    const value = at + 1 + length;
    if (length === name.length && name.compare(buffer, at + 1, value) === 0) return readValue(buffer, value);
    at = valueEnd(buffer, value);
  }
  return undefined;
}

// What reads relies on what was checked.

function readTable(buffer: Buffer, start: number, end: number): FieldTable {
  const table = new Map<string, Field>();
  let at = start;
  while (at < end) {
    const value = at + 1 + (buffer[at] ?? 0);
    const name = buffer.toString('utf8', at + 1, value);
    if (!table.has(name)) table.set(name, readValue(buffer, value));
    at = valueEnd(buffer, value);
  }
  return table;
}

function valueEnd(buffer: Buffer, at: number): number {
  const bytes = VALUE_BYTES[buffer[at] ?? 0] ?? UNKNOWN;
  return bytes >= 0 ? at + 1 + bytes : at + 5 + buffer.readUInt32BE(at + 1);
}

function readValue(buffer: Buffer, at: number): Field {
  const type = String.fromCharCode(buffer[at] ?? 0);
  const start = at + 1;
  switch (type) {
    case 't':
      return { type, value: buffer[start] !== 0 };
    case 'b':
      return { type, value: buffer.readInt8(start) };
    case 'B':
      return { type, value: buffer.readUInt8(start) };
    case 's':
      return { type, value: buffer.readInt16BE(start) };
    case 'u':
      return { type, value: buffer.readUInt16BE(start) };
    case 'I':
      return { type, value: buffer.readInt32BE(start) };
    case 'i':
      return { type, value: buffer.readUInt32BE(start) };
    case 'l':
    case 'L':
      return { type: 'l', value: asNumber(buffer.readBigInt64BE(start)) };
    case 'T':
      return { type, value: asNumber(buffer.readBigUInt64BE(start)) };
    case 'f':
      return { type, value: buffer.readFloatBE(start) };
    case 'd':
      return { type, value: buffer.readDoubleBE(start) };
    case 'D':
      return { type, value: { scale: buffer.readUInt8(start), digits: buffer.readUInt32BE(start + 1) } };
    case 'S':
      return readLongString(buffer, start + 4, valueEnd(buffer, at));
    case 'x':
      return { type, value: Buffer.from(buffer.subarray(start + 4, valueEnd(buffer, at))) };
    case 'A': {
      const value: Field[] = [];
      const end = valueEnd(buffer, at);
      for (let next = start + 4; next < end; next = valueEnd(buffer, next)) value.push(readValue(buffer, next));
      return { type, value };
    }
    case 'F':
      return { type, value: readTable(buffer, start + 4, valueEnd(buffer, at)) };
    default:
      return { type: 'V', value: null };
  }
}

function readLongString(buffer: Buffer, start: number, end: number): Field {
  const value = buffer.toString('utf8', start, end);
  // The replacement character stands for bytes that are not UTF-8, or for itself.
  if (value.includes('\ufffd') && Buffer.from(value).compare(buffer, start, end) !== 0)
    return { type: 'S', value, bytes: Buffer.from(buffer.subarray(start, end)) };
  return { type: 'S', value };
}

function asNumber(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function malformed(at: number): BrokerError {
  return new BrokerError('invalid-argument', `a field table that is cut short or runs over its end, at byte ${at}`);
}
