import { CodecError } from './codec/codec-error.ts';

const SIZE_BYTES = 4;
/** A frame that comes in tiny pieces is put together now and then: each piece costs more than its bytes. */
const MAX_LOOSE_PIECES = 1024;

/** Cuts a stream of bytes into frames: each an int32 size, then so many bytes. */
export class FrameReader {
  /** Of the frames whose size comes from now on. */
  maxFrameBytes: number;
  /** Pieces of a frame (its size in front) that is not complete. */
  #pieces: Buffer[] = [];
  /** So many of the last pieces are as they came. */
  #loose = 0;
  #length = 0;
  /** Bytes of that frame with its size; 0 until the size is known. */
  #wanted = 0;

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /**
   * Takes bytes, and adds the frames that they complete, without their sizes. A frame that lies in one piece is not copied.
   * Memory is taken as bytes arrive, not as a size claims. Throws a `CodecError` for a size that no frame has.
   */
  push(chunk: Buffer, frames: Buffer[]): void {
    let at = 0;
    if (this.#length > 0) {
      const rest = this.#complete(chunk);
      if (rest === undefined) return;
      frames.push(Buffer.concat(this.#pieces, this.#wanted).subarray(SIZE_BYTES));
      this.#pieces = [];
      this.#loose = 0;
      this.#length = 0;
      this.#wanted = 0;
      at = rest;
    }
    while (chunk.length - at >= SIZE_BYTES) {
      const end = at + SIZE_BYTES + this.#size(chunk.readInt32BE(at));
      if (end > chunk.length) break;
      frames.push(chunk.subarray(at + SIZE_BYTES, end));
      at = end;
    }
    if (at < chunk.length) {
      this.#pieces.push(chunk.subarray(at));
      this.#length = chunk.length - at;
      if (this.#length >= SIZE_BYTES) this.#wanted = SIZE_BYTES + this.#size(chunk.readInt32BE(at));
    }
  }

  /** Adds what belongs to the open frame. Answers where the rest begins, or undefined when the frame is not complete. */
  #complete(chunk: Buffer): number | undefined {
    let taken = 0;
    if (this.#wanted === 0) {
      taken = Math.min(SIZE_BYTES - this.#length, chunk.length);
      const size = Buffer.concat([...this.#pieces, chunk.subarray(0, taken)]);
      this.#pieces = [size];
      this.#length = size.length;
      if (this.#length < SIZE_BYTES) return undefined;
      this.#wanted = SIZE_BYTES + this.#size(size.readInt32BE(0));
    }
    const more = Math.min(this.#wanted - this.#length, chunk.length - taken);
    if (more > 0) this.#add(chunk.subarray(taken, taken + more));
    this.#length += more;
    return this.#length === this.#wanted ? taken + more : undefined;
  }

  #add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#loose++;
    if (this.#loose < MAX_LOOSE_PIECES) return;
    this.#pieces.push(Buffer.concat(this.#pieces.splice(-this.#loose)));
    this.#loose = 0;
  }

  #size(size: number): number {
    if (size < 0 || size > this.maxFrameBytes) {
      throw new CodecError(`a frame of ${size} bytes; the limit is ${this.maxFrameBytes} (limits.frameBytes)`);
    }
    return size;
  }
}
