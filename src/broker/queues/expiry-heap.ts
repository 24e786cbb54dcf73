/** Messages beyond this number are not watched one by one: they expire when their turn comes. */
export const MAX_WATCHED = 1_000_000;

/** A message that expires at a time. */
export interface Due {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly lane: number;
  readonly offset: number;
}

/** Which messages expire when, the earliest first, and in their order at the same time. Three numbers a message, in one array each. */
export class ExpiryHeap {
  #times = new Float64Array(64);
  #offsets = new Float64Array(64);
  #lanes = new Uint8Array(64);
  #size = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** Milliseconds since the epoch; Infinity when there is none. */
  get earliest(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] ?? 0);
  }

  /** Answers whether there was room. */
  add(time: number, lane: number, offset: number): boolean {
    if (this.#size >= this.#most) return false;
    if (this.#size === this.#times.length) this.#grow();
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isLater(parent, time, offset)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, time, lane, offset);
    return true;
  }

  /** Takes out so many of those that are due at most, earliest first. */
  take(now: number, most: number, visit: (lane: number, offset: number) => void): void {
    for (let left = most; left > 0 && this.#size > 0 && (this.#times[0] ?? 0) <= now; left--) {
      const lane = this.#lanes[0] ?? 0;
      const offset = this.#offsets[0] ?? 0;
      this.#dropFirst();
      visit(lane, offset);
    }
  }

  /**
   * Shows, earliest first, those that come after a time and offset (at the same time, the smaller offset is earlier), until `see` answers false. What comes before
   * has to be passed over: the work grows with it.
   */
  inOrder(after: { time: number; offset: number } | undefined, see: (due: Due) => boolean): void {
    // The next one is always at the top of some subtree whose root was not shown yet.
    const tops: number[] = [];
    if (this.#size > 0) tops.push(0);
    const before = (one: number, other: number) => this.#isLater(other, this.#times[one] ?? 0, this.#offsets[one] ?? 0);
    while (tops.length > 0) {
      const top = takeLeast(tops, before);
      const [time, offset] = [this.#times[top] ?? 0, this.#offsets[top] ?? 0];
      const isPassed = after !== undefined && (time < after.time || (time === after.time && offset <= after.offset));
      if (!isPassed && !see({ time, lane: this.#lanes[top] ?? 0, offset })) return;
      for (const child of [2 * top + 1, 2 * top + 2]) if (child < this.#size) addTo(tops, child, before);
    }
  }

  clear(): void {
    this.#size = 0;
  }

  #dropFirst(): void {
    const last = --this.#size;
    const time = this.#times[last] ?? 0;
    const offset = this.#offsets[last] ?? 0;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#isLater(child, this.#times[child + 1] ?? 0, this.#offsets[child + 1] ?? 0)) child++;
      if (this.#isLater(child, time, offset)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, time, this.#lanes[last] ?? 0, offset);
  }

  #isLater(at: number, time: number, offset: number): boolean {
    const own = this.#times[at] ?? 0;
    return own > time || (own === time && (this.#offsets[at] ?? 0) > offset);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from] ?? 0, this.#lanes[from] ?? 0, this.#offsets[from] ?? 0);
  }

  #put(at: number, time: number, lane: number, offset: number): void {
    this.#times[at] = time;
    this.#lanes[at] = lane;
    this.#offsets[at] = offset;
  }

  #grow(): void {
    const times = new Float64Array(this.#size * 2);
    times.set(this.#times);
    this.#times = times;
    const offsets = new Float64Array(this.#size * 2);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    const lanes = new Uint8Array(this.#size * 2);
    lanes.set(this.#lanes);
    this.#lanes = lanes;
  }
}

type Before = (one: number, other: number) => boolean;

/** Into a heap of places, the earliest at the top. */
function addTo(heap: number[], place: number, before: Before): void {
  let at = heap.length;
  heap.push(place);
  while (at > 0) {
    const parent = (at - 1) >>> 1;
    // Within bounds, here and below.
    if (!before(place, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = place;
}

/** Out of one that is not empty. */
function takeLeast(heap: number[], before: Before): number {
  const least = heap[0]!;
  const last = heap.pop()!;
  if (heap.length === 0) return least;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return least;
}
