import fc from 'fast-check';
import type { Field, FieldTable } from './field.ts';
import type { Properties } from './properties.ts';

/** Values as decoders return them: a 64-bit integer is a bigint only where it has to be. */

export const shortStrings = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  { weight: 1, arbitrary: fc.integer({ min: 253, max: 255 }).map((length) => 'x'.repeat(length)) },
);

export const blobs = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));

const longs = fc
  .oneof(fc.maxSafeInteger(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n))
  .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));

export const timestamps = fc
  .oneof(fc.nat(), fc.bigInt(0n, 2n ** 64n - 1n))
  .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));

function range(type: 'b' | 'B' | 's' | 'u' | 'I' | 'i', min: number, max: number): fc.Arbitrary<Field> {
  return fc.integer({ min, max }).map((value) => ({ type, value }));
}

/** Bytes that are not UTF-8. */
const mangled: fc.Arbitrary<Field> = blobs.map((given) => {
  const bytes = Buffer.concat([given, Buffer.of(0xff)]);
  return { type: 'S', value: bytes.toString(), bytes };
});

const scalars: fc.Arbitrary<Field> = fc.oneof(
  fc.boolean().map((value): Field => ({ type: 't', value })),
  range('b', -0x80, 0x7f),
  range('B', 0, 0xff),
  range('s', -0x8000, 0x7fff),
  range('u', 0, 0xffff),
  range('I', -0x8000_0000, 0x7fff_ffff),
  range('i', 0, 0xffff_ffff),
  longs.map((value): Field => ({ type: 'l', value })),
  timestamps.map((value): Field => ({ type: 'T', value })),
  fc.float().map((value): Field => ({ type: 'f', value })),
  fc.double().map((value): Field => ({ type: 'd', value })),
  fc
    .record({ scale: fc.nat(255), digits: fc.nat(0xffff_ffff) }, { noNullPrototype: true })
    .map((value): Field => ({ type: 'D', value })),
  fc.string({ unit: 'grapheme', maxLength: 30 }).map((value): Field => ({ type: 'S', value })),
  mangled,
  blobs.map((value): Field => ({ type: 'x', value })),
  fc.constant<Field>({ type: 'V', value: null }),
);

const nested = fc.letrec<{ field: Field; table: FieldTable }>((tie) => ({
  field: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalars,
    fc.array(tie('field'), { maxLength: 4 }).map((value): Field => ({ type: 'A', value })),
    tie('table').map((value): Field => ({ type: 'F', value })),
  ),
  table: fc.array(fc.tuple(shortStrings, tie('field')), { maxLength: 4 }).map((entries) => new Map(entries)),
}));

export const fields: fc.Arbitrary<Field> = nested.field;
export const tables: fc.Arbitrary<FieldTable> = nested.table;

const octets = fc.nat(255);

export const properties: fc.Arbitrary<Properties> = fc.record(
  {
    contentType: shortStrings,
    contentEncoding: shortStrings,
    headers: tables,
    deliveryMode: octets,
    priority: octets,
    correlationId: shortStrings,
    replyTo: shortStrings,
    expiration: shortStrings,
    messageId: shortStrings,
    timestamp: timestamps,
    type: shortStrings,
    userId: shortStrings,
    appId: shortStrings,
    clusterId: shortStrings,
  },
  { requiredKeys: [], noNullPrototype: true },
);
