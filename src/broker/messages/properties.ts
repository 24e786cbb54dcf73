import { BrokerError } from '../../errors.ts';
import type { FieldTable } from './field.ts';
import { checkTable, decodeTable } from './field-table.ts';
import { tableSize, writeTable } from './field-table-encoder.ts';

/*
 * Properties of a message, as AMQP 0-9-1 encodes them (section 4.2.6.1, class basic):
 *
 *   properties => flags:u16 value*        one value for each flag that is set, in the order of the flags, highest first
 *
 * The two lowest flags are refused: nothing has the one, and the other announces more flags, which this class does not need.
 */

/** What each property is and which flag announces it, in the order they stand in. */
const LAYOUT = [
  ['contentType', 'short string'],
  ['contentEncoding', 'short string'],
  ['headers', 'table'],
  ['deliveryMode', 'octet'],
  ['priority', 'octet'],
  ['correlationId', 'short string'],
  ['replyTo', 'short string'],
  ['expiration', 'short string'],
  ['messageId', 'short string'],
  ['timestamp', 'timestamp'],
  ['type', 'short string'],
  ['userId', 'short string'],
  ['appId', 'short string'],
  ['clusterId', 'short string'],
] as const;

export type PropertyName = (typeof LAYOUT)[number][0];
type Kind = (typeof LAYOUT)[number][1];
type ValueOf<K extends Kind> = {
  octet: number;
  'short string': string;
  table: FieldTable;
  timestamp: number | bigint;
}[K];

/** Timestamps are seconds since the epoch, bigint only where a number would not be exact. Delivery mode 2 is persistent. */
export type Properties = {
  readonly [L in (typeof LAYOUT)[number] as L[0]]?: ValueOf<L[1]> | undefined;
};

export const PROPERTY_NAMES: readonly PropertyName[] = LAYOUT.map(([name]) => name);

const KINDS: readonly Kind[] = LAYOUT.map(([, kind]) => kind);
const UNUSED_FLAGS = 0b11;
const INDEX = new Map<PropertyName, number>(PROPERTY_NAMES.map((name, index) => [name, index]));

function flagOf(index: number): number {
  return 0x8000 >> index;
}

/** Throws `invalid-argument` unless there are properties from `start` to `end` exactly. Allocates nothing. */
export function validateProperties(buffer: Buffer, start: number, end: number): void {
  if (end > buffer.length || end - start < 2) throw malformed();
  const flags = buffer.readUInt16BE(start);
  if ((flags & UNUSED_FLAGS) !== 0)
    throw new BrokerError('invalid-argument', `property flags ${flags} that mean nothing`);
  let at = start + 2;
  for (let index = 0, rest = flags; rest !== 0; index++) {
    const flag = 0x8000 >> index;
    if ((rest & flag) === 0) continue;
    rest &= ~flag;
    if (at >= end) throw malformed();
    const kind = KINDS[index];
    if (kind === 'short string') at += 1 + (buffer[at] ?? 0);
    else if (kind === 'octet') at += 1;
    else if (kind === 'timestamp') at += 8;
    else at = checkHeaders(buffer, at, end);
  }
  if (at !== end) throw malformed();
}

function checkHeaders(buffer: Buffer, at: number, end: number): number {
  if (at + 4 > end) throw malformed();
  const after = at + 4 + buffer.readUInt32BE(at);
  if (after > end) throw malformed();
  checkTable(buffer, at + 4, after);
  return after;
}

/** Where the value of a property begins; -1 when it is not there. The properties were checked when they came in. */
export function propertyPosition(buffer: Buffer, start: number, name: PropertyName): number {
  const wanted = INDEX.get(name) ?? 0;
  const flags = buffer.readUInt16BE(start);
  if ((flags & flagOf(wanted)) === 0) return -1;
  let at = start + 2;
  for (let index = 0; index < wanted; index++) {
    if ((flags & flagOf(index)) !== 0) at = valueEnd(buffer, at, index);
  }
  return at;
}

function valueEnd(buffer: Buffer, at: number, index: number): number {
  switch (KINDS[index]) {
    case 'octet':
      return at + 1;
    case 'timestamp':
      return at + 8;
    case 'table':
      return at + 4 + buffer.readUInt32BE(at);
    default:
      return at + 1 + (buffer[at] ?? 0);
  }
}

/** Throws `invalid-argument` unless there are properties from `start` to `end` exactly. Properties that are not there are not in the result. */
export function decodeProperties(buffer: Buffer, start: number, end: number): Properties {
  validateProperties(buffer, start, end);
  const flags = buffer.readUInt16BE(start);
  const properties: Record<string, unknown> = {};
  let at = start + 2;
  for (const [index, [name, kind]] of LAYOUT.entries()) {
    if ((flags & flagOf(index)) === 0) continue;
    const after = valueEnd(buffer, at, index);
    properties[name] = readValue(buffer, at, after, kind);
    at = after;
  }
  return properties;
}

function readValue(buffer: Buffer, at: number, end: number, kind: Kind): ValueOf<Kind> {
  switch (kind) {
    case 'octet':
      return buffer.readUInt8(at);
    case 'table':
      return decodeTable(buffer, at + 4, end);
    case 'timestamp': {
      const value = buffer.readBigUInt64BE(at);
      return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
    }
    case 'short string':
      return buffer.toString('utf8', at + 1, end);
  }
}

/** Throws `invalid-argument` for a value that does not fit: short strings have 255 bytes at most. */
export function encodeProperties(properties: Properties): Buffer {
  return changeProperties(NONE, 0, 2, properties);
}

const NONE = Buffer.alloc(2);

/**
 * The same properties but for those in `changes`, which are replaced, or left out where they are undefined. What is not
 * changed is copied byte by byte, also where it is not UTF-8. Throws `invalid-argument` as `encodeProperties` does.
 */
export function changeProperties(buffer: Buffer, start: number, end: number, changes: Properties): Buffer {
  if (end > buffer.length || end - start < 2) throw malformed();
  // Two passes over the same steps: one to know the size, one to write.
  const target = Buffer.allocUnsafe(eachProperty(buffer, start, changes, undefined));
  eachProperty(buffer, start, changes, target);
  return target;
}

/** Answers the size. Writes where there is a target. */
function eachProperty(buffer: Buffer, start: number, changes: Properties, target: Buffer | undefined): number {
  const before = buffer.readUInt16BE(start);
  let flags = 0;
  let from = start + 2;
  let to = 2;
  for (const [index, [name, kind]] of LAYOUT.entries()) {
    const flag = flagOf(index);
    const after = (before & flag) === 0 ? from : valueEnd(buffer, from, index);
    if (Object.hasOwn(changes, name)) {
      const value = changes[name];
      if (value !== undefined) {
        flags |= flag;
        to += target === undefined ? valueSize(value, kind) : writeValue(value, kind, target, to);
      }
    } else if (after > from) {
      flags |= flag;
      target?.set(buffer.subarray(from, after), to);
      to += after - from;
    }
    from = after;
  }
  target?.writeUInt16BE(flags);
  return to;
}

// Kind and value come from the same row of the layout; TypeScript cannot see that they belong together.

function valueSize(value: ValueOf<Kind>, kind: Kind): number {
  if (kind === 'octet') return 1;
  if (kind === 'timestamp') return 8;
  return kind === 'table' ? 4 + tableSize(value as FieldTable) : 1 + Buffer.byteLength(value as string);
}

/** Answers how many bytes it wrote. */
function writeValue(value: ValueOf<Kind>, kind: Kind, target: Buffer, at: number): number {
  switch (kind) {
    case 'table':
      return writeTable(value as FieldTable, target, at) - at;
    case 'octet':
      if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > 255) throw refused(value);
      target[at] = Number(value);
      return 1;
    case 'timestamp': {
      if (typeof value !== 'bigint' && !Number.isInteger(value)) throw refused(value);
      const seconds = BigInt(value as number | bigint);
      if (seconds < 0n || seconds >= 2n ** 64n) throw refused(value);
      target.writeBigUInt64BE(seconds, at);
      return 8;
    }
    case 'short string': {
      const length = target.write(value as string, at + 1);
      if (length > 255) throw refused(`a string of ${length} bytes`);
      target[at] = length;
      return 1 + length;
    }
  }
}

function refused(value: unknown): BrokerError {
  return new BrokerError('invalid-argument', `${String(value)} does not fit into a property`);
}

function malformed(): BrokerError {
  return new BrokerError('invalid-argument', 'properties that do not end where they should');
}
