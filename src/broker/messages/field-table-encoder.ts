import { BrokerError } from '../../errors.ts';
import type { Field, FieldTable, SmallIntegerType } from './field.ts';

/** Bytes that the fields of a table take, without the length in front. */
export function tableSize(table: FieldTable): number {
  let size = 0;
  for (const [name, field] of table) size += 1 + Buffer.byteLength(name) + valueSize(field);
  return size;
}

/** The fields of a table, without the length in front. Throws `invalid-argument` for a value that its type cannot hold. */
export function encodeTable(table: FieldTable): Buffer {
  const buffer = Buffer.allocUnsafe(tableSize(table));
  writeFields(table, buffer, 0);
  return buffer;
}

/**
 * Writes the length and the fields: 4 + `tableSize` bytes, for which there must be room. Answers where they end. Throws
 * `invalid-argument` for a value that its type cannot hold.
 */
export function writeTable(table: FieldTable, buffer: Buffer, at: number): number {
  const end = writeFields(table, buffer, at + 4);
  buffer.writeUInt32BE(end - at - 4, at);
  return end;
}

function valueSize(field: Field): number {
  switch (field.type) {
    case 'V':
      return 1;
    case 't':
    case 'b':
    case 'B':
      return 2;
    case 's':
    case 'u':
      return 3;
    case 'I':
    case 'i':
    case 'f':
      return 5;
    case 'D':
      return 6;
    case 'l':
    case 'T':
    case 'd':
      return 9;
    case 'S':
      return 5 + (field.bytes?.length ?? Buffer.byteLength(field.value));
    case 'x':
      return 5 + field.value.length;
    case 'A':
      return field.value.reduce((size, element) => size + valueSize(element), 5);
    case 'F':
      return 5 + tableSize(field.value);
  }
}

function writeFields(table: FieldTable, buffer: Buffer, start: number): number {
  let at = start;
  for (const [name, field] of table) {
    const length = Buffer.byteLength(name);
    if (length > 255) throw new BrokerError('invalid-argument', 'names of fields have 255 bytes at most');
    buffer[at] = length;
    buffer.write(name, at + 1);
    at = writeValue(field, buffer, at + 1 + length);
  }
  return at;
}

function writeValue(field: Field, buffer: Buffer, at: number): number {
  buffer[at] = field.type.charCodeAt(0);
  const start = at + 1;
  switch (field.type) {
    case 'V':
      return start;
    case 't':
      return buffer.writeUInt8(field.value ? 1 : 0, start);
    case 'f':
      return buffer.writeFloatBE(field.value, start);
    case 'd':
      return buffer.writeDoubleBE(field.value, start);
    case 'D':
      inRange(field.value.scale, 0, 0xff);
      inRange(field.value.digits, 0, 0xffff_ffff);
      return buffer.writeUInt32BE(field.value.digits, buffer.writeUInt8(field.value.scale, start));
    case 'l':
      return buffer.writeBigInt64BE(wide(field.value, -(2n ** 63n), 2n ** 63n), start);
    case 'T':
      return buffer.writeBigUInt64BE(wide(field.value, 0n, 2n ** 64n), start);
    case 'S': {
      const length = field.bytes?.copy(buffer, start + 4) ?? buffer.write(field.value, start + 4);
      buffer.writeUInt32BE(length, start);
      return start + 4 + length;
    }
    case 'x':
      return buffer.writeUInt32BE(field.value.length, start) + field.value.copy(buffer, start + 4);
    case 'A': {
      let end = start + 4;
      for (const element of field.value) end = writeValue(element, buffer, end);
      buffer.writeUInt32BE(end - start - 4, start);
      return end;
    }
    case 'F':
      return writeTable(field.value, buffer, start);
    default:
      return writeSmall(field.type, field.value, buffer, start);
  }
}

function writeSmall(type: SmallIntegerType, value: number, buffer: Buffer, at: number): number {
  switch (type) {
    case 'b':
      return buffer.writeInt8(inRange(value, -0x80, 0x7f), at);
    case 'B':
      return buffer.writeUInt8(inRange(value, 0, 0xff), at);
    case 's':
      return buffer.writeInt16BE(inRange(value, -0x8000, 0x7fff), at);
    case 'u':
      return buffer.writeUInt16BE(inRange(value, 0, 0xffff), at);
    case 'I':
      return buffer.writeInt32BE(inRange(value, -0x8000_0000, 0x7fff_ffff), at);
    case 'i':
      return buffer.writeUInt32BE(inRange(value, 0, 0xffff_ffff), at);
  }
}

function inRange(value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new BrokerError('invalid-argument', `${value} is not an integer from ${least} to ${most}`);
}

function wide(value: number | bigint, least: bigint, above: bigint): bigint {
  if (typeof value === 'bigint' || Number.isInteger(value)) {
    const exact = BigInt(value);
    if (exact >= least && exact < above) return exact;
  }
  throw new BrokerError('invalid-argument', `${value} is not an integer from ${least} to ${above - 1n}`);
}
