import { beforeEach, describe, expect, it } from 'vitest';
import { SimulatedDisk } from '../../environment/simulated-files.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import type { ErrorCode } from '../../errors.ts';
import type { Position } from '../commit-log.ts';
import { DiskCommitLog, type DiskCommitLogOptions } from './disk.ts';

let disk: SimulatedDisk;
let clock: VirtualClock;
let outcomes: (Position | ErrorCode)[];
let written: Position;

beforeEach(() => {
  disk = new SimulatedDisk(3);
  clock = new VirtualClock();
  outcomes = [];
  written = 0;
});

/** Durable positions and failures of it go to `outcomes`. */
async function start(options: Partial<DiskCommitLogOptions> = {}): Promise<{ log: DiskCommitLog; groups: string[] }> {
  const environment = { files: disk.files(), clock, random: disk.random };
  const log = new DiskCommitLog({ environment, directory: '/log', ...options });
  const groups: string[] = [];
  await log.open({
    written: (upTo) => {
      written = upTo;
    },
    durable: (upTo) => outcomes.push(upTo),
    failed: (error) => outcomes.push(error.code),
  });
  await log.replay(0, (group) => groups.push(String(group)));
  return { log, groups };
}

function append(log: DiskCommitLog, content: string): Position {
  return log.append([Buffer.from(content)], content.length);
}

/** Lets everything run that needs no time. */
const rest = () => clock.advance(0);

describe('a failed sync', () => {
  it('loses what was not durable, and the log goes on in a new file', async () => {
    const { log } = await start();
    const first = append(log, 'first');
    await rest();
    disk.fail('sync');
    append(log, 'lost');
    await rest();
    append(log, 'third');
    await rest();
    expect(outcomes).toEqual([first, 'storage-failed', first + 32 + 5]);
    expect(disk.paths()).toEqual(['/log/00000000000000000000.wal', `/log/${String(first).padStart(20, '0')}.wal`]);
    expect(log.pendingBytes).toBe(0);
    disk.crash();
    expect((await start()).groups).toEqual(['first', 'third']);
  });

  it('replaces a file in which nothing was durable', async () => {
    const { log } = await start();
    disk.fail('sync');
    append(log, 'lost');
    await rest();
    append(log, 'first');
    await rest();
    expect(disk.paths()).toEqual(['/log/00000000000000000000.wal']);
    disk.crash();
    expect((await start()).groups).toEqual(['first']);
  });

  it('loses what was appended while it failed, too', async () => {
    const { log } = await start();
    disk.fail('sync');
    append(log, 'lost');
    for (let jobs = 0; jobs < 10; jobs++) {
      await undefined;
      append(log, 'lost as well');
    }
    await rest();
    const last = append(log, 'kept');
    await rest();
    expect(outcomes).toEqual(['storage-failed', last]);
    disk.crash();
    expect((await start()).groups).toEqual(['kept']);
  });
});

describe('a full device', () => {
  it('refuses appends without trying for a while, and takes them again when there is space', async () => {
    const { log } = await start();
    const first = append(log, 'first');
    await rest();
    disk.capacity = disk.usedBytes + 10;
    append(log, 'too much');
    await rest();
    const operations = disk.operations;
    append(log, 'too soon');
    append(log, 'also too soon');
    await clock.advance(499);
    expect(outcomes).toEqual([first, 'storage-full', 'storage-full']);
    expect(disk.operations).toBe(operations);
    await clock.advance(1);
    append(log, 'still no space');
    await rest();
    expect(disk.operations).toBeGreaterThan(operations);
    expect(outcomes).toEqual([first, 'storage-full', 'storage-full', 'storage-full']);
    disk.capacity = Number.POSITIVE_INFINITY;
    await clock.advance(500);
    const last = append(log, 'taken again');
    await rest();
    expect(outcomes.at(-1)).toBe(last);
    await log.close();
    expect((await start()).groups).toEqual(['first', 'taken again']);
  });

  it('takes appends again although they never ceased, each at once after the failure of the one before', async () => {
    const environment = { files: disk.files(), clock, random: disk.random };
    const log = new DiskCommitLog({ environment, directory: '/log' });
    let failures = 0;
    let durable = 0;
    const again = () => append(log, 'again and again');
    await log.open({
      written: () => {},
      durable: () => durable++,
      failed: () => {
        failures++;
        if (failures < 1000) again();
      },
    });
    await log.replay(0, () => {});
    disk.capacity = disk.usedBytes + 10;
    again();
    await clock.advance(0);
    expect(failures).toBe(1000);
    disk.capacity = Number.POSITIVE_INFINITY;
    for (let ms = 0; ms < 500; ms += 100) {
      again();
      await clock.advance(100);
    }
    again();
    await rest();
    expect(durable).toBe(1);
    await Promise.all([log.close(), log.close()]);
  });

  it('leaves nothing half-made behind', async () => {
    const { log } = await start();
    disk.capacity = disk.usedBytes + 10;
    append(log, 'too much');
    await rest();
    await clock.advance(500);
    append(log, 'still too much');
    await rest();
    expect(disk.paths()).toEqual(['/log/00000000000000000000.wal']);
    await log.close();
  });
});

describe('a file that cannot be made when the last one is full', () => {
  it('costs what is pending, and nothing of what was durable', async () => {
    const { log } = await start({ fileBytes: 10 });
    const first = append(log, 'first');
    await rest();
    disk.fail('rename');
    append(log, 'lost');
    await rest();
    await clock.advance(500);
    const third = append(log, 'third');
    await rest();
    expect(outcomes).toEqual([first, 'storage-failed', third]);
    disk.crash();
    expect((await start()).groups).toEqual(['first', 'third']);
  });
});

describe('a device that cannot be read', () => {
  it('is not taken for damage, nor for an empty log', async () => {
    const { log } = await start();
    append(log, 'first');
    await log.close();
    disk.fail('read', 1);
    await expect(start()).rejects.toMatchObject({ code: 'storage-failed' });
    expect((await start()).groups).toEqual(['first']);
  });
});

describe('flushing', () => {
  it('at intervals calls durable what is written, and syncs when the interval is over', async () => {
    const { log } = await start({ flush: { intervalMs: 100 } });
    const first = append(log, 'first');
    await rest();
    expect([written, ...outcomes]).toEqual([first, first]);
    const operations = disk.operations;
    await clock.advance(99);
    expect(disk.operations).toBe(operations);
    await clock.advance(1);
    expect(disk.operations).toBe(operations + 1);
    await clock.advance(1000);
    expect(disk.operations).toBe(operations + 1);
    disk.crash();
    expect((await start()).groups).toEqual(['first']);
  });

  it('by the system never syncs but at close', async () => {
    const { log } = await start({ flush: 'os' });
    const operations = disk.operations;
    append(log, 'first');
    await clock.advance(60_000);
    expect(disk.operations).toBe(operations + 1);
    await log.close();
    disk.crash();
    expect((await start()).groups).toEqual(['first']);
  });

  it('by the system takes a power loss for a torn tail, whatever it left', async () => {
    for (let seed = 0; seed < 100; seed++) {
      disk = new SimulatedDisk(seed);
      const { log } = await start({ flush: 'os' });
      const groups = Array.from({ length: 20 }, (_, i) => `${i} ${'x'.repeat(200)}`);
      for (const group of groups) {
        append(log, group);
        await rest();
      }
      disk.crash();
      const recovered = (await start()).groups;
      expect(recovered).toEqual(groups.slice(0, recovered.length));
    }
  });
});

describe('a truncation', () => {
  it('goes on where it failed, when it is tried again', async () => {
    const { log } = await start({ fileBytes: 10 });
    let end = 0;
    for (const group of ['first', 'second', 'third', 'fourth']) {
      end = append(log, group);
      await rest();
    }
    disk.fail('syncDirectory');
    await expect(log.truncate(end)).rejects.toMatchObject({ code: 'storage-failed' });
    // The next file takes what is left of the removed one.
    append(log, 'fifth');
    await rest();
    await log.truncate(end);
    expect(disk.paths()).toHaveLength(2);
    await log.close();
  });
});

describe('a sync', () => {
  it('that is asked for makes safe what was called durable without it', async () => {
    const { log } = await start({ flush: 'os' });
    append(log, 'first');
    await rest();
    await Promise.all([log.sync(), rest()]);
    append(log, 'second');
    await rest();
    disk.crash();
    expect((await start()).groups.slice(0, 1)).toEqual(['first']);
  });

  it('that is asked for and fails says so', async () => {
    const { log } = await start({ flush: 'os' });
    append(log, 'first');
    await rest();
    disk.fail('sync');
    const failed = expect(log.sync()).rejects.toMatchObject({ code: 'storage-failed' });
    await rest();
    await failed;
    await log.sync();
  });
});

describe('a group', () => {
  it('is refused when it is not as long as was said, or too long', async () => {
    const { log } = await start();
    expect(() => log.append([Buffer.alloc(5)], 6)).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(() => log.append([Buffer.alloc(5)], 2 ** 30 + 1)).toThrow(
      expect.objectContaining({ code: 'message-too-large' }),
    );
    await log.close();
  });

  it('is gathered with all others of its turn into one write and one sync', async () => {
    const { log } = await start();
    const operations = disk.operations;
    for (let i = 0; i < 500; i++) append(log, `group ${i}`);
    await rest();
    expect(disk.operations).toBe(operations + 2);
    await log.close();
  });
});
