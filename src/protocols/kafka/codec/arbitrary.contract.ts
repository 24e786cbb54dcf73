import fc from 'fast-check';
import { isNullable, type Version } from './layout.ts';
import type { Message } from './message.ts';
import { EMPTY, type Field, type Fields } from './schema.ts';

type Decodable = Record<string, unknown>;

/** Values of a message as its decoder returns them: what the version lacks is at its default. */
export function arbitraryOf(message: Message, version: number): fc.Arbitrary<Decodable> {
  return structOf(message.fields, { number: version, flexible: version >= message.flexible });
}

function structOf(fields: Fields, version: Version): fc.Arbitrary<Decodable> {
  const parts = Object.entries(fields).map(([name, field]) => [name, eitherOf(field, version)]);
  return fc.record(Object.fromEntries(parts), { noNullPrototype: true });
}

function eitherOf(field: Field, version: Version): fc.Arbitrary<unknown> {
  const present = version.number >= field.since && version.number <= field.until;
  if (!present || (field.tag !== undefined && !version.flexible)) return fc.constant(defaultOf(field));
  const value = isNullable(field, version)
    ? fc.option(presentOf(field, version), { freq: 4 })
    : presentOf(field, version);
  return field.tag === undefined ? value : fc.oneof(value, fc.constant(defaultOf(field)));
}

/** Short ones, some that are not ASCII, and some whose varint length takes two bytes. */
const texts = fc.oneof(
  { weight: 8, arbitrary: fc.string({ maxLength: 8 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: 126, max: 130 }).map((length) => 'x'.repeat(length)) },
);

/** Short ones, and some around the size from which they are referenced. */
const blobs = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.integer({ min: 1020, max: 1030 }).map((length) => Buffer.alloc(length, length)) },
);

function presentOf(field: Field, version: Version): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'bool':
      return fc.boolean();
    case 'int8':
      return fc.integer({ min: -0x80, max: 0x7f });
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff });
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff });
    case 'int32':
      return fc.integer();
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffffffff });
    case 'int64':
      return fc.maxSafeInteger();
    case 'float64':
      return fc.double({ noNaN: true });
    case 'uuid':
      return fc.uuid();
    case 'string':
      return texts;
    case 'bytes':
    case 'records':
      return blobs;
    case 'array':
      // An array has an element.
      return fc.array(presentOf(field.element!, version), { maxLength: 2 });
    case 'struct':
      return structOf(field.fields ?? {}, version);
  }
}

export function defaultOf(field: Field): unknown {
  if (field.default !== EMPTY) return field.default;
  if (field.kind === 'array') return [];
  if (field.kind === 'struct') {
    return Object.fromEntries(Object.entries(field.fields ?? {}).map(([name, inner]) => [name, defaultOf(inner)]));
  }
  return Buffer.alloc(0);
}
