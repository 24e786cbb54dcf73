import { BrokerError } from '../../errors.ts';
import { batchesIn } from '../../records/index.ts';
import type { Partition } from './partition.ts';

/** Where a reader begins, in each partition by itself. */
export type StreamStart =
  /** With the oldest record, with the batch that was appended last, or after it. */
  | { readonly from: 'first' | 'last' | 'next' }
  /** With this record, or what comes after it when it is gone or is yet to come. */
  | { readonly from: 'offset'; readonly offset: number }
  /** With the first record at or after this time, in milliseconds since the epoch. */
  | { readonly from: 'timestamp'; readonly timestamp: number };

/** The offset to begin at; at once where nothing need be read for it. */
export function startOffset(partition: Partition, start: StreamStart): number | Promise<number> {
  const { log } = partition;
  switch (start.from) {
    case 'first':
      return log.startOffset;
    case 'next':
      return log.nextOffset;
    case 'offset':
      return Math.max(start.offset, log.startOffset);
    case 'last':
      return lastBatch(partition);
    case 'timestamp':
      return offsetAt(partition, start.timestamp);
  }
}

function lastBatch(partition: Partition): number | Promise<number> {
  const { highWatermark, startOffset: first } = partition.log;
  if (highWatermark <= first) return highWatermark;
  const baseOffset = ({ chunks }: { readonly chunks: readonly Buffer[] }) => {
    for (const batch of batchesIn(Buffer.concat(chunks))) return Math.max(batch.baseOffset, first);
    return highWatermark;
  };
  const read = partition.read(highWatermark - 1, 1);
  return read instanceof Promise ? read.then(baseOffset) : baseOffset(read);
}

async function offsetAt(partition: Partition, timestamp: number): Promise<number> {
  // What is appended during the search comes after it.
  const end = partition.log.highWatermark;
  const found = await partition.offsetForTimestamp(timestamp);
  return found?.offset ?? end;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  D: 86_400_000,
  M: 30 * 86_400_000,
  Y: 365 * 86_400_000,
};

/** Milliseconds of an age like `7D`, `12h` or `30s` (Y, M, D, h, m, s), as RabbitMQ has them; undefined for what is none. */
export function parseAge(text: string): number | undefined {
  const match = /^([0-9]+)([YMDhms])$/.exec(text);
  const count = Number(match?.[1]);
  const unit = UNIT_MS[match?.[2] ?? ''];
  if (unit === undefined || !(count > 0)) return undefined;
  const age = count * unit;
  if (!Number.isSafeInteger(age)) throw new BrokerError('invalid-argument', `an age of ${text} is beyond all clocks`);
  return age;
}
