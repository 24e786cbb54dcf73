import type { SeededRandom } from './seeded-random.ts';

/** What a device writes whole or not at all. */
const SECTOR_BYTES = 512;

interface Write {
  readonly position: number;
  /** The bytes written; of a truncation, the zeros that take the place of what was cut off. */
  readonly bytes: Uint8Array;
  /** The file's size afterwards. */
  readonly size: number;
}

/** Bytes that grow as they are written to; what was never written is zero. */
class Content {
  size = 0;
  #bytes = Buffer.alloc(0);

  write(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length;
    if (end > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(end, 2 * this.#bytes.length));
      this.#bytes.copy(grown);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, position);
  }

  /** Also beyond the size. */
  slice(start: number, end: number): Buffer {
    return this.#bytes.subarray(Math.min(start, this.#bytes.length), Math.min(end, this.#bytes.length));
  }
}

/** A file's content: as programs see it (the page cache), as the device has it, and the writes in between. */
export class SimulatedInode {
  #cached = new Content();
  #stored = new Content();
  #unsynced: Write[] = [];

  get size(): number {
    return this.#cached.size;
  }

  read(target: Uint8Array, position: number): number {
    const bytes = this.#cached.slice(position, Math.min(position + target.length, this.#cached.size));
    target.set(bytes);
    return bytes.length;
  }

  write(position: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#apply({ position, bytes: Buffer.from(bytes), size: Math.max(this.#cached.size, position + bytes.length) });
  }

  truncate(size: number): void {
    this.#apply({ position: size, bytes: Buffer.alloc(Math.max(0, this.#cached.size - size)), size });
  }

  /** What was written until now; to be given to `sync`. */
  get unsynced(): number {
    return this.#unsynced.length;
  }

  /** Makes the oldest `count` writes durable. */
  sync(count: number): void {
    for (const write of this.#unsynced.splice(0, count)) {
      this.#stored.write(write.position, write.bytes);
      this.#stored.size = write.size;
    }
  }

  /**
   * A sync that fails: some sectors got to the device, the others never will, and yet the cache has them still and calls
   * them clean (what Linux does, known as fsyncgate).
   */
  syncFailed(random: SeededRandom): void {
    this.#stored = this.#torn(random);
    this.#unsynced = [];
  }

  /** Power loss: the cache is gone, and of what was not synced any sectors may be there. */
  lose(random: SeededRandom): void {
    const stored = this.#torn(random);
    this.#unsynced = [];
    this.#stored = stored;
    this.#cached = new Content();
    this.#cached.write(0, stored.slice(0, stored.size));
    this.#cached.size = stored.size;
  }

  /** Changes bytes on the device (and in the cache), as bad memory or a bad cable does. */
  corrupt(position: number, length: number): void {
    for (const content of [this.#cached, this.#stored]) {
      const bytes = content.slice(position, Math.min(position + length, content.size));
      for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] as number) ^ 0x5a; // Within the buffer.
    }
  }

  #apply(write: Write): void {
    this.#cached.write(write.position, write.bytes);
    this.#cached.size = write.size;
    this.#unsynced.push(write);
  }

  /** What the device may have: each sector as it was after some of the writes to it, and a size as it was after some write. */
  #torn(random: SeededRandom): Content {
    const content = this.#stored;
    // Some crashes lose next to nothing, some next to everything: an even chance for each sector would never do either.
    const keep = [0, 0.1, 0.5, 0.9, 1][random.below(5)] as number;
    const frozen = new Set<number>();
    const size = random.below(this.#unsynced.length + 1);
    for (const [i, write] of this.#unsynced.entries()) {
      const end = write.position + write.bytes.length;
      for (let start = write.position; start < end; ) {
        const sector = Math.floor(start / SECTOR_BYTES);
        const sectorEnd = Math.min(end, (sector + 1) * SECTOR_BYTES);
        if (!frozen.has(sector) && !random.chance(keep)) frozen.add(sector);
        if (!frozen.has(sector))
          content.write(start, write.bytes.subarray(start - write.position, sectorEnd - write.position));
        start = sectorEnd;
      }
      if (i < size || keep === 1) content.size = write.size;
    }
    return content;
  }
}
