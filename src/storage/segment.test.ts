import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchOf, LOG_A, recordsOf } from '../../test/storage/fixture.ts';
import { stampBaseOffset } from '../records/index.ts';
import { INDEX_INTERVAL, type Segment, SegmentIndexer, SegmentReader, segmentName, segmentObjects } from './segment.ts';
import { MemorySegmentStore } from './segment-store/memory.ts';

/** A segment of batches with one record each, of these sizes. */
async function segmentOf(store: MemorySegmentStore, sizes: readonly number[], indexed: boolean): Promise<Segment> {
  const base = 1000;
  const indexer = new SegmentIndexer(base);
  const batches = sizes.map((size, i) => {
    const batch = batchOf([Buffer.alloc(size, i)], { timestamp: i });
    stampBaseOffset(batch, 0, base + i);
    indexer.add(base + i, base + i, i, batch.length);
    return batch;
  });
  const name = segmentName(LOG_A, base);
  await store.put(`${name}.log`, batches);
  const { offsets, times } = indexer.finish();
  if (indexed) {
    await store.put(`${name}.index`, [offsets]);
    await store.put(`${name}.timeindex`, [times]);
  }
  const { nextOffset, size, maxTimestamp } = indexer;
  return { name, baseOffset: base, nextOffset, size, maxTimestamp, indexed };
}

describe('a segment', () => {
  it('has one object, and two more with indexes, named as in Kafka', async () => {
    const segment = await segmentOf(new MemorySegmentStore(), [10], true);
    expect(segmentObjects(segment)).toEqual(
      ['log', 'index', 'timeindex'].map((kind) => `${LOG_A}/00000000000000001000.${kind}`),
    );
    expect(segmentObjects({ ...segment, indexed: false })).toEqual([`${LOG_A}/00000000000000001000.log`]);
  });

  it('is read from every offset, with any sizes of batches and of reads, with indexes and without', async () => {
    const size = fc.oneof({ weight: 5, arbitrary: fc.nat(300) }, fc.integer({ min: INDEX_INTERVAL - 100, max: INDEX_INTERVAL + 100 }), fc.nat(150_000)); // biome-ignore format: sizes
    await fc.assert(
      fc.asyncProperty(
        fc.array(size, { minLength: 1, maxLength: 40 }),
        fc.boolean(),
        fc.nat(200_000),
        async (sizes, indexed, maxBytes) => {
          const store = new MemorySegmentStore();
          const segment = await segmentOf(store, sizes, indexed);
          const reader = new SegmentReader(store);
          for (let i = 0; i < sizes.length; i++) {
            const bytes = await reader.read(segment, 1000 + i, maxBytes);
            const offsets = recordsOf({ chunks: [bytes], bytes: bytes.length }).map((record) =>
              Number.parseInt(record, 10),
            );
            expect(offsets).toEqual(offsets.map((_, j) => 1000 + i + j));
            expect(offsets.length).toBeGreaterThan(0);
            if (offsets.length > 1) expect(bytes.length).toBeLessThanOrEqual(maxBytes);
            const before = await reader.offsetBefore(segment, i);
            expect(before).toBeLessThanOrEqual(1000 + i);
          }
          expect((await reader.readAll(segment)).length).toBe(segment.size);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is read up to the size that is known of it, though the object has grown by a merge that was not recorded', async () => {
    const store = new MemorySegmentStore();
    const longer = await segmentOf(
      store,
      Array.from({ length: 100 }, () => 1000),
      true,
    );
    const shorter = { ...longer, nextOffset: 1010, size: (longer.size / 100) * 10, maxTimestamp: 9 };
    const reader = new SegmentReader(store);
    expect((await reader.read(shorter, 1009, 1_000_000)).length).toBe(longer.size / 100);
    expect((await reader.readAll(shorter)).length).toBe(shorter.size);
    expect((await reader.read(longer, 1099, 1)).length).toBe(longer.size / 100);
  });

  it('keeps no more indexes than it may', async () => {
    const store = new MemorySegmentStore();
    const segment = await segmentOf(
      store,
      Array.from({ length: 100 }, () => 5000),
      true,
    );
    let reads = 0;
    const get = store.get.bind(store);
    store.get = (name, offset, length) => {
      if (name.endsWith('.index')) reads++;
      return get(name, offset, length);
    };
    const generous = new SegmentReader(store);
    for (let i = 0; i < 3; i++) await generous.read(segment, 1050, 1);
    expect(reads).toBe(1);
    generous.forget(segment);
    await generous.read(segment, 1050, 1);
    expect(reads).toBe(2);
  });

  it('that is shorter than it should be is damaged at its end, and no further', async () => {
    const store = new MemorySegmentStore();
    const segment = await segmentOf(store, [500, 500, 500], false);
    const bytes = await store.get(`${segment.name}.log`, 0, 10_000);
    await store.put(`${segment.name}.log`, [bytes.subarray(0, bytes.length - 20)]);
    const reader = new SegmentReader(store);
    expect((await reader.read(segment, 1001, 1)).length).toBe(bytes.length / 3);
    const damage = { code: 'storage-damaged', message: expect.stringContaining(segment.name) };
    await expect(reader.read(segment, 1002, 1)).rejects.toMatchObject(damage);
    await expect(reader.readAll(segment)).rejects.toMatchObject(damage);
  });
});
