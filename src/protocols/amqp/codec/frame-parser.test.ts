import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokerError } from '../../../errors.ts';
import { CodecError } from './codec-error.ts';
import { frame, pieces, RecordingSink } from './fixture.contract.ts';
import { FrameParser } from './frame-parser.ts';
import { PROTOCOL_HEADER } from './frames.ts';

function parsed(chunks: readonly Buffer[], configure: (parser: FrameParser) => void = () => {}): RecordingSink {
  const sink = new RecordingSink();
  const parser = new FrameParser(sink, 'frames');
  configure(parser);
  for (const chunk of chunks) parser.push(chunk);
  return sink;
}

function replyOf(bytes: Buffer): string {
  try {
    parsed([bytes]);
  } catch (error) {
    if (error instanceof CodecError) return `${error.replyCode} ${error.reply}`;
    throw error;
  }
  return 'none';
}

const payloads = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.integer({ min: 200, max: 5000 }).map((size) => Buffer.alloc(size, size)) },
);

const frames = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: fc.tuple(fc.constantFrom(1, 2, 3), fc.nat(0xffff), payloads) },
    { weight: 1, arbitrary: fc.constant<[number, number, Buffer]>([8, 0, Buffer.alloc(0)]) },
  ),
  { maxLength: 12 },
);

const cuts = fc.array(fc.nat(), { maxLength: 20 });
const CALLS = { 1: 'method', 2: 'header', 3: 'body' } as const;

function bytesOf(given: readonly (readonly [number, number, Buffer])[]): Buffer {
  return Buffer.concat(given.map(([type, channel, payload]) => frame(type, channel, payload)));
}

describe('FrameParser', () => {
  it('calls the sink for each frame, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(frames, cuts, (given, where) => {
        const { calls } = parsed(pieces(bytesOf(given), where));
        expect(calls).toEqual(
          given.map(([type, channel, payload]) =>
            type === 8
              ? { call: 'heartbeat' }
              : { call: CALLS[type as 1 | 2 | 3], channel, payload: payload.toString('hex') },
          ),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('goes on after a pause as if there had been none', () => {
    fc.assert(
      fc.property(frames, cuts, fc.array(fc.boolean()), (given, where, pauses) => {
        const whole = parsed([bytesOf(given)]).calls;
        const sink = new RecordingSink();
        const parser = new FrameParser(sink, 'frames');
        const plan = [...pauses];
        sink.after = () => {
          expect(parser.paused).toBe(false);
          if (plan.shift()) parser.pause();
        };
        for (const chunk of pieces(bytesOf(given), where)) {
          parser.push(chunk);
          if (plan.shift()) parser.resume();
        }
        while (parser.paused) parser.resume();
        expect(sink.calls).toEqual(whole);
      }),
    );
  });

  it('may be paused and resumed from within a call', () => {
    const sink = new RecordingSink();
    const parser = new FrameParser(sink, 'frames');
    sink.after = () => {
      parser.pause();
      parser.resume();
    };
    parser.push(Buffer.concat([frame(1, 1, Buffer.of(1)), frame(1, 1, Buffer.of(2))]));
    expect(sink.calls).toHaveLength(2);
  });

  it('goes on behind the frame that the sink threw for', () => {
    const given = [1, 2, 3, 4].map((n): [number, number, Buffer] => [1, n, Buffer.of(n)]);
    for (const where of [[], [10], [12], [9, 18]]) {
      const sink = new RecordingSink();
      const parser = new FrameParser(sink, 'frames');
      sink.after = () => {
        throw new Error('no');
      };
      for (const chunk of pieces(bytesOf(given), where)) expect(() => parser.push(chunk)).toThrow('no');
      while (sink.calls.length < 4) expect(() => parser.resume()).toThrow('no');
      expect(sink.calls.map((call) => 'channel' in call && call.channel)).toEqual([1, 2, 3, 4]);
    }
  });

  it('takes the protocol header first, wherever it is cut', () => {
    for (let cut = 0; cut <= 12; cut++) {
      const sink = new RecordingSink();
      const parser = new FrameParser(sink);
      for (const chunk of pieces(Buffer.concat([PROTOCOL_HEADER, frame(8, 0, Buffer.alloc(0))]), [cut]))
        parser.push(chunk);
      expect(sink.calls).toEqual([{ call: 'protocolHeader', asked: 'amqp-0-9-1' }, { call: 'heartbeat' }]);
    }
  });

  it.each([
    ['AMQP\x01\x01\0\x09', 'amqp-0-9-1'],
    ['AMQP\0\x01\0\0', 'another amqp'],
    ['AMQP\x03\x01\0\0', 'another amqp'],
    ['GET / HTTP/1.1', 'http'],
    ['\x16\x03\x01\x02\0\x01\0\0', 'tls'],
    ['whatever', 'unknown'],
  ])('says who asks for what (%j)', (bytes, asked) => {
    const sink = new RecordingSink();
    const parser = new FrameParser(sink);
    parser.push(Buffer.from(bytes, 'latin1'));
    if (asked !== 'amqp-0-9-1') parser.push(frame(8, 0, Buffer.alloc(0)));
    expect(sink.calls).toEqual([{ call: 'protocolHeader', asked }]);
  });

  it('refuses what is no frame', () => {
    expect(replyOf(frame(4, 0, Buffer.alloc(0)))).toBe('501 FRAME_ERROR');
    expect(replyOf(frame(8, 0, Buffer.alloc(1)))).toBe('501 FRAME_ERROR');
    expect(replyOf(frame(8, 1, Buffer.alloc(0)))).toBe('505 UNEXPECTED_FRAME');
    expect(replyOf(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0xcd]))).toBe('501 FRAME_ERROR');
    expect(replyOf(Buffer.from([3, 0, 1, 0xff, 0xff, 0xff, 0xff]))).toBe('501 FRAME_ERROR');
  });

  it('takes frames up to frame_max', () => {
    const configure = (parser: FrameParser) => {
      parser.frameMax = 4096;
    };
    // As RabbitMQ, 8 bytes more than agreed.
    expect(parsed([frame(3, 1, Buffer.alloc(4096))], configure).calls).toHaveLength(1);
    expect(() => parsed([frame(3, 1, Buffer.alloc(4097))], configure)).toThrow('limit is 4096');
    expect(() =>
      parsed([], (parser) => {
        parser.frameMax = 4095;
      }),
    ).toThrow(CodecError);
  });

  it('reads nothing more after what was no frame', () => {
    const sink = new RecordingSink();
    const parser = new FrameParser(sink, 'frames');
    expect(() => parser.push(frame(9, 0, Buffer.alloc(0)))).toThrow(CodecError);
    parser.push(frame(8, 0, Buffer.alloc(0)));
    parser.resume();
    expect(sink.calls).toEqual([]);
  });

  it('puts a large frame together from single bytes', () => {
    const payload = Buffer.alloc(600_000, 'abc');
    const sink = new RecordingSink();
    const parser = new FrameParser(sink, 'frames');
    parser.frameMax = 2 ** 20;
    for (const byte of frame(3, 7, payload)) parser.push(Buffer.of(byte));
    expect(sink.calls).toEqual([{ call: 'body', channel: 7, payload: payload.toString('hex') }]);
  });

  it('throws nothing but its own errors, whatever the bytes', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(frames, damage, cuts, (given, changes, where) => {
        const bytes = bytesOf(given);
        for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
        const run = (chunks: readonly Buffer[]) => {
          const sink = new RecordingSink();
          const parser = new FrameParser(sink, 'frames');
          try {
            for (const chunk of chunks) parser.push(chunk);
          } catch (error) {
            if (!(error instanceof BrokerError)) throw error;
          }
          return sink.calls;
        };
        expect(run(pieces(bytes, where))).toEqual(run([bytes]));
      }),
      { numRuns: 1000 },
    );
  });
});
