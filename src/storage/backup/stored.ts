import { join } from 'node:path';
import type { File, FileSystem } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { crc32c } from '../../records/index.ts';
import type { Progress } from './progress.ts';

/** Where bytes lie in a backup set. */
export interface Stored {
  /** From the set's directory on. */
  readonly file: string;
  /** Bytes. */
  readonly at: number;
  readonly size: number;
  /** CRC-32C of all of them. */
  readonly crc: number;
}

/** Something in a backup that is not as it was written. */
export interface BackupDamage {
  readonly file: string;
  readonly byte: number;
  readonly what: string;
  /** It is somewhere in so many bytes from there on; absent when it is that very byte. */
  readonly within?: number;
  /** What is lost with it: a segment, a snapshot. */
  readonly object: string;
}

export const PIECE_BYTES = 1024 * 1024;

/** Reads what is stored in a set, one thing after the other, with the file open that was read last. */
export class StoredReader {
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #progress: Progress;
  #path = '';
  #file: File | undefined;

  constructor(files: FileSystem, directory: string, progress: Progress) {
    this.#files = files;
    this.#directory = directory;
    this.#progress = progress;
  }

  /** Hands the bytes on in pieces. Answers what is wrong with them, if anything is. */
  async read(
    stored: Stored,
    object: string,
    take: (piece: Buffer) => void | Promise<void>,
  ): Promise<BackupDamage | undefined> {
    const { file: path, at, size } = stored;
    const damage = (byte: number, what: string): BackupDamage => ({ file: path, byte, what, object });
    let crc = 0;
    for (let done = 0; done < size; ) {
      const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, size - done));
      let count = 0;
      try {
        count = await (await this.#open(path)).read(piece, at + done);
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        return damage(at + done, error.code === 'not-found' ? 'the file is missing' : error.message);
      }
      if (count < piece.length) return damage(at + done + count, 'the file ends there');
      crc = crc32c(piece, crc);
      await take(piece);
      await this.#progress.did(count);
      done += count;
    }
    return crc === stored.crc ? undefined : { ...damage(at, 'a wrong CRC'), within: size };
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    this.#path = '';
  }

  async #open(path: string): Promise<File> {
    if (this.#file !== undefined && this.#path === path) return this.#file;
    await this.close();
    this.#file = await this.#files.open(join(this.#directory, path), 'read');
    this.#path = path;
    return this.#file;
  }
}
