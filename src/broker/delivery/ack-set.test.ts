import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AckSet } from './ack-set.ts';

const LIMIT = 10_000;
const offset = fc.oneof(fc.nat(100), fc.nat(LIMIT - 1), fc.integer({ min: 4090, max: 4200 }));
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), from: offset, length: fc.constant(1) }),
  fc.record({
    kind: fc.constant('range' as const),
    from: offset,
    length: fc.oneof(fc.nat(70), fc.nat(LIMIT)),
  }),
  fc.record({ kind: fc.constant('back' as const), from: offset, length: fc.constant(0) }),
);

test('an ack set knows what a plain set of offsets knows, whatever is added and taken back', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const set = new AckSet();
      const model = new Set<number>();
      for (const { kind, from, length } of steps) {
        const to = Math.min(from + length, LIMIT);
        if (kind === 'add') {
          expect(set.add(from)).toBe(!model.has(from));
          model.add(from);
        } else if (kind === 'range') {
          let added = 0;
          for (let each = from; each < to; each++) {
            if (!model.has(each)) added++;
            model.add(each);
          }
          expect(set.addRange(from, to)).toBe(added);
        } else {
          set.rollBack(from);
          for (const each of [...model]) if (each >= from) model.delete(each);
        }
        let floor = 0;
        while (model.has(floor)) floor++;
        expect(set.floor).toBe(floor);
        expect(set.floor + set.count).toBe(model.size);
        let open = from;
        while (model.has(open)) open++;
        expect(set.firstOpen(from)).toBe(open);
        expect(set.countIn(from, from + 100)).toBe(
          [...model].filter((each) => each >= from && each < from + 100).length,
        );
      }
      const listed = [...set.ranges()].flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => from + i));
      expect(listed).toEqual([...model].filter((each) => each >= set.floor).sort((a, b) => a - b));
      for (let each = 0; each < LIMIT; each += 7) expect(set.has(each)).toBe(model.has(each));
    }),
    { numRuns: 50 },
  );
});
