const BLOCK_BYTES = 256 * 1024;

/**
 * Gives out small pieces of large buffers: one allocation for hundreds of small batches, which then lie side by side and
 * go to the commit log as one chunk. A block is freed when nothing refers to any piece of it.
 */
export class Arena {
  #block = Buffer.alloc(0);
  #used = 0;

  /** A buffer of that length, with whatever it held before. At most BLOCK_BYTES. */
  take(length: number): Buffer {
    if (length > this.#block.length - this.#used) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    return this.#block.subarray(start, this.#used);
  }
}
