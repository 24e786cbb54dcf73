import { join } from 'node:path';
import type { FileSystem } from '../../environment/environment.ts';

/** The objects of a directory store as they lie there. To open the store would clear away what a crash left half-written. */
export class StoredObjects {
  readonly #files: FileSystem;
  readonly #directory: string;

  constructor(files: FileSystem, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  /** Rejects with `not-found` for an absent object. */
  async get(name: string, offset: number, length: number): Promise<Buffer> {
    const file = await this.#files.open(join(this.#directory, name), 'read');
    try {
      const target = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, (await file.size()) - offset)));
      return target.subarray(0, await file.read(target, offset));
    } finally {
      await file.close();
    }
  }

  /** Names of all objects. */
  async list(prefix = ''): Promise<string[]> {
    const names: string[] = [];
    for (const entry of await this.#files.list(join(this.#directory, prefix))) {
      if (entry.endsWith('/')) names.push(...(await this.list(prefix + entry)));
      else if (!entry.endsWith('~')) names.push(prefix + entry);
    }
    return names;
  }
}
