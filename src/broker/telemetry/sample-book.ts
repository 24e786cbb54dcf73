import { type Column, type Retention, Samples } from './samples.ts';

/** Something that is counted, for those who sample it. */
export interface Counted {
  /** Grows whenever something happens to it. */
  readonly activity: number;
  /** What that was when it was looked at last. */
  sampled: number;
}

interface Watched {
  readonly samples: Samples;
  /** The look at which it was seen last, and that at which something had happened. */
  seenAt: number;
  activeAt: number;
}

/** Looks without anything new after which another may take the place. */
const IDLE_LOOKS = 2;

/** Samples of the things of one kind: of those where something happens, and of so many at most. */
export class SampleBook {
  readonly columns: readonly Column[];
  readonly #retention: readonly [Retention, ...Retention[]];
  readonly #most: number;
  readonly #row: Float64Array;
  readonly #nothing: Float64Array;
  /** The one that nothing happened to for longest comes first. */
  readonly #watched = new Map<Counted, Watched>();
  #look = 0;
  #before: number | undefined;
  #time = 0;

  constructor(columns: readonly Column[], retention: readonly [Retention, ...Retention[]], most: number) {
    this.columns = columns;
    this.#retention = retention;
    this.#most = most;
    this.#row = new Float64Array(columns.length);
    this.#nothing = new Float64Array(columns.length);
  }

  get size(): number {
    return this.#watched.size;
  }

  of(counted: Counted): Samples | undefined {
    return this.#watched.get(counted)?.samples;
  }

  /** Looks at all things of the kind, one after the other with `see`, until `end`. */
  begin(time: number): void {
    this.#before = this.#look === 0 ? undefined : this.#time;
    this.#time = time;
    this.#look++;
  }

  see(counted: Counted, read: (row: Float64Array) => void): void {
    const { activity } = counted;
    const isActive = activity !== counted.sampled;
    let watched = this.#watched.get(counted);
    if (watched === undefined) {
      if (isActive) watched = this.#watch(counted);
    } else if (isActive) {
      this.#watched.delete(counted);
      this.#watched.set(counted, watched);
    }
    counted.sampled = activity;
    if (watched === undefined) return;
    watched.seenAt = this.#look;
    if (isActive) watched.activeAt = this.#look;
    read(this.#row);
    watched.samples.push(this.#time, this.#row);
  }

  /** What was not seen is gone. */
  end(): void {
    for (const [counted, { seenAt }] of this.#watched) if (seenAt !== this.#look) this.#watched.delete(counted);
  }

  #watch(counted: Counted): Watched | undefined {
    if (this.#watched.size >= this.#most) {
      const [longest] = this.#watched;
      if (longest === undefined || this.#look - longest[1].activeAt < IDLE_LOOKS) return undefined;
      this.#watched.delete(longest[0]);
    }
    const watched = { samples: new Samples(this.columns, this.#retention), seenAt: this.#look, activeAt: this.#look };
    // Nothing had ever happened to it before: that much is known.
    if (counted.sampled === 0 && this.#before !== undefined) watched.samples.push(this.#before, this.#nothing);
    this.#watched.set(counted, watched);
    return watched;
  }
}
