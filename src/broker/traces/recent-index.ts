/** Entries that an index has room for; 12 bytes each. */
export const INDEX_ENTRIES = 1 << 18;

/**
 * Where in the trace log the latest events about something are: a ring of hashes and offsets. Looking something up goes through all of
 * it, which takes less than a millisecond; adding costs two stores. Hashes may meet: whoever looks reads the events themselves.
 */
export class RecentIndex {
  readonly #hashes: Uint32Array;
  readonly #offsets: Float64Array;
  #next = 0;
  #isFull = false;
  /** Events before this offset of the log were never in it. */
  readonly #from: number;

  constructor(from: number, entries = INDEX_ENTRIES) {
    this.#from = from;
    this.#hashes = new Uint32Array(entries);
    this.#offsets = new Float64Array(entries);
  }

  /** What was added about anything from this offset of the log on is there. */
  get coversFrom(): number {
    // The oldest offset may have lost entries already.
    return this.#isFull ? (this.#offsets[this.#next] ?? 0) + 1 : this.#from;
  }

  add(hash: number, offset: number): void {
    this.#hashes[this.#next] = hash;
    this.#offsets[this.#next] = offset;
    this.#next++;
    if (this.#next === this.#hashes.length) {
      this.#next = 0;
      this.#isFull = true;
    }
  }

  /** Adds the offsets of the log at which there may be something about it. */
  find(hash: number, into: Set<number>): void {
    const wanted = hash >>> 0;
    const end = this.#isFull ? this.#hashes.length : this.#next;
    for (let at = this.#hashes.indexOf(wanted); at >= 0 && at < end; at = this.#hashes.indexOf(wanted, at + 1))
      into.add(this.#offsets[at] ?? 0);
  }
}
