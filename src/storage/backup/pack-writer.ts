import { join } from 'node:path';
import type { File, FileSystem } from '../../environment/environment.ts';
import { crc32c } from '../../records/index.ts';
import type { Progress } from './progress.ts';
import type { Stored } from './stored.ts';

export const PACKS = 'packs';
/** What is as large has a file of its own, so that it goes when no backup needs it. */
const OWN_FILE_BYTES = 1024 * 1024;
/** Small things share files up to this size. */
const SHARED_FILE_BYTES = 16 * 1024 * 1024;
/** Written between two syncs: what the broker flushes meanwhile waits for one of them at most. */
const SYNC_BYTES = 8 * 1024 * 1024;

export interface PackWriterOptions {
  readonly files: FileSystem;
  /** The set's. */
  readonly directory: string;
  /** The backup's. */
  readonly id: string;
  readonly progress: Progress;
}

/** Writes what a backup copies: large things to files of their own, small ones one after the other. */
export class PackWriter {
  readonly #options: PackWriterOptions;
  #file: File | undefined;
  #name = '';
  #at = 0;
  #unsynced = 0;
  #count = 0;
  /** Bytes of all that was stored. */
  bytes = 0;

  constructor(options: PackWriterOptions) {
    this.#options = options;
  }

  /** Stores what `fill` writes; `size` is what it will be, as far as that is known. */
  async store(size: number, fill: (write: (piece: Buffer) => Promise<void>) => Promise<void>): Promise<Stored> {
    const own = size >= OWN_FILE_BYTES;
    if (own || this.#at + size > SHARED_FILE_BYTES) await this.finish();
    const file = await this.#open();
    const at = this.#at;
    let crc = 0;
    await fill(async (piece) => {
      await file.write([piece], this.#at);
      this.#at += piece.length;
      crc = crc32c(piece, crc);
      this.#unsynced += piece.length;
      if (this.#unsynced >= SYNC_BYTES) {
        await file.sync();
        this.#unsynced = 0;
      }
      await this.#options.progress.did(piece.length);
    });
    const stored = { file: this.#name, at, size: this.#at - at, crc };
    this.bytes += stored.size;
    if (own) await this.finish();
    return stored;
  }

  /** Makes the file durable that was written last. */
  async finish(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#options.files.syncDirectory(join(this.#options.directory, PACKS));
  }

  /** Lets go of the file after a failure. */
  async abandon(): Promise<void> {
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
  }

  async #open(): Promise<File> {
    if (this.#file !== undefined) return this.#file;
    const { files, directory, id } = this.#options;
    await files.makeDirectory(join(directory, PACKS));
    this.#name = `${PACKS}/${id}-${String(++this.#count).padStart(6, '0')}.pack`;
    this.#file = await files.open(join(directory, this.#name), 'createNew');
    this.#at = 0;
    this.#unsynced = 0;
    return this.#file;
  }
}
