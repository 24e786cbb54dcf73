import { describe, expect, it } from 'vitest';
import { encodeBatch } from '../records/index.ts';
import { type MemoryBatch, memoryBatch } from './memory-table.ts';
import { TailCache } from './tail-cache.ts';

const BATCH = encodeBatch({ records: [{}], timestamp: 1 });

/** A log of as many batches as were given to it, of one record each. */
class CachedLog {
  readonly startOffset = 0;
  /** The first that is in memory. */
  first = 0;
  end = 0;

  evict(offset: number): void {
    this.first = Math.max(this.first, offset);
  }

  flush(cache: TailCache, count: number): void {
    const batches: MemoryBatch[] = [];
    for (; batches.length < count; this.end++) batches.push(memoryBatch(BATCH, this.end, false));
    cache.flushed(this, batches, this.end);
  }

  /** How many batches are in memory. */
  get cached(): number {
    return this.end - this.first;
  }
}

function logs(count: number): CachedLog[] {
  return Array.from({ length: count }, () => new CachedLog());
}

describe('a tail cache', () => {
  it('keeps of each log the newest, and of one that has more to write, more', () => {
    const cache = new TailCache(10 * BATCH.length);
    const [one, other, third] = [new CachedLog(), new CachedLog(), new CachedLog()];
    cache.beginRound(20 * BATCH.length);
    one.flush(cache, 12);
    other.flush(cache, 4);
    third.flush(cache, 4);
    expect([one.cached, other.cached, third.cached]).toEqual([6, 2, 2]);
  });

  it('gives what some of many logs leave to the others', () => {
    const cache = new TailCache(10 * BATCH.length);
    const many = logs(40);
    cache.beginRound(40 * BATCH.length);
    for (const log of many) log.flush(cache, 1);
    expect(many.filter(({ cached }) => cached === 1)).toHaveLength(10);
  });

  it('keeps what is older only as far as there is room', () => {
    const cache = new TailCache(10 * BATCH.length);
    const [old, other, young] = [new CachedLog(), new CachedLog(), new CachedLog()];
    cache.beginRound(8 * BATCH.length);
    old.flush(cache, 4);
    other.flush(cache, 4);
    cache.beginRound(5 * BATCH.length);
    young.flush(cache, 5);
    expect([old.cached, other.cached, young.cached]).toEqual([0, 4, 5]);
    cache.beginRound(1 * BATCH.length);
    other.flush(cache, 1);
    expect([old.cached, other.cached, young.cached]).toEqual([0, 5, 5]);
    cache.beginRound(100 * BATCH.length);
    expect([other.cached, young.cached]).toEqual([0, 0]);
  });

  it('keeps nothing where nothing is to be kept', () => {
    const cache = new TailCache(0);
    const log = new CachedLog();
    cache.beginRound(3 * BATCH.length);
    log.flush(cache, 3);
    expect(log.cached).toBe(0);
  });
});
