import { FRAME_END, FRAME_HEADER_BYTES } from './frames.ts';

/** A frame's payload is `bytes` from `start` to before `end`; they hold until the callback returns. */
export type OnFrame = (type: number, channel: number, bytes: Buffer, start: number, end: number) => void;

/** Cuts what comes from a socket into frames: where they lie is told, and only what is cut in two is copied. */
export class FrameScanner {
  readonly #onFrame: OnFrame;
  #rest = Buffer.allocUnsafe(16 * 1024);
  /** Bytes of a frame whose end has not come. */
  #filled = 0;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** The first `length` bytes are what comes next. */
  push(bytes: Buffer, length: number): void {
    let at = this.#filled === 0 ? 0 : this.#complete(bytes, length);
    while (length - at >= FRAME_HEADER_BYTES) {
      const end = at + frameBytes(bytes, at);
      if (end > length) break;
      this.#found(bytes, at, end);
      at = end;
    }
    if (at < length) this.#keep(bytes, at, length);
  }

  /** Adds what the frame that is kept lacks. Answers how much that was. */
  #complete(bytes: Buffer, length: number): number {
    let at = 0;
    if (this.#filled < FRAME_HEADER_BYTES) {
      at = Math.min(FRAME_HEADER_BYTES - this.#filled, length);
      this.#keep(bytes, 0, at);
      if (this.#filled < FRAME_HEADER_BYTES) return at;
    }
    const size = frameBytes(this.#rest, 0);
    const taken = Math.min(size - this.#filled, length - at);
    this.#keep(bytes, at, at + taken);
    if (this.#filled === size) {
      this.#filled = 0;
      this.#found(this.#rest, 0, size);
    }
    return at + taken;
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const filled = this.#filled + end - start;
    if (filled > this.#rest.length) {
      const larger = Buffer.allocUnsafe(filled * 2);
      this.#rest.copy(larger, 0, 0, this.#filled);
      this.#rest = larger;
    }
    bytes.copy(this.#rest, this.#filled, start, end);
    this.#filled = filled;
  }

  #found(bytes: Buffer, at: number, end: number): void {
    if (bytes[end - 1] !== FRAME_END) throw new Error(`a frame ends in ${bytes[end - 1]}, not ${FRAME_END}`);
    this.#onFrame(bytes[at] ?? 0, bytes.readUInt16BE(at + 1), bytes, at + FRAME_HEADER_BYTES, end - 1);
  }
}

/** Of the whole frame that starts there. */
function frameBytes(bytes: Buffer, at: number): number {
  return FRAME_HEADER_BYTES + bytes.readUInt32BE(at + 3) + 1;
}
