/** A delivery that waits for its acknowledgement: what was delivered, and to whom. */
export interface Outstanding<Delivery, Consumer> {
  readonly tag: number;
  readonly delivery: Delivery;
  readonly consumer: Consumer;
}

/** Below so many places, gaps are not worth closing. */
const MIN_COMPACTED = 64;

/**
 * What a channel has delivered and not seen settled, by delivery tag. Tags ascend, so that entries stand in order and one is
 * found by where it should be: adding, taking one and taking all up to one cost O(1), amortised, and hold no more
 * places than twice what is outstanding.
 */
export class Unacknowledged<Delivery, Consumer> {
  #tags: number[] = [];
  /** Undefined where it was taken. */
  #deliveries: (Delivery | undefined)[] = [];
  #consumers: (Consumer | undefined)[] = [];
  /** Everything before was taken. */
  #head = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Oldest first. Nothing may be added or taken meanwhile. */
  *all(): Generator<readonly [delivery: Delivery, consumer: Consumer]> {
    for (let at = this.#head; at < this.#tags.length; at++) {
      const delivery = this.#deliveries[at];
      // Where there is a delivery, there is what it was added with.
      if (delivery !== undefined) yield [delivery, this.#consumers[at]!];
    }
  }

  /** Tags have to ascend. */
  add(tag: number, delivery: Delivery, consumer: Consumer): void {
    this.#tags.push(tag);
    this.#deliveries.push(delivery);
    this.#consumers.push(consumer);
    this.#count++;
  }

  has(tag: number): boolean {
    return this.#find(tag) >= 0;
  }

  /** Takes the one with this tag out, hands it to `visit`; false when there is none. */
  take(tag: number, visit: (delivery: Delivery, consumer: Consumer, tag: number) => void): boolean {
    const at = this.#find(tag);
    if (at < 0) return false;
    this.#takeAt(at, visit);
    this.#tidy();
    return true;
  }

  /** Likewise all up to this tag, oldest first. */
  takeUpTo(tag: number, visit: (delivery: Delivery, consumer: Consumer, tag: number) => void): boolean {
    const last = this.#find(tag);
    if (last < 0) return false;
    this.#takeTo(last, visit);
    return true;
  }

  takeAll(visit: (delivery: Delivery, consumer: Consumer, tag: number) => void): void {
    this.#takeTo(this.#tags.length - 1, visit);
  }

  /** Puts back what was taken out, in any order. */
  restore(taken: readonly Outstanding<Delivery, Consumer>[]): void {
    const all = [...taken];
    this.takeAll((delivery, consumer, tag) => all.push({ tag, delivery, consumer }));
    all.sort((a, b) => a.tag - b.tag);
    for (const { tag, delivery, consumer } of all) this.add(tag, delivery, consumer);
  }

  #takeTo(last: number, visit: (delivery: Delivery, consumer: Consumer, tag: number) => void): void {
    for (let at = this.#head; at <= last; at++) if (this.#deliveries[at] !== undefined) this.#takeAt(at, visit);
    this.#tidy();
  }

  #takeAt(at: number, visit: (delivery: Delivery, consumer: Consumer, tag: number) => void): void {
    // There is one at this place: the caller has looked.
    const delivery = this.#deliveries[at]!;
    const consumer = this.#consumers[at]!;
    this.#deliveries[at] = undefined;
    this.#consumers[at] = undefined;
    this.#count--;
    visit(delivery, consumer, this.#tags[at]!);
  }

  #find(tag: number): number {
    const tags = this.#tags;
    const first = tags[this.#head];
    if (first === undefined || tag < first) return -1;
    // Where it is when no tag is missing; never further on.
    const guess = this.#head + (tag - first);
    if (tags[guess] === tag) return this.#deliveries[guess] === undefined ? -1 : guess;
    let low = this.#head;
    let high = Math.min(guess, tags.length) - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      // Between two places that are there.
      const found = tags[middle]!;
      if (found === tag) return this.#deliveries[middle] === undefined ? -1 : middle;
      if (found < tag) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Moves the head on, and closes gaps when there are more of them than entries. */
  #tidy(): void {
    const size = this.#tags.length;
    if (this.#count === 0) {
      this.#tags.length = 0;
      this.#deliveries.length = 0;
      this.#consumers.length = 0;
      this.#head = 0;
      return;
    }
    while (this.#deliveries[this.#head] === undefined) this.#head++;
    if (size < MIN_COMPACTED || size < this.#count * 2) return;
    let to = 0;
    for (let at = this.#head; at < size; at++) {
      if (this.#deliveries[at] === undefined) continue;
      // The places of the three lists belong together.
      this.#tags[to] = this.#tags[at]!;
      this.#deliveries[to] = this.#deliveries[at];
      this.#consumers[to++] = this.#consumers[at];
    }
    this.#tags.length = to;
    this.#deliveries.length = to;
    this.#consumers.length = to;
    this.#head = 0;
  }
}
