/** Offsets of a log, the last one not included. */
export interface OffsetRange {
  readonly log: string;
  readonly from: number;
  readonly to: number;
}

/** Something that is not as it was written. */
export interface Damage {
  /** The file, from the data directory on. */
  readonly file: string;
  /** Where in the file it begins; undefined when all of the file is concerned. */
  readonly byte?: number;
  readonly what: string;
  /** What a repair does about it; undefined when it can do nothing. */
  readonly remedy?: string;
  /** What is gone with it, as far as can be told. */
  readonly lost: readonly OffsetRange[];
}

/** Brings together what touches or overlaps, log by log. */
export function joinRanges(ranges: readonly OffsetRange[]): OffsetRange[] {
  const joined: OffsetRange[] = [];
  const sorted = ranges.toSorted((a, b) => (a.log === b.log ? a.from - b.from : a.log < b.log ? -1 : 1));
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last?.log === range.log && range.from <= last.to)
      joined[joined.length - 1] = { ...last, to: Math.max(last.to, range.to) };
    else joined.push(range);
  }
  return joined;
}
