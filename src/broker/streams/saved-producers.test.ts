import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeSaved, encodeSaved, NOTHING_SAVED, type SavedProducer } from './saved-producers.ts';

const number = fc.maxSafeNat();
const saved = fc.record({
  offset: number,
  producers: fc.array(
    fc.tuple(
      number,
      number,
      number,
      fc.array(fc.tuple(number, number, number, number, number)),
      number,
      number,
      number,
    ),
  ) as fc.Arbitrary<SavedProducer[]>,
  transactions: fc.record({
    open: fc.array(fc.tuple(number, number)),
    aborted: fc.array(fc.record({ producerId: number, firstOffset: number, lastOffset: number, stableOffset: number })),
  }),
});

it('is read as it was saved', () => {
  fc.assert(
    fc.property(saved, (all) => {
      expect(decodeSaved(encodeSaved(all))).toEqual(all);
    }),
  );
});

it('is nothing when any of the aborted transactions is missing or another one', () => {
  fc.assert(
    fc.property(saved, fc.nat(), (all, at) => {
      const bytes = encodeSaved(all);
      const behind = bytes.indexOf('\n') + 1;
      expect(decodeSaved(bytes.subarray(0, at % bytes.length))).toEqual(NOTHING_SAVED);
      if (behind === bytes.length) return;
      const place = behind + (at % (bytes.length - behind));
      bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
      expect(decodeSaved(bytes)).toEqual(NOTHING_SAVED);
    }),
  );
});

it('is read as former versions saved it: with aborted transactions in the JSON, or without any', () => {
  const producers = [[7, 0, 1, [[0, 0, 0, 0, 5]], 0, -1, -1]];
  const old = { offset: 9, producers, transactions: { open: [[7, 3]], aborted: [[7, 0, 2, 3]] } };
  const aborted = [{ producerId: 7, firstOffset: 0, lastOffset: 2, stableOffset: 3 }];
  expect(decodeSaved(Buffer.from(JSON.stringify(old)))).toEqual({ ...old, transactions: { open: [[7, 3]], aborted } });
  const oldest = { offset: 9, producers: [[7, 0, 1, []]] };
  expect(decodeSaved(Buffer.from(JSON.stringify(oldest)))).toEqual(oldest);
});
