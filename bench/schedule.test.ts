import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Schedule } from './schedule.ts';

describe('Schedule', () => {
  it('gives out as many as the rate makes, each with the tick that made it, oldest first', () => {
    const steps = fc.array(fc.record({ ms: fc.nat(50), takes: fc.nat(100) }), { maxLength: 50 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), steps, (perSecond, all) => {
        const schedule = new Schedule(perSecond, 1000);
        let now = 1000;
        let taken = 0;
        let last = 0;
        for (const { ms, takes } of all) {
          now += ms;
          schedule.tick(now);
          for (let index = 0; index < takes; index++) {
            const at = schedule.take();
            if (at === undefined) break;
            taken++;
            // It is due at the first tick by which the rate has made it.
            expect(Math.floor(((at - 1000) / 1000) * perSecond)).toBeGreaterThanOrEqual(taken);
            expect(at).toBeGreaterThanOrEqual(last);
            last = at;
          }
          expect(taken + schedule.waiting).toBe(Math.floor(((now - 1000) / 1000) * perSecond));
        }
      }),
    );
  });

  it('has nothing to give before anything is due', () => {
    const schedule = new Schedule(1, 0);
    schedule.tick(999);
    expect(schedule.take()).toBeUndefined();
    schedule.tick(1000);
    expect(schedule.take()).toBe(1000);
    expect(schedule.waiting).toBe(0);
  });
});
