import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { append, batchOf, LOG_A, LOG_B, openShard } from '../../../test/storage/fixture.ts';
import { realEnvironment } from '../../environment/real.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { baseOffset, batchesIn, encodeBatch, recordsIn, verifyIntegrity } from '../../records/index.ts';
import { DiskCommitLog } from '../commit-log/disk.ts';
import type { Log } from '../log.ts';
import { DirectorySegmentStore } from '../segment-store/directory.ts';
import type { Shard } from '../shard.ts';
import { Aside } from './aside.ts';
import { checkBatches } from './batch-check.ts';
import { examineShard } from './repair.ts';
import { filler } from './segment-repair.ts';

const WAL = '00000000000000000000.wal';
const environment = { ...realEnvironment(), clock: new VirtualClock() };

let data: string;
let shard: Shard | undefined;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'sluice-repair-'));
});
afterEach(async () => {
  await shard?.close().catch(() => {});
  shard = undefined;
  await rm(data, { recursive: true });
});

const wal = (name = WAL) => join(data, 'shard-0/commit-log', name);
const object = (name: string) => join(data, 'shard-0/segments', name);
const wals = async () =>
  (await readdir(join(data, 'shard-0/commit-log'))).filter((name) => name.endsWith('.wal')).sort();

async function start(fileBytes?: number): Promise<Shard> {
  const home = join(data, 'shard-0');
  const store = await DirectorySegmentStore.open({ environment, directory: join(home, 'segments') });
  const commitLog = new DiskCommitLog({
    environment,
    directory: join(home, 'commit-log'),
    ...(fileBytes && { fileBytes }),
  });
  shard = await openShard({ clock: environment.clock, troubles: [] }, commitLog, store, { tailCacheBytes: 0 });
  return shard;
}

async function restart(fileBytes?: number): Promise<Shard> {
  await shard?.close();
  return start(fileBytes);
}

async function stop(): Promise<void> {
  await shard?.close();
  shard = undefined;
}

const examine = () => examineShard({ environment, data, shard: 'shard-0' });

/** Repairs, and proves that nothing is left to repair. Answers what was damaged. */
async function repair() {
  const found = await examine();
  await found.mend(await Aside.next(environment.files, data));
  expect((await examine()).damages).toEqual([]);
  return found.damages;
}

/** All records of a log, as `offset:value`. Steps over batches that are empty. */
async function readAll(log: Log): Promise<string[]> {
  const records: string[] = [];
  for (let at = log.startOffset; at < log.highWatermark; ) {
    const { chunks, bytes } = await log.read(at, 1000);
    if (bytes === 0) throw new Error(`nothing to read at ${at}, with a high watermark of ${log.highWatermark}`);
    for (const batch of batchesIn(Buffer.concat(chunks))) {
      verifyIntegrity(batch.bytes, 0, batch.size);
      for (const { offset, value } of recordsIn(batch.bytes)) records.push(`${offset}:${value}`);
      at = batch.lastOffset + 1;
    }
  }
  return records;
}

/** Changes one byte. */
async function damage(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] as number) ^ 0xff;
  await writeFile(path, bytes);
}

/** The places where the needle lies in a file. */
async function placesOf(path: string, needle: string): Promise<number[]> {
  const bytes = await readFile(path);
  const places: number[] = [];
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) places.push(at);
  return places;
}

async function damageValue(path: string, value: string): Promise<void> {
  const [at] = await placesOf(path, value);
  await damage(path, at as number);
}

describe('the repair of a commit log', () => {
  it('finds nothing in one that is whole, new, torn at its end, or not there', async () => {
    expect((await examine()).damages).toEqual([]);
    const open = await start();
    await append(open, open.log(LOG_A), ['one']);
    await append(open, open.log(LOG_A), ['two']);
    await stop();
    expect((await examine()).damages).toEqual([]);
    await truncate(wal(), (await stat(wal())).size - 40);
    expect((await examine()).damages).toEqual([]);
  });

  it('cuts at the first damaged group, tells what is lost, and keeps a copy', async () => {
    const open = await start();
    for (const value of ['a0', 'a1', 'a2', 'a3']) await append(open, open.log(LOG_A), [value]);
    await append(open, open.log(LOG_B), ['b0', 'b1']);
    await stop();
    const before = await readFile(wal());
    await damageValue(wal(), 'a2');
    const damaged = await readFile(wal());
    await expect(start()).rejects.toMatchObject({ code: 'storage-damaged' });

    const { damages } = await examine();
    expect(await readFile(wal())).toEqual(damaged);
    expect(damages).toEqual([
      {
        file: `shard-0/commit-log/${WAL}`,
        byte: expect.any(Number),
        what: expect.stringContaining('damaged where it was durable'),
        remedy: expect.stringContaining('cut'),
        lost: [
          { log: LOG_A, from: 3, to: 4 },
          { log: LOG_B, from: 0, to: 2 },
        ],
      },
    ]);
    const { byte = 0 } = damages[0] ?? {};
    expect(byte).toBeLessThan(before.indexOf('a2'));
    expect(byte).toBeGreaterThan(before.indexOf('a1'));
    await repair();
    expect(await readFile(join(data, 'repair-1/shard-0/commit-log', WAL))).toEqual(damaged);

    const again = await start();
    expect(await readAll(again.log(LOG_A))).toEqual(['0:a0', '1:a1']);
    expect(await readAll(again.log(LOG_B))).toEqual([]);
    await append(again, again.log(LOG_A), ['new']);
    await restart();
    expect(await readAll((shard as Shard).log(LOG_A))).toEqual(['0:a0', '1:a1', '2:new']);
  });

  it('goes on with an epoch greater than those of all files that go', async () => {
    for (const value of ['first', 'second', 'third']) {
      const open = await restart();
      await append(open, open.log(LOG_A), [value]);
    }
    const epoch = (shard as Shard).epoch;
    await stop();
    expect((await wals()).length).toBeGreaterThan(1);
    await damageValue(wal((await wals())[0] as string), 'first');
    await repair();
    expect(await wals()).toEqual([WAL]);
    expect((await readdir(join(data, 'repair-1/shard-0/commit-log'))).length).toBeGreaterThan(1);
    expect((await start()).epoch).toBeGreaterThan(epoch);
    expect(await readAll((shard as Shard).log(LOG_A))).toEqual([]);
  });

  it.each(['header', 'file'])('cuts where a later file has lost its %s', async (what) => {
    const open = await start(100);
    for (const value of ['a0', 'a1', 'a2', 'a3', 'a4']) await append(open, open.log(LOG_A), [value]);
    await stop();
    const lost = (await wals())[1] as string;
    if (what === 'header') await damage(wal(lost), 20);
    else await rm(wal(lost));
    await expect(start()).rejects.toMatchObject({ code: 'storage-damaged' });
    await repair();
    const left = await readAll((await start()).log(LOG_A));
    expect(['0:a0', '1:a1', '2:a2']).toEqual(expect.arrayContaining(left));
    expect(left[0]).toBe('0:a0');
  });

  it('loses nothing where the damage is in what is in segments already', async () => {
    const open = await start();
    await append(open, open.log(LOG_A), ['flushed']);
    await open.flush();
    for (const value of ['a1', 'a2']) await append(open, open.log(LOG_A), [value]);
    await stop();
    await damageValue(wal(), 'flushed');
    await expect(start()).rejects.toMatchObject({ code: 'storage-damaged' });
    expect(await repair()).toMatchObject([
      { what: expect.stringContaining('damaged'), remedy: expect.stringContaining('in segments'), lost: [] },
    ]);
    expect(await readAll((await start()).log(LOG_A))).toEqual(['0:flushed', '1:a1', '2:a2']);
    await append(shard as Shard, (shard as Shard).log(LOG_A), ['a3']);
    await restart();
    expect(await readAll((shard as Shard).log(LOG_A))).toEqual(['0:flushed', '1:a1', '2:a2', '3:a3']);
  });

  it('cuts at the first damage after what is in segments, whatever is damaged before', async () => {
    const open = await start();
    await append(open, open.log(LOG_A), ['flushed']);
    await open.flush();
    for (const value of ['a1', 'a2', 'a3']) await append(open, open.log(LOG_A), [value]);
    await stop();
    for (const value of ['flushed', 'a2']) await damageValue(wal(), value);
    expect((await repair()).flatMap(({ lost }) => lost)).toEqual([{ log: LOG_A, from: 3, to: 4 }]);
    expect(await readAll((await start()).log(LOG_A))).toEqual(['0:flushed', '1:a1']);
  });

  it('comes to the same end when it is broken off at any step and begun again', async () => {
    for (const value of ['first', 'second', 'third']) {
      const open = await restart();
      for (const part of ['a', 'b', 'c']) await append(open, open.log(LOG_A), [`${value}-${part}`]);
    }
    const epoch = (shard as Shard).epoch;
    await stop();
    await damageValue(wal((await wals())[0] as string), 'first-b');
    for (let steps = 0; ; steps++) {
      let left = steps;
      const files = { ...environment.files };
      const step = () => {
        if (left-- === 0) throw new Error('broken off');
      };
      files.rename = async (from, to) => {
        step();
        await environment.files.rename(from, to);
      };
      files.remove = async (path) => {
        step();
        await environment.files.remove(path);
      };
      const found = await examineShard({ environment: { ...environment, files }, data, shard: 'shard-0' });
      expect(found.damages).toHaveLength(1);
      const outcome = await found.mend(await Aside.next(files, data)).then(
        () => 'done',
        () => 'broken off',
      );
      if (outcome === 'done') break;
      expect(steps).toBeLessThan(10);
    }
    expect((await examine()).damages).toEqual([]);
    const open = await start();
    expect(open.epoch).toBeGreaterThan(epoch);
    expect(await readAll(open.log(LOG_A))).toEqual(['0:first-a']);
  });

  it('begins anew where all files are gone', async () => {
    const open = await start();
    await append(open, open.log(LOG_A), ['flushed']);
    await open.flush();
    await stop();
    for (const name of await wals()) await rm(wal(name));
    await expect(start()).rejects.toMatchObject({ code: 'storage-damaged' });
    await repair();
    expect(await readAll((await start()).log(LOG_A))).toEqual(['0:flushed']);
    await append(shard as Shard, (shard as Shard).log(LOG_A), ['new']);
    await restart();
    expect(await readAll((shard as Shard).log(LOG_A))).toEqual(['0:flushed', '1:new']);
  });
});

describe('the repair of a segment', () => {
  const SEGMENT = `${LOG_A}/${'0'.repeat(20)}.log`;

  /** A log of five batches in one segment, and one in the commit log. */
  async function fill(size = 2): Promise<void> {
    const open = await start();
    for (const value of ['a0', 'a1', 'a2', 'a3', 'a4'])
      await append(open, open.log(LOG_A), [value, value.repeat(size)], { timestamp: 5000 });
    await append(open, open.log(LOG_B), ['b0']);
    await open.flush();
    await append(open, open.log(LOG_A), ['tail']);
    await stop();
  }
  const offsets = async () =>
    (await readAll((shard as Shard).log(LOG_A))).map((record) => Number(record.split(':')[0]));

  const places = { first: [0, 'a0'], middle: [4, 'a2'], last: [8, 'a4'] } as const;
  const cases = Object.entries(places).flatMap(([place, [from, value]]) =>
    [2, 40_000].map((size) => ({ place, from, value, size })),
  );
  it.each(cases)('takes the $place batch out, and readers step over it ($size)', async ({ from, value, size }) => {
    await fill(size);
    await damageValue(object(SEGMENT), value);
    const damaged = await readFile(object(SEGMENT));
    expect(await readAll((await start()).log(LOG_B))).toEqual(['0:b0']);
    await stop();
    const damages = await repair();
    expect(damages.map(({ file }) => file)).toEqual([`shard-0/segments/${SEGMENT}`]);
    expect(damages[0]?.lost).toEqual([{ log: LOG_A, from, to: from + 2 }]);
    expect(await readFile(join(data, 'repair-1/shard-0/segments', SEGMENT))).toEqual(damaged);

    const left = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].filter((offset) => offset !== from && offset !== from + 1);
    const open = await start();
    expect(await offsets()).toEqual(left);
    const found = await open.log(LOG_A).batchForTimestamp(5000);
    expect(found && baseOffset(found, 0)).toBe(left[0]);
    await append(open, open.log(LOG_A), ['more']);
    await open.flush();
    await restart();
    expect(await offsets()).toEqual([...left, 11]);
  });

  it('takes out several batches, and again what is damaged later', async () => {
    await fill();
    for (const value of ['a0', 'a3']) await damageValue(object(SEGMENT), value);
    expect((await repair()).flatMap(({ lost }) => lost.map(({ from, to }) => [from, to]))).toEqual([
      [0, 2],
      [6, 8],
    ]);
    await damageValue(object(SEGMENT), 'a2');
    expect((await repair()).flatMap(({ lost }) => lost.map(({ from, to }) => [from, to]))).toEqual([[4, 6]]);
    await start();
    expect(await offsets()).toEqual([2, 3, 8, 9, 10]);
    await stop();
    await rm(object('manifest'));
    await repair();
    await start();
    expect(await offsets()).toEqual([2, 3, 8, 9, 10]);
  });

  it('goes on without a segment that is missing, or cut short', async () => {
    await fill();
    await truncate(object(SEGMENT), 100);
    expect((await repair()).flatMap(({ lost }) => lost)).toEqual([{ log: LOG_A, from: 2, to: 10 }]);
    await rm(object(SEGMENT));
    expect((await repair()).flatMap(({ lost }) => lost)).toEqual([{ log: LOG_A, from: 0, to: 2 }]);
    await start();
    expect(await offsets()).toEqual([10]);
  });

  it('makes indexes again', async () => {
    await fill(40_000);
    const index = object(SEGMENT.replace('.log', '.index'));
    const times = object(SEGMENT.replace('.log', '.timeindex'));
    const before = [await readFile(index), await readFile(times)];
    await damage(index, 5);
    await rm(times);
    const damages = await repair();
    expect(damages.map(({ file, lost }) => [file.split('.').at(-1), lost])).toEqual([
      ['index', []],
      ['timeindex', []],
    ]);
    expect([await readFile(index), await readFile(times)]).toEqual(before);
  });
});

describe('the repair of a manifest', () => {
  it.each(['damaged', 'missing'])('makes one again that is %s, from segments and commit log', async (how) => {
    const open = await start(300);
    const small = { bytes: 300, ms: Number.POSITIVE_INFINITY };
    open.log(LOG_A).segmentLimits = small;
    for (let i = 0; i < 8; i++) {
      await append(open, open.log(LOG_A), [`a${i}`.repeat(50)]);
      if (i % 2 === 1) await open.flush();
    }
    await append(open, open.log(LOG_B), ['b0']);
    const before = [await readAll(open.log(LOG_A)), await readAll(open.log(LOG_B))];
    const epochs = open.log(LOG_A).epochs;
    await stop();
    if (how === 'damaged') {
      await damage(object('manifest'), 30);
      await expect(start()).rejects.toMatchObject({ code: 'storage-damaged' });
    } else await rm(object('manifest'));
    expect((await repair()).map(({ file, lost }) => [file, lost])).toEqual([['shard-0/segments/manifest', []]]);
    const again = await start();
    expect([await readAll(again.log(LOG_A)), await readAll(again.log(LOG_B))]).toEqual(before);
    expect(again.log(LOG_A).epochs).toEqual(epochs);
    await append(again, again.log(LOG_A), ['new']);
    await again.flush();
    await restart();
    expect(await readAll((shard as Shard).log(LOG_A))).toEqual([...(before[0] as string[]), '8:new']);
  });

  it('lets a log begin where the commit log does when everything before was deleted', async () => {
    const open = await start(300);
    for (let i = 0; i < 4; i++) await append(open, open.log(LOG_A), [`a${i}`.repeat(50)]);
    await open.append([{ log: open.log(LOG_A), before: 4 }]).settled;
    await open.flush();
    await append(open, open.log(LOG_A), ['a4']);
    await stop();
    await rm(object('manifest'));
    await repair();
    const again = await start();
    expect(await readAll(again.log(LOG_A))).toEqual(['4:a4']);
  });
});

describe('the check of batches', () => {
  it('finds every batch that is whole, whatever one change of a byte did to the others', () => {
    const batches = Array.from({ length: 6 }, (_, i) => {
      const batch = batchOf([`v${i}`, batchOf(['inner'])]);
      batch.writeBigInt64BE(BigInt(i * 2), 0);
      return batch;
    });
    const bytes = Buffer.concat(batches);
    const size = (batches[0] as Buffer).length;
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] as number) ^ change;
        const hit = Math.floor(at / size);
        const { runs, gaps } = checkBatches(damaged, 0, 12);
        // A leader epoch is outside the CRC, and nothing depends on it.
        if (at % size >= 12 && at % size < 16) expect(gaps).toEqual([]);
        else expect(gaps.map(({ fromOffset, toOffset }) => [fromOffset, toOffset])).toEqual([[hit * 2, hit * 2 + 2]]);
        expect(runs.reduce((sum, run) => sum + run.nextOffset - run.baseOffset, 0)).toBe(gaps.length === 0 ? 12 : 10);
      }),
    );
  });

  it('takes empty batches for what they stand for', () => {
    const bytes = filler(5, 5 + 2 ** 32);
    const { runs, gaps } = checkBatches(bytes, 5, 5 + 2 ** 32);
    expect(gaps).toEqual([]);
    expect(runs).toHaveLength(1);
  });
});

describe('the repair of a compacted log', () => {
  const keyed = (key: string, value: string) =>
    encodeBatch({ timestamp: 1, records: [{ key: Buffer.from(key), value: Buffer.from(value) }] });

  /** Twelve batches, of which every fourth is left. */
  async function compacted(): Promise<void> {
    const open = await start();
    const log = open.log(LOG_A);
    for (let i = 0; i < 12; i++)
      await open.append([{ log, batch: keyed(i % 4 === 3 ? `k${i}` : 'k', `v${i}`) }]).settled;
    await open.flush();
    await open.compact(log, {
      now: 1,
      minLagMs: 0,
      deleteRetentionMs: 0,
      mapBytes: 1 << 20,
      bytesPerSecond: Number.POSITIVE_INFINITY,
    });
    await stop();
  }

  const KEPT = ['3:v3', '7:v7', '10:v10', '11:v11'];

  it('takes the holes for what they are', async () => {
    await compacted();
    expect((await examine()).damages).toEqual([]);
    expect(await readAll((await start()).log(LOG_A))).toEqual(KEPT);
  });

  it('loses no more than what is damaged', async () => {
    await compacted();
    const [name = ''] = (await readdir(object(LOG_A))).filter((file) => file.endsWith('.log'));
    await damageValue(object(`${LOG_A}/${name}`), 'v7');
    expect(await repair()).toHaveLength(1);
    expect(await readAll((await start()).log(LOG_A))).toEqual(KEPT.filter((record) => record !== '7:v7'));
  });

  it('finds its segments again without the manifest', async () => {
    await compacted();
    await rm(object('manifest'));
    expect((await repair()).map(({ file }) => file)).toEqual(['shard-0/segments/manifest']);
    const open = await start();
    const log = open.log(LOG_A);
    expect(await readAll(log)).toEqual(KEPT);
    await open.append([{ log, batch: keyed('k3', 'new') }]).settled;
    expect((await readAll(log)).at(-1)).toBe('12:new');
  });
});
