import { EMPTY_TABLE, type FieldTable, tableSize, writeTable } from '../../../broker/index.ts';
import { CodecError } from './codec-error.ts';
import type { Kind } from './method-schema.ts';
import { type Layout, layoutOf, type MethodInput, type MethodName } from './methods.ts';

const METHOD_ID_BYTES = 4;
const TWO_32 = 2 ** 32;
const NOTHING = Buffer.alloc(0);

/** Field values by name, as `MethodInput` has them. */
type Values = { readonly [name: string]: unknown };

/** The payload of a method frame. Throws a `CodecError` for a value that its field cannot carry. */
export function encodeMethod<N extends MethodName>(name: N, fields: MethodInput<N>): Buffer {
  const layout = layoutOf(name);
  const buffer = Buffer.allocUnsafe(methodSize(layout, fields));
  writeMethod(layout, fields, buffer, 0);
  return buffer;
}

/** Bytes of the payload of a method frame. */
export function methodSize({ fields }: Layout, values: Values): number {
  let size = METHOD_ID_BYTES;
  for (const { name, kind, unused, bit } of fields) {
    if (kind !== 'bit') size += valueSize(kind, unused ? undefined : values[name]);
    else if (bit === 0) size++;
  }
  return size;
}

/** Writes `methodSize` bytes, for which there must be room. */
export function writeMethod({ id, fields }: Layout, values: Values, buffer: Buffer, start: number): void {
  let at = buffer.writeUInt32BE(id, start);
  for (const { name, kind, unused, bit } of fields) {
    const value = unused ? undefined : values[name];
    if (kind !== 'bit') {
      at = writeValue(kind, value, buffer, at, name);
      continue;
    }
    if (bit === 0) buffer[at++] = 0;
    if (value === true) buffer[at - 1] = (buffer[at - 1] ?? 0) | (1 << bit);
  }
}

// The types of the values are those that MethodInput asked for: they belong to the kinds, which the compiler cannot follow here.

function valueSize(kind: Exclude<Kind, 'bit'>, value: unknown): number {
  switch (kind) {
    case 'octet':
      return 1;
    case 'short':
      return 2;
    case 'long':
      return 4;
    case 'long long':
      return 8;
    case 'short string':
      return 1 + Buffer.byteLength((value as string | undefined) ?? '');
    case 'long string':
      return 4 + Buffer.byteLength((value as string | undefined) ?? '');
    case 'bytes':
      return 4 + ((value as Buffer | undefined)?.length ?? 0);
    case 'table':
      return 4 + tableSize((value as FieldTable | undefined) ?? EMPTY_TABLE);
  }
}

/** Answers where it ends. */
function writeValue(kind: Exclude<Kind, 'bit'>, value: unknown, buffer: Buffer, at: number, name: string): number {
  switch (kind) {
    case 'octet':
      return buffer.writeUInt8(unsigned(value, 0xff, name), at);
    case 'short':
      return buffer.writeUInt16BE(unsigned(value, 0xffff, name), at);
    case 'long':
      return buffer.writeUInt32BE(unsigned(value, 0xffff_ffff, name), at);
    case 'long long': {
      const number = unsigned(value, Number.MAX_SAFE_INTEGER, name);
      return buffer.writeUInt32BE(number >>> 0, buffer.writeUInt32BE(Math.floor(number / TWO_32), at));
    }
    case 'short string': {
      const length = buffer.write((value as string | undefined) ?? '', at + 1);
      if (length > 255) throw new CodecError('SYNTAX_ERROR', `${name} is longer than 255 bytes`);
      buffer[at] = length;
      return at + 1 + length;
    }
    case 'long string': {
      const length = buffer.write((value as string | undefined) ?? '', at + 4);
      return buffer.writeUInt32BE(length, at) + length;
    }
    case 'bytes': {
      const bytes = (value as Buffer | undefined) ?? NOTHING;
      return buffer.writeUInt32BE(bytes.length, at) + bytes.copy(buffer, at + 4);
    }
    case 'table':
      return writeTable((value as FieldTable | undefined) ?? EMPTY_TABLE, buffer, at);
  }
}

function unsigned(value: unknown, most: number, name: string): number {
  const number = value ?? 0;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= most) return number;
  throw new CodecError('SYNTAX_ERROR', `${name} is ${String(value)}, not an integer from 0 to ${most}`);
}
