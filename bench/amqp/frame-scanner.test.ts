import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameScanner } from './frame-scanner.ts';
import { frame } from './frames.ts';

interface Found {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

function scan(chunks: readonly Buffer[]): Found[] {
  const found: Found[] = [];
  const scanner = new FrameScanner((type, channel, bytes, start, end) => {
    found.push({ type, channel, payload: Buffer.from(bytes.subarray(start, end)) });
  });
  // As sockets read: into the same memory each time, of which only the first bytes count.
  const memory = Buffer.alloc(Math.max(...chunks.map(({ length }) => length), 0) + 10);
  for (const chunk of chunks) {
    memory.fill(0xff);
    chunk.copy(memory);
    scanner.push(memory, chunk.length);
  }
  return found;
}

const size = fc.oneof(fc.nat(40), fc.integer({ min: 20_000, max: 40_000 }));
const frames = fc.array(
  fc.record({
    type: fc.integer({ min: 1, max: 8 }),
    channel: fc.nat(0xffff),
    payload: fc.tuple(size, fc.nat(0xff)).map(([length, fill]) => Buffer.alloc(length, fill)),
  }),
  { maxLength: 12 },
);

function text({ type, channel, payload }: Found): string {
  return `${type} ${channel} ${payload.toString('latin1')}`;
}

describe('FrameScanner', () => {
  it('finds the frames that were sent, however they are cut', () => {
    fc.assert(
      fc.property(frames, fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.nat(5000))), (sent, sizes) => {
        const bytes = Buffer.concat(sent.map(({ type, channel, payload }) => frame(type, channel, payload)));
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; ) {
          const size = Math.max(Number(sizes.next().value), 1);
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        // Compared as text: element by element, large buffers take seconds.
        expect(scan(chunks).map(text)).toEqual(sent.map(text));
      }),
      { numRuns: 60 },
    );
  });

  it('does not go on after a frame without its end', () => {
    const bytes = frame(1, 0, Buffer.from('payload'));
    bytes[bytes.length - 1] = 0;
    expect(() => scan([bytes])).toThrow('a frame ends in 0, not 206');
  });
});
