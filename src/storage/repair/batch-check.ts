import {
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_OVERHEAD,
  baseOffset,
  batchSize,
  CURRENT_MAGIC,
  hasValidCrc,
  lastOffset,
  lastOffsetDelta,
  magic,
  maxTimestamp,
  partitionLeaderEpoch,
} from '../../records/index.ts';
import type { EpochStart } from '../log.ts';

/** Good batches one after the other, without a gap; where compaction wrote them, offsets may be missing between them. */
export interface Run {
  /** Bytes. */
  readonly from: number;
  to: number;
  readonly baseOffset: number;
  nextOffset: number;
  /** Milliseconds since the epoch; -1 for none. */
  maxTimestamp: number;
  readonly epochs: EpochStart[];
}

/** Bytes that are no batch, and the offsets that are not there; either may be none. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly fromOffset: number;
  readonly toOffset: number;
}

export interface BatchCheck {
  readonly runs: readonly Run[];
  readonly gaps: readonly Gap[];
}

/**
 * Looks at every batch of a segment's bytes: length, CRC, and whether its offsets follow those of the one before. After
 * damage it goes on with the next batch that there is. `next` is the offset after the segment's last one, where it is known. Of a
 * `compacted` segment offsets may be missing.
 */
export function checkBatches(bytes: Buffer, base: number, next?: number, compacted = false): BatchCheck {
  const runs: Run[] = [];
  const gaps: Gap[] = [];
  let run: Run | undefined;
  let expected = base;
  for (let at = 0; at < bytes.length; ) {
    if (!isBatch(bytes, at) || !follows(bytes, at, expected, compacted)) {
      const found = findBatch(bytes, at, { expected, next, compacted });
      const to = found ?? bytes.length;
      const toOffset = found === undefined ? (next ?? expected) : baseOffset(bytes, found);
      gaps.push({ from: at, to, fromOffset: expected, toOffset });
      run = undefined;
      at = to;
      expected = toOffset;
      continue;
    }
    if (run === undefined) {
      const first = baseOffset(bytes, at);
      run = { from: at, to: at, baseOffset: first, nextOffset: first, maxTimestamp: -1, epochs: [] };
      runs.push(run);
    }
    const epoch = partitionLeaderEpoch(bytes, at);
    if (epoch > (run.epochs.at(-1)?.epoch ?? -1)) run.epochs.push({ epoch, startOffset: baseOffset(bytes, at) });
    run.maxTimestamp = Math.max(run.maxTimestamp, maxTimestamp(bytes, at));
    expected = lastOffset(bytes, at) + 1;
    at += batchSize(bytes, at);
    run.to = at;
    run.nextOffset = expected;
  }
  if (next !== undefined && expected < next)
    gaps.push({ from: bytes.length, to: bytes.length, fromOffset: expected, toOffset: next });
  return { runs, gaps };
}

/** Whether a whole batch lies there that has the CRC that it claims. */
function isBatch(bytes: Buffer, at: number): boolean {
  if (bytes.length - at < BATCH_HEADER_BYTES || magic(bytes, at) !== CURRENT_MAGIC) return false;
  const size = batchSize(bytes, at);
  return size >= BATCH_HEADER_BYTES && size <= bytes.length - at && hasSafeOffset(bytes, at) && hasValidCrc(bytes, at);
}

/** Offsets lie outside the CRC, and an accessor throws for one beyond 2^53. */
function hasSafeOffset(bytes: Buffer, at: number): boolean {
  return bytes.readUInt32BE(at) < 0x20_0000 && lastOffsetDelta(bytes, at) >= 0;
}

/** Whether the batch there may come after what ended before `expected`. */
function follows(bytes: Buffer, at: number, expected: number, compacted: boolean): boolean {
  return compacted ? baseOffset(bytes, at) >= expected : baseOffset(bytes, at) === expected;
}

/** What is known of the batches that are looked for. */
interface Wanted {
  readonly expected: number;
  readonly next: number | undefined;
  readonly compacted: boolean;
}

/** The first place at or after `from` where the log goes on. */
function findBatch(bytes: Buffer, from: number, wanted: Wanted): number | undefined {
  // Mostly the lengths are as they were. That is tried first, since a record may hold batches too, as its value.
  const stated = bytes.length - from >= BATCH_LENGTH_OVERHEAD ? from + batchSize(bytes, from) : from;
  if (stated > from && goesOn(bytes, stated, wanted)) return stated;
  for (let at = from; at <= bytes.length - BATCH_HEADER_BYTES; at++)
    if (magic(bytes, at) === CURRENT_MAGIC && goesOn(bytes, at, wanted)) return at;
  return undefined;
}

/** Whether a good batch lies there that may follow `expected`, and of whose offset the next one is a witness, or the end. */
function goesOn(bytes: Buffer, at: number, { expected, next, compacted }: Wanted): boolean {
  const limit = next ?? Number.POSITIVE_INFINITY;
  if (!isBatch(bytes, at) || baseOffset(bytes, at) < expected || lastOffset(bytes, at) >= limit) return false;
  const end = at + batchSize(bytes, at);
  if (end === bytes.length) return next === undefined || lastOffset(bytes, at) + 1 === next;
  return isBatch(bytes, end) && follows(bytes, end, lastOffset(bytes, at) + 1, compacted);
}
