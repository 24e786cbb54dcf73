import { join } from 'node:path';
import type { File, FileSystem } from '../../environment/environment.ts';
import type { Position } from '../commit-log.ts';
import { encodeFileHeader, FILE_HEADER_BYTES, type FileHeader, fileName, UNFINISHED_SUFFIX } from './file-header.ts';
import { FRAME_HEADER_BYTES, writeFrameHeader } from './group-frame.ts';
import type { WriteBatch } from './write-batch.ts';

/** The file that a log is being written to. */
export class LogFile {
  readonly start: Position;
  readonly epoch: number;
  readonly seed: number;
  readonly #file: File;
  /** Where the next frame goes. */
  #end: Position;

  private constructor(header: FileHeader, file: File) {
    this.start = header.start;
    this.epoch = header.epoch;
    this.seed = header.seed;
    this.#file = file;
    this.#end = header.start;
  }

  /**
   * Makes a file with what `fill` writes to it. It gets its name, replacing the file that had it, when all of it is
   * durable: a crash leaves the whole file or none.
   *
   * With `spare`, an old file is written over: its blocks are there already, so that a sync has data to write and nothing
   * else (a file that grows makes the file system's journal wait for whatever else is being written). What is left in it of
   * its former life has another salt, and is no frame of this file.
   */
  static async create(
    files: FileSystem,
    directory: string,
    header: Omit<FileHeader, 'seed'>,
    salt: Buffer,
    { spare, fill }: { readonly spare?: string; readonly fill?: (file: LogFile) => Promise<void> } = {},
  ): Promise<LogFile> {
    const path = join(directory, fileName(header.start));
    const unfinished = path + UNFINISHED_SUFFIX;
    if (spare !== undefined) await files.rename(spare, unfinished);
    const file = await files.open(unfinished, 'create');
    try {
      const { bytes, seed } = encodeFileHeader(header, salt);
      if (spare === undefined) await file.truncate(0);
      await file.write([bytes], 0);
      const logFile = new LogFile({ ...header, seed }, file);
      await fill?.(logFile);
      await file.sync();
      await files.rename(unfinished, path);
      await files.syncDirectory(directory);
      return logFile;
    } catch (error) {
      // What went wrong is what the caller has to know; whether the remains can be cleared away is not.
      await file.close().catch(() => {});
      await files.remove(unfinished).catch(() => {});
      throw error;
    }
  }

  /** Bytes of its frames. */
  get size(): number {
    return this.#end - this.start;
  }

  async write(batch: WriteBatch): Promise<void> {
    await this.#file.write(batch.chunks, this.#offset(this.#end));
    this.#end += batch.byteLength;
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  /** Writes, as the last frame, that the log was closed here with everything before it durable. */
  async writeClosed(): Promise<void> {
    const frame = Buffer.alloc(FRAME_HEADER_BYTES);
    writeFrameHeader(frame, 0, this, {
      position: this.#end,
      durable: this.#end,
      byteLength: 0,
      payloadCrc: 0,
      closed: true,
    });
    await this.#file.write([frame], this.#offset(this.#end));
    await this.#file.sync();
  }

  /**
   * Lets go of a file that failed, with what lies from `end` on: that was announced as lost, and must not come back.
   * A sync after a failed one proves nothing about data (it may answer for pages that the system has dropped), but it
   * does for the size. A device that refuses this as well cannot be helped here.
   */
  async abandon(end: Position): Promise<void> {
    await this.#file.truncate(this.#offset(end)).catch(() => {});
    await this.#file.sync().catch(() => {});
    await this.close();
  }

  /** Closes it; an error is of no account, since what had to be durable was synced before. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => {});
  }

  #offset(position: Position): number {
    return FILE_HEADER_BYTES + position - this.start;
  }
}
