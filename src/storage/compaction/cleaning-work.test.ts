import { expect, it, onTestFinished } from 'vitest';
import { append, LOG_A, openShard } from '../../../test/storage/fixture.ts';
import { realThreads } from '../../environment/real-threads.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { encodeBatch } from '../../records/index.ts';
import { MemoryCommitLog } from '../commit-log/memory.ts';
import { MemorySegmentStore } from '../segment-store/memory.ts';
import type { FilterPlan, IndexPlan } from './cleaning.ts';
import { CleaningElsewhere, CleaningHere, type CleaningWork } from './cleaning-work.ts';

const INDEX: IndexPlan = { from: 0, to: 1000, keys: 100, mapBytes: 1 << 20, aborted: [] };
const FILTER: FilterPlan = { end: 1000, now: 0, deleteHorizon: 5, retained: [] };

function chunkOf(from: number, keys: readonly string[]): Buffer {
  const records = keys.map((key) => ({ key: Buffer.from(key), value: Buffer.from(`${key}-${from}`) }));
  return encodeBatch({ baseOffset: from, records, timestamp: 1, compression: 'zstd' });
}

async function clean(work: CleaningWork): Promise<Buffer[]> {
  const chunks = [chunkOf(0, ['a', 'b', 'c']), chunkOf(3, ['a']), chunkOf(4, ['d'])];
  await work.begin(INDEX);
  for (const chunk of chunks) expect(await work.index(chunk)).toBeUndefined();
  await work.prepare(FILTER);
  const cleaned: Buffer[] = [];
  for (const chunk of chunks) cleaned.push((await work.filter(chunk)).bytes);
  return cleaned;
}

it('gives the same, whoever does it', async () => {
  const elsewhere = new CleaningElsewhere(realThreads);
  onTestFinished(() => elsewhere.close());
  const [here, there] = await Promise.all([clean(new CleaningHere()), clean(elsewhere)]);
  expect(there).toEqual(here);
  expect(here[0]?.equals(chunkOf(0, ['a', 'b', 'c']))).toBe(false);
});

it('says what is wrong in the thread, and goes on', async () => {
  const work = new CleaningElsewhere(realThreads);
  onTestFinished(() => work.close());
  await work.begin(INDEX);
  const damaged = chunkOf(0, ['a']);
  damaged.writeUInt8(1 ^ (damaged.at(-1) ?? 0), damaged.length - 1);
  await expect(work.index(damaged)).rejects.toMatchObject({ code: 'storage-damaged' });
  expect(await work.index(chunkOf(1, ['a']))).toBeUndefined();
});

it('rejects what it was asked when it is closed', async () => {
  const work = new CleaningElsewhere(realThreads);
  const asked = work.begin(INDEX);
  const rejected = expect(asked).rejects.toMatchObject({ code: 'closed' });
  await work.close();
  await rejected;
  await expect(work.index(chunkOf(0, ['a']))).rejects.toMatchObject({ code: 'closed' });
});

it('compacts a large log by a thread, in bounded memory', { timeout: 60_000 }, async () => {
  const started: URL[] = [];
  let largest = 0;
  const store = new MemorySegmentStore();
  const put = store.put.bind(store);
  store.put = (name, chunks) => {
    largest = Math.max(
      largest,
      chunks.reduce((sum, { length }) => sum + length, 0),
    );
    return put(name, chunks);
  };
  const shard = await openShard(
    { clock: new VirtualClock(), troubles: [] },
    new MemoryCommitLog(),
    store,
    {},
    (module) => {
      started.push(module);
      return realThreads.start(module);
    },
  );
  onTestFinished(() => shard.close());
  const log = shard.log(LOG_A);
  const value = Buffer.alloc(40_000, 'v');
  for (let i = 0; i < 2500; i++) {
    const records = [{ key: Buffer.from(`key${i % 1700}`), value }];
    await shard.append([{ log, batch: encodeBatch({ records, timestamp: 1 }) }]).settled;
  }
  await shard.flush();
  largest = 0;
  const { bytesBefore, bytesAfter, passes } = await shard.compact(log, {
    now: 1,
    minLagMs: 0,
    deleteRetentionMs: 0,
    mapBytes: 1 << 20,
    bytesPerSecond: Number.POSITIVE_INFINITY,
  });
  expect(started).toHaveLength(1);
  expect(passes).toBe(1);
  expect(bytesAfter / bytesBefore).toBeCloseTo(1700 / 2500, 3);
  // A segment is what is put together in memory.
  expect(largest).toBeLessThanOrEqual(32 * 1024 * 1024);
  await append(shard, log, ['x']);
});
