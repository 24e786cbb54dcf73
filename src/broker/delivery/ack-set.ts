/** Offsets of one chunk; its bits are 512 bytes. */
const CHUNK = 4096;
const WORDS = CHUNK / 32;
const FULL_WORD = 0xffffffff;

/**
 * Which offsets of a log are done with: all below a floor, and some above it. A bit for each offset between the floor and the
 * greatest that is done, in chunks, so that a message that stays out while a million after it are acknowledged costs 128 KiB.
 */
export class AckSet {
  readonly #chunks = new Map<number, Uint32Array>();
  #floor: number;
  #count = 0;

  constructor(floor = 0) {
    this.#floor = floor;
  }

  /** Every offset below is done. */
  get floor(): number {
    return this.#floor;
  }

  /** How many at or above the floor are done. */
  get count(): number {
    return this.#count;
  }

  has(offset: number): boolean {
    if (offset < this.#floor) return true;
    if (this.#count === 0) return false;
    const chunk = this.#chunks.get(Math.floor(offset / CHUNK));
    if (chunk === undefined) return false;
    const bit = offset % CHUNK;
    return ((chunk[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
  }

  /** Answers whether it was not done before. */
  add(offset: number): boolean {
    if (offset < this.#floor) return false;
    if (offset === this.#floor) {
      this.#floor++;
      if (this.#count > 0) this.#rise();
      return true;
    }
    const chunk = this.#chunk(Math.floor(offset / CHUNK));
    const bit = offset % CHUNK;
    const mask = 1 << (bit & 31);
    const word = chunk[bit >>> 5] ?? 0;
    if ((word & mask) !== 0) return false;
    chunk[bit >>> 5] = word | mask;
    this.#count++;
    return true;
  }

  /** Adds all from `from` to before `to`; answers how many were not done before. */
  addRange(from: number, to: number): number {
    const first = Math.max(from, this.#floor);
    if (first >= to) return 0;
    if (first === this.#floor) {
      let above = 0;
      if (this.#count > 0) {
        for (let index = Math.floor(first / CHUNK); index <= Math.floor((to - 1) / CHUNK); index++)
          above += this.#clear(index, first, to);
        this.#count -= above;
      }
      this.#floor = to;
      if (this.#count > 0) this.#rise();
      else this.#chunks.clear();
      return to - first - above;
    }
    let added = 0;
    for (let offset = first; offset < to; ) {
      const bit = offset % CHUNK;
      const chunk = this.#chunk(Math.floor(offset / CHUNK));
      if ((bit & 31) === 0 && to - offset >= 32) {
        added += 32 - bitsIn(chunk[bit >>> 5] ?? 0);
        chunk[bit >>> 5] = FULL_WORD;
        offset += 32;
        continue;
      }
      const mask = 1 << (bit & 31);
      const word = chunk[bit >>> 5] ?? 0;
      if ((word & mask) === 0) {
        chunk[bit >>> 5] = word | mask;
        added++;
      }
      offset++;
    }
    this.#count += added;
    return added;
  }

  /** It is not done after all. */
  delete(offset: number): void {
    if (offset >= this.#floor) {
      this.#count -= this.#clear(Math.floor(offset / CHUNK), offset, offset + 1);
      return;
    }
    const floor = this.#floor;
    this.#floor = offset;
    this.addRange(offset + 1, floor);
  }

  /** The first offset at or after this one that is not done. */
  firstOpen(offset: number): number {
    let at = Math.max(offset, this.#floor);
    if (this.#count === 0) return at;
    for (;;) {
      const chunk = this.#chunks.get(Math.floor(at / CHUNK));
      if (chunk === undefined) return at;
      const bit = at % CHUNK;
      const word = (chunk[bit >>> 5] ?? 0) >>> (bit & 31);
      if ((word & 1) === 0) return at;
      at += word === FULL_WORD >>> (bit & 31) ? 32 - (bit & 31) : trailingOnes(word);
    }
  }

  /** How many from `from` to before `to` are done. */
  countIn(from: number, to: number): number {
    const first = Math.max(from, this.#floor);
    let done = Math.max(0, Math.min(this.#floor, to) - from);
    if (this.#count === 0) return done;
    for (const [start, end] of this.ranges()) done += Math.max(0, Math.min(end, to) - Math.max(start, first));
    return done;
  }

  /** What is done above the floor, as ranges `[from, to)`, ascending. */
  *ranges(): Generator<readonly [from: number, to: number]> {
    for (const index of [...this.#chunks.keys()].sort((a, b) => a - b)) {
      const chunk = this.#chunks.get(index);
      if (chunk === undefined) continue;
      let from = -1;
      for (let bit = 0; bit < CHUNK; bit++) {
        const done = ((chunk[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
        if (done && from < 0) from = bit;
        if (!done && from >= 0) {
          yield [index * CHUNK + from, index * CHUNK + bit];
          from = -1;
        }
      }
      if (from >= 0) yield [index * CHUNK + from, (index + 1) * CHUNK];
    }
  }

  /** Forgets what is at or after `offset`: it never was. */
  rollBack(offset: number): void {
    if (offset < this.#floor) {
      this.#floor = offset;
      this.#chunks.clear();
      this.#count = 0;
      return;
    }
    for (const index of [...this.#chunks.keys()]) this.#count -= this.#clear(index, offset, Number.POSITIVE_INFINITY);
  }

  #chunk(index: number): Uint32Array {
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = new Uint32Array(WORDS);
      this.#chunks.set(index, chunk);
    }
    return chunk;
  }

  /** The floor's own offset may be done: goes up to the first that is not. */
  #rise(): void {
    const from = this.#floor;
    const to = this.firstOpen(from);
    if (to === from) return;
    this.#count -= to - from;
    this.#floor = to;
    for (let index = Math.floor(from / CHUNK); index < Math.floor(to / CHUNK); index++) this.#chunks.delete(index);
    if (this.#count === 0) this.#chunks.clear();
    else this.#clear(Math.floor(to / CHUNK), from, to);
  }

  /** Clears the bits of a chunk that lie in the range; answers how many were set. */
  #clear(index: number, from: number, to: number): number {
    const chunk = this.#chunks.get(index);
    if (chunk === undefined) return 0;
    const first = Math.max(0, from - index * CHUNK);
    const last = Math.min(CHUNK, to - index * CHUNK);
    let cleared = 0;
    for (let bit = first; bit < last; bit++) {
      const word = chunk[bit >>> 5] ?? 0;
      const mask = 1 << (bit & 31);
      if ((word & mask) === 0) continue;
      chunk[bit >>> 5] = word & ~mask;
      cleared++;
    }
    if (first === 0 && last === CHUNK) this.#chunks.delete(index);
    return cleared;
  }
}

function bitsIn(word: number): number {
  let rest = word >>> 0;
  let count = 0;
  for (; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** How many ones a word that ends in one ends in. */
function trailingOnes(word: number): number {
  return 31 - Math.clz32(~word & -~word);
}
