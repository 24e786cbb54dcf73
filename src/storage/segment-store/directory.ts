import { dirname, join } from 'node:path';
import type { Environment, FileSystem } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import type { SegmentStore } from '../segment-store.ts';
import { OpenFiles } from './open-files.ts';

export interface DirectorySegmentStoreOptions {
  readonly environment: Pick<Environment, 'files'>;
  /** The directory of this store's objects and no others. Made when missing; to be locked by whoever owns the shard. */
  readonly directory: string;
  /** Files kept open for reading; 256 unless told. */
  readonly maxOpenFiles?: number;
}

const DEFAULT_MAX_OPEN_FILES = 256;
/** A large object goes to the device in pieces: what the commit log flushes meanwhile waits for one of them, not for all. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** An object that is being written; it gets its name when it is whole. No object's name can end so. */
const UNFINISHED_SUFFIX = '~';
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

/** Objects as files in a directory: a name's `/` parts directories. */
export class DirectorySegmentStore implements SegmentStore {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #open: OpenFiles;
  readonly #names: Set<string>;
  /** Those known to be there. */
  readonly #directories = new Set<string>();
  #unfinished = 0;

  private constructor(options: DirectorySegmentStoreOptions, names: Set<string>) {
    this.#files = options.environment.files;
    this.#directory = options.directory;
    this.#open = new OpenFiles(this.#files, options.maxOpenFiles ?? DEFAULT_MAX_OPEN_FILES);
    this.#names = names;
  }

  /** Opens the store, and clears away what a crash left half-written. */
  static async open(options: DirectorySegmentStoreOptions): Promise<DirectorySegmentStore> {
    const { files } = options.environment;
    await files.makeDirectory(options.directory);
    const names = new Set<string>();
    await clearAndCollect(files, options.directory, '', names);
    return new DirectorySegmentStore(options, names);
  }

  async put(name: string, chunks: readonly Uint8Array[]): Promise<void> {
    const path = this.#path(name);
    const unfinished = `${path}.${this.#unfinished++}${UNFINISHED_SUFFIX}`;
    const directory = dirname(path);
    if (!this.#directories.has(directory)) {
      await this.#files.makeDirectory(directory);
      this.#directories.add(directory);
    }
    const file = await this.#files.open(unfinished, 'createNew');
    try {
      try {
        let position = 0;
        for (const piece of piecesOf(chunks)) {
          await file.write(piece, position);
          await file.sync();
          for (const chunk of piece) position += chunk.length;
        }
      } finally {
        await file.close();
      }
      await this.#files.rename(unfinished, path);
    } catch (error) {
      // What went wrong is what the caller has to know; whether the remains can be cleared away is not.
      await this.#files.remove(unfinished).catch(() => {});
      throw error;
    }
    this.#names.add(name);
    this.#open.forget(path);
    await this.#files.syncDirectory(directory);
  }

  async get(name: string, offset: number, length: number): Promise<Buffer> {
    const path = this.#path(name);
    if (!this.#names.has(name))
      throw new BrokerError('not-found', `there is no object '${name}' in ${this.#directory}`);
    return this.#open.read(path, offset, length);
  }

  async delete(name: string): Promise<void> {
    const path = this.#path(name);
    if (!this.#names.delete(name)) return;
    this.#open.forget(path);
    await this.#files.remove(path);
    await this.#files.syncDirectory(dirname(path));
  }

  async list(prefix: string): Promise<string[]> {
    return [...this.#names].filter((name) => name.startsWith(prefix));
  }

  freeBytes(): Promise<number> {
    return this.#files.freeBytes(this.#directory);
  }

  async close(): Promise<void> {
    this.#open.close();
  }

  #path(name: string): string {
    if (!NAME.test(name)) throw new BrokerError('invalid-argument', `'${name}' cannot be the name of an object`);
    return join(this.#directory, name);
  }
}

/** Chunks in runs of PIECE_BYTES or a little more; one run at least. */
function piecesOf(chunks: readonly Uint8Array[]): Uint8Array[][] {
  const pieces: Uint8Array[][] = [];
  let piece: Uint8Array[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    piece.push(chunk);
    bytes += chunk.length;
    if (bytes < PIECE_BYTES) continue;
    pieces.push(piece);
    piece = [];
    bytes = 0;
  }
  if (piece.length > 0 || pieces.length === 0) pieces.push(piece);
  return pieces;
}

/** Adds the names of the objects below a directory; removes what is unfinished, and directories that are empty then. */
async function clearAndCollect(files: FileSystem, root: string, prefix: string, names: Set<string>): Promise<void> {
  for (const entry of await files.list(join(root, prefix))) {
    const path = prefix + entry;
    if (entry.endsWith('/')) {
      await clearAndCollect(files, root, path, names);
      await files.removeDirectory(join(root, path));
    } else if (entry.endsWith(UNFINISHED_SUFFIX)) {
      await files.remove(join(root, path));
    } else {
      names.add(path);
    }
  }
}
