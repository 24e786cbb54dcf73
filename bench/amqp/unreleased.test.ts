import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Unreleased } from './unreleased.ts';

type Step = { readonly take: number } | { readonly release: number } | { readonly upTo: number };

const steps = fc.array(
  fc.oneof(
    fc.record({ take: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ release: fc.nat(20) }),
    fc.record({ upTo: fc.nat(20) }),
  ) as fc.Arbitrary<Step>,
  { maxLength: 200 },
);

describe('Unreleased', () => {
  it('is the set of numbers taken without those released, within its window', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 12 }), steps, (window, slots, all) => {
        const unreleased = new Unreleased(window, slots);
        const model = new Set<number>();
        let next = 0;
        for (const step of all) {
          if ('take' in step) {
            for (let count = 0; count < step.take && unreleased.mayTake; count++) {
              expect(unreleased.take()).toBe(next % slots);
              model.add(next++);
            }
          } else if ('release' in step) {
            const number = [...model][step.release % Math.max(model.size, 1)];
            if (number === undefined) continue;
            unreleased.release(number);
            model.delete(number);
            expect(() => unreleased.release(number)).toThrow('does not wait');
          } else {
            const upTo = Math.min(Math.max(next - step.upTo, 0), next - 1);
            const released: number[] = [];
            unreleased.releaseUpTo(upTo, (number) => released.push(number));
            expect(released).toEqual([...model].filter((number) => number <= upTo));
            for (const number of released) model.delete(number);
          }
          expect(unreleased.taken).toBe(next);
          expect(unreleased.released).toBe(next - model.size);
          // The window, and never a slot that is in use.
          const inUse = [...model].some((number) => number % slots === next % slots);
          expect(unreleased.mayTake).toBe(model.size < window && !inUse);
        }
      }),
    );
  });
});
