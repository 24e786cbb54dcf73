import { crc32c } from '../../records/index.ts';
import type { AbortedTransaction, SavedTransactions } from './partition-transactions.ts';

export type SavedProducer = [
  id: number,
  epoch: number,
  lastSeen: number,
  batches: [number, number, number, number, number][],
  // These are not there in what was saved before there were transactions.
  epochOffset?: number,
  coordinatorEpoch?: number,
  /** -1 when it follows from the batches, or any will do. */
  nextSequence?: number,
];

export interface SavedProducers {
  /** The state is that before this offset. */
  readonly offset: number;
  readonly producers: readonly SavedProducer[];
  readonly transactions?: SavedTransactions;
}

export const NOTHING_SAVED: SavedProducers = { offset: 0, producers: [] };

/*
 * A line of JSON, and behind its end the aborted transactions, each as four numbers of 64 bits, little-endian: of these there may be very many, and all of them
 * are saved with each segment. What was saved before has no end of line, and has them in the JSON.
 */
interface Line extends Omit<SavedProducers, 'transactions'> {
  readonly transactions?: {
    readonly open: SavedTransactions['open'];
    readonly aborted?: readonly (readonly [number, number, number, number])[];
  };
  readonly abortedCount?: number;
  readonly abortedCrc?: number;
}

const END_OF_LINE = 0x0a;
const NUMBER_BYTES = 8;
const ABORTED_BYTES = 4 * NUMBER_BYTES;

export function encodeSaved({ offset, producers, transactions }: SavedProducers): Buffer {
  const { open = [], aborted = [] } = transactions ?? {};
  const bytes = Buffer.allocUnsafe(aborted.length * ABORTED_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  for (const { producerId, firstOffset, lastOffset, stableOffset } of aborted) {
    view.setFloat64(at, producerId, true);
    view.setFloat64(at + NUMBER_BYTES, firstOffset, true);
    view.setFloat64(at + 2 * NUMBER_BYTES, lastOffset, true);
    view.setFloat64(at + 3 * NUMBER_BYTES, stableOffset, true);
    at += ABORTED_BYTES;
  }
  const abortedCounts = { abortedCount: aborted.length, abortedCrc: crc32c(bytes) };
  const line: Line = { offset, producers, transactions: { open }, ...abortedCounts };
  return Buffer.concat([Buffer.from(`${JSON.stringify(line)}\n`), bytes]);
}

/** It is derived: when it cannot be read, nothing was saved, and it is made again from the log. */
export function decodeSaved(bytes: Buffer | undefined): SavedProducers {
  if (bytes === undefined) return NOTHING_SAVED;
  const end = bytes.indexOf(END_OF_LINE);
  const line = parse(end === -1 ? bytes : bytes.subarray(0, end));
  if (line === undefined) return NOTHING_SAVED;
  const { offset, producers, transactions } = line;
  if (transactions === undefined) return { offset, producers };
  const aborted = end === -1 ? transactions.aborted?.map(ofNumbers) : readAborted(bytes.subarray(end + 1), line);
  return aborted === undefined
    ? NOTHING_SAVED
    : { offset, producers, transactions: { open: transactions.open, aborted } };
}

function parse(json: Buffer): Line | undefined {
  try {
    return JSON.parse(json.toString()) as Line;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function ofNumbers([producerId, firstOffset, lastOffset, stableOffset]: readonly [number, number, number, number]) {
  return { producerId, firstOffset, lastOffset, stableOffset };
}

/** Undefined when they are not as they were saved. */
function readAborted(bytes: Buffer, { abortedCount, abortedCrc }: Line): AbortedTransaction[] | undefined {
  if (bytes.length !== (abortedCount ?? 0) * ABORTED_BYTES || crc32c(bytes) !== abortedCrc) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const aborted: AbortedTransaction[] = [];
  for (let at = 0; at < bytes.length; at += ABORTED_BYTES) {
    aborted.push({
      producerId: view.getFloat64(at, true),
      firstOffset: view.getFloat64(at + NUMBER_BYTES, true),
      lastOffset: view.getFloat64(at + 2 * NUMBER_BYTES, true),
      stableOffset: view.getFloat64(at + 3 * NUMBER_BYTES, true),
    });
  }
  return aborted;
}
