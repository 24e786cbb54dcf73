import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { BrokerError } from '../errors.ts';
import { lockDirectory } from './directory-lock.ts';
import type { File, FileSystem } from './environment.ts';

// The callback functions, made into promises once: without the FileHandle objects of node:fs/promises in between.
const open = promisify(fs.open);
const close = promisify(fs.close);
const fdatasync = promisify(fs.fdatasync);
const fsync = promisify(fs.fsync);
const fstat = promisify(fs.fstat);
const ftruncate = promisify(fs.ftruncate);
const mkdir = promisify(fs.mkdir);

const rename = promisify(fs.rename);
const rm = promisify(fs.rm);
const rmdir = promisify(fs.rmdir);
const statfs = promisify(fs.statfs);
const readdir = promisify(fs.readdir) as (path: string, options: { withFileTypes: true }) => Promise<fs.Dirent[]>;
const writev = (fd: number, chunks: readonly Uint8Array[], position: number) =>
  new Promise<number>((done, failed) =>
    fs.writev(fd, chunks, position, (error, count) => (error ? failed(error) : done(count))),
  );
const read = (fd: number, target: Uint8Array, start: number, position: number) =>
  new Promise<number>((done, failed) =>
    fs.read(fd, target, start, target.length - start, position, (error, count) =>
      error ? failed(error) : done(count),
    ),
  );

/** Buffers that the kernel takes in one writev (IOV_MAX). */
const MAX_CHUNKS = 1024;

const FLAGS = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
  createNew: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
} as const;

class RealFile implements File {
  readonly #path: string;
  /** -1 when closed, so that no call reaches another file that got the number since. */
  #fd: number;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<void> {
    try {
      let rest = chunks;
      let at = position;
      while (rest.length > 0) {
        const some = rest.length > MAX_CHUNKS ? rest.slice(0, MAX_CHUNKS) : rest;
        const count = await writev(this.#fd, some, at);
        at += count;
        rest = withoutFirstBytes(rest, count);
      }
    } catch (error) {
      throw fileError(error, 'write to', this.#path);
    }
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    try {
      let total = 0;
      while (total < target.length) {
        const count = await read(this.#fd, target, total, position + total);
        if (count === 0) break;
        total += count;
      }
      return total;
    } catch (error) {
      throw fileError(error, 'read', this.#path);
    }
  }

  sync(): Promise<void> {
    return fdatasync(this.#fd).catch(rethrow('sync', this.#path));
  }

  truncate(size: number): Promise<void> {
    return ftruncate(this.#fd, size).catch(rethrow('truncate', this.#path));
  }

  async size(): Promise<number> {
    const stat = await fstat(this.#fd).catch(rethrow('stat', this.#path));
    return stat.size;
  }

  close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = -1;
    return close(fd).catch(rethrow('close', this.#path));
  }
}

/** What is left of the chunks after a write of `count` bytes, without empty chunks at its start. */
function withoutFirstBytes(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let skip = count;
  for (const [i, chunk] of chunks.entries()) {
    if (skip < chunk.length) return skip === 0 && i === 0 ? chunks : [chunk.subarray(skip), ...chunks.slice(i + 1)];
    skip -= chunk.length;
  }
  return [];
}

/** Files of this machine, by node:fs. */
export const realFiles: FileSystem = {
  async open(path, mode) {
    const fd = await open(path, FLAGS[mode], 0o640).catch(rethrow('open', path));
    return new RealFile(path, fd);
  },

  async list(directory) {
    try {
      const entries = await readdir(directory, { withFileTypes: true });
      return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw fileError(error, 'list', directory);
    }
  },

  async makeDirectory(directory) {
    // mkdir answers the first directory that it had to make: its name, and all below it, are still to be made durable.
    const first = await mkdir(directory, { recursive: true, mode: 0o750 }).catch(rethrow('make', directory));
    if (first === undefined) return;
    const top = dirname(resolve(first));
    for (let parent = dirname(resolve(directory)); ; parent = dirname(parent)) {
      await realFiles.syncDirectory(parent);
      if (parent === top || parent === dirname(parent)) return;
    }
  },

  rename: (from, to) => rename(from, to).catch(rethrow('rename', from)),
  remove: (path) => rm(path, { force: true }).catch(rethrow('remove', path)),
  async removeDirectory(directory) {
    try {
      await rmdir(directory);
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(code)) throw fileError(error, 'remove', directory);
    }
  },

  async syncDirectory(directory) {
    try {
      const fd = await open(directory, fs.constants.O_RDONLY);
      try {
        await fsync(fd);
      } finally {
        await close(fd);
      }
    } catch (error) {
      throw fileError(error, 'sync', directory);
    }
  },

  async freeBytes(directory) {
    const { bavail, bsize } = await statfs(directory).catch(rethrow('stat', directory));
    return bavail * bsize;
  },

  lock: (directory) => lockDirectory(join(directory, 'lock')).catch(rethrow('lock', directory)),
};

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

function rethrow(verb: string, path: string): (error: unknown) => never {
  return (error) => {
    throw fileError(error, verb, path);
  };
}

function fileError(error: unknown, verb: string, path: string): BrokerError {
  if (error instanceof BrokerError) return error;
  const code = codeOf(error);
  const what = `cannot ${verb} ${path} (${code ?? String(error)})`;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new BrokerError('storage-full', `${what}: free space on the device, or raise the quota`, { cause: error });
    case 'ENOENT':
      return new BrokerError('not-found', `${what}: there is no such file`, { cause: error });
    case 'EEXIST':
      return new BrokerError('already-exists', `${what}: the file is there already`, { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new BrokerError('storage-failed', `${what}: give this user the right to write there`, { cause: error });
    case 'EMFILE':
    case 'ENFILE':
      return new BrokerError('storage-failed', `${what}: raise the limit of open files (ulimit -n)`, { cause: error });
    default:
      return new BrokerError('storage-failed', `${what}: check the device and the system's log`, { cause: error });
  }
}
