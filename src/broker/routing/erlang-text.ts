import { isUtf8 } from 'node:buffer';
import type { Field, FieldType } from '../messages/index.ts';

/*
 * Values as they stand in RabbitMQ's error texts, which clients and tests compare: the way Erlang prints terms (~tp).
 */

/** RabbitMQ's names of the types of fields. */
const TYPES: Readonly<Record<FieldType, string>> = {
  S: 'longstr',
  x: 'binary',
  t: 'bool',
  b: 'byte',
  B: 'unsignedbyte',
  s: 'short',
  u: 'unsignedshort',
  I: 'signedint',
  i: 'unsignedint',
  l: 'long',
  f: 'float',
  d: 'double',
  D: 'decimal',
  T: 'timestamp',
  F: 'table',
  A: 'array',
  V: 'void',
};

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\b': '\\b',
  '\f': '\\f',
  '\x1b': '\\e',
};
export function erlangType(field: Field): string {
  return TYPES[field.type];
}

export function erlangText(field: Field): string {
  switch (field.type) {
    case 'V':
      return 'undefined';
    case 'S':
      return field.bytes === undefined ? erlangBinary(field.value) : erlangBytes(field.bytes);
    case 'x':
      return isUtf8(field.value) ? erlangBinary(field.value.toString()) : erlangBytes(field.value);
    case 'A':
      return `[${field.value.map((element) => `{${erlangType(element)},${erlangText(element)}}`).join(',')}]`;
    case 'F': {
      const entries = [...field.value].map(
        ([name, inner]) => `{${erlangBinary(name)},${erlangType(inner)},${erlangText(inner)}}`,
      );
      return `[${entries.join(',')}]`;
    }
    case 'D':
      return `{${field.value.scale},${field.value.digits}}`;
    case 'f':
    case 'd':
      return Number.isInteger(field.value) ? field.value.toFixed(1) : String(field.value);
    default:
      return String(field.value);
  }
}

/** The UTF-8 of a text as a binary: `<<"abc">>`; as bytes where a character is none to an Erlang that prints Latin-1. */
export function erlangBinary(text: string): string {
  if (text === '') return '<<>>';
  const characters = [...text];
  if (!characters.every(isPrintable)) return erlangBytes(Buffer.from(text));
  const escaped = characters.map((character) => ESCAPES[character] ?? character).join('');
  return characters.some((character) => character > '~') ? `<<"${escaped}"/utf8>>` : `<<"${escaped}">>`;
}

function isPrintable(character: string): boolean {
  return character in ESCAPES || (character >= ' ' && character <= '~') || (character >= '\xa0' && character <= '\xff');
}

function erlangBytes(bytes: Uint8Array): string {
  return `<<${bytes.join(',')}>>`;
}
