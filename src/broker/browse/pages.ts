import type { PartitionScan } from './partition-scan.ts';
import type { SeenRecord } from './seen-record.ts';
import { sizeOf } from './seen-record.ts';
import type { Work } from './work.ts';

export interface PageLimits {
  readonly count: number;
  /** Of what is shown of all records; the first one is shown however large it is. */
  readonly maxBytes: number;
  /** What of a record counts towards that. */
  shownBytes?(seen: SeenRecord): number;
}

/**
 * The next records of several partitions, by their timestamps: the oldest first, or the newest, as the scans go. Of each partition in the order in which they
 * lie there. When the work is spent, only what was found by then, so that the order among partitions may be another.
 */
export async function nextPage(
  scans: readonly PartitionScan[],
  newestFirst: boolean,
  limits: PageLimits,
  work: Work,
): Promise<SeenRecord[]> {
  const page: SeenRecord[] = [];
  let bytes = 0;
  while (page.length < limits.count) {
    let next: PartitionScan | undefined;
    for (const scan of scans) {
      if (scan.head === undefined && !scan.ended && !work.spent) await scan.fill(work);
      if (scan.head !== undefined && (next?.head === undefined || goesFirst(scan.head, next.head, newestFirst)))
        next = scan;
    }
    const seen = next?.head;
    if (next === undefined || seen === undefined) break;
    const size = limits.shownBytes?.(seen) ?? sizeOf(seen.record);
    if (page.length > 0 && bytes + size > limits.maxBytes) break;
    bytes += size;
    page.push(seen);
    next.take();
  }
  return page;
}

function goesFirst(one: SeenRecord, other: SeenRecord, newestFirst: boolean): boolean {
  const difference = one.record.timestamp - other.record.timestamp;
  return newestFirst ? difference > 0 : difference < 0;
}
