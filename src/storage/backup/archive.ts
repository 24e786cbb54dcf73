import { join } from 'node:path';
import type { FileSystem } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { crc32c, readInt64, writeInt64 } from '../../records/index.ts';
import type { Position } from '../commit-log.ts';
import type { BackupSummary } from './backup-set.ts';
import { FrameWalk, type GroupFrame, isMark, type MarkFrame } from './group-frame.ts';
import type { BackupDamage } from './stored.ts';

/*
 * The archive of a shard: all groups of its commit log from some time on, with the times at which they were durable. Files in
 * `archive/<shard id>/`, named by the position that they start at, each as
 *
 *   FileHeader => magic:8 bytes  version:u16  reserved:u16  epoch:u32  start:i64  shard:16 bytes  reserved:u32  crc:u32
 *
 * and frames (group-frame.ts). A file counts up to where the next one starts; where it does not reach that far, there is a gap.
 */

export const ARCHIVE = 'archive';
const MAGIC = Buffer.from('SluiceAR');
const VERSION = 1;
const AT_VERSION = 8;
const AT_EPOCH = 12;
const AT_START = 16;
const AT_SHARD = 24;
const AT_CRC = 44;
export const ARCHIVE_HEADER_BYTES = 48;
const NAME = /^\d{20}\.groups$/;
const READ_BYTES = 1024 * 1024;

/** Of a shard's archive, from the set's directory on. */
export function archiveDirectory(shardId: string): string {
  return join(ARCHIVE, shardId);
}

export function archiveName(start: Position): string {
  return `${String(start).padStart(20, '0')}.groups`;
}

export function archiveHeader(start: Position, shardId: string, epoch: number): Buffer {
  const bytes = Buffer.alloc(ARCHIVE_HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt16BE(VERSION, AT_VERSION);
  bytes.writeUInt32BE(epoch, AT_EPOCH);
  writeInt64(bytes, start, AT_START);
  bytes.write(shardId.replaceAll('-', ''), AT_SHARD, 16, 'hex');
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, AT_CRC)), AT_CRC);
  return bytes;
}

/** The positions that a shard's archive files start at, in order. */
export async function archiveStarts(files: FileSystem, directory: string, shardId: string): Promise<Position[]> {
  const names = (await files.list(join(directory, archiveDirectory(shardId)))).filter((name) => NAME.test(name));
  return names.map((name) => Number(name.slice(0, 20))).sort((a, b) => a - b);
}

export interface ScannedFile {
  /** The end of its last group. */
  readonly end: Position;
  /** The end of the last group that was on the device when another was written after it. */
  readonly settled: Position;
  /** Bytes up to there and the mark after it. */
  readonly bytes: number;
  readonly lastMark: MarkFrame | undefined;
  /** The greatest epoch that it knows of. */
  readonly epoch: number;
  readonly damage: BackupDamage | undefined;
}

/** Reads one file of an archive, up to where the next one starts; `visit` answers false when it has had enough. */
export async function scanArchiveFile(
  files: FileSystem,
  directory: string,
  shardId: string,
  start: Position,
  visit: (frame: GroupFrame | MarkFrame) => boolean | Promise<boolean> = () => true,
  limit: Position = Number.POSITIVE_INFINITY,
): Promise<ScannedFile> {
  const path = join(archiveDirectory(shardId), archiveName(start));
  const object = 'the archive';
  let end = start;
  let settled = start;
  let lastGroupEnd = 0;
  let lastMark: MarkFrame | undefined;
  const file = await files.open(join(directory, path), 'read');
  try {
    const head = Buffer.alloc(ARCHIVE_HEADER_BYTES);
    const isWhole = (await file.read(head, 0)) === head.length && head.subarray(0, AT_VERSION).equals(MAGIC);
    if (
      !isWhole ||
      head.readUInt32BE(AT_CRC) !== crc32c(head.subarray(0, AT_CRC)) ||
      head.readUInt16BE(AT_VERSION) !== VERSION ||
      readInt64(head, AT_START) !== start
    )
      return { end, settled, bytes: 0, lastMark, epoch: 0, damage: { file: path, byte: 0, what: 'no header', object } };
    const epoch = head.readUInt32BE(AT_EPOCH);
    const walk = new FrameWalk(ARCHIVE_HEADER_BYTES);
    for (let at = ARCHIVE_HEADER_BYTES; ; ) {
      const piece = Buffer.allocUnsafeSlow(READ_BYTES);
      const count = await file.read(piece, at);
      for (const frame of walk.add(piece.subarray(0, count))) {
        if (frame.position > limit || !(await visit(frame)))
          return { end, settled, bytes: walk.at, lastMark, epoch, damage: undefined };
        if (isMark(frame)) lastMark = frame;
        else {
          if (frame.synced >= lastGroupEnd) settled = end;
          lastGroupEnd = frame.endByte;
          end = frame.position;
        }
      }
      at += count;
      if (count < piece.length || walk.flaw !== undefined) break;
    }
    // A file that failed is damaged beyond the place where the next one starts.
    const flaw = end >= limit ? undefined : walk.finish();
    return { end, settled, bytes: walk.at, lastMark, epoch, damage: flaw && { file: path, ...flaw, object } };
  } finally {
    await file.close();
  }
}

/** How far an archive goes on from a position. */
export interface ArchiveReach {
  /** The time of the last mark that counts; undefined when there is none. */
  readonly time: number | undefined;
  /** Groups that end at or before it count. */
  readonly position: Position;
  /** Why it goes no further though more may have happened; undefined when it simply ends, or `until` was reached. */
  readonly broken: string | undefined;
  readonly damages: readonly BackupDamage[];
  readonly epoch: number;
}

/**
 * Finds out how far the groups after `from` go on without a gap, up to those that were durable at `until`. Groups without a mark behind them
 * count when `until` is Infinity.
 */
export async function archiveReach(
  files: FileSystem,
  directory: string,
  shardId: string,
  { from, until }: { readonly from: Position; readonly until: number },
): Promise<ArchiveReach> {
  const starts = await archiveStarts(files, directory, shardId);
  const damages: BackupDamage[] = [];
  let at = from;
  let time: number | undefined;
  let position = from;
  let epoch = 0;
  let isOver = false;
  const reach = (broken?: string): ArchiveReach => ({ time, position, broken, damages, epoch });
  for (const [i, start] of starts.entries()) {
    if ((starts[i + 1] ?? Number.POSITIVE_INFINITY) <= from) continue;
    if (start > at) return reach(`the archive has nothing between positions ${at} and ${start}`);
    const visit = (frame: GroupFrame | MarkFrame): boolean => {
      if (isMark(frame)) {
        isOver = frame.time > until;
        if (isOver) return false;
        time = frame.time;
        position = Math.max(position, Math.min(frame.position, at));
      } else at = Math.max(at, frame.position);
      return true;
    };
    const scanned = await scanArchiveFile(files, directory, shardId, start, visit, starts[i + 1]);
    epoch = Math.max(epoch, scanned.epoch);
    if (isOver) return reach();
    if (scanned.damage === undefined) continue;
    // The end of the newest file may be what a crash left.
    if (i === starts.length - 1 && scanned.bytes > 0) break;
    damages.push(scanned.damage);
    return reach(`${scanned.damage.file} is damaged at byte ${scanned.damage.byte}`);
  }
  if (until === Number.POSITIVE_INFINITY) position = Math.max(position, at);
  return reach();
}

/** Up to when all shards of a backup can be restored: where the archive of one breaks off, the others go no further. */
export function reachedTime(backupTime: number, reaches: readonly ArchiveReach[]): number {
  const times = (some: readonly ArchiveReach[]) => some.map(({ time }) => Math.max(backupTime, time ?? backupTime));
  const broken = reaches.filter((reach) => reach.broken !== undefined);
  return broken.length > 0 ? Math.min(...times(broken)) : Math.max(backupTime, ...times(reaches));
}

/** Hands on the groups that end after `from` and at or before `upTo`, which `archiveReach` has found to be there. */
export async function readArchive(
  files: FileSystem,
  directory: string,
  shardId: string,
  { from, upTo }: { readonly from: Position; readonly upTo: Position },
  visit: (payload: Buffer) => Promise<void>,
): Promise<void> {
  const starts = await archiveStarts(files, directory, shardId);
  let at = from;
  for (const [i, start] of starts.entries()) {
    if ((starts[i + 1] ?? Number.POSITIVE_INFINITY) <= from || start >= upTo) continue;
    const take = async (frame: GroupFrame | MarkFrame): Promise<boolean> => {
      if (isMark(frame) || frame.position <= at) return true;
      if (frame.position > upTo) return false;
      at = frame.position;
      await visit(frame.payload);
      return true;
    };
    const { damage } = await scanArchiveFile(files, directory, shardId, start, take, starts[i + 1]);
    if (damage !== undefined && at < Math.min(upTo, starts[i + 1] ?? upTo))
      throw new BrokerError('storage-damaged', `${damage.file} is damaged at byte ${damage.byte}: ${damage.what}`);
  }
}

/** Removes archive files that no backup leads to. Of shards that archive now, the newest file stays. */
export async function pruneArchive(
  files: FileSystem,
  directory: string,
  backups: readonly BackupSummary[],
  live: readonly string[],
): Promise<void> {
  for (const entry of await files.list(join(directory, ARCHIVE))) {
    if (!entry.endsWith('/')) continue;
    const shardId = entry.slice(0, -1);
    const ends = backups
      .flatMap(({ shards }) => shards.filter((shard) => shard.shardId === shardId))
      .map(({ end }) => end);
    const starts = await archiveStarts(files, directory, shardId);
    const isInUse = ends.length > 0 || live.includes(shardId);
    const needed = Math.min(...ends);
    for (const [i, start] of starts.entries()) {
      const end = starts[i + 1];
      if (isInUse && (end === undefined || end > needed)) break;
      await files.remove(join(directory, archiveDirectory(shardId), archiveName(start)));
    }
    if (!isInUse) await files.removeDirectory(join(directory, archiveDirectory(shardId)));
  }
}
