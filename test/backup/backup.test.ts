import { beforeEach, describe, expect, it } from 'vitest';
import { SimulatedDisk } from '../../src/environment/simulated-files.ts';
import { VirtualClock } from '../../src/environment/virtual-clock.ts';
import { encodeBatch } from '../../src/records/index.ts';
import {
  Archiver,
  type BackupSummary,
  createBackup,
  deleteBackups,
  listBackups,
  Progress,
  readRestoreMark,
  restore,
  verifyBackup,
} from '../../src/storage/backup/index.ts';
import type { Shard } from '../../src/storage/index.ts';
import { openSimulatedShard } from '../simulated-shard.ts';
import { append, LOG_A, LOG_B, readAll } from '../storage/fixture.ts';
import { BACKUPS, twoDisks } from './two-disks.ts';

const SET = `${BACKUPS}/main`;

/** A shard with a disk of its own, and another disk for its backups. */
class Home {
  readonly data = new SimulatedDisk(1);
  readonly backups = new SimulatedDisk(2);
  readonly clock = new VirtualClock();
  readonly shards: Shard[] = [];

  open(home = '/data/shard-0'): Promise<Shard> {
    const sizes = { fileBytes: 100_000, flushBytes: 10_000_000, tailCacheBytes: 0 };
    return openSimulatedShard({ disk: this.data, clock: this.clock, home, ...sizes });
  }

  get files() {
    return twoDisks(this.data, this.backups);
  }

  backUp(options: Partial<Parameters<typeof createBackup>[0]> = {}): Promise<BackupSummary> {
    return createBackup({
      ...{ files: this.files, clock: this.clock, directory: SET, shards: this.shards, full: false },
      ...{ clusterId: 'cluster', version: '0', maxKeptBytes: 100_000_000, progress: new Progress() },
      ...options,
    });
  }

  restore(options: Partial<Parameters<typeof restore>[0]> = {}) {
    const environment = { files: this.files, clock: this.clock, random: this.data.random };
    const progress = new Progress();
    return restore({
      environment,
      from: SET,
      to: '/restored',
      skipDamaged: false,
      overwrite: false,
      progress,
      ...options,
    });
  }

  verify({ id }: BackupSummary) {
    return verifyBackup(this.files, SET, id, new Progress());
  }

  /** The paths of the set, with the bytes of each file. */
  sizes(part: string): Map<string, number> {
    const paths = this.backups.paths().filter((path) => path.includes(part));
    return new Map(paths.map((path) => [path, this.backups.inode(path).size]));
  }
}

/** `0:a0`, `1:a1`, … as records are read. */
function numbered(name: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `${from + i}:${name}${from + i}`);
}

async function appendSome(shard: Shard, id: string, name: string, count: number): Promise<void> {
  const log = shard.log(id);
  for (let i = 0; i < count; i++) await append(shard, log, [`${name}${log.nextOffset}`]);
}

let home: Home;
let shard: Shard;

beforeEach(async () => {
  home = new Home();
  shard = await home.open();
  home.shards.push(shard);
});

describe('a backup', () => {
  it('has what is in segments and what is in the commit log, and comes back as it was', async () => {
    await appendSome(shard, LOG_A, 'a', 20);
    await shard.flush();
    await appendSome(shard, LOG_A, 'a', 5);
    await appendSome(shard, LOG_B, 'b', 5);
    await shard.append([{ log: shard.log(LOG_A), before: 3 }]).settled;
    const backup = await home.backUp();
    expect((await home.verify(backup)).damages).toEqual([]);
    await appendSome(shard, LOG_A, 'later', 5);
    const restored = await home.restore();
    expect(restored.time).toBe(backup.time);
    const again = await home.open('/restored/shard-0');
    expect(await readAll(again.log(LOG_A))).toEqual(numbered('a', 3, 25));
    expect(await readAll(again.log(LOG_B))).toEqual(numbered('b', 0, 5));
    expect(again.epoch).toBeGreaterThan(1000);
    expect(again.log(LOG_A).endOfEpoch(shard.epoch)).toEqual({ epoch: shard.epoch, endOffset: 25 });
    expect((await readRestoreMark(home.files, '/restored'))?.backup).toBe(backup.id);
  });

  it('copies segments once: a later one has only what is new', async () => {
    await append(shard, shard.log(LOG_A), ['x'.repeat(200_000)]);
    await shard.flush();
    const first = await home.backUp();
    await append(shard, shard.log(LOG_B), ['y'.repeat(20_000)]);
    await shard.flush();
    const second = await home.backUp();
    expect(first.newBytes).toBeGreaterThan(200_000);
    expect(second.newBytes).toBeLessThan(30_000);
    expect(second.bytes).toBeGreaterThan(220_000);
    const full = await home.backUp({ full: true });
    expect(full.newBytes).toBe(full.bytes);
    expect([first.full, second.full, full.full]).toEqual([true, false, true]);
  });

  it('may be deleted without harm to those that came after it, and leaves nothing that nobody needs', async () => {
    await append(shard, shard.log(LOG_A), ['x'.repeat(2_000_000)]);
    await append(shard, shard.log(LOG_B), ['y'.repeat(20_000)]);
    await shard.flush();
    const first = await home.backUp();
    await appendSome(shard, LOG_B, 'b', 3);
    const second = await home.backUp();
    await deleteBackups(home.files, SET, [first.id]);
    expect((await home.verify(second)).damages).toEqual([]);
    await deleteBackups(home.files, SET, [second.id]);
    expect(await listBackups(home.files, SET)).toEqual([]);
    expect(home.backups.paths().filter((path) => path.startsWith(SET))).toEqual([]);
  });

  it('that finds its disk full is none: the former ones stay, the broker goes on, the next one works', async () => {
    await appendSome(shard, LOG_A, 'a', 5);
    const first = await home.backUp();
    await append(shard, shard.log(LOG_A), ['x'.repeat(500_000)]);
    home.backups.capacity = home.backups.usedBytes + 100_000;
    await expect(home.backUp()).rejects.toMatchObject({ code: 'storage-full' });
    expect(await listBackups(home.files, SET)).toEqual([first]);
    await appendSome(shard, LOG_B, 'b', 1);
    home.backups.capacity = Number.POSITIVE_INFINITY;
    const second = await home.backUp();
    expect((await home.verify(second)).damages).toEqual([]);
  });

  it('keeps segments that are deleted while it copies them, for as long as that takes and no longer', async () => {
    await append(shard, shard.log(LOG_A), ['x'.repeat(300_000)]);
    await append(shard, shard.log(LOG_B), ['y'.repeat(300_000)]);
    await shard.flush();
    const snapshot = shard.snapshot();
    await shard.delete(shard.log(LOG_A));
    await home.clock.advance(0);
    const there = () => home.data.paths().some((path) => path.includes(LOG_A));
    expect(there()).toBe(true);
    expect(snapshot.keptBytes).toBeGreaterThan(300_000);
    snapshot.close();
    await home.clock.advance(0);
    expect(there()).toBe(false);
  });

  it('is given up rather than that more is kept for it than it may', async () => {
    await append(shard, shard.log(LOG_A), ['x'.repeat(3_000_000)]);
    await shard.flush();
    const progress = new Progress({ clock: home.clock, bytesPerSecond: 1_000_000 });
    const outcome = home.backUp({ progress, maxKeptBytes: 100_000 }).catch((error: Error) => error.message);
    for (let i = 0; i < 200; i++) {
      void shard.append([{ log: shard.log(LOG_B), before: 0 }]);
      await append(shard, shard.log(LOG_B), ['y'.repeat(50_000)]);
      await home.clock.advance(100);
    }
    expect(await outcome).toMatch(/maxKeptBytes/);
    expect(await listBackups(home.files, SET)).toEqual([]);
  });

  it('has of a log that is compacted while it is copied what the log has, before or after', async () => {
    const keyed = (from: number, to: number) => {
      const records = Array.from({ length: to - from }, (_, i) => ({
        key: Buffer.from(`k${(from + i) % 7}`),
        value: Buffer.from(`a${from + i}`.padEnd(2000, '.')),
      }));
      return encodeBatch({ timestamp: 1000, records });
    };
    for (let i = 0; i < 400; i += 10) await shard.append([{ log: shard.log(LOG_A), batch: keyed(i, i + 10) }]).settled;
    await append(shard, shard.log(LOG_B), ['y'.repeat(3_000_000)]);
    await shard.flush();
    const progress = new Progress({ clock: home.clock, bytesPerSecond: 1_000_000 });
    const backup = home.backUp({ progress });
    await home.clock.advance(500);
    const compacting = { now: 1000, minLagMs: 0, deleteRetentionMs: 0, mapBytes: 65_536, bytesPerSecond: 1e9 };
    const compacted = await shard.compact(shard.log(LOG_A), compacting);
    expect(compacted.bytesAfter).toBeLessThan(compacted.bytesBefore / 10);
    await home.clock.advance(20_000);
    expect((await home.verify(await backup)).damages).toEqual([]);
    await home.restore();
    const again = await home.open('/restored/shard-0');
    expect(await readAll(again.log(LOG_A))).toEqual(await readAll(shard.log(LOG_A)));
    const [second, third] = [await home.backUp(), await home.backUp()];
    expect([second.damages, third.newBytes < 10_000]).toEqual([[], true]);
  });

  it('can be stopped', async () => {
    await append(shard, shard.log(LOG_A), ['x'.repeat(3_000_000)]);
    await shard.flush();
    const progress = new Progress({ clock: home.clock, bytesPerSecond: 1_000_000 });
    const outcome = home.backUp({ progress });
    await home.clock.advance(500);
    progress.stop();
    await expect(outcome).rejects.toMatchObject({ code: 'closed' });
    expect(await listBackups(home.files, SET)).toEqual([]);
  });

  it('of a shard with a damaged segment has the rest, and says so', async () => {
    await append(shard, shard.log(LOG_A), ['x'.repeat(100_000)]);
    await appendSome(shard, LOG_B, 'b', 3);
    await shard.flush();
    const path = home.data.paths().find((each) => each.includes(LOG_A) && each.endsWith('.log')) ?? '';
    home.data.corrupt(path, 5_000, 10);
    const backup = await home.backUp();
    expect(backup.damages).toMatchObject([{ file: expect.stringContaining(LOG_A), byte: 0 }]);
    await expect(home.restore()).rejects.toMatchObject({ code: 'storage-damaged' });
  });
});

describe('damage', () => {
  const damage = (part: string, at: number) => {
    const [path = ''] = [...home.sizes(part).keys()];
    home.backups.corrupt(path, at, 4);
    return path.slice(SET.length + 1);
  };

  beforeEach(async () => {
    for (let i = 0; i < 4; i++) await append(shard, shard.log(LOG_A), [`a${i}`.padEnd(500_000, '.')]);
    await shard.flush();
    await appendSome(shard, LOG_B, 'b', 3);
  });

  it('of a segment is found by file and byte, whether verified or restored', async () => {
    const backup = await home.backUp();
    const file = damage('-000001.pack', 1_200_000);
    const { damages } = await home.verify(backup);
    // The third batch of the segment begins there.
    const byte = damages[0]?.byte ?? 0;
    expect(damages).toMatchObject([{ file, what: expect.stringContaining('CRC') }]);
    expect(byte).toBeGreaterThan(1_000_000);
    expect(byte).toBeLessThan(1_200_000);
    await expect(home.restore()).rejects.toThrow(`${SET}/${file}, byte ${byte}`);
  });

  it('costs what is damaged, and is told, when it is skipped', async () => {
    await home.backUp();
    damage('-000001.pack', 1_200_000);
    const restored = await home.restore({ skipDamaged: true });
    expect(restored.damages).toHaveLength(1);
    expect(restored.repaired.flatMap(({ lost }) => lost)).toEqual([{ log: LOG_A, from: 2, to: 3 }]);
    const again = await home.open('/restored/shard-0');
    expect((await readAll(again.log(LOG_A))).map((record) => record.slice(0, 4))).toEqual(['0:a0', '1:a1', '3:a3']);
    expect(await readAll(again.log(LOG_B))).toEqual(numbered('b', 0, 3));
  });

  it('of a file that is missing or cut short is found', async () => {
    const backup = await home.backUp();
    const [path = ''] = home.sizes('-000001.pack').keys();
    const file = await home.files.open(path, 'write');
    await file.truncate(700_000);
    await file.close();
    expect((await home.verify(backup)).damages).toMatchObject([{ byte: 700_000, what: 'the file ends there' }]);
    await home.files.remove(path);
    expect((await home.verify(backup)).damages).toMatchObject([{ byte: 0, what: 'the file is missing' }]);
  });

  it('of a list or a summary is found, and the latter is not taken for a backup', async () => {
    const first = await home.backUp();
    damage('.list', 30);
    expect((await home.verify(first)).damages).toMatchObject([{ file: `${first.id}.list` }]);
    damage('.backup', 30);
    expect(await listBackups(home.files, SET)).toMatchObject([{ id: first.id, error: expect.stringContaining('CRC') }]);
    await expect(home.restore()).rejects.toMatchObject({ code: 'storage-damaged' });
  });

  it('of a pack that is gone makes the next backup copy again', async () => {
    await home.backUp();
    for (const path of home.sizes('.pack').keys()) await home.files.remove(path);
    await home.clock.advance(2000);
    const second = await home.backUp();
    expect(second.newBytes).toBe(second.bytes);
    expect((await home.verify(second)).damages).toEqual([]);
  });
});

describe('a restore', () => {
  it('refuses a directory with something in it, unless it is told to overwrite; then only after the backup was found whole', async () => {
    await appendSome(shard, LOG_A, 'a', 3);
    await home.backUp();
    await home.restore();
    await expect(home.restore()).rejects.toMatchObject({ code: 'already-exists' });
    await home.restore({ overwrite: true });
    const again = await home.open('/restored/shard-0');
    expect(await readAll(again.log(LOG_A))).toEqual(numbered('a', 0, 3));
    await again.close();
    home.backups.corrupt([...home.sizes('.pack').keys()][0] ?? '', 40, 4);
    await expect(home.restore({ overwrite: true })).rejects.toMatchObject({ code: 'storage-damaged' });
    const still = await home.open('/restored/shard-0');
    expect(await readAll(still.log(LOG_A))).toEqual(numbered('a', 0, 3));
  });

  it('that does not come to its end leaves a directory that says so', async () => {
    await appendSome(shard, LOG_A, 'a', 3);
    await home.backUp();
    home.data.fail('rename', 3);
    await expect(home.restore()).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(readRestoreMark(home.files, '/restored')).rejects.toMatchObject({ code: 'storage-damaged' });
  });

  it('says when there is nothing old enough', async () => {
    await expect(home.restore()).rejects.toMatchObject({ code: 'not-found' });
    await appendSome(shard, LOG_A, 'a', 3);
    const backup = await home.backUp();
    await expect(home.restore({ at: backup.time - 1 })).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('an archive', () => {
  const start = () =>
    Archiver.start({
      ...{ files: home.files, clock: home.clock, directory: SET, shards: [shard], intervalMs: 100 },
      ...{ maxKeptBytes: 1_000_000, onTrouble: () => {} },
    });

  it('brings any time back since the first backup', async () => {
    const archiver = start();
    await appendSome(shard, LOG_A, 'a', 3);
    await home.backUp();
    const times: number[] = [];
    for (let i = 0; i < 10; i++) {
      await home.clock.advance(1000);
      await appendSome(shard, LOG_A, 'a', 1);
      times.push(home.clock.now());
      if (i === 5) await shard.flush();
    }
    await home.clock.advance(1000);
    await archiver.close();
    for (const i of [0, 4, 9]) {
      const restored = await home.restore({ at: (times[i] ?? 0) + 500, to: `/restored-${i}` });
      expect(restored.stoppedBy).toBeUndefined();
      const again = await home.open(`/restored-${i}/shard-0`);
      expect(again.log(LOG_A).nextOffset).toBe(4 + i);
    }
    const latest = await home.restore({ to: '/latest' });
    expect(latest.time).toBe(times[9]);
  });

  it('has a gap when it cannot be written for too long: the commit log is let go, and a restore stops before it', async () => {
    const archiver = start();
    await appendSome(shard, LOG_A, 'a', 3);
    await archiver.catchUp();
    await home.backUp();
    home.backups.capacity = home.backups.usedBytes;
    for (let i = 0; i < 30; i++) {
      await append(shard, shard.log(LOG_B), ['y'.repeat(90_000)]);
      await home.clock.advance(1000);
      await shard.flush();
    }
    expect(archiver.status[0]?.error).toBeDefined();
    const commitLog = [...home.data.paths()].filter((path) => path.endsWith('.wal'));
    expect(commitLog.reduce((sum, path) => sum + home.data.inode(path).size, 0)).toBeLessThan(1_500_000);
    home.backups.capacity = Number.POSITIVE_INFINITY;
    await home.clock.advance(10_000);
    await appendSome(shard, LOG_A, 'a', 3);
    await home.clock.advance(1000);
    expect(archiver.status[0]).toMatchObject({ error: undefined, lagBytes: 0 });
    const restored = await home.restore({ at: home.clock.now() });
    expect(restored.stoppedBy).toMatch(/nothing between/);
    expect((await home.open('/restored/shard-0')).log(LOG_A).nextOffset).toBe(3);
    const backup = await home.backUp();
    expect((await home.restore({ to: '/later' })).backup.id).toBe(backup.id);
    await archiver.close();
  });

  it('loses with a backup what only that one led to', async () => {
    const archiver = start();
    for (let i = 0; i < 3; i++) {
      await appendSome(shard, LOG_A, 'a', 1);
      await archiver.catchUp();
    }
    const first = await home.backUp();
    await archiver.close();
    const restarted = start();
    await appendSome(shard, LOG_A, 'a', 3);
    await restarted.catchUp();
    await home.clock.advance(1000);
    const second = await home.backUp();
    // Nothing came after it, and it is itself what can be restored.
    expect((await home.verify(second)).archivedUntil).toBe(second.time);
    const before = home.sizes('/archive/').size;
    const live = [shard.copySource.flusher.shardId];
    await deleteBackups(home.files, SET, [first.id], live);
    expect(home.sizes('/archive/').size).toBeLessThan(before);
    await appendSome(shard, LOG_A, 'a', 3);
    await restarted.close();
    expect((await home.verify(second)).archiveBroken).toBeUndefined();
    await home.restore();
    expect((await home.open('/restored/shard-0')).log(LOG_A).nextOffset).toBe(9);
  });
});
