import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogRecord, RecordHeader } from '../../records/index.ts';
import { MessageBytes } from './message-bytes.ts';
import { type MessageRecord, recordOf } from './record-mapping.ts';
import { RecordMessages } from './record-messages.ts';

const NOW = 1_700_000_000_123;

/** A property list as a client would encode it, from properties by the index of their flags; headers come encoded. */
function block(properties: ReadonlyMap<number, Buffer>): Buffer {
  const flags = Buffer.alloc(2);
  const parts: Buffer[] = [flags];
  for (let index = 0; index < 14; index++) {
    const value = properties.get(index);
    if (value === undefined) continue;
    flags.writeUInt16BE(flags.readUInt16BE(0) | (0x8000 >> index));
    parts.push(value);
  }
  return Buffer.concat(parts);
}

function short(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function long(type: string, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([Buffer.from(type), length, bytes]);
}

function table(fields: readonly (readonly [string | Buffer, Buffer])[]): Buffer {
  return long('F', Buffer.concat(fields.flatMap(([name, value]) => [short(name), value]))).subarray(1);
}

const HEADERS = 2;
const TIMESTAMP = 9;

function seconds(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function message(properties: Buffer, { exchange = 'shop', key = 'a.b', body = 'body' } = {}): MessageBytes {
  return MessageBytes.of(exchange, key, properties, Buffer.from(body));
}

function withHeaders(...fields: [string, Buffer][]): MessageBytes {
  return message(block(new Map([[HEADERS, table(fields)]])));
}

function written(record: MessageRecord, offset = 7): LogRecord {
  return { ...record, offset };
}

const reader = new RecordMessages({ name: 'orders' });

function propertiesOf({ properties, propertiesStart, propertiesEnd }: MessageBytes): Buffer {
  return Buffer.from(properties.subarray(propertiesStart, propertiesEnd));
}

function bodyOf({ body, bodyStart, bodyEnd }: MessageBytes): string {
  return body.toString('utf8', bodyStart, bodyEnd);
}

const asText = (headers: readonly RecordHeader[]) => headers.map(([name, value]) => [name, value?.toString() ?? null]);

const octet = fc.integer({ min: 0, max: 255 }).map((value) => Buffer.from([value]));
const shortString = fc.oneof(
  fc.string({ maxLength: 60 }).map(short),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => short(Buffer.from(bytes))),
);
const scalarField = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((text) => long('S', text)),
  fc.uint8Array().map((bytes) => long('S', Buffer.from(bytes))),
  fc.uint8Array().map((bytes) => long('x', Buffer.from(bytes))),
  fc.constant(Buffer.from('V')),
  fc.boolean().map((value) => Buffer.from([0x74, value ? 1 : 0])),
  fc
    .tuple(
      fc.constantFrom(
        ['b', 1],
        ['B', 1],
        ['s', 2],
        ['u', 2],
        ['I', 4],
        ['i', 4],
        ['l', 8],
        ['f', 4],
        ['d', 8],
        ['T', 8],
        ['D', 5],
      ),
      fc.uint8Array({ minLength: 8, maxLength: 8 }),
    )
    .map(([[type, size], bytes]) => Buffer.concat([Buffer.from(String(type)), bytes.subarray(0, Number(size))])),
);
const { field } = fc.letrec<{ field: Buffer }>((tie) => ({
  field: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalarField,
    fc.array(tie('field'), { maxLength: 4 }).map((elements) => long('A', Buffer.concat(elements))),
    fc
      .array(fc.tuple(fc.string({ maxLength: 10 }), tie('field')), { maxLength: 4 })
      .map((fields) => Buffer.concat([Buffer.from('F'), table(fields)])),
  ),
}));
const fieldName = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom(
    'type',
    'timestamp',
    'exchange',
    'routing-key',
    'amqp-properties',
    'x-kafka-key',
    'x-kafka-tombstone',
    'a',
  ),
);
const properties = fc
  .record(
    {
      contentType: shortString,
      encoding: shortString,
      // A table without fields counts as none.
      headers: fc.array(fc.tuple(fieldName, field), { minLength: 1, maxLength: 6 }).map(table),
      deliveryMode: octet,
      priority: octet,
      correlationId: shortString,
      replyTo: shortString,
      expiration: shortString,
      messageId: shortString,
      timestamp: fc
        .oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.integer({ min: 0, max: 2 ** 33 }))
        .map(seconds),
      type: shortString,
      userId: shortString,
      appId: shortString,
      clusterId: shortString,
    },
    { requiredKeys: [] },
  )
  .map((values) => {
    const names = ['contentType', 'encoding', 'headers', 'deliveryMode', 'priority', 'correlationId', 'replyTo'];
    names.push('expiration', 'messageId', 'timestamp', 'type', 'userId', 'appId', 'clusterId');
    return block(new Map(Object.entries(values).map(([name, value]) => [names.indexOf(name), value])));
  });

describe('a message that is a record and then a message again', () => {
  it('is the same to the byte', () => {
    fc.assert(
      fc.property(
        properties,
        fc.string({ maxLength: 60 }),
        fc.string({ maxLength: 60 }),
        fc.uint8Array(),
        (block, exchange, key, body) => {
          const record = recordOf(MessageBytes.of(exchange, key, block, Buffer.from(body)), NOW);
          const back = reader.of(written(record));
          expect(propertiesOf(back)).toEqual(block);
          expect([back.exchange, back.routingKey]).toEqual([exchange, key]);
          expect(back.body).toEqual(Buffer.from(body));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('keeps its types when somebody adds a header in between, and says what was added', () => {
    const record = recordOf(withHeaders(['count', Buffer.from([0x49, 0, 0, 0, 42])], ['gone', Buffer.from('V')]), NOW);
    const headers = record.headers.filter(([name]) => name !== 'gone');
    const back = reader.of({ ...written(record), headers: [...headers, ['added', Buffer.from('yes')]] });
    expect(propertiesOf(back)).toEqual(
      block(
        new Map([
          [
            HEADERS,
            table([
              ['count', Buffer.from([0x49, 0, 0, 0, 42])],
              ['added', long('S', 'yes')],
            ]),
          ],
        ]),
      ),
    );
  });

  it('has what somebody wrote into a header instead of a number', () => {
    const record = recordOf(withHeaders(['count', Buffer.from([0x49, 0, 0, 0, 42])]), NOW);
    const headers = record.headers.map(
      ([name, value]): RecordHeader => [name, name === 'count' ? Buffer.from('43') : value],
    );
    const back = reader.of({ ...written(record), headers });
    expect(propertiesOf(back)).toEqual(block(new Map([[HEADERS, table([['count', long('S', '43')]])]])));
  });
});

const recordHeader = fc.tuple(
  fc.oneof(
    fc
      .string({ unit: 'grapheme', maxLength: 12 })
      .filter((name) => !name.startsWith('x-kafka-') && name !== 'exchange'),
    fc.constantFrom('type', 'content-type', 'priority', 'timestamp', 'x'),
  ),
  fc.option(
    fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ maxLength: 20 })).map((value) => Buffer.from(value)),
  ),
);
const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 40 }).map((value) => Buffer.from(value)));

describe('a record that is a message and then a record again', () => {
  it('keeps key, value and the headers of each name', () => {
    fc.assert(
      fc.property(fc.array(recordHeader, { maxLength: 8 }), bytesOrNull, bytesOrNull, (headers, key, value) => {
        const record: LogRecord = { offset: 3, timestamp: NOW, key, value, headers };
        const back = recordOf(reader.of(record), NOW);
        expect(back.key).toEqual(key);
        expect(back.value).toEqual(value);
        const names = new Set(headers.map(([name]) => name));
        const of = (all: readonly RecordHeader[], wanted: string) => all.filter(([name]) => name === wanted);
        for (const name of names) expect(of(back.headers, name)).toEqual(of(headers, name));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a message as a record', () => {
  it('has its address, properties and headers under plain names, and nothing else when they are text', () => {
    const properties = block(
      new Map([
        [0, short('text/plain')],
        [HEADERS, table([['region', long('S', 'eu')]])],
        [3, Buffer.from([2])],
        [5, short('c-1')],
        [TIMESTAMP, seconds(1_600_000_000)],
      ]),
    );
    const { headers, key, value, timestamp } = recordOf(message(properties), NOW);
    expect(asText(headers)).toEqual([
      ['exchange', 'shop'],
      ['routing-key', 'a.b'],
      ['content-type', 'text/plain'],
      ['delivery-mode', '2'],
      ['correlation-id', 'c-1'],
      ['timestamp', '1600000000'],
      ['region', 'eu'],
    ]);
    expect({ key, value: value?.toString(), timestamp }).toEqual({
      key: null,
      value: 'body',
      timestamp: 1_600_000_000_000,
    });
  });

  it('says numbers, booleans and tables in text, and has the exact properties beside them', () => {
    const nested = Buffer.concat([
      Buffer.from('F'),
      table([
        ['reason', long('S', 'expired')],
        ['n', Buffer.from([0x62, 0xff])],
      ]),
    ]);
    const published = withHeaders(
      ['yes', Buffer.from([0x74, 1])],
      ['half', Buffer.from([0x66, 0x3f, 0, 0, 0])],
      ['tenth', Buffer.from([0x66, 0x3d, 0xcc, 0xcc, 0xcd])],
      ['price', Buffer.from([0x44, 2, 0, 0, 0, 5])],
      ['death', nested],
      ['list', long('A', Buffer.concat([long('S', 'one'), long('S', 'two')]))],
    );
    const { headers } = recordOf(published, NOW);
    expect(asText(headers.slice(2, -1))).toEqual([
      ['yes', 'true'],
      ['half', '0.5'],
      ['tenth', '0.1'],
      ['price', '0.05'],
      ['death', '{"reason":"expired","n":-1}'],
      ['list', 'one'],
      ['list', 'two'],
    ]);
    expect(headers.at(-1)).toEqual(['amqp-properties', propertiesOf(published)]);
  });

  it('has the key that a header says, and no value when another says so', () => {
    const keyed = recordOf(withHeaders(['x-kafka-key', long('S', 'k-1')]), NOW);
    expect([keyed.key?.toString(), asText(keyed.headers)]).toEqual([
      'k-1',
      [
        ['exchange', 'shop'],
        ['routing-key', 'a.b'],
      ],
    ]);
    const properties = block(new Map([[HEADERS, table([['x-kafka-tombstone', Buffer.from([0x74, 1])]])]]));
    expect(recordOf(message(properties, { body: '' }), NOW).value).toBeNull();
    expect(recordOf(message(properties), NOW).value?.toString()).toBe('body');
  });

  it('has the time of publishing unless the message names another second that can be', () => {
    const time = (value: number | bigint, bounds = {}) =>
      recordOf(message(block(new Map([[TIMESTAMP, seconds(value)]]))), NOW, {
        timestampAfterMaxMs: Number.POSITIVE_INFINITY,
        timestampBeforeMaxMs: Number.POSITIVE_INFINITY,
        ...bounds,
      }).timestamp;
    expect(time(1_700_000_000)).toBe(NOW);
    expect(time(1_600_000_000)).toBe(1_600_000_000_000);
    expect(time(1_600_000_000, { timestampBeforeMaxMs: 1000 })).toBe(NOW);
    // Milliseconds, by mistake.
    expect(time(NOW)).toBe(NOW);
    expect(time(2n ** 64n - 1n)).toBe(NOW);
    expect(recordOf(message(block(new Map())), NOW).timestamp).toBe(NOW);
  });

  it('is refused with properties that are cut short', () => {
    const whole = propertiesOf(withHeaders(['list', long('A', long('S', 'one'))]));
    for (let length = 0; length < whole.length; length++) {
      const cut = MessageBytes.of('', 'q', whole.subarray(0, length), Buffer.alloc(0));
      expect(() => recordOf(cut, NOW)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    }
  });
});

describe('a record as a message', () => {
  const record: LogRecord = { offset: 2 ** 33 + 5, timestamp: NOW, key: null, value: Buffer.from('v'), headers: [] };

  it('goes under the name of the queue, with the time of the record in seconds', () => {
    const back = reader.of(record);
    expect([back.exchange, back.routingKey, bodyOf(back)]).toEqual(['', 'orders', 'v']);
    expect(propertiesOf(back)).toEqual(block(new Map([[TIMESTAMP, seconds(1_700_000_000)]])));
  });

  it('takes properties from headers that can be, and leaves others as headers', () => {
    const back = reader.of({
      ...record,
      headers: [
        ['content-type', Buffer.from('application/json')],
        ['priority', Buffer.from('high')],
        ['type', Buffer.from([0xff])],
        ['message-id', Buffer.from('1')],
        ['message-id', Buffer.from('2')],
        ['correlation-id', null],
        ['x'.repeat(256), Buffer.from('no name that long')],
      ],
    });
    const two = Buffer.concat([long('S', '1'), long('S', '2')]);
    expect(propertiesOf(back)).toEqual(
      block(
        new Map([
          [0, short('application/json')],
          [
            HEADERS,
            table([
              ['priority', long('S', 'high')],
              ['type', long('x', Buffer.from([0xff]))],
              ['message-id', long('A', two)],
              ['correlation-id', Buffer.from('V')],
            ]),
          ],
          [TIMESTAMP, seconds(1_700_000_000)],
        ]),
      ),
    );
  });

  it('says its offset and partition when asked to, in place of what it carried from elsewhere', () => {
    const there = new RecordMessages({ name: 'orders', offsets: true, partition: 3 });
    const offset = Buffer.from([0x6c, 0, 0, 0, 2, 0, 0, 0, 5]);
    const place: [string, Buffer][] = [
      ['x-stream-offset', offset],
      ['x-kafka-partition', Buffer.from([0x49, 0, 0, 0, 3])],
    ];
    const elsewhere: [string, Buffer] = ['x-stream-offset', Buffer.from([0x49, 0, 0, 0, 1])];
    const flag: [string, Buffer] = ['flag', Buffer.from([0x74, 0])];
    for (const own of [[], [flag]]) {
      const published = recordOf(withHeaders(elsewhere, ...own), NOW);
      const back = there.of({ ...published, offset: record.offset });
      expect(propertiesOf(back)).toEqual(block(new Map([[HEADERS, table([...own, ...place])]])));
    }
    const plain = recordOf(message(block(new Map([[3, Buffer.from([2])]]))), NOW);
    expect(propertiesOf(there.of({ ...plain, offset: record.offset }))).toEqual(
      block(
        new Map([
          [HEADERS, table(place)],
          [3, Buffer.from([2])],
        ]),
      ),
    );
  });

  it('leaves out the largest headers when there is no room for all, and says how many', () => {
    const there = new RecordMessages({ name: 'orders', maxPropertiesBytes: 8192 });
    const back = there.of({
      ...record,
      timestamp: -1,
      headers: [
        ['small', Buffer.from('s')],
        ['large', Buffer.alloc(9000, 'x')],
        ['larger', Buffer.alloc(90_000, 'x')],
      ],
    });
    const omitted = Buffer.from([0x49, 0, 0, 0, 2]);
    expect(propertiesOf(back)).toEqual(
      block(
        new Map([
          [
            HEADERS,
            table([
              ['small', long('S', 's')],
              ['x-headers-omitted', omitted],
            ]),
          ],
        ]),
      ),
    );
  });

  it('is made of whatever a producer put into its headers', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.constantFrom('exchange', 'routing-key', 'amqp-properties', 'timestamp', 'priority', 'a'),
            fc.option(
              fc.oneof(
                fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
                properties,
              ),
            ),
          ),
          { maxLength: 6 },
        ),
        (headers) => {
          const back = reader.of({ ...record, headers });
          // What it gives must be properties, whatever it was given.
          recordOf(back, NOW);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
