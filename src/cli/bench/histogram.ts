/** Milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Buckets of one power of two: each is at most 1/128 of its value wide. */
const SUB_BUCKETS = 128;
const SUB_BUCKET_BITS = 7;
const MAX_MICROSECONDS = 0x7fffffff;

/** Counts durations in buckets as wide as they are long, so that percentiles are exact to less than 1 %. */
export class Histogram {
  readonly #counts = new Float64Array(SUB_BUCKETS * (32 - SUB_BUCKET_BITS));
  #total = 0;
  #max = 0;

  /** Milliseconds; 36 minutes at most, with a resolution of a microsecond. */
  record(ms: number): void {
    const value = Math.min(Math.max(Math.round(ms * 1000), 0), MAX_MICROSECONDS);
    const exponent = Math.max(31 - Math.clz32(value) - SUB_BUCKET_BITS, 0);
    // Below 2 * SUB_BUCKETS the exponent is 0, and the value its own bucket.
    const bucket = exponent * SUB_BUCKETS + (value >>> exponent);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total++;
    if (value > this.#max) this.#max = value;
  }

  /** How many durations there are. */
  get count(): number {
    return this.#total;
  }

  reset(): void {
    this.#counts.fill(0);
    this.#total = 0;
    this.#max = 0;
  }

  /** Throws when nothing was recorded: a percentile of nothing is no figure. */
  summary(): Latency {
    if (this.#total === 0) throw new Error('no latency was recorded: the measured window was too short');
    return { p50: this.#at(0.5), p99: this.#at(0.99), p999: this.#at(0.999), max: this.#max / 1000 };
  }

  /** The upper bound, in milliseconds, of the bucket that the quantile falls into. */
  #at(quantile: number): number {
    const wanted = Math.ceil(quantile * this.#total);
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen < wanted) continue;
      const exponent = Math.max(Math.floor(bucket / SUB_BUCKETS) - 1, 0);
      const upper = (bucket - exponent * SUB_BUCKETS + 1) * 2 ** exponent - 1;
      return Math.min(upper, this.#max) / 1000;
    }
    throw new Error(`the buckets hold ${seen} of ${this.#total} values`);
  }
}
