import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realFiles as files } from './real-files.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-files-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('a real file', () => {
  it('is written from many chunks, more than one system call takes, empty ones among them', async () => {
    const file = await files.open(join(directory, 'a'), 'createNew');
    const chunks = Array.from({ length: 3000 }, (_, i) => Buffer.from(i % 7 === 0 ? '' : `chunk ${i};`));
    await file.write(chunks, 5);
    await file.sync();
    const expected = Buffer.concat(chunks);
    expect(await file.size()).toBe(expected.length + 5);
    const read = Buffer.alloc(expected.length + 100);
    expect(await file.read(read, 5)).toBe(expected.length);
    expect(read.subarray(0, expected.length).equals(expected)).toBe(true);
    await file.close();
    await expect(file.read(read, 0)).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(file.close()).rejects.toMatchObject({ code: 'storage-failed' });
  });

  it('says what is missing and what is there already', async () => {
    const path = join(directory, 'a');
    await expect(files.open(path, 'read')).rejects.toMatchObject({ code: 'not-found' });
    await expect(files.open(path, 'write')).rejects.toMatchObject({ code: 'not-found' });
    await (await files.open(path, 'create')).close();
    await expect(files.open(path, 'createNew')).rejects.toMatchObject({ code: 'already-exists' });
    await expect(files.list(join(directory, 'absent'))).resolves.toEqual([]);
    await expect(files.remove(join(directory, 'absent'))).resolves.toBeUndefined();
  });

  it('makes directories with those above them', async () => {
    await files.makeDirectory(join(directory, 'x/y/z'));
    await files.makeDirectory(join(directory, 'x/y/z'));
    expect(await files.list(join(directory, 'x/y'))).toEqual(['z/']);
    expect(await files.freeBytes(directory)).toBeGreaterThan(0);
    await files.removeDirectory(join(directory, 'x'));
    expect(await files.list(directory)).toEqual(['x/']);
    await files.removeDirectory(join(directory, 'x/y/z'));
    await files.removeDirectory(join(directory, 'x/y/z'));
    expect(await files.list(join(directory, 'x/y'))).toEqual([]);
  });
});

describe('a directory lock', () => {
  it('is held by one broker of a process at a time', async () => {
    const lock = await files.lock(directory);
    await expect(files.lock(directory)).rejects.toMatchObject({
      code: 'already-exists',
      message: /another broker in this process/,
    });
    await lock.release();
    await (await files.lock(directory)).release();
    expect(await readdir(directory)).toEqual([]);
  });

  it('names the process that holds it, and dies with it', async () => {
    const holder = await holdInAnotherProcess(directory);
    await expect(files.lock(directory)).rejects.toMatchObject({
      code: 'already-exists',
      message: new RegExp(`process ${holder.pid}`),
    });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await (await files.lock(directory)).release();
    expect(await readdir(directory)).toEqual([]);
  });

  it('goes to one of many that find the same dead holder', async () => {
    const dead = { pid: 2 ** 22 + 1, started: '', token: '00000000-0000-4000-8000-000000000000' };
    for (let round = 0; round < 20; round++) {
      await writeFile(join(directory, 'lock'), JSON.stringify(dead));
      const outcomes = await Promise.allSettled(Array.from({ length: 16 }, () => files.lock(directory)));
      const locks = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      expect(locks.length).toBe(1);
      await locks[0]?.value.release();
      expect(await readdir(directory)).toEqual([]);
    }
  });

  it('is not taken from a process that has the number of a dead one', async () => {
    const reused = { pid: process.pid, started: 'an earlier boot/1', token: '00000000-0000-4000-8000-000000000000' };
    await writeFile(join(directory, 'lock'), JSON.stringify(reused));
    await (await files.lock(directory)).release();
  });
});

/** Resolves when the child holds the lock. */
async function holdInAnotherProcess(path: string): Promise<ChildProcess> {
  const module = new URL('./real-files.ts', import.meta.url).href;
  const script = `const { realFiles } = await import(${JSON.stringify(module)});
    await realFiles.lock(${JSON.stringify(path)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (!child.stdout) throw new Error('no output of the child');
  await once(child.stdout, 'data');
  return child;
}
