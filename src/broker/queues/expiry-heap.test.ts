import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Due, ExpiryHeap } from './expiry-heap.ts';

const before = (one: Due, other: Due) => one.time - other.time || one.offset - other.offset;

test('what is watched is shown in its order, from anywhere on, and stays', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 30 }), { maxLength: 80 }),
      fc.nat({ max: 30 }),
      fc.nat({ max: 5 }),
      (times, from, taken) => {
        const heap = new ExpiryHeap(Number.POSITIVE_INFINITY);
        for (const [offset, time] of times.entries()) heap.add(time, offset % 3, offset);
        const gone: number[] = [];
        heap.take(Number.POSITIVE_INFINITY, taken, (_, offset) => gone.push(offset));
        const all: Due[] = times
          .map((time, offset) => ({ time, lane: offset % 3, offset }))
          .filter(({ offset }) => !gone.includes(offset))
          .sort(before);
        const shown = (after?: { time: number; offset: number }, most = Number.POSITIVE_INFINITY) => {
          const seen: Due[] = [];
          heap.inOrder(after, (due) => seen.push(due) < most);
          return seen;
        };
        expect(shown()).toEqual(all);
        const after = { time: from, lane: 0, offset: 3 };
        const rest = all.filter((due) => before(due, after) > 0);
        expect(shown(after)).toEqual(rest);
        expect(shown(after, 2)).toEqual(rest.slice(0, 2));
        expect(heap.size).toBe(all.length);
      },
    ),
  );
});
