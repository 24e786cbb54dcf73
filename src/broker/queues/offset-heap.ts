/** Offsets that wait, least first; each at most once. */
export class OffsetHeap {
  #heap: number[] = [];
  readonly #members = new Set<number>();

  get size(): number {
    return this.#members.size;
  }

  /** -1 when there are none. */
  get least(): number {
    for (;;) {
      const [least] = this.#heap;
      if (least === undefined) return -1;
      if (this.#members.has(least)) return least;
      // It was deleted in the middle.
      this.#dropLeast();
    }
  }

  has(offset: number): boolean {
    return this.#members.has(offset);
  }

  add(offset: number): void {
    if (this.#members.has(offset)) return;
    this.#members.add(offset);
    const heap = this.#heap;
    let at = heap.length;
    heap.push(offset);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      // Within bounds, here and below.
      if (heap[parent]! <= offset) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = offset;
  }

  delete(offset: number): boolean {
    if (!this.#members.delete(offset)) return false;
    if (this.#members.size === 0) this.#heap = [];
    else if (this.#heap[0] === offset) this.#dropLeast();
    return true;
  }

  clear(): void {
    this.#heap = [];
    this.#members.clear();
  }

  [Symbol.iterator](): IterableIterator<number> {
    return this.#members.values();
  }

  #dropLeast(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
