import type { Field } from '../messages/field-table.ts';

/*
 * Values as they stand in RabbitMQ's error texts, which clients and tests compare: the way Erlang prints terms (~tp).
 */

/** RabbitMQ's names of the types of fields. */
const TYPES: Readonly<Record<string, string>> = {
  S: 'longstr',
  x: 'binary',
  t: 'bool',
  b: 'byte',
  B: 'unsignedbyte',
  s: 'short',
  U: 'short',
  u: 'unsignedshort',
  I: 'signedint',
  i: 'unsignedint',
  l: 'long',
  L: 'long',
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
  return TYPES[field.type] ?? field.type;
}

export function erlangText(field: Field): string {
  const { value } = field;
  if (field.type === 'V') return 'undefined';
  if (typeof value === 'string') return erlangBinary(value);
  if (value instanceof Uint8Array) return erlangBinary(Buffer.from(value).toString());
  if (Array.isArray(value)) {
    const elements = (value as readonly Field[]).map((element) => `{${erlangType(element)},${erlangText(element)}}`);
    return `[${elements.join(',')}]`;
  }
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<string, Field>)].map(
      ([name, inner]) => `{${erlangBinary(name)},${erlangType(inner)},${erlangText(inner)}}`,
    );
    return `[${entries.join(',')}]`;
  }
  const text = String(value);
  return field.type === 'f' || field.type === 'd' ? withPoint(text) : text;
}

/** The UTF-8 of a text as a binary: `<<"abc">>`; as bytes where a character is none to an Erlang that prints Latin-1. */
export function erlangBinary(text: string): string {
  if (text === '') return '<<>>';
  const characters = [...text];
  if (!characters.every(isPrintable)) return `<<${[...Buffer.from(text)].join(',')}>>`;
  const escaped = characters.map((character) => ESCAPES[character] ?? character).join('');
  return characters.some((character) => character > '~') ? `<<"${escaped}"/utf8>>` : `<<"${escaped}">>`;
}

function isPrintable(character: string): boolean {
  return character in ESCAPES || (character >= ' ' && character <= '~') || (character >= '\xa0' && character <= '\xff');
}

function withPoint(text: string): string {
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
