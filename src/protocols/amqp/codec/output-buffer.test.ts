import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeProperties, MessageBytes } from '../../../broker/index.ts';
import { properties, tables } from '../../../broker/messages/arbitrary.contract.ts';
import { arbitraryMethod, METHOD_NAMES, RecordingSink } from './fixture.contract.ts';
import { FrameParser, type FrameSink } from './frame-parser.ts';
import { decodeMethod } from './method-decoder.ts';
import type { Method } from './methods.ts';
import { OutputBuffer } from './output-buffer.ts';

/** Puts methods and content together again. */
class Reader implements FrameSink {
  readonly received: { channel: number; method: Method; properties?: Buffer; body?: string; frames?: number }[] = [];
  heartbeats = 0;
  #size = 0;

  protocolHeader(): void {}

  heartbeat(): void {
    this.heartbeats++;
  }

  method(channel: number, buffer: Buffer, start: number, end: number): void {
    this.received.push({ channel, method: decodeMethod(buffer, start, end) });
  }

  header(channel: number, buffer: Buffer, start: number, end: number): void {
    expect(buffer.readUInt32BE(start)).toBe(60 * 65536);
    this.#size = Number(buffer.readBigUInt64BE(start + 4));
    Object.assign(this.#last(channel), {
      properties: Buffer.from(buffer.subarray(start + 12, end)),
      body: '',
      frames: 0,
    });
  }

  body(channel: number, buffer: Buffer, start: number, end: number): void {
    const last = this.#last(channel);
    last.body = (last.body ?? '') + buffer.toString('latin1', start, end);
    last.frames = (last.frames ?? 0) + 1;
    expect(last.body.length).toBeLessThanOrEqual(this.#size);
  }

  #last(channel: number) {
    const last = this.received.at(-1);
    if (last?.channel !== channel) throw new Error('content of another channel');
    return last;
  }
}

function read(output: OutputBuffer): Reader {
  const reader = new Reader();
  const parser = new FrameParser(reader, 'frames');
  parser.frameMax = output.frameMax;
  for (const chunk of output.take()) parser.push(chunk);
  expect(output.length).toBe(0);
  return reader;
}

/** The string with its length in front, as it is written. */
function shortString(text: string): Buffer {
  return Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text)]);
}

const texts = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constant('k'.repeat(255)),
);

const bodies = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.integer({ min: 4080, max: 4100 }).map((size) => Buffer.alloc(size, 'abc')) },
  { weight: 1, arbitrary: fc.integer({ min: 16_370, max: 60_000 }).map((size) => Buffer.alloc(size, 'defg')) },
);

const messages = fc.record({ exchange: texts, routingKey: texts, properties, body: bodies });

/** A message in the middle of larger buffers, as real ones are. */
function embedded(exchange: string, routingKey: string, encoded: Buffer, body: Buffer): MessageBytes {
  const message = MessageBytes.of(exchange, routingKey, encoded, body);
  const around = Buffer.alloc(9, 0xee);
  for (const part of ['address', 'properties', 'body'] as const) {
    const bytes = message[part];
    message[part] = Buffer.concat([around, bytes, around]);
    message[`${part}Start`] = around.length;
    message[`${part}End`] = around.length + bytes.length;
  }
  return message;
}

const channels = fc.nat(0xffff);
const frameMaxima = fc.constantFrom(4096, 20_000, 131_072);

describe('OutputBuffer', () => {
  it('writes any method, and says how much waits', () => {
    const anyMethod = fc.constantFrom(...METHOD_NAMES).chain((name) => arbitraryMethod(name, tables));
    fc.assert(
      fc.property(fc.array(fc.tuple(channels, anyMethod), { maxLength: 20 }), (given) => {
        const output = new OutputBuffer();
        output.frameMax = 2 ** 20;
        let bytes = 0;
        for (const [channel, method] of given) {
          output.method(channel, method.name, method as never);
          expect(output.length).toBeGreaterThan(bytes);
          bytes = output.length;
        }
        expect(read(output).received).toEqual(given.map(([channel, method]) => ({ channel, method })));
      }),
    );
  });

  it('writes messages in every way they go', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.constantFrom('deliver', 'get', 'return', 'publish'), channels, messages, texts, fc.maxSafeNat()),
          {
            maxLength: 8,
          },
        ),
        frameMaxima,
        fc.boolean(),
        (given, frameMax, yes) => {
          const output = new OutputBuffer();
          output.frameMax = frameMax;
          const expected = given.map(([way, channel, { exchange, routingKey, properties, body }, text, tag]) => {
            const encoded = encodeProperties(properties);
            const message = embedded(exchange, routingKey, encoded, body);
            if (way === 'deliver') output.deliver(channel, shortString(text), tag, yes, message);
            else if (way === 'get') output.getOk(channel, tag, yes, message, tag % 2 ** 32);
            else if (way === 'return') output.return(channel, 312, 'NO_ROUTE', message);
            else output.publish(channel, message, yes);
            const method = {
              deliver: { name: 'basic.deliver', consumerTag: text, deliveryTag: tag, redelivered: yes },
              get: { name: 'basic.get-ok', deliveryTag: tag, redelivered: yes, messageCount: tag % 2 ** 32 },
              return: { name: 'basic.return', replyCode: 312, replyText: 'NO_ROUTE' },
              publish: { name: 'basic.publish', mandatory: yes, immediate: false },
            }[way];
            return {
              channel,
              method: { ...method, exchange, routingKey },
              properties: encoded,
              body: body.toString('latin1'),
              frames: Math.ceil(body.length / (frameMax - 8)),
            };
          });
          // A header frame is never split, and may be larger than what is agreed on.
          output.frameMax = 2 ** 20;
          expect(read(output).received).toEqual(expected);
        },
      ),
    );
  });

  it('writes acknowledgements and heartbeats', () => {
    const output = new OutputBuffer();
    output.ack(1, 2 ** 40 + 1, true);
    output.nack(2, 7, false, true);
    output.nack(2, 0xffff_ffff, true, false);
    output.reject(3, 0x1_0000_0000, true);
    output.heartbeat();
    const reader = read(output);
    expect(reader.heartbeats).toBe(1);
    expect(reader.received).toEqual([
      { channel: 1, method: { name: 'basic.ack', deliveryTag: 2 ** 40 + 1, multiple: true } },
      { channel: 2, method: { name: 'basic.nack', deliveryTag: 7, multiple: false, requeue: true } },
      { channel: 2, method: { name: 'basic.nack', deliveryTag: 0xffff_ffff, multiple: true, requeue: false } },
      { channel: 3, method: { name: 'basic.reject', deliveryTag: 0x1_0000_0000, requeue: true } },
    ]);
  });

  it('writes the bytes that the specification says', () => {
    const output = new OutputBuffer();
    const message = MessageBytes.of('x', 'key', Buffer.from('1000' + '02', 'hex'), Buffer.from('hi'));
    output.publish(1, message, true);
    expect(Buffer.concat(output.take()).toString('hex')).toBe(
      [
        `01 0001 0000000d 003c0028 0000 0178 036b6579 01 ce`,
        `02 0001 0000000f 003c 0000 0000000000000002 1000 02 ce`,
        `03 0001 00000002 6869 ce`,
      ]
        .join('')
        .replaceAll(' ', ''),
    );
    output.protocolHeader();
    expect(Buffer.concat(output.take()).toString('latin1')).toBe('AMQP\0\0\x09\x01');
  });

  it('does not write again to what it handed over', () => {
    const output = new OutputBuffer();
    const message = MessageBytes.of('', 'q', Buffer.alloc(2), Buffer.alloc(200, 'a'));
    const taken: { chunks: Buffer[]; copy: Buffer }[] = [];
    for (let round = 0; round < 300; round++) {
      for (let i = 0; i < round % 23; i++) output.deliver(1, shortString('tag'), round, false, message);
      output.ack(1, round, true);
      const chunks = output.take();
      taken.push({ chunks, copy: Buffer.concat(chunks) });
    }
    for (const { chunks, copy } of taken) expect(Buffer.concat(chunks).equals(copy)).toBe(true);
  });

  it('hands large bodies over where they lie', () => {
    const output = new OutputBuffer();
    output.frameMax = 131_072;
    const body = Buffer.alloc(300_000, 'x');
    output.deliver(1, shortString('tag'), 1, false, MessageBytes.of('', 'q', Buffer.alloc(2), body));
    const parts = output.take().filter((chunk) => chunk.buffer === body.buffer);
    expect(parts.reduce((bytes, part) => bytes + part.length, 0)).toBe(body.length);
  });

  it('sends nothing of a method that cannot be written', () => {
    const output = new OutputBuffer();
    output.heartbeat();
    const before = output.length;
    expect(() => output.method(1, 'basic.consume-ok', { consumerTag: 'x'.repeat(256) })).toThrow();
    expect(output.length).toBe(before);
    const sink = new RecordingSink();
    for (const chunk of output.take()) new FrameParser(sink, 'frames').push(chunk);
    expect(sink.calls).toEqual([{ call: 'heartbeat' }]);
  });
});
