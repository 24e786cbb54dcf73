import { describe, expect, it } from 'vitest';
import { PartitionTransactions } from './partition-transactions.ts';

/** Producer 1 from 0 to 10, aborted; 2 from 5 on, open; 3 from 12 to 20, aborted; markers at 10 and 20. */
function transactions(): PartitionTransactions {
  const all = new PartitionTransactions();
  all.appended(1, 0);
  all.appended(2, 5);
  all.ended(1, 10, 'abort');
  all.appended(3, 12);
  all.ended(3, 20, 'abort');
  return all;
}

const producers = (found: readonly { readonly producerId: number }[]) => found.map(({ producerId }) => producerId);

describe('the transactions of a partition', () => {
  it('are unstable from the first one on that is open, or whose marker may be lost', () => {
    expect(transactions().firstUnstable(8)).toBe(0);
    expect(transactions().firstUnstable(11)).toBe(5);
    const all = transactions();
    all.ended(2, 21, 'commit');
    expect(all.firstUnstable(21)).toBe(5);
    expect(all.firstUnstable(22)).toBeUndefined();
  });

  it('that were aborted are told to those who read from among their records', () => {
    const all = transactions();
    expect(producers(all.abortedBetween(0, 30))).toEqual([1, 3]);
    expect(producers(all.abortedBetween(0, 12))).toEqual([1]);
    expect(producers(all.abortedBetween(11, 30))).toEqual([3]);
    expect(producers(all.abortedBetween(21, 30))).toEqual([]);
  });

  it('that were aborted are told in the order in which they began, whichever ended first', () => {
    const all = transactions();
    all.ended(2, 21, 'abort');
    expect(producers(all.abortedBetween(0, 30))).toEqual([1, 2, 3]);
  });

  it('are open again when their markers are lost, and never were when their records are', () => {
    const all = transactions();
    all.rollBack(11);
    expect([...all.open]).toEqual([[2, 5]]);
    expect(producers(all.aborted)).toEqual([1]);
    const more = transactions();
    more.rollBack(6);
    expect([...more.open]).toEqual([
      [1, 0],
      [2, 5],
    ]);
    expect(more.aborted).toEqual([]);
  });

  it('are saved as they were at the high watermark, and stay what they are', () => {
    const all = transactions();
    const saved = all.save(11);
    expect(saved.open).toEqual([[2, 5]]);
    expect(producers(saved.aborted)).toEqual([1]);
    expect([...all.open]).toEqual([[2, 5]]);
    expect(all.save(8).open).toEqual([
      [1, 0],
      [2, 5],
    ]);
    expect([...all.open]).toEqual([[2, 5]]);
    expect(producers(all.aborted)).toEqual([1, 3]);
    const restored = new PartitionTransactions();
    restored.restore(all.save(21));
    expect([...restored.open]).toEqual([[2, 5]]);
    expect(producers(restored.abortedBetween(0, 30))).toEqual([1, 3]);
  });
});
