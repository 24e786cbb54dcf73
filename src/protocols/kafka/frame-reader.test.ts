import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodecError } from './codec/codec-error.ts';
import { FrameReader } from './frame-reader.ts';

function framed(body: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

describe('FrameReader', () => {
  it('gives back the frames that were sent, however the bytes arrive', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 50 })), (sent, cuts) => {
        const wire = Buffer.concat(sent.map((body) => framed(Buffer.from(body))));
        const reader = new FrameReader(100);
        const frames: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          reader.push(wire.subarray(at, at + cut), frames);
          at = Math.min(at + cut, wire.length);
        }
        if (at < wire.length) reader.push(wire.subarray(at), frames);
        expect(frames.map((frame) => [...frame])).toEqual(sent.map((body) => [...body]));
      }),
    );
  });

  it('gives back a frame that came in more pieces than it keeps', () => {
    const body = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 256));
    const reader = new FrameReader(10_000);
    const frames: Buffer[] = [];
    for (const byte of Buffer.concat([framed(body), framed(body)])) reader.push(Buffer.of(byte), frames);
    expect(frames).toEqual([body, body]);
  });

  it.each([-1, 101, 0x7fff_ffff])('refuses a size of %i as soon as it is there', (size) => {
    const reader = new FrameReader(100);
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(size);
    reader.push(bytes.subarray(0, 3), []);
    expect(() => reader.push(bytes.subarray(3), [])).toThrow(CodecError);
  });
});
