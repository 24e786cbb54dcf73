/** Bytes that come in chunks and are taken out in pieces of another size. */
export class ByteQueue {
  #chunks: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next bytes, which stay; undefined when there are not so many. */
  peek(length: number): Buffer | undefined {
    if (this.#length < length) return undefined;
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= length) return first.subarray(0, length);
    // Joined once: what is looked at is taken soon.
    const joined: Buffer[] = [];
    let bytes = 0;
    while (bytes < length) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) break;
      joined.push(chunk);
      bytes += chunk.length;
    }
    const front = Buffer.concat(joined);
    this.#chunks.unshift(front);
    return front.subarray(0, length);
  }

  take(length: number): Buffer | undefined {
    const bytes = this.peek(length);
    if (bytes === undefined || length === 0) return bytes;
    const rest = (this.#chunks[0] as Buffer).subarray(length); // `peek` has made all of them one chunk.
    if (rest.length > 0) this.#chunks[0] = rest;
    else this.#chunks.shift();
    this.#length -= length;
    return bytes;
  }
}
