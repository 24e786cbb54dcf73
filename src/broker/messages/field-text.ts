import { isUtf8 } from 'node:buffer';
import { BrokerError } from '../../errors.ts';

/*
 * Fields of an AMQP table where they stand in a message, undecoded.
 *
 *   field value => type:octet  value          (a letter; RabbitMQ's types, which differ from the specification's in 4.2.1)
 *   table       => length:u32  { name:shortstr  field value }
 *   array       => length:u32  { field value }
 */

/** Letters of the types, as the octets that they are. */
export const STRING = 0x53; // S
export const BYTES = 0x78; // x
export const TABLE = 0x46; // F
export const ARRAY = 0x41; // A
export const VOID = 0x56; // V
export const BOOLEAN = 0x74; // t
export const INT64 = 0x6c; // l
export const INT32 = 0x49; // I

/** Tables within tables, at most. */
const MAX_DEPTH = 64;

/** Bytes of values that always have as many. */
const FIXED: Readonly<Record<string, number>> = {
  t: 1,
  b: 1,
  B: 1,
  s: 2,
  u: 2,
  I: 4,
  i: 4,
  f: 4,
  l: 8,
  L: 8,
  d: 8,
  T: 8,
  D: 5,
  V: 0,
};
/** The same by letter; 0xff for a value that begins with its length, 0xfe for no type at all. */
const LENGTHS = Uint8Array.from({ length: 256 }, (_, letter) => FIXED[String.fromCharCode(letter)] ?? 0xfe);
for (const letter of [STRING, BYTES, TABLE, ARRAY]) LENGTHS[letter] = 0xff;

/** Where the field that has its type at `at` ends. `corrupt-message` when that is not before `limit`. */
export function fieldEnd(bytes: Buffer, at: number, limit: number): number {
  const length = at < limit ? LENGTHS[bytes[at] ?? 0] : 0xfe;
  let end = limit + 1;
  if (length === 0xff) end = at + 5 <= limit ? at + 5 + bytes.readUInt32BE(at + 1) : end;
  else if (length !== undefined && length < 0xfe) end = at + 1 + length;
  if (end > limit) throw new BrokerError('corrupt-message', `the field at byte ${at} has no type, or is cut short`);
  return end;
}

/** The bytes after the length of a string, byte array, table or array that has its type at `at`. */
export function fieldContent(bytes: Buffer, at: number, end: number): Buffer {
  return bytes.subarray(at + 5, end);
}

/** Whether a record's header with these bytes becomes a field of this type again without anybody saying so. */
export function isPlain(type: number | undefined, content: Buffer): boolean {
  return type === STRING ? isUtf8(content) : type === BYTES ? !isUtf8(content) : type === VOID;
}

/**
 * What a field is as the value of a record's header: the bytes of strings and byte arrays, null for void, for all others the
 * text that a person would write. `corrupt-message` when it is not a field, down to the innermost table.
 */
export function fieldText(bytes: Buffer, at: number, end: number): Buffer | null {
  const type = bytes[at];
  if (type === VOID) return null;
  if (type === STRING || type === BYTES) return fieldContent(bytes, at, end);
  return Buffer.from(json(bytes, at, end, 0));
}

function json(bytes: Buffer, at: number, end: number, depth: number): string {
  switch (bytes[at]) {
    case STRING:
      return JSON.stringify(bytes.toString('utf8', at + 5, end));
    case BYTES:
      return JSON.stringify(bytes.toString('base64', at + 5, end));
    case VOID:
      return 'null';
    case TABLE:
      return `{${table(bytes, at + 5, end, depth + 1).join(',')}}`;
    case ARRAY:
      return `[${array(bytes, at + 5, end, depth + 1).join(',')}]`;
    default:
      return scalar(bytes, at);
  }
}

function table(bytes: Buffer, from: number, end: number, depth: number): string[] {
  if (depth > MAX_DEPTH) throw tooDeep();
  const entries: string[] = [];
  for (let at = from; at < end; ) {
    const value = at + 1 + (bytes[at] ?? 0);
    const next = fieldEnd(bytes, value, end);
    entries.push(`${JSON.stringify(bytes.toString('utf8', at + 1, value))}:${json(bytes, value, next, depth)}`);
    at = next;
  }
  return entries;
}

function array(bytes: Buffer, from: number, end: number, depth: number): string[] {
  if (depth > MAX_DEPTH) throw tooDeep();
  const elements: string[] = [];
  for (let at = from; at < end; ) {
    const next = fieldEnd(bytes, at, end);
    elements.push(json(bytes, at, next, depth));
    at = next;
  }
  return elements;
}

function scalar(bytes: Buffer, at: number): string {
  const value = at + 1;
  switch (String.fromCharCode(bytes[at] ?? 0)) {
    case 't':
      return bytes[value] === 0 ? 'false' : 'true';
    case 'b':
      return String(bytes.readInt8(value));
    case 'B':
      return String(bytes.readUInt8(value));
    case 's':
      return String(bytes.readInt16BE(value));
    case 'u':
      return String(bytes.readUInt16BE(value));
    case 'I':
      return String(bytes.readInt32BE(value));
    case 'i':
      return String(bytes.readUInt32BE(value));
    case 'l':
      return String(bytes.readBigInt64BE(value));
    case 'L':
    case 'T':
      return String(bytes.readBigUInt64BE(value));
    case 'f':
      return singleText(bytes.readFloatBE(value));
    case 'd':
      return String(bytes.readDoubleBE(value));
    default:
      return decimalText(bytes.readUInt8(value), bytes.readUInt32BE(value + 1));
  }
}

/** 0.1 in four bytes is not 0.10000000149 to people. */
function singleText(value: number): string {
  const short = Number(value.toPrecision(7));
  return String(Math.fround(short) === value ? short : value);
}

function decimalText(scale: number, digits: number): string {
  if (scale === 0) return String(digits);
  const text = String(digits).padStart(scale + 1, '0');
  return `${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

function tooDeep(): BrokerError {
  return new BrokerError('corrupt-message', `tables are nested more than ${MAX_DEPTH} deep`);
}
