import type { FileSystem } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { readEntryGroup } from '../entry-group.ts';
import { type ArchiveReach, archiveReach, reachedTime } from './archive.ts';
import { type ShardCopy, storedIn } from './backup-list.ts';
import { type BackupSummary, readBackupList, readSummary } from './backup-set.ts';
import { BatchWalk, type Flaw } from './batch-walk.ts';
import { FrameWalk, isMark } from './group-frame.ts';
import type { Progress } from './progress.ts';
import { type BackupDamage, type Stored, StoredReader } from './stored.ts';

export interface VerifiedBackup {
  readonly backup: BackupSummary;
  readonly damages: readonly BackupDamage[];
  /** Up to when points in time can be restored, by the archive after this backup; undefined when there is none. */
  readonly archivedUntil: number | undefined;
  /** Why no further, when more may have happened. */
  readonly archiveBroken: string | undefined;
}

/** Reads all that a backup consists of, and the archive after it: every checksum, every batch's CRC. Rejects when there is no such backup. */
export async function verifyBackup(
  files: FileSystem,
  directory: string,
  id: string,
  progress: Progress,
): Promise<VerifiedBackup> {
  const backup = await readSummary(files, directory, id);
  const damages: BackupDamage[] = [];
  let shards: ShardCopy[];
  try {
    shards = await readBackupList(files, directory, id);
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    damages.push({ file: `${id}.list`, byte: 0, what: error.message, object: 'all of the backup' });
    return { backup, damages, archivedUntil: undefined, archiveBroken: undefined };
  }
  for (const { size } of storedIn(shards)) progress.bytesTotal += size;
  const reader = new StoredReader(files, directory, progress);
  try {
    for (const shard of shards) for await (const damage of damagesIn(shard, reader)) damages.push(damage);
  } finally {
    await reader.close();
  }
  const reaches: ArchiveReach[] = [];
  for (const { shardId, end } of shards) {
    const reach = await archiveReach(files, directory, shardId, { from: end, until: Number.POSITIVE_INFINITY });
    damages.push(...reach.damages);
    reaches.push(reach);
  }
  const archivedUntil = reaches.some(({ time }) => time !== undefined) ? reachedTime(backup.time, reaches) : undefined;
  return { backup, damages, archivedUntil, archiveBroken: reaches.find(({ broken }) => broken !== undefined)?.broken };
}

async function* damagesIn({ logs, objects, groups }: ShardCopy, reader: StoredReader): AsyncGenerator<BackupDamage> {
  for (const { segments } of logs)
    for (const { segment, stored } of segments) {
      const walk = new BatchWalk(segment);
      const object = `segment ${segment.name}`;
      const damage = await reader.read(stored, object, (piece) => walk.add(piece));
      const found = moreExact(damage, walk.finish(), stored, object);
      if (found !== undefined) yield found;
    }
  for (const { name, stored } of objects) {
    const damage = await reader.read(stored, name, () => {});
    if (damage !== undefined) yield damage;
  }
  const walk = new FrameWalk();
  const object = 'what was in the commit log';
  const damage = await reader.read(groups, object, (piece) => {
    for (const frame of walk.add(piece)) if (!isMark(frame)) readEntryGroup(frame.payload, () => {});
  });
  const found = moreExact(damage, walk.finish(), groups, object);
  if (found !== undefined) yield found;
}

/** What is wrong with something, by the byte if that is known. */
export function moreExact(
  damage: BackupDamage | undefined,
  flaw: Flaw | undefined,
  { file, at }: Stored,
  object: string,
): BackupDamage | undefined {
  if (flaw === undefined || (damage !== undefined && damage.within === undefined)) return damage;
  return { file, byte: at + flaw.byte, what: flaw.what, object };
}
