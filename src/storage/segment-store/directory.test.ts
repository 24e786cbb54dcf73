import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileSystem } from '../../environment/environment.ts';
import { realEnvironment } from '../../environment/real.ts';
import { SimulatedDisk } from '../../environment/simulated-files.ts';
import { segmentStoreContract } from '../segment-store.contract.ts';
import { DirectorySegmentStore } from './directory.ts';

for (const maxOpenFiles of [256, 3]) {
  segmentStoreContract(`directory, ${maxOpenFiles} open files`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-segments-'));
    return {
      open: () => DirectorySegmentStore.open({ environment: realEnvironment(), directory, maxOpenFiles }),
      destroy: () => rm(directory, { recursive: true }),
    };
  });
}

segmentStoreContract('directory, simulated', async () => {
  const disk = new SimulatedDisk(1);
  return {
    open: () => DirectorySegmentStore.open({ environment: { files: disk.files() }, directory: '/segments' }),
    destroy: async () => {},
  };
});

describe('a directory segment store that loses power', () => {
  it('has the former content or the new one, and the new one once that was stored', async () => {
    const contents = ['', 'a', 'b', 'c'].map((letter) => letter.repeat(2000));
    for (let seed = 0; seed < 300; seed++) {
      const disk = new SimulatedDisk(seed);
      const open = () => DirectorySegmentStore.open({ environment: { files: disk.files() }, directory: '/segments' });
      const store = await open();
      let stored = 0;
      const crashed = disk.crashAt(1 + disk.random.below(16));
      const puts = async () => {
        for (let i = 1; i < contents.length; i++) {
          await store.put('logs/manifest', [Buffer.from(contents[i] as string)]);
          stored = i;
        }
        disk.crash();
      };
      await Promise.race([puts(), crashed]);
      const restarted = await open();
      const found =
        (await restarted.list('')).length === 0 ? '' : String(await restarted.get('logs/manifest', 0, 10_000));
      const version = contents.indexOf(found);
      expect([stored, stored + 1], `seed ${seed}`).toContain(version);
      expect(disk.paths().filter((path) => path.endsWith('~'))).toEqual([]);
    }
  });
});

describe('a directory segment store', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-segments-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('clears away what a crash left half-written, and directories that are empty', async () => {
    await mkdir(join(directory, 'a/b'), { recursive: true });
    await mkdir(join(directory, 'empty/in/empty'), { recursive: true });
    await writeFile(join(directory, 'a/b/0.log'), 'whole');
    await writeFile(join(directory, 'a/b/1.log.7~'), 'ha');
    const store = await DirectorySegmentStore.open({ environment: realEnvironment(), directory });
    expect(await store.list('')).toEqual(['a/b/0.log']);
    expect(await readdir(directory)).toEqual(['a']);
    expect(await readdir(join(directory, 'a/b'))).toEqual(['0.log']);
    await store.close();
  });

  it('refuses names that would lead elsewhere', async () => {
    const store = await DirectorySegmentStore.open({ environment: realEnvironment(), directory });
    for (const name of ['', '/etc/passwd', '../a', 'a/../b', 'a//b', 'a/', 'a~', 'a b', '.hidden']) {
      await expect(store.put(name, [])).rejects.toMatchObject({ code: 'invalid-argument' });
    }
    await store.close();
  });

  it('keeps no more files open than it may, and none after close', async () => {
    const { files } = realEnvironment();
    let open = 0;
    const counting: FileSystem = {
      ...files,
      open: async (path, mode) => {
        const file = await files.open(path, mode);
        open++;
        const close = file.close.bind(file);
        file.close = () => {
          open--;
          return close();
        };
        return file;
      },
    };
    const store = await DirectorySegmentStore.open({ environment: { files: counting }, directory, maxOpenFiles: 5 });
    for (let i = 0; i < 20; i++) await store.put(`object-${i}`, [Buffer.from(`content ${i}`)]);
    expect(open).toBe(0);
    for (let i = 0; i < 20; i++) expect(String(await store.get(`object-${i}`, 0, 100))).toBe(`content ${i}`);
    await expect.poll(() => open).toBe(5);
    await store.close();
    await expect.poll(() => open).toBe(0);
  });
});
