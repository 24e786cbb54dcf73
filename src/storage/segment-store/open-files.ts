import type { File, FileSystem } from '../../environment/environment.ts';

interface Opened {
  readonly file: File;
  readonly size: number;
}

interface Entry {
  readonly opened: Promise<Opened>;
  readers: number;
  forgotten: boolean;
}

/**
 * Files open for reading, of which the least recently used are closed when there are too many. One that is being read
 * is never closed; with more readers at a time than files allowed, there are as many files as readers.
 */
export class OpenFiles {
  readonly #files: FileSystem;
  readonly #max: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();

  constructor(files: FileSystem, max: number) {
    this.#files = files;
    this.#max = max;
  }

  /** Up to `length` bytes of the file from `offset` on, in a buffer of their own. */
  async read(path: string, offset: number, length: number): Promise<Buffer> {
    const entry = this.#take(path);
    try {
      const { file, size } = await entry.opened;
      const target = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, size - offset)));
      const count = target.length > 0 ? await file.read(target, offset) : 0;
      return target.subarray(0, count);
    } finally {
      entry.readers--;
      this.#release(entry);
    }
  }

  /** Does not use the file under this name any more: it has another content now, or none. */
  forget(path: string): void {
    const entry = this.#entries.get(path);
    if (!entry) return;
    this.#entries.delete(path);
    entry.forgotten = true;
    this.#release(entry);
  }

  /** Closes what nobody reads; the rest is closed by its last reader. */
  close(): void {
    for (const path of [...this.#entries.keys()]) this.forget(path);
  }

  #take(path: string): Entry {
    const present = this.#entries.get(path);
    const entry = present ?? { opened: this.#open(path), readers: 0, forgotten: false };
    entry.readers++;
    this.#entries.delete(path);
    this.#entries.set(path, entry);
    if (!present) {
      entry.opened.catch(() => this.forget(path));
      this.#evict();
    }
    return entry;
  }

  async #open(path: string): Promise<Opened> {
    const file = await this.#files.open(path, 'read');
    try {
      return { file, size: await file.size() };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  #evict(): void {
    for (const [path, entry] of this.#entries) {
      if (this.#entries.size <= this.#max) return;
      if (entry.readers === 0) this.forget(path);
    }
  }

  #release(entry: Entry): void {
    if (!entry.forgotten || entry.readers > 0) return;
    // A file that was only read has nothing to lose at its close; one that could not be opened has nothing to close.
    entry.opened.then(({ file }) => file.close()).catch(() => {});
  }
}
