import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../errors.ts';
import { fields, tables } from './arbitrary.contract.ts';
import {
  array,
  type Field,
  identicalTable,
  integer,
  integerOf,
  long,
  longString,
  plainTable,
  sameField,
  table,
} from './field.ts';
import { checkTable, decodeTable, findField } from './field-table.ts';
import { encodeTable, tableSize, writeTable } from './field-table-encoder.ts';

function decodeAll(bytes: Buffer) {
  return decodeTable(bytes, 0, bytes.length);
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

const EVERY_TYPE: readonly (readonly [name: string, bytes: string, field: Field])[] = [
  ['bool', '74 01', { type: 't', value: true }],
  ['int8', '62 80', { type: 'b', value: -128 }],
  ['uint8', '42 ff', { type: 'B', value: 255 }],
  ['int16', '73 fffe', { type: 's', value: -2 }],
  ['uint16', '75 fffe', { type: 'u', value: 65534 }],
  ['int32', '49 fffffffd', { type: 'I', value: -3 }],
  ['uint32', '69 fffffffd', { type: 'i', value: 4294967293 }],
  ['int64', '6c ffffffffffffff85', { type: 'l', value: -123 }],
  ['int64 beyond 2^53', '6c 7fffffffffffffff', { type: 'l', value: 2n ** 63n - 1n }],
  ['float', '66 3fc00000', { type: 'f', value: 1.5 }],
  ['double', '64 3ff8000000000000', { type: 'd', value: 1.5 }],
  ['decimal', '44 02 0000013a', { type: 'D', value: { scale: 2, digits: 314 } }],
  ['long string', '53 00000003 c3a478', { type: 'S', value: 'äx' }],
  ['bytes', '78 00000002 00ff', { type: 'x', value: Buffer.of(0, 255) }],
  [
    'array',
    '41 00000003 7400 56',
    array([
      { type: 't', value: false },
      { type: 'V', value: null },
    ]),
  ],
  ['timestamp', '54 000000006553f100', { type: 'T', value: 1700000000 }],
  ['timestamp beyond 2^53', '54 ffffffffffffffff', { type: 'T', value: 2n ** 64n - 1n }],
  ['table', '46 00000007 0161 49 00000001', table({ a: integer(1) })],
  ['void', '56', { type: 'V', value: null }],
];

describe('field tables', () => {
  it.each(EVERY_TYPE)('have a %s as the errata page says', (_, bytes, field) => {
    const name = hex('026162');
    const expected = Buffer.concat([name, hex(bytes)]);
    expect(encodeTable(new Map([['ab', field]]))).toEqual(expected);
    expect(decodeAll(expected)).toEqual(new Map([['ab', field]]));
  });

  it('come back as they were written, byte by byte', () => {
    fc.assert(
      fc.property(tables, (given) => {
        const bytes = encodeTable(given);
        expect(bytes).toHaveLength(tableSize(given));
        const decoded = decodeAll(bytes);
        expect(decoded).toEqual(given);
        expect(encodeTable(decoded)).toEqual(bytes);
      }),
    );
  });

  it('have their length in front when written into a buffer', () => {
    const given = new Map([['n', integer(7)]]);
    const buffer = Buffer.alloc(20);
    expect(writeTable(given, buffer, 3)).toBe(3 + 4 + 7);
    expect(buffer.subarray(3, 14)).toEqual(hex('00000007 016e 49 00000007'));
  });

  it('read an L as RabbitMQ does, as a signed l', () => {
    expect(decodeAll(hex('0161 4c ffffffffffffffff'))).toEqual(new Map([['a', long(-1)]]));
  });

  it('have the first of two fields of a name', () => {
    expect(decodeAll(hex('0161 7401 0161 56'))).toEqual(new Map([['a', { type: 't', value: true }]]));
  });

  it('keep strings that are not UTF-8', () => {
    const bytes = hex('0161 53 00000002 fffe');
    const decoded = decodeAll(bytes);
    expect(decoded.get('a')).toEqual({ type: 'S', value: '\ufffd\ufffd', bytes: hex('fffe') });
    expect(encodeTable(decoded)).toEqual(bytes);
  });

  it('find a field without decoding the others', () => {
    fc.assert(
      fc.property(tables, (given) => {
        const bytes = Buffer.concat([Buffer.alloc(3), encodeTable(given), Buffer.alloc(3)]);
        for (const [name, field] of given)
          expect(findField(bytes, 3, bytes.length - 3, Buffer.from(name))).toEqual(field);
        expect(findField(bytes, 3, bytes.length - 3, Buffer.from('not there at all'))).toBeUndefined();
      }),
    );
  });

  it('refuse what is cut short, runs over its end, or is of an unknown type', () => {
    for (const bytes of [
      '01',
      '0161',
      '0161 49 000000',
      '0161 53 00000002 61',
      '0161 5a',
      '0161 46 00000005 0161 49 00',
    ]) {
      expect(() => decodeAll(hex(bytes)), bytes).toThrow(BrokerError);
    }
    expect(() => decodeTable(Buffer.alloc(4), 0, 5)).toThrow(BrokerError);
    // The length of the array within is that of the table, and more.
    expect(() => decodeAll(hex('0161 46 0000000a 0162 41 00000004 56565656'))).toThrow(BrokerError);
  });

  it('refuse to be nested without end', () => {
    let bytes = Buffer.alloc(0);
    for (let i = 0; i < 100; i++) {
      const head = Buffer.from([1, 0x61, 0x46, 0, 0, 0, 0]);
      head.writeUInt32BE(bytes.length, 3);
      bytes = Buffer.concat([head, bytes]);
      if (i < 60) expect(decodeAll(bytes).size).toBe(1);
    }
    expect(() => decodeAll(bytes)).toThrow('deep');
  });

  it('never read beyond their end, whatever the bytes', () => {
    const mutated = fc
      .tuple(tables, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
      .map(([given, changes]) => {
        const bytes = encodeTable(given);
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 60 }).map(Buffer.from)), (bytes) => {
        // What lies behind must not matter.
        const results = [0x00, 0xff].map((filler) => {
          const surrounded = Buffer.concat([Buffer.alloc(5, filler), bytes, Buffer.alloc(50, filler)]);
          try {
            const decoded = decodeTable(surrounded, 5, 5 + bytes.length);
            checkTable(surrounded, 5, 5 + bytes.length);
            return decoded;
          } catch (error) {
            expect(error).toBeInstanceOf(BrokerError);
            return 'refused';
          }
        });
        expect(results[0]).toEqual(results[1]);
      }),
      { numRuns: 1000 },
    );
  });

  it('refuse values that their type cannot hold', () => {
    const wrong: Field[] = [
      { type: 'b', value: 128 },
      { type: 'B', value: -1 },
      { type: 'u', value: 65536 },
      { type: 'I', value: 0.5 },
      { type: 'l', value: 2n ** 63n },
      { type: 'T', value: -1 },
      { type: 'D', value: { scale: 256, digits: 0 } },
    ];
    for (const field of wrong) expect(() => encodeTable(new Map([['a', field]])), field.type).toThrow(BrokerError);
    expect(() => encodeTable(new Map([['x'.repeat(256), integer(1)]]))).toThrow(BrokerError);
  });
});

describe('arguments', () => {
  it('are the same when they are integers of one value, whatever the width', () => {
    expect(sameField({ type: 's', value: 5 }, { type: 'l', value: 5 })).toBe(true);
    expect(sameField({ type: 'l', value: 5n }, { type: 'B', value: 5 })).toBe(true);
    expect(sameField({ type: 'I', value: 5 }, { type: 'I', value: 6 })).toBe(false);
    expect(sameField({ type: 'I', value: 5 }, { type: 'd', value: 5 })).toBe(false);
    expect(sameField({ type: 'f', value: 1.5 }, { type: 'd', value: 1.5 })).toBe(true);
    expect(sameField({ type: 'I', value: 5 }, longString('5'))).toBe(false);
    expect(sameField({ type: 'T', value: 5 }, integer(5))).toBe(false);
  });

  it('are the same as themselves', () => {
    fc.assert(fc.property(fields, (field) => sameField(field, structuredCloneOf(field))));
  });

  it('are the same in whatever order', () => {
    fc.assert(
      fc.property(tables, (given) => {
        expect(identicalTable(given, new Map([...given].reverse()))).toBe(true);
        expect(identicalTable(given, new Map([...given, ['another one here', integer(1)]]))).toBe(false);
      }),
    );
  });

  it('are plain values to who wants them plain', () => {
    const given = new Map<string, Field>([
      ['n', integer(3)],
      ['list', array([longString('a'), { type: 'D', value: { scale: 1, digits: 15 } }])],
      ['inner', table({ t: { type: 't', value: true } })],
    ]);
    expect(plainTable(given)).toEqual({ n: 3, list: ['a', 1.5], inner: { t: true } });
    expect(integerOf(given.get('n'))).toBe(3);
    expect(integerOf(given.get('list'))).toBeUndefined();
  });
});

/** The same again from its bytes. */
function structuredCloneOf(field: Field): Field {
  const copy = decodeAll(encodeTable(new Map([['', field]]))).get('');
  if (copy === undefined) throw new Error('a field is lost');
  return copy;
}
