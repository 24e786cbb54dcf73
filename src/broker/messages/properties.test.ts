import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../errors.ts';
import { properties as anyProperties, blobs } from './arbitrary.contract.ts';
import { integer } from './field.ts';
import { MessageBytes } from './message-bytes.ts';
import {
  changeProperties,
  decodeProperties,
  encodeProperties,
  PROPERTY_NAMES,
  type Properties,
  propertyPosition,
  validateProperties,
} from './properties.ts';

function decodeAll(bytes: Buffer): Properties {
  return decodeProperties(bytes, 0, bytes.length);
}

describe('properties', () => {
  it('are flags and the values that the flags announce', () => {
    const given: Properties = {
      contentType: 'a/b',
      headers: new Map([['n', integer(1)]]),
      deliveryMode: 2,
      expiration: '60',
      timestamp: 1700000000,
      clusterId: 'c',
    };
    const bytes = encodeProperties(given);
    expect(bytes.toString('hex')).toBe(
      ['b144', '03612f62', '00000007016e4900000001', '02', '023630', '000000006553f100', '0163'].join(''),
    );
    expect(decodeAll(bytes)).toEqual(given);
  });

  it('come back as they were written, byte by byte', () => {
    fc.assert(
      fc.property(anyProperties, (given) => {
        const bytes = encodeProperties(given);
        validateProperties(bytes, 0, bytes.length);
        expect(decodeAll(bytes)).toEqual(given);
        expect(encodeProperties(decodeAll(bytes))).toEqual(bytes);
      }),
    );
  });

  it('are found where they are', () => {
    fc.assert(
      fc.property(anyProperties, (given) => {
        const bytes = Buffer.concat([Buffer.alloc(3), encodeProperties(given)]);
        for (const name of PROPERTY_NAMES) {
          const at = propertyPosition(bytes, 3, name);
          const value = given[name];
          if (value === undefined) expect(at).toBe(-1);
          else if (typeof value === 'string')
            expect(bytes.toString('utf8', at + 1, at + 1 + bytes.readUInt8(at))).toBe(value);
          else if (name === 'timestamp') expect(bytes.readBigUInt64BE(at)).toBe(BigInt(value as number));
          else if (typeof value === 'number') expect(bytes.readUInt8(at)).toBe(value);
        }
        const message = MessageBytes.of('x', 'k', bytes.subarray(3), Buffer.alloc(0));
        expect(message.priority).toBe(given.priority ?? 0);
        expect(message.persistent).toBe(given.deliveryMode === 2);
        expect(message.hasHeaders).toBe(given.headers !== undefined);
      }),
    );
  });

  it('change one by one', () => {
    fc.assert(
      fc.property(anyProperties, anyProperties, (given, changes) => {
        const bytes = encodeProperties(given);
        const changed = changeProperties(bytes, 0, bytes.length, changes);
        expect(decodeAll(changed)).toEqual({ ...given, ...changes });
      }),
    );
    const both = encodeProperties({ type: 'a', expiration: '1' });
    const without = changeProperties(both, 0, both.length, { expiration: undefined });
    expect(decodeAll(without)).toEqual({ type: 'a' });
  });

  it('that are not changed are copied even where they are not UTF-8', () => {
    const raw = Buffer.concat([Buffer.of(0x04, 0x00, 2, 0xff, 0xfe)]);
    expect(changeProperties(raw, 0, raw.length, { priority: 1 })).toEqual(Buffer.of(0x0c, 0x00, 1, 2, 0xff, 0xfe));
  });

  it('are refused unless they end where they should', () => {
    fc.assert(
      fc.property(anyProperties, fc.nat(), (given, cut) => {
        const bytes = encodeProperties(given);
        expect(() => validateProperties(bytes, 0, cut % bytes.length)).toThrow(BrokerError);
        const longer = Buffer.concat([bytes, Buffer.alloc(1)]);
        expect(() => validateProperties(longer, 0, longer.length)).toThrow(BrokerError);
      }),
    );
  });

  it('are refused with flags that nothing has', () => {
    expect(() => validateProperties(Buffer.of(0, 1, 0, 0), 0, 4)).toThrow(BrokerError);
    expect(() => validateProperties(Buffer.of(0, 2), 0, 2)).toThrow(BrokerError);
  });

  it('never read beyond their end, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), blobs, (flags, rest) => {
        const results = [0x00, 0xff].map((filler) => {
          const head = Buffer.alloc(2);
          head.writeUInt16BE(flags & 0xfffc);
          const bytes = Buffer.concat([head, rest, Buffer.alloc(300, filler)]);
          try {
            return decodeProperties(bytes, 0, 2 + rest.length);
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

  it('refuse values that do not fit', () => {
    for (const wrong of [{ type: 'x'.repeat(256) }, { priority: 256 }, { deliveryMode: -1 }, { timestamp: -1 }])
      expect(() => encodeProperties(wrong)).toThrow(BrokerError);
  });
});
