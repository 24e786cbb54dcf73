import { join } from 'node:path';
import type { File, FileSystem } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { crc32c } from '../../records/crc.ts';
import type { Position } from '../commit-log.ts';
import { decodeFileHeader, FILE_HEADER_BYTES, type FileHeader, fileName } from './file-header.ts';
import { FRAME_HEADER_BYTES, FRAME_MAGIC_BYTES, type Frame, readFrameHeader } from './group-frame.ts';

const READ_BYTES = 4 * 1024 * 1024;

export interface RecoveredGroup {
  readonly payload: Buffer;
  readonly end: Position;
}

export interface RecoveredFile {
  /** The end of the last good group. */
  readonly end: Position;
  /** Up to here the file proves that it was durable. */
  readonly durable: Position;
}

/** The header of a log file; rejects with `storage-damaged` when it has none. */
export async function readFileHeader(files: FileSystem, directory: string, start: Position): Promise<FileHeader> {
  const path = join(directory, fileName(start));
  const file = await files.open(path, 'read');
  try {
    const bytes = Buffer.alloc(FILE_HEADER_BYTES);
    const header = decodeFileHeader(bytes.subarray(0, await file.read(bytes, 0)));
    // A file gets its name when its header is durable, so that this is never the trace of a crash.
    if (typeof header === 'string') throw damaged(path, 0, header);
    if (header.start !== start) throw damaged(path, 0, `says that it starts at position ${header.start}`);
    return header;
  } finally {
    await file.close();
  }
}

/**
 * Hands the good groups of a file on, up to position `limit`, where the next file starts; the newest file has no limit.
 * Rejects with `storage-damaged` when what was durable is not there.
 *
 * In the newest file the first bad frame is the torn tail of a crash, unless there is a witness: a frame further on that
 * was written when the bad one was durable already.
 */
export async function recoverFile(
  files: FileSystem,
  directory: string,
  header: FileHeader,
  limit: Position | undefined,
  visit: (group: RecoveredGroup) => void,
): Promise<RecoveredFile> {
  const path = join(directory, fileName(header.start));
  const file = await files.open(path, 'read');
  try {
    const reader = new FrameReader(file, header, await file.size());
    let durable = header.carriedUpTo;
    while (limit === undefined || reader.position < limit) {
      const frame = await reader.nextHeader();
      const payload = frame && !frame.closed ? await reader.payload(frame) : undefined;
      if (frame) durable = Math.max(durable, frame.durable);
      if (payload) {
        visit({ payload, end: reader.position });
        continue;
      }
      const offset = FILE_HEADER_BYTES + reader.position - header.start;
      if (limit !== undefined && reader.atEnd) {
        throw damaged(path, offset, `ends early: ${fileName(reader.position)} is missing, or the end of this file`);
      }
      if (limit !== undefined)
        throw damaged(path, offset, `is damaged before position ${limit}, where the next file starts`);
      if (frame?.closed) break;
      if (durable > reader.position) throw damaged(path, offset, 'is damaged where it was durable');
      const witness = await findWitness(file, header, reader.position);
      if (witness !== undefined)
        throw damaged(path, offset, `is damaged where it was durable, as byte ${witness} proves`);
      break;
    }
    if (limit !== undefined && reader.position > limit) {
      throw damaged(
        path,
        FILE_HEADER_BYTES + limit - header.start,
        `has a group across position ${limit}, where the next file starts`,
      );
    }
    return { end: reader.position, durable: Math.min(durable, reader.position) };
  } finally {
    await file.close();
  }
}

export function damaged(path: string, offset: number, what: string): BrokerError {
  return new BrokerError(
    'storage-damaged',
    `${path} ${what} (byte ${offset}). Restore the directory from a copy, or see what 'sluice repair' can save`,
  );
}

/** Reads a file's frames from its first on, or a later one, in large pieces. */
export class FrameReader {
  /** Where the next frame starts. */
  position: Position;
  readonly #file: File;
  readonly #header: FileHeader;
  readonly #readBytes: number;
  #piece: Buffer = Buffer.alloc(0);
  /** The next frame's place in the piece. */
  #at = 0;

  /** The size is a hint only: what is small is read in one small piece. */
  constructor(file: File, header: FileHeader, size: number, from: Position = header.start) {
    this.#readBytes = Math.min(READ_BYTES, size);
    this.#file = file;
    this.#header = header;
    this.position = from;
  }

  /** Whether the file ends after the last good frame, as far as was read. */
  get atEnd(): boolean {
    return this.#at === this.#piece.length;
  }

  /** The next frame's header, when it is good. */
  async nextHeader(): Promise<Frame | undefined> {
    if (!(await this.#have(FRAME_HEADER_BYTES))) return undefined;
    return readFrameHeader(this.#piece, this.#at, this.#header, this.position);
  }

  /** The payload of the frame whose header was just read, when it is good: then the next one is on. */
  async payload(frame: Frame): Promise<Buffer | undefined> {
    const length = FRAME_HEADER_BYTES + frame.byteLength;
    if (!(await this.#have(length))) return undefined;
    const payload = this.#piece.subarray(this.#at + FRAME_HEADER_BYTES, this.#at + length);
    if (crc32c(payload) !== frame.payloadCrc) return undefined;
    this.#at += length;
    this.position += length;
    return payload;
  }

  /** Whether the file has that many bytes from the next frame on; then they are in the piece. */
  async #have(length: number): Promise<boolean> {
    const rest = this.#piece.length - this.#at;
    if (rest >= length) return true;
    // A new piece each time, since groups that were handed out lie in the old one.
    const piece = Buffer.allocUnsafeSlow(Math.max(this.#readBytes, length));
    this.#piece.copy(piece, 0, this.#at);
    const offset = FILE_HEADER_BYTES + this.position - this.#header.start + rest;
    const count = await this.#file.read(piece.subarray(rest), offset);
    this.#piece = piece.subarray(0, rest + count);
    this.#at = 0;
    return this.#piece.length >= length;
  }
}

/** The byte of a frame after position `bad` that was written when `bad` was durable. Headers suffice: nobody else can make them. */
async function findWitness(file: File, header: FileHeader, bad: Position): Promise<number | undefined> {
  const piece = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, (await file.size()) + 1));
  let offset = FILE_HEADER_BYTES + bad - header.start + 1;
  for (;;) {
    const bytes = piece.subarray(0, await file.read(piece, offset));
    const last = bytes.length - FRAME_HEADER_BYTES;
    for (
      let at = bytes.indexOf(FRAME_MAGIC_BYTES);
      at >= 0 && at <= last;
      at = bytes.indexOf(FRAME_MAGIC_BYTES, at + 1)
    ) {
      const frame = readFrameHeader(bytes, at, header, header.start + offset + at - FILE_HEADER_BYTES);
      if (frame && frame.durable > bad) return offset + at;
    }
    if (bytes.length < piece.length) return undefined;
    offset += last + 1;
  }
}
