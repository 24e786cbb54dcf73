/*
 * A hash table from bytes to values, for looking up each message's address as it stands in the frame that it came in: a Map
 * would want a string, which takes as long to make as everything else that is done here, and is garbage then. Open addressing;
 * the bytes of all keys lie in one buffer. It is bounded: what would go beyond is reason to forget everything and begin anew.
 */

export interface RouteCacheLimits {
  readonly entries: number;
  /** Of keys. */
  readonly bytes: number;
}

const ROUTE_CACHE_LIMITS: RouteCacheLimits = { entries: 65_536, bytes: 4 * 1024 * 1024 };

const FIRST_SLOTS = 256;
const FIRST_BYTES = 16 * 1024;
/** Slots that are looked at for a key: more are not in use one after the other unless somebody chooses keys to that end. */
const MAX_PROBES = 64;

export class RouteCache<Value extends object> {
  readonly #limits: RouteCacheLimits;
  #size = 0;
  /** Slots are a power of two, of which half are in use at most; a hash of 0 is a free one. */
  #mask = FIRST_SLOTS - 1;
  #hashes = new Int32Array(FIRST_SLOTS);
  #starts = new Int32Array(FIRST_SLOTS);
  #lengths = new Int32Array(FIRST_SLOTS);
  #values: (Value | undefined)[] = new Array<Value | undefined>(FIRST_SLOTS).fill(undefined);
  #bytes = Buffer.alloc(FIRST_BYTES);
  #end = 0;

  constructor(limits: RouteCacheLimits = ROUTE_CACHE_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  get(key: Uint8Array, start: number, end: number): Value | undefined {
    const hash = hashOf(key, start, end);
    const hashes = this.#hashes;
    const mask = this.#mask;
    for (let slot = hash & mask, probes = 0; probes < MAX_PROBES; slot = (slot + 1) & mask, probes++) {
      const there = hashes[slot];
      if (there === 0) return undefined;
      if (there === hash && this.#isAt(slot, key, start, end)) return this.#values[slot];
    }
    return undefined;
  }

  /** The key is not there yet. */
  add(key: Uint8Array, start: number, end: number, value: Value): void {
    const length = end - start;
    if (this.#size >= this.#limits.entries || this.#end + length > this.#limits.bytes) this.clear();
    if (2 * (this.#size + 1) > this.#hashes.length) this.#grow();
    const hash = hashOf(key, start, end);
    let slot = this.#free(hash);
    if (slot < 0) {
      this.clear();
      slot = this.#free(hash);
    }
    this.#size++;
    this.#hashes[slot] = hash;
    this.#starts[slot] = this.#end;
    this.#lengths[slot] = length;
    this.#values[slot] = value;
    if (this.#end + length > this.#bytes.length) this.#growBytes(length);
    this.#bytes.set(key.subarray(start, end), this.#end);
    this.#end += length;
  }

  clear(): void {
    if (this.#size === 0) return;
    this.#size = 0;
    this.#end = 0;
    if (this.#hashes.length === FIRST_SLOTS) {
      this.#hashes.fill(0);
      this.#values.fill(undefined);
    } else {
      this.#allocate(FIRST_SLOTS);
      this.#bytes = Buffer.alloc(FIRST_BYTES);
    }
  }

  #isAt(slot: number, key: Uint8Array, start: number, end: number): boolean {
    if (this.#lengths[slot] !== end - start) return false;
    const bytes = this.#bytes;
    let at = this.#starts[slot] ?? 0;
    for (let each = start; each < end; each++, at++) if (bytes[at] !== key[each]) return false;
    return true;
  }

  /** -1 when none is near. */
  #free(hash: number): number {
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const slot = (hash + probes) & this.#mask;
      if (this.#hashes[slot] === 0) return slot;
    }
    return -1;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const starts = this.#starts;
    const lengths = this.#lengths;
    const values = this.#values;
    this.#allocate(2 * hashes.length);
    for (let old = 0; old < hashes.length; old++) {
      const hash = hashes[old] ?? 0;
      if (hash === 0) continue;
      const slot = this.#free(hash);
      if (slot < 0) {
        this.#size--;
        continue;
      }
      this.#hashes[slot] = hash;
      this.#starts[slot] = starts[old] ?? 0;
      this.#lengths[slot] = lengths[old] ?? 0;
      this.#values[slot] = values[old];
    }
  }

  #allocate(slots: number): void {
    this.#mask = slots - 1;
    this.#hashes = new Int32Array(slots);
    this.#starts = new Int32Array(slots);
    this.#lengths = new Int32Array(slots);
    this.#values = new Array<Value | undefined>(slots).fill(undefined);
  }

  #growBytes(wanted: number): void {
    const bytes = Buffer.alloc(Math.max(2 * this.#bytes.length, this.#end + wanted));
    bytes.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = bytes;
  }
}

/** 32 bits that are not all 0 (FNV-1a, then mixed). */
function hashOf(key: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  // The bytes are there: the bounds are the caller's.
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ key[at]!, 0x01000193);
  hash ^= hash >>> 15;
  return hash === 0 ? 1 : hash;
}
