import { dirname, join } from 'node:path';
import type { FileSystem } from '../../environment/environment.ts';

const PIECE_BYTES = 4 * 1024 * 1024;
const NAME = /^repair-(\d+)\/$/;

/** A directory of its own beside the data, where a repair keeps copies of all that it cuts, replaces or removes. */
export class Aside {
  readonly #files: FileSystem;
  readonly #data: string;
  /** From the data directory on. */
  readonly name: string;

  private constructor(files: FileSystem, data: string, name: string) {
    this.#files = files;
    this.#data = data;
    this.name = name;
  }

  /** The next one that is not there yet. Nothing is made before the first copy. */
  static async next(files: FileSystem, data: string): Promise<Aside> {
    let last = 0;
    for (const entry of await files.list(data)) last = Math.max(last, Number(NAME.exec(entry)?.[1] ?? 0));
    return new Aside(files, data, `repair-${last + 1}`);
  }

  /** Copies a file of the data directory; the copy is durable when this resolves. */
  async copy(path: string): Promise<void> {
    const target = join(this.#data, this.name, path);
    await this.#files.makeDirectory(dirname(target));
    const from = await this.#files.open(join(this.#data, path), 'read');
    try {
      const to = await this.#files.open(target, 'create');
      try {
        const piece = Buffer.allocUnsafe(PIECE_BYTES);
        for (let at = 0, count = piece.length; count === piece.length; at += count) {
          count = await from.read(piece, at);
          await to.write([piece.subarray(0, count)], at);
        }
        await to.sync();
      } finally {
        await to.close();
      }
    } finally {
      await from.close();
    }
    await this.#files.syncDirectory(dirname(target));
  }
}
