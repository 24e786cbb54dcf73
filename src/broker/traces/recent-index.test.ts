import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentIndex } from './recent-index.ts';

test('it finds all that was added from where it says that it covers, and never grows', () => {
  const steps = fc.array(fc.tuple(fc.nat(5), fc.nat(2)), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.nat(100), (added, from) => {
      const index = new RecentIndex(from, 16);
      let offset = from;
      const all: [hash: number, offset: number][] = [];
      for (const [hash, step] of added) {
        offset += step;
        index.add(hash, offset);
        all.push([hash, offset]);
      }
      for (let hash = 0; hash <= 5; hash++) {
        const found = new Set<number>();
        index.find(hash, found);
        const due = all.filter(([each, at]) => each === hash && at >= index.coversFrom).map(([, at]) => at);
        for (const at of due) expect(found).toContain(at);
        for (const at of found) expect(all).toContainEqual([hash, at]);
      }
      if (added.length < 16) expect(index.coversFrom).toBe(from);
    }),
  );
});
