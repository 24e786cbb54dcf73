/** Records next to each other that are in the same state; from the first to the last offset (inclusive), which `InFlight` alone changes. */
export interface Span {
  first: number;
  last: number;
  /** How often they were delivered, the delivery included that is under way. */
  count: number;
  /** Who has them: a member, in one of its sessions; undefined when they are available. */
  owner: string | undefined;
  /** On the monotonic clock: until when the member has them. */
  deadline: number;
  /** What becomes of them is decided, and being made durable. */
  settling: boolean;
}

/** The records of a partition that were given out and are not done with, as few spans as there can be; by offset. */
export class InFlight {
  #spans: Span[] = [];

  get spans(): readonly Span[] {
    return this.#spans;
  }

  firstAvailable(): Span | undefined {
    return this.#spans.find(isAvailable);
  }

  /** Those that have offsets from `first` to `last` (inclusive), as they are. */
  overlapping(first: number, last: number): readonly Span[] {
    const from = this.#indexOf(first);
    let to = from;
    while ((this.#spans[to]?.first ?? Number.POSITIVE_INFINITY) <= last) to++;
    return this.#spans.slice(from, to);
  }

  /** Those from `first` to `last` (inclusive), the outermost of them cut there, but for what is settling. */
  cut(first: number, last: number): readonly Span[] {
    this.#split(first);
    this.#split(last + 1);
    return this.overlapping(first, last);
  }

  /** Makes one of two that follow each other. */
  join(span: Span, next: Span): void {
    span.last = next.last;
    this.#spans.splice(this.#spans.indexOf(next), 1);
  }

  /** Adds a span where there is none. */
  add(span: Span): void {
    const at = this.#indexOf(span.first);
    if (at === this.#spans.length) this.#spans.push(span);
    else this.#spans.splice(at, 0, span);
  }

  remove(spans: readonly Span[]): void {
    if (spans.length === 0) return;
    const gone = new Set(spans);
    this.#spans = this.#spans.filter((span) => !gone.has(span));
  }

  /** Forgets what comes before. */
  trim(offset: number): void {
    const at = this.#indexOf(offset);
    this.#spans.splice(0, at);
    const [first] = this.#spans;
    if (first !== undefined && first.first < offset) first.first = offset;
  }

  /** Makes one of available spans that lie side by side and were delivered as often. */
  merge(): void {
    const spans: Span[] = [];
    for (const span of this.#spans) {
      const before = spans.at(-1);
      if (
        before !== undefined &&
        before.last + 1 === span.first &&
        before.count === span.count &&
        isAvailable(before) &&
        isAvailable(span)
      )
        before.last = span.last;
      else spans.push(span);
    }
    this.#spans = spans;
  }

  /** Where the first span is that ends at or after an offset. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // Within bounds.
      if (this.#spans[middle]!.last < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** No span has offsets on both sides. */
  #split(offset: number): void {
    const at = this.#indexOf(offset);
    const span = this.#spans[at];
    if (span === undefined || span.first >= offset || span.settling) return;
    const rest = { ...span, first: offset };
    span.last = offset - 1;
    this.#spans.splice(at + 1, 0, rest);
  }
}

export function isAvailable({ owner, settling }: Span): boolean {
  return owner === undefined && !settling;
}

export function sizeOf({ first, last }: { readonly first: number; readonly last: number }): number {
  return last - first + 1;
}
