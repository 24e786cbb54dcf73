/** What one number of a sample is: something counted, which only grows, or something that goes up and down. */
export interface Column {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
}

/** How many samples are kept, and how far they are apart. */
export interface Retention {
  readonly everyMs: number;
  readonly keep: number;
}

/** Where samples are wanted: from `last` backwards, `incrementMs` apart, down to `first`; milliseconds since the epoch. */
export interface SampleRange {
  readonly first: number;
  readonly last: number;
  readonly incrementMs: number;
}

const FIRST_ROWS = 8;
const SECOND = 1000;

/** Rows of numbers with their times, oldest first; beyond what is kept the oldest go. */
class Ring {
  readonly everyMs: number;
  readonly #keep: number;
  readonly #width: number;
  #times: Float64Array;
  #values: Float64Array;
  #start = 0;
  #length = 0;

  constructor({ everyMs, keep }: Retention, width: number) {
    this.everyMs = everyMs;
    this.#keep = keep;
    this.#width = width;
    const rows = Math.min(FIRST_ROWS, keep);
    this.#times = new Float64Array(rows);
    this.#values = new Float64Array(rows * width);
  }

  get length(): number {
    return this.#length;
  }

  push(time: number, row: Float64Array): void {
    if (this.#length === this.#times.length && this.#length < this.#keep) this.#grow();
    const isFull = this.#length === this.#keep;
    const at = this.#place(isFull ? 0 : this.#length);
    this.#times[at] = time;
    this.#values.set(row, at * this.#width);
    if (isFull) this.#start = (this.#start + 1) % this.#times.length;
    else this.#length++;
  }

  /** Of the row that many after the oldest. */
  timeAt(index: number): number {
    return this.#times[this.#place(index)] ?? 0;
  }

  valueAt(index: number, column: number): number {
    return this.#values[this.#place(index) * this.#width + column] ?? 0;
  }

  /** The row that was taken about that time, or the last one before; -1 when all are younger. */
  indexAt(time: number): number {
    // Timers are late: what was to be taken at that time may have been a little after it.
    const latest = time + this.everyMs / 2;
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.timeAt(middle) < latest) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #place(index: number): number {
    return (this.#start + index) % this.#times.length;
  }

  /** Before it was full for the first time: the oldest row is the first. */
  #grow(): void {
    const rows = Math.min(this.#keep, this.#times.length * 2);
    const [times, values] = [new Float64Array(rows), new Float64Array(rows * this.#width)];
    times.set(this.#times);
    values.set(this.#values);
    this.#times = times;
    this.#values = values;
  }
}

/** What something was like at regular times: lately in small steps, before that in larger ones. */
export class Samples {
  readonly columns: readonly Column[];
  readonly #rings: readonly Ring[];
  readonly #finest: Ring;

  /** The finest first. */
  constructor(columns: readonly Column[], [finest, ...coarser]: readonly [Retention, ...Retention[]]) {
    this.columns = columns;
    this.#finest = new Ring(finest, columns.length);
    this.#rings = [this.#finest, ...coarser.map((retention) => new Ring(retention, columns.length))];
  }

  push(time: number, row: Float64Array): void {
    for (const ring of this.#rings) {
      const { length, everyMs } = ring;
      // Half a step early is not too early: timers are late, and come when they come.
      const isDue = length === 0 || time - ring.timeAt(length - 1) >= everyMs - this.#finest.everyMs / 2;
      if (ring === this.#finest || isDue) ring.push(time, row);
    }
  }

  /** When the newest was taken; undefined when there is none. */
  get newestAt(): number | undefined {
    const { length } = this.#finest;
    return length === 0 ? undefined : this.#finest.timeAt(length - 1);
  }

  /** By how much a column grew in a second, between the last two samples; 0 where there are not two. */
  rate(column: string): number {
    const { length } = this.#finest;
    const index = this.#column(column);
    if (length < 2 || index < 0) return 0;
    const seconds = (this.#finest.timeAt(length - 1) - this.#finest.timeAt(length - 2)) / SECOND;
    if (seconds <= 0) return 0;
    return (this.#finest.valueAt(length - 1, index) - this.#finest.valueAt(length - 2, index)) / seconds;
  }

  /** As it was last; undefined where nothing is known. */
  latest(column: string): number | undefined {
    const { length } = this.#finest;
    const index = this.#column(column);
    return length === 0 || index < 0 ? undefined : this.#finest.valueAt(length - 1, index);
  }

  /** Values at the times of a range, oldest first; undefined where nothing is known of a time. */
  values(column: string, range: SampleRange): (number | undefined)[] {
    const index = this.#column(column);
    if (index < 0) return timesOf(range).map(() => undefined);
    const known = Math.min(...this.#rings.filter(({ length }) => length > 0).map((ring) => ring.timeAt(0)));
    return timesOf(range).map((time) => {
      // Rows of large steps are about a long time, but never about one when nothing was looked at.
      if (time + this.#finest.everyMs / 2 <= known) return undefined;
      // The finest that goes back far enough.
      for (const ring of this.#rings) {
        const at = ring.indexAt(time);
        if (at >= 0) return ring.valueAt(at, index);
      }
      return undefined;
    });
  }

  #column(name: string): number {
    let places = PLACES.get(this.columns);
    if (places === undefined) {
      places = new Map(this.columns.map((column, i) => [column.name, i]));
      PLACES.set(this.columns, places);
    }
    return places.get(name) ?? -1;
  }
}

/** Of columns by their names: the same for all samples of one kind. */
const PLACES = new WeakMap<readonly Column[], ReadonlyMap<string, number>>();

/** The times of a range, oldest first. */
export function timesOf({ first, last, incrementMs }: SampleRange): number[] {
  const count = Math.floor((last - first) / incrementMs) + 1;
  return Array.from({ length: count }, (_, i) => last - (count - 1 - i) * incrementMs);
}
