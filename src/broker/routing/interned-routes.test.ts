import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namesOf, Place } from './fixture.contract.ts';
import { Router } from './router.ts';

const PLACES = Array.from({ length: 6 }, (_, n) => new Place(`place ${n}`));

describe('interned routes', () => {
  it('are one for each set of targets', () => {
    const router = new Router<Place>();
    const bySet = new Map<string, unknown>();
    const few = fc.array(fc.constantFrom(...PLACES), { maxLength: 8 });
    fc.assert(
      fc.property(few, (targets) => {
        const route = router.routeTo(targets);
        const names = [...new Set(targets.map(({ name }) => name))].sort();
        expect(namesOf(route)).toEqual(names);
        const set = names.join();
        if (bySet.has(set)) expect(route).toBe(bySet.get(set));
        bySet.set(set, route);
      }),
      { numRuns: 1_000 },
    );
    // None is as good as another.
    expect(new Set(bySet.values()).size).toBe(bySet.size);
  });

  it('are not mistaken for others that have the same sum', () => {
    const router = new Router<Place>();
    // Ids are given out in order: these are pairs of which the sums are the same two by two.
    const places = Array.from({ length: 520 }, (_, n) => new Place(`place ${n + 1}`));
    router.routeTo(places);
    for (const pair of [
      [402, 204],
      [255, 205],
      [485, 230],
      [482, 253],
      [520, 161],
      [337, 280],
    ]) {
      const targets = pair.map((id) => places[id - 1]!);
      const route = router.routeTo(targets);
      expect(route.targets).toEqual(targets);
      expect(router.routeTo(targets.toReversed())).toBe(route);
    }
  });
});
