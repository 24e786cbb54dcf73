import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c, encodeBatch, stampBaseOffset } from '../../records/index.ts';
import { BatchWalk } from './batch-walk.ts';
import { FrameWalk, groupFrame, isMark, markFrame } from './group-frame.ts';

// What is read of files comes in pieces of any size: large batches and groups are checked as they come.

/** Cuts bytes at random places. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const piece = bytes.subarray(at, at + (sizes[i % sizes.length] ?? 1));
    pieces.push(piece);
    at += piece.length;
  }
  return pieces;
}

const SIZES = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 });
const LENGTHS = fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 8 });

describe('batches of a segment', () => {
  const segmentOf = (lengths: readonly number[]) => {
    const batches = lengths.map((length, offset) => {
      const batch = encodeBatch({ records: [{ timestamp: 1, key: null, value: Buffer.alloc(length, offset) }] });
      stampBaseOffset(batch, 0, offset);
      return batch;
    });
    const bytes = Buffer.concat(batches);
    const segment = {
      name: 'log/0',
      baseOffset: 0,
      nextOffset: batches.length,
      size: bytes.length,
      maxTimestamp: 1,
      indexed: false,
    };
    return { bytes, starts: batches.map((_, i) => Buffer.concat(batches.slice(0, i)).length), segment };
  };
  const walk = ({ segment }: ReturnType<typeof segmentOf>, pieces: readonly Buffer[]) => {
    const batchWalk = new BatchWalk(segment);
    for (const piece of pieces) batchWalk.add(piece);
    return batchWalk.finish();
  };

  test('are found to be whole, however they are cut', () => {
    fc.assert(
      fc.property(LENGTHS, SIZES, (lengths, sizes) => {
        const made = segmentOf(lengths);
        expect(walk(made, cut(made.bytes, sizes))).toBeUndefined();
      }),
    );
  });

  test('are damaged from the first batch on that has a wrong byte, or is not all there', () => {
    fc.assert(
      fc.property(LENGTHS, SIZES, fc.nat(), fc.boolean(), (lengths, sizes, place, isCut) => {
        const made = segmentOf(lengths);
        const at = place % made.bytes.length;
        const first = made.starts.findLast((start) => start <= at) ?? 0;
        if (!isCut) {
          // The leader epoch may be anything.
          fc.pre(at - first < 12 || at - first >= 16);
          made.bytes[at] = (made.bytes[at] ?? 0) ^ 0x55;
        }
        const bytes = isCut ? made.bytes.subarray(0, at) : made.bytes;
        expect(walk(made, cut(bytes, sizes))?.byte).toBe(first);
      }),
    );
  });
});

describe('groups', () => {
  const framesOf = (lengths: readonly number[]) =>
    lengths.map((length, i) => {
      const payload = Buffer.alloc(length, i);
      const position = 1000 + i;
      return length % 3 === 0
        ? [markFrame({ position, time: i })]
        : groupFrame({ payload, payloadCrc: crc32c(payload), end: position, epoch: 1 }, i);
    });

  test('are the same, however they are cut; damage ends them', () => {
    fc.assert(
      fc.property(LENGTHS, SIZES, fc.option(fc.nat()), (lengths, sizes, damage) => {
        const frames = framesOf(lengths).map((chunks) => Buffer.concat(chunks));
        const bytes = Buffer.concat(frames);
        let good = frames.length;
        if (damage !== null) {
          const at = damage % bytes.length;
          bytes[at] = (bytes[at] ?? 0) ^ 0x55;
          for (let end = 0, i = 0; i < frames.length && good === frames.length; i++) {
            end += frames[i]?.length ?? 0;
            if (at < end) good = i;
          }
        }
        const frameWalk = new FrameWalk();
        const seen = cut(bytes, sizes).flatMap((piece) => frameWalk.add(piece));
        expect(
          seen.map((frame) => (isMark(frame) ? [frame.position, frame.time] : [frame.position, frame.payload])),
        ).toEqual(
          lengths.slice(0, good).map((length, i) => [1000 + i, length % 3 === 0 ? i : Buffer.alloc(length, i)]),
        );
        expect(frameWalk.at).toBe(frames.slice(0, good).reduce((sum, { length }) => sum + length, 0));
        // Of a length that is wrong, nobody says so before the end.
        expect(frameWalk.finish() !== undefined).toBe(good < frames.length);
      }),
    );
  });
});
