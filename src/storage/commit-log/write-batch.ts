import { crc32c } from '../../records/crc.ts';
import type { Position } from '../commit-log.ts';
import { FRAME_HEADER_BYTES, type FrameFile, writeFrameHeader } from './group-frame.ts';

/** A group's bytes, and where it ends. */
export interface Group {
  readonly chunks: readonly Uint8Array[];
  readonly byteLength: number;
  readonly end: Position;
}

/** Chunks up to this size are copied side by side: that costs less than one more buffer in a system call. */
const COPY_BYTES = 4 * 1024;

/**
 * The groups of one write, framed: headers and small chunks one after the other in a block that is used again for the
 * next write, large chunks from where they are.
 */
export class WriteBatch {
  /** What to write, in order. */
  readonly chunks: Uint8Array[] = [];
  /** Bytes of the groups, without frame headers. */
  payloadBytes = 0;
  /** Bytes of it all. */
  byteLength = 0;
  readonly #block: Buffer;
  readonly #maxBytes: number;
  /** Bytes of the block in use; those from `#runStart` on are not among the chunks yet. */
  #used = 0;
  #runStart = 0;

  /** Takes groups until there are `maxBytes`, or a block of `blockBytes` is full. */
  constructor(maxBytes: number, blockBytes: number) {
    this.#maxBytes = maxBytes;
    this.#block = Buffer.allocUnsafeSlow(blockBytes);
  }

  /** Begins anew. The write of what was in it must have ended. */
  clear(): void {
    this.chunks.length = 0;
    this.payloadBytes = 0;
    this.byteLength = 0;
    this.#used = 0;
    this.#runStart = 0;
  }

  /** Takes a group, unless the batch is full: it holds one at least. */
  add(group: Group, file: FrameFile, durable: Position): boolean {
    const room = this.#block.length - this.#used;
    if (this.byteLength > 0 && (room < FRAME_HEADER_BYTES || this.byteLength + group.byteLength > this.#maxBytes))
      return false;
    const headerAt = this.#used;
    this.#used += FRAME_HEADER_BYTES;
    // The header lies before its payload, whose CRC it holds: it is written last, still before the chunks are.
    const payloadCrc = this.#addPayload(group.chunks);
    const { byteLength, end } = group;
    const position = end - byteLength - FRAME_HEADER_BYTES;
    writeFrameHeader(this.#block, headerAt, file, { position, durable, byteLength, payloadCrc, closed: false });
    this.payloadBytes += byteLength;
    this.byteLength += FRAME_HEADER_BYTES + byteLength;
    return true;
  }

  /** Ends the gathering: from now on `chunks` has it all. */
  finish(): void {
    if (this.#used > this.#runStart) this.chunks.push(this.#block.subarray(this.#runStart, this.#used));
    this.#runStart = this.#used;
  }

  #addPayload(chunks: readonly Uint8Array[]): number {
    let crc = 0;
    let copiedFrom = this.#used;
    for (const chunk of chunks) {
      if (chunk.length <= COPY_BYTES && chunk.length <= this.#block.length - this.#used) {
        this.#block.set(chunk, this.#used);
        this.#used += chunk.length;
        continue;
      }
      if (this.#used > copiedFrom) crc = crc32c(this.#block.subarray(copiedFrom, this.#used), crc);
      this.finish();
      this.chunks.push(chunk);
      crc = crc32c(chunk, crc);
      copiedFrom = this.#used;
    }
    return this.#used > copiedFrom ? crc32c(this.#block.subarray(copiedFrom, this.#used), crc) : crc;
  }
}
