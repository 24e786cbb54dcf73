import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BrokerError } from '../../errors.ts';
import { EVENT_TYPES, type EventType, LAYOUTS, type Layout, type TraceEvent } from './event.ts';
import { Participant, Place } from './place.ts';
import { readGathering } from './trace-reader.ts';
import { TraceWriter } from './trace-writer.ts';

const NOW = 1_700_000_000_000;

const places = ['a', 'b'].map(
  (name) => new Place({ kind: 'queue', id: `id of ${name}`, virtualHost: '/', name, partition: 3 }),
);
const people = ['anna', ''].map(
  (user) => new Participant({ protocol: 'AMQP 0-9-1', user, connection: 'from -> to', client: 'a client' }),
);

const numbers = fc.oneof(fc.nat(300), fc.maxSafeNat());
const VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  number: numbers,
  flag: fc.boolean(),
  text: fc.oneof(fc.constant(''), fc.string({ unit: 'grapheme', maxLength: 100 })),
  place: fc.constantFrom(undefined, ...places),
  actor: fc.constantFrom(undefined, ...people),
};

type Written = { readonly type: EventType; readonly time: number; readonly values: Readonly<Record<string, unknown>> };

const events: fc.Arbitrary<Written> = fc.constantFrom(...EVENT_TYPES).chain((type) => {
  const fields = Object.entries(LAYOUTS[type] as Layout).map(([name, kind]): [string, fc.Arbitrary<unknown>] => [
    name,
    typeof kind === 'string' ? (VALUES[kind] ?? fc.constant('')) : fc.constantFrom(...kind),
  ]);
  return fc.record({
    type: fc.constant(type),
    time: fc.nat(1000).map((ms) => NOW + ms),
    values: fc.record(Object.fromEntries(fields)),
  });
});

function write(writer: TraceWriter, { type, time, values }: Written): void {
  const fields = Object.entries(LAYOUTS[type] as Layout);
  for (const [name, kind] of fields) {
    if (kind === 'place') writer.define(values[name] as Place | undefined, undefined, time);
    if (kind === 'actor') writer.define(undefined, values[name] as Participant | undefined, time);
  }
  writer.begin(type, time);
  for (const [name, kind] of fields) {
    const value = values[name];
    if (kind === 'number') writer.number(value as number);
    else if (kind === 'flag') writer.flag(value as boolean);
    else if (kind === 'text') writer.text(value as string);
    else if (kind === 'place' || kind === 'actor') writer.reference(value as Place | undefined);
    else writer.choice(kind, value as string);
  }
  writer.end();
}

test('whatever is written is read again, gathering after gathering, by one writer', () => {
  const writer = new TraceWriter();
  fc.assert(
    fc.property(fc.array(events, { minLength: 1, maxLength: 20 }), (written) => {
      for (const event of written) write(writer, event);
      const [first] = written;
      // Time does not go back within a gathering.
      const base = first?.time ?? NOW;
      const expected = written.map(({ type, time, values }) => ({ type, time: Math.max(base, time), ...values }));
      expect([...readGathering(writer.take())].map(plain)).toEqual(expected.map(plain));
      expect(writer.bytes).toBe(0);
    }),
  );
});

/** Places and people as what they say, without what the writer keeps of them. */
function plain(event: unknown): unknown {
  const shown = Object.entries(event as TraceEvent).map(([name, value]) => {
    if (typeof value !== 'object' || value === null) return [name, value];
    const { gathering: _, number: __, hash: ___, selected: ____, seenIn: _____, ...info } = value as Place;
    return [name, { ...info }];
  });
  return Object.fromEntries(shown);
}

test('text that is too long is cut', () => {
  const writer = new TraceWriter();
  writer.begin('committed', NOW);
  writer.reference(undefined);
  writer.number(1);
  writer.reference(undefined);
  writer.text('x'.repeat(100_000));
  writer.end();
  expect([...readGathering(writer.take())]).toMatchObject([{ type: 'committed', group: 'x'.repeat(1024) }]);
});

test('events of a kind that is not known are passed over', () => {
  const writer = new TraceWriter();
  writer.begin('dropped', NOW);
  writer.number(7);
  writer.end();
  const bytes = writer.take();
  const unknown = Buffer.from([239, 2, 0, 1, 2]);
  const read = [...readGathering(Buffer.concat([bytes, unknown, bytes.subarray(9)]))];
  expect(read).toMatchObject([{ count: 7 }, { count: 7 }]);
});

test('any other bytes are refused as damage, or read: nothing else happens', () => {
  const writer = new TraceWriter();
  const sound = fc.array(events, { minLength: 1, maxLength: 5 }).map((written) => {
    for (const event of written) write(writer, event);
    return writer.take();
  });
  const bent = fc
    .tuple(sound, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), fc.nat())
    .map(([bytes, flips, end]) => {
      for (const [at, value] of flips) bytes[at % bytes.length] = value;
      return bytes.subarray(0, end % (bytes.length + 1));
    });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        bent,
      ),
      (bytes) => {
        try {
          for (const event of readGathering(bytes)) expect(event.time).toBeTypeOf('number');
        } catch (error) {
          expect(error).toBeInstanceOf(BrokerError);
          expect((error as BrokerError).code).toBe('storage-damaged');
        }
      },
    ),
    { numRuns: 2000 },
  );
});
