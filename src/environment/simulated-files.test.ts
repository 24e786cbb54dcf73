import { beforeEach, describe, expect, it } from 'vitest';
import type { FileSystem } from './environment.ts';
import { SimulatedDisk } from './simulated-files.ts';

let disk: SimulatedDisk;
let files: FileSystem;

beforeEach(async () => {
  await boot(1);
});

async function boot(seed: number): Promise<void> {
  disk = new SimulatedDisk(seed);
  files = disk.files();
  await files.makeDirectory('/d/e');
}

async function write(path: string, content: string | Buffer, synced: boolean): Promise<void> {
  const file = await files.open(path, 'create');
  await file.write([Buffer.from(content)], 0);
  if (synced) await file.sync();
  await file.close();
}

async function read(path: string): Promise<Buffer> {
  const file = await disk.files().open(path, 'read');
  const content = Buffer.alloc(await file.size());
  await file.read(content, 0);
  await file.close();
  return content;
}

/** What each of many crashes leaves, counted. */
async function outcomes(prepare: () => Promise<void>, look: () => Promise<string>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 200; seed++) {
    await boot(seed);
    await prepare();
    disk.crash();
    const outcome = await look();
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  return counts;
}

describe('a simulated disk', () => {
  it('reads, lists, renames and removes as a file system does', async () => {
    await write('/d/a', 'hello', false);
    await write('/d/e/b', 'below', false);
    expect((await files.list('/d')).sort()).toEqual(['a', 'e/']);
    expect(await files.list('/absent')).toEqual([]);
    await files.rename('/d/a', '/d/e/b');
    expect(String(await read('/d/e/b'))).toBe('hello');
    await expect(files.open('/d/a', 'read')).rejects.toMatchObject({ code: 'not-found' });
    await expect(files.open('/d/e/b', 'createNew')).rejects.toMatchObject({ code: 'already-exists' });
    await expect(files.open('/absent/a', 'create')).rejects.toMatchObject({ code: 'not-found' });
    await files.removeDirectory('/d/e');
    expect(await files.list('/d')).toEqual(['e/']);
    await files.remove('/d/e/b');
    await files.remove('/d/e/b');
    await files.removeDirectory('/d/e/');
    expect(await files.list('/d')).toEqual([]);
  });

  it('keeps what was synced over a crash', async () => {
    const prepare = async () => {
      await write('/d/a', 'kept', true);
      await files.syncDirectory('/d');
    };
    expect(await outcomes(prepare, async () => String(await read('/d/a')))).toEqual(new Map([['kept', 200]]));
  });

  it('may lose a name, and what it had before, until its directory is synced', async () => {
    const prepare = async () => {
      await write('/d/a', 'old', true);
      await files.syncDirectory('/d');
      await write('/d/b', 'new', true);
      await files.rename('/d/b', '/d/a');
    };
    const seen = await outcomes(prepare, async () => `${disk.paths()} ${await read('/d/a')}`);
    expect([...seen.keys()].sort()).toEqual(['/d/a new', '/d/a old', '/d/a,/d/b old']);
  });

  it('tears what was not synced, sector by sector', async () => {
    const prepare = async () => {
      await write('/d/a', Buffer.alloc(4 * 512, 'o'), true);
      await files.syncDirectory('/d');
      await write('/d/a', Buffer.alloc(4 * 512, 'n'), false);
    };
    const sectors = async () => {
      const content = await read('/d/a');
      const whole = [0, 1, 2, 3].map((i) => String(content.subarray(i * 512, (i + 1) * 512)));
      for (const sector of whole) expect(sector).toBe((sector[0] ?? '').repeat(512));
      return whole.map((sector) => sector[0]).join('');
    };
    const seen = await outcomes(prepare, sectors);
    for (const outcome of ['oooo', 'nnnn', 'onon', 'nnoo', 'oonn']) expect(seen.has(outcome), outcome).toBe(true);
  });

  it('keeps everything when only the program ends', async () => {
    await write('/d/a', 'unsynced', false);
    disk.kill();
    expect(String(await read('/d/a'))).toBe('unsynced');
  });

  it('does not persist, ever, what was written before a failed sync, and shows it nonetheless', async () => {
    const prepare = async () => {
      const file = await files.open('/d/a', 'create');
      await files.syncDirectory('/d');
      await file.write([Buffer.from('doubtful')], 0);
      disk.fail('sync');
      await expect(file.sync()).rejects.toMatchObject({ code: 'storage-failed' });
      expect(String(await read('/d/a'))).toBe('doubtful');
      await file.sync();
    };
    const seen = await outcomes(prepare, async () => String(await read('/d/a')).replaceAll('\0', ''));
    expect([...seen.keys()].sort()).toEqual(['', 'doubtful']);
  });

  it('never answers those who ran before a crash', async () => {
    await write('/d/a', 'x', true);
    const file = await files.open('/d/a', 'write');
    const crashed = disk.crashAt(2);
    await file.write([Buffer.from('y')], 0);
    let answered = false;
    const answer = () => {
      answered = true;
    };
    file.sync().then(answer, answer);
    await crashed;
    file.read(Buffer.alloc(1), 0).then(answer, answer);
    files.list('/d').then(answer, answer);
    await new Promise(setImmediate);
    expect(answered).toBe(false);
  });

  it('can be full', async () => {
    disk.capacity = 10;
    await expect(write('/d/a', 'twelve bytes', false)).rejects.toMatchObject({ code: 'storage-full' });
    expect(await files.freeBytes('/d')).toBe(0);
    await expect(write('/d/b', '', false)).rejects.toMatchObject({ code: 'storage-full' });
    await files.remove('/d/a');
    await write('/d/b', 'ten bytes.', false);
  });

  it('ends operations that are issued together in any order, the same for the same seed', async () => {
    const order = async (seed: number) => {
      await boot(seed);
      const ended: number[] = [];
      await Promise.all([0, 1, 2, 3].map((i) => files.list('/d').then(() => ended.push(i))));
      return ended.join('');
    };
    const orders = new Set<string>();
    for (let seed = 0; seed < 50; seed++) orders.add(await order(seed));
    expect(orders.size).toBeGreaterThan(10);
    expect(await order(7)).toBe(await order(7));
  });

  it('locks a directory until it is released or the holder dies', async () => {
    const lock = await files.lock('/d');
    await expect(files.lock('/d/')).rejects.toMatchObject({ code: 'already-exists' });
    await lock.release();
    await files.lock('/d');
    disk.kill();
    await disk.files().lock('/d');
  });
});
