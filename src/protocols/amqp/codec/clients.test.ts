import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_TABLE, encodeProperties, type FieldTable, integer, longString } from '../../../broker/index.ts';
import { properties } from '../../../broker/messages/arbitrary.contract.ts';
import { arbitraryMethod, frame, METHOD_NAMES } from './fixture.contract.ts';
import { encodeMethod } from './method-encoder.ts';
import { methodId } from './methods.ts';

// The tables against a codec that others wrote: what is written here means there what it means here when it comes back as the
// same bytes.

type Values = Record<string, unknown>;

interface AmqplibDefinitions {
  decode(id: number, payload: Buffer): Values;
  encodeMethod(id: number, channel: number, fields: Values): Buffer;
  encodeProperties(classId: number, channel: number, size: number, fields: Values): Buffer;
}

const require = createRequire(import.meta.url);
const amqplib: AmqplibDefinitions = require(join(dirname(require.resolve('amqplib')), 'lib', 'defs.js'));

const names = fc.string({ maxLength: 9 }).map((name) => `x-${name}`);

/** Of names and types that JavaScript's objects and values do not confuse. */
const tables: fc.Arbitrary<FieldTable> = fc
  .array(
    fc.tuple(names, fc.oneof(fc.string().map(longString), fc.integer({ min: 2 ** 20, max: 2 ** 30 }).map(integer))),
  )
  .map((entries) => new Map(entries));

describe("amqplib's codec", () => {
  it.each(METHOD_NAMES)('understands %s', (name) => {
    fc.assert(
      fc.property(arbitraryMethod(name, tables), fc.nat(0xffff), (given, channel) => {
        const payload = encodeMethod(name, given);
        const understood = amqplib.decode(methodId(name), payload.subarray(4));
        expect(amqplib.encodeMethod(methodId(name), channel, understood)).toEqual(frame(1, channel, payload));
      }),
      { numRuns: 20 },
    );
  });

  it('writes the same properties', () => {
    fc.assert(
      fc.property(properties, (given) => {
        const bytes = encodeProperties({ ...given, ...(given.headers && { headers: EMPTY_TABLE }) });
        // Its timestamps are numbers.
        const timestamp = given.timestamp === undefined ? undefined : Number(given.timestamp);
        fc.pre(timestamp === undefined || Number.isSafeInteger(timestamp));
        const theirs = amqplib.encodeProperties(60, 1, 5, { ...given, ...(given.headers && { headers: {} }) });
        expect(theirs.subarray(7 + 12, -1)).toEqual(bytes);
      }),
    );
  });
});
