import type { TraceEvent } from './event.ts';
import type { Gathering, TraceLog } from './trace-log.ts';
import { readGathering } from './trace-reader.ts';

/** Of one read of the log; at least one gathering. */
const READ_BYTES = 256 * 1024;
/** Gatherings that are looked at in one piece when going backwards. */
const BACK = 16;

/** What a search may look through, in bytes of the log. */
export class ScanBudget {
  left: number;

  constructor(bytes: number) {
    this.left = bytes;
  }

  get spent(): boolean {
    return this.left <= 0;
  }
}

/** The events of one gathering, and where it stands. */
export interface ScannedGathering {
  readonly offset: number;
  readonly events: readonly TraceEvent[];
}

/** Gatherings at these offsets, in their order; others have their turn in between. */
export async function* scanAt(
  log: TraceLog,
  offsets: Iterable<number>,
  budget: ScanBudget,
): AsyncGenerator<ScannedGathering, void> {
  for (const offset of offsets) {
    if (budget.spent) return;
    const [first] = await log.read(offset, 1);
    if (first === undefined || first.offset !== offset) continue;
    yield scanned(first, budget);
    await pause();
  }
}

/** Gatherings from an offset on up to another. */
export async function* scanForward(
  log: TraceLog,
  from: number,
  to: number,
  budget: ScanBudget,
): AsyncGenerator<ScannedGathering, void> {
  for (let at = from; at < to && !budget.spent; ) {
    const read = await log.read(at, READ_BYTES);
    if (read.length === 0) return;
    for (const gathering of read) {
      at = gathering.offset + 1;
      if (at > to || budget.spent) return;
      yield scanned(gathering, budget);
      await pause();
    }
  }
}

/** Gatherings before an offset, the latest first. */
export async function* scanBackward(
  log: TraceLog,
  end: number,
  budget: ScanBudget,
): AsyncGenerator<ScannedGathering, void> {
  for (let to = end; to > log.startOffset && !budget.spent; ) {
    const from = Math.max(log.startOffset, to - BACK);
    const piece: Gathering[] = [];
    for (let at = from; at < to; ) {
      const read = await log.read(at, READ_BYTES);
      if (read.length === 0) break;
      for (const gathering of read) if (gathering.offset < to) piece.push(gathering);
      at = (read.at(-1)?.offset ?? at) + 1;
    }
    for (const gathering of piece.reverse()) {
      if (budget.spent) return;
      yield scanned(gathering, budget);
      await pause();
    }
    to = from;
  }
}

function scanned({ offset, bytes }: Gathering, budget: ScanBudget): ScannedGathering {
  budget.left -= bytes.length;
  return { offset, events: [...readGathering(bytes)] };
}

/** Lets others have their turn. */
function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
