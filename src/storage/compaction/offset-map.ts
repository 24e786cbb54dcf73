import { hash } from 'node:crypto';

/** Digest and offset. */
export const SLOT_BYTES = 24;
/** Beyond this share of slots taken, searches get long. */
const LOAD = 0.75;
const DIGEST_WORDS = 4;
const MIN_SLOTS = 64;

/**
 * The last offset of each key, in bounded memory: a key is 128 bits of its SHA-256 (other keys with the same ones are not to be had
 * on purpose), in a table of fixed size with linear probing. Offsets have to grow.
 */
export class OffsetMap {
  readonly #mask: number;
  readonly #capacity: number;
  readonly #digests: Uint32Array;
  /** Offset + 1; 0 for a slot that is free. */
  readonly #offsets: Float64Array;
  #size = 0;

  /** For up to `keys` keys, as far as `maxBytes` reach. */
  constructor(keys: number, maxBytes: number) {
    const wanted = Math.max(keys / LOAD, MIN_SLOTS);
    const allowed = Math.max(maxBytes / SLOT_BYTES, MIN_SLOTS);
    const slots = 2 ** Math.min(Math.ceil(Math.log2(wanted)), Math.floor(Math.log2(allowed)));
    this.#mask = slots - 1;
    this.#capacity = Math.floor(slots * LOAD);
    this.#digests = new Uint32Array(slots * DIGEST_WORDS);
    this.#offsets = new Float64Array(slots);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#digests.byteLength + this.#offsets.byteLength;
  }

  /** Takes note of a key's offset; false when it is a new key for which there is no room. */
  put(key: Uint8Array, offset: number): boolean {
    const slot = this.#find(key);
    if (this.#offsets[slot] === 0) {
      if (this.#size >= this.#capacity) return false;
      this.#size++;
      this.#digests.set(this.#wanted, slot * DIGEST_WORDS);
    }
    this.#offsets[slot] = offset + 1;
    return true;
  }

  /** The last offset of the key; -1 when it is not there. */
  get(key: Uint8Array): number {
    // Slots lie within the table.
    return this.#offsets[this.#find(key)]! - 1;
  }

  /** The digest looked for last. */
  readonly #wanted = new Uint32Array(DIGEST_WORDS);

  /** The slot that has the key, or the free one where it would go. */
  #find(key: Uint8Array): number {
    const digest = hash('sha256', key, 'buffer');
    const wanted = this.#wanted;
    for (let i = 0; i < DIGEST_WORDS; i++) wanted[i] = digest.readUInt32LE(i * 4);
    const [a, b, c, d] = wanted;
    const digests = this.#digests;
    for (let slot = digest.readUInt32LE(16) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      if (this.#offsets[slot] === 0) return slot;
      const at = slot * DIGEST_WORDS;
      if (digests[at] === a && digests[at + 1] === b && digests[at + 2] === c && digests[at + 3] === d) return slot;
    }
  }
}
