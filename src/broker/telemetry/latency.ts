/** Upper bounds of the buckets, in milliseconds. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000,
];

/** How long something took, in fixed buckets: what Prometheus calls a histogram. */
export class Latency {
  /** How often, by bucket; the last one has no bound. */
  readonly buckets: number[] = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);
  count = 0;
  sumMs = 0;

  /** It took so long, so many times. */
  observe(ms: number, times = 1): void {
    let bucket = 0;
    // Most are in the first few.
    while (bucket < LATENCY_BOUNDS_MS.length && ms > (LATENCY_BOUNDS_MS[bucket] ?? 0)) bucket++;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + times;
    this.count += times;
    this.sumMs += ms * times;
  }
}

/**
 * A quantile of what was observed between two readings of the buckets, taken to be spread evenly within a bucket; undefined
 * when there was nothing.
 */
export function quantile(buckets: readonly number[], before: readonly number[], share: number): number | undefined {
  const fresh = buckets.map((count, i) => count - (before[i] ?? 0));
  const total = fresh.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = share * total;
  let seen = 0;
  for (const [i, count] of fresh.entries()) {
    if (count === 0 || seen + count < rank) {
      seen += count;
      continue;
    }
    const low = LATENCY_BOUNDS_MS[i - 1] ?? 0;
    // Of what is beyond all bounds nothing more is known.
    const high = LATENCY_BOUNDS_MS[i] ?? low;
    return low + (high - low) * ((rank - seen) / count);
  }
  return LATENCY_BOUNDS_MS.at(-1);
}
