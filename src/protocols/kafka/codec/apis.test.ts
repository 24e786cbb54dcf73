import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apiVersions } from './apis/api-versions.ts';
import { fetch } from './apis/fetch.ts';
import { joinGroup } from './apis/join-group.ts';
import { metadata } from './apis/metadata.ts';
import { produce } from './apis/produce.ts';
import { APIS, apiOf, versionRanges } from './apis.ts';
import { arbitraryOf } from './arbitrary.contract.ts';
import { CodecError } from './codec-error.ts';
import type { Message } from './message.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

const messages: readonly Message[] = APIS.flatMap((api) => [api.request, api.response]);
const versioned = messages.flatMap((message) => versionsOf(message).map((version) => ({ message, version })));

function versionsOf({ versions: [first, last] }: Message): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function encode(message: Message, version: number, value: Readonly<Record<string, unknown>>): Buffer {
  const writer = new Writer();
  message.encode(writer, version, value);
  return Buffer.concat(writer.finish());
}

/** Decodes what may be anything; whatever is thrown but a CodecError is a bug. */
function tryDecode(message: Message, version: number, bytes: Buffer): void {
  try {
    message.decode(new Reader(bytes), version);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
  }
}

describe('every message, in every version', () => {
  for (const message of messages) {
    it(`${message.name} comes back from its bytes as it was`, () => {
      for (const version of versionsOf(message)) {
        const roundTrip = fc.property(arbitraryOf(message, version), (value) => {
          const reader = new Reader(encode(message, version, value));
          const decoded = message.decode(reader, version);
          // toEqual is slow, and only worth it for the difference that it shows.
          if (!isDeepStrictEqual(decoded, value)) expect(decoded).toEqual(value);
          expect(reader.remaining).toBe(0);
        });
        fc.assert(roundTrip, { numRuns: 15 });
      }
    });
  }

  it('gives a value or a CodecError for random bytes', () => {
    const anyBytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    const anyMessage = fc.constantFrom(...versioned);
    const decodes = fc.property(anyMessage, anyBytes, ({ message, version }, bytes) =>
      tryDecode(message, version, bytes),
    );
    fc.assert(decodes, { numRuns: 5000 });
  });

  it('gives a value or a CodecError for a valid message with bytes changed, cut or added', () => {
    const mutated = fc.constantFrom(...versioned).chain(({ message, version }) =>
      fc.record({
        message: fc.constant(message),
        version: fc.constant(version),
        value: arbitraryOf(message, version),
        changes: fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), { maxLength: 4 }),
        cut: fc.option(fc.nat()),
      }),
    );
    const decodes = fc.property(mutated, ({ message, version, value, changes, cut }) => {
      const bytes = encode(message, version, value);
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      tryDecode(message, version, cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1)));
    });
    fc.assert(decodes, { numRuns: 3000 });
  });

  it('survives 64 KiB of the greediest counts', () => {
    const greedy = [[0x7f, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xff, 0x0f], [0x00, 0x00, 0xff, 0xf0], [0x01], [0x00]];
    for (const pattern of greedy) {
      const bytes = Buffer.alloc(64 * 1024, Buffer.from(pattern));
      for (const { message, version } of versioned) tryDecode(message, version, bytes);
    }
  });

  it('encodes with only the fields that have no default', () => {
    const writer = new Writer();
    apiVersions.response.encode(writer, 4, { errorCode: 0, apiKeys: [] });
    expect(Buffer.concat(writer.finish()).toString('hex')).toBe('0000' + '01' + '00000000' + '00');
    metadata.request.encode(writer, 12, { topics: null });
    expect(Buffer.concat(writer.finish()).toString('hex')).toBe('00' + '01' + '00' + '00');
  });
});

describe('the table of APIs', () => {
  it('has each key once, in order', () => {
    const keys = APIS.map((api) => api.key);
    expect(keys).toEqual([...new Set(keys)].sort((a, b) => a - b));
    expect(apiOf(11)).toBe(joinGroup);
    expect(apiOf(4)).toBeUndefined();
  });

  it('says that Produce begins at 0, and offers no version that is not final', () => {
    const ranges = versionRanges();
    expect(ranges).toHaveLength(APIS.length);
    expect(ranges).toContainEqual({ apiKey: produce.key, minVersion: 0, maxVersion: 13 });
    expect(ranges).toContainEqual({ apiKey: fetch.key, minVersion: 4, maxVersion: 18 });
    expect(ranges).toContainEqual({ apiKey: 8, minVersion: 2, maxVersion: 9 });
  });
});
