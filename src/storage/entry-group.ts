import { BrokerError } from '../errors.ts';
import { BATCH_HEADER_BYTES, batchSize } from '../records/index.ts';

/*
 * What one append puts into the commit log: an atomic group of entries.
 *
 *   group   => entry*
 *   entry   => kind:u8 flags:u8 targets:u16 length:u32 target{targets} batch[length]
 *   target  => log id:16 bytes (UUID)  offset:u64
 *
 * kind 1, append: `batch` is one record batch, and `offset` its base offset in each target log; a batch that goes to
 *   several logs is written once.
 * kind 2, trim: everything in the target log before `offset` is gone; no batch. Flag 0x01: a snapshot stands for what is gone.
 * kind 3, delete: the target log is gone; no batch, offset 0.
 */

export const ENTRY_APPEND = 1;
export const ENTRY_TRIM = 2;
export const ENTRY_DELETE = 3;

const ENTRY_HEADER = 8;
const FLAGS = 1;
const SNAPSHOT_TRIM = 0x01;
const TARGET = 24;
export const MAX_TARGETS = 0xffff;

const TWO_32 = 0x1_0000_0000;

/** Bytes that an entry takes before its batch. */
export function entryHeaderLength(targets: number): number {
  return ENTRY_HEADER + targets * TARGET;
}

export function writeEntryHeader(into: Buffer, at: number, kind: number, targets: number, batchLength: number): number {
  into[at] = kind;
  into[at + FLAGS] = 0;
  into.writeUInt16BE(targets, at + 2);
  into.writeUInt32BE(batchLength, at + 4);
  return at + ENTRY_HEADER;
}

/** Marks the entry whose header lies there as a trim of what a snapshot stands for. */
export function markSnapshotTrim(into: Buffer, at: number): void {
  into[at + FLAGS] = SNAPSHOT_TRIM;
}

export function writeTarget(into: Buffer, at: number, logId: Buffer, offset: number): number {
  into.set(logId, at);
  into.writeUInt32BE(Math.floor(offset / TWO_32), at + 16);
  into.writeUInt32BE(offset >>> 0, at + 20);
  return at + TARGET;
}

/** One target of one entry: `batch` is empty for a trim or a delete, and shared between the targets of an entry. */
export type EntryVisitor = (kind: number, logId: string, offset: number, batch: Buffer, shared: boolean) => void;

/** Visits every target of every entry of a group, in order. Throws `storage-damaged` when the bytes are not a group. */
export function readEntryGroup(group: Buffer, visit: EntryVisitor): void {
  let at = 0;
  while (at < group.length) {
    if (group.length - at < ENTRY_HEADER) throw damaged(at, 'an entry header is cut short');
    const kind = group[at];
    const targets = group.readUInt16BE(at + 2);
    const batchLength = group.readUInt32BE(at + 4);
    const batchAt = at + entryHeaderLength(targets);
    const end = batchAt + batchLength;
    if (end > group.length) throw damaged(at, 'an entry is cut short');
    if (kind !== ENTRY_APPEND && kind !== ENTRY_TRIM && kind !== ENTRY_DELETE)
      throw damaged(at, `unknown entry kind ${kind}`);
    if (targets === 0) throw damaged(at, 'an entry without a target');
    const batch = group.subarray(batchAt, end);
    if (
      kind === ENTRY_APPEND ? batchLength < BATCH_HEADER_BYTES || batchSize(batch, 0) !== batchLength : batchLength > 0
    )
      throw damaged(at, `an entry of kind ${kind} with ${batchLength} bytes that are not its batch`);
    for (let target = at + ENTRY_HEADER; target < batchAt; target += TARGET) {
      const offset = group.readUInt32BE(target + 16) * TWO_32 + group.readUInt32BE(target + 20);
      if (!Number.isSafeInteger(offset)) throw damaged(target, `offset ${offset} lies beyond 2^53`);
      visit(kind, formatLogId(group, target), offset, batch, targets > 1);
    }
    at = end;
  }
}

/**
 * The group without trims of what a snapshot stands for: for who has an older snapshot, and needs the entries that came after that. Throws as
 * `readEntryGroup`.
 */
export function withoutSnapshotTrims(group: Buffer): Buffer {
  // Also checks that the lengths which are gone by below are right.
  readEntryGroup(group, () => {});
  const kept: Buffer[] = [];
  for (let at = 0; at < group.length; ) {
    const end = at + entryHeaderLength(group.readUInt16BE(at + 2)) + group.readUInt32BE(at + 4);
    if (group[at] !== ENTRY_TRIM || ((group[at + FLAGS] ?? 0) & SNAPSHOT_TRIM) === 0)
      kept.push(group.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

function damaged(at: number, what: string): BrokerError {
  return new BrokerError('storage-damaged', `entry group: ${what} at byte ${at}`);
}

/** The 16 bytes of a UUID. */
export function parseLogId(id: string): Buffer {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  if (bytes.length !== 16) throw new BrokerError('internal', `a log's id is a UUID, not '${id}'`);
  return bytes;
}

function formatLogId(buffer: Buffer, at: number): string {
  const hex = buffer.toString('hex', at, at + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
