import { join } from 'node:path';
import type { FileSystem } from '../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import { pruneArchive } from './archive.ts';
import { readList, type ShardCopy, storedIn, writeList } from './backup-list.ts';
import { readLines, writeLines } from './checked-lines.ts';
import { PACKS } from './pack-writer.ts';
import type { BackupDamage } from './stored.ts';

/*
 * A directory of backups:
 *
 *   <id>.backup              what a backup is, in one line. It is written last: without it there is no backup
 *   <id>.list                what it consists of, and where that lies
 *   packs/<id>-<n>.pack      segments, snapshots and groups that came with that backup; later ones refer to them
 *   archive/<shard>/*.groups groups of the commit log between backups, see archive.ts
 */

/** What is known of a backup without reading it. */
export interface BackupSummary {
  readonly format: 1;
  readonly id: string;
  /** The moment that it has the state of; milliseconds since the epoch. */
  readonly time: number;
  readonly startedAt: number;
  readonly completedAt: number;
  /** Whether it refers to nothing that came with others. */
  readonly full: boolean;
  readonly clusterId: string;
  /** Of the broker. */
  readonly version: string;
  readonly shards: readonly { readonly shardId: string; readonly end: number }[];
  readonly logs: number;
  readonly segments: number;
  /** Of all that it consists of, */
  readonly bytes: number;
  /** and of what came with it. */
  readonly newBytes: number;
  /** What was damaged in the broker's data already. */
  readonly damages: readonly BackupDamage[];
}

/** A backup whose summary cannot be read. */
export interface UnreadableBackup {
  readonly id: string;
  readonly error: string;
}

export type BackupEntry = BackupSummary | UnreadableBackup;

const SUMMARY_SUFFIX = '.backup';
const LIST_SUFFIX = '.list';
const ID = /^\d{8}T\d{6}Z(-\d+)?$/;
const FORMAT = 1;

export function isReadable(entry: BackupEntry): entry is BackupSummary {
  return !('error' in entry);
}

/** The backups of a set, oldest first. */
export async function listBackups(files: FileSystem, directory: string): Promise<BackupEntry[]> {
  const entries: BackupEntry[] = [];
  for (const name of await files.list(directory)) {
    const id = name.endsWith(SUMMARY_SUFFIX) ? name.slice(0, -SUMMARY_SUFFIX.length) : '';
    if (!ID.test(id)) continue;
    try {
      entries.push(await readSummary(files, directory, id));
    } catch (error) {
      entries.push({ id, error: toBrokerError(error).message });
    }
  }
  // Ids are times, and a later one in the same second has a number.
  return entries.sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}

/** Which backups go: so many of the newest stay, and those that are not as old (milliseconds). */
export interface Prune {
  readonly keep: number;
  readonly olderThanMs: number;
}

/** The ids of those that go, of the backups of a set, oldest first. */
export function prunedOf(backups: readonly BackupEntry[], { keep, olderThanMs }: Prune, now: number): string[] {
  const readable = backups.filter(isReadable);
  const old = readable.slice(0, Math.max(0, readable.length - keep));
  return old.filter(({ time }) => now - time >= olderThanMs).map(({ id }) => id);
}

/** Rejects with `not-found`, `storage-damaged`, `unsupported`. */
export async function readSummary(files: FileSystem, directory: string, id: string): Promise<BackupSummary> {
  const found: unknown[] = [];
  if (!ID.test(id)) throw new BrokerError('not-found', `there is no backup '${id}'`);
  await readLines(files, join(directory, id + SUMMARY_SUFFIX), (value) => found.push(value)).catch((error: unknown) => {
    if (!(error instanceof BrokerError) || error.code !== 'not-found') throw error;
    throw new BrokerError('not-found', `there is no backup '${id}' in ${directory}`);
  });
  const summary = found[0] as BackupSummary;
  if (summary.format !== FORMAT)
    throw new BrokerError(
      'unsupported',
      `backup ${id} is of format ${summary.format}, and this version knows ${FORMAT}: use the version that wrote it`,
    );
  return summary;
}

export function readBackupList(files: FileSystem, directory: string, id: string): Promise<ShardCopy[]> {
  return readList(files, join(directory, id + LIST_SUFFIX));
}

/** An id for a backup that begins now. */
export async function newId(files: FileSystem, directory: string, now: number): Promise<string> {
  const base = new Date(now)
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z');
  // A backup that was deleted may have left packs that others refer to.
  const packs = (await files.list(join(directory, PACKS))).map((name) => name.replace(/-\d{6}\.pack$/, ''));
  const taken = new Set([...(await files.list(directory)).map((name) => name.replace(/\.[a-z]+~?$/, '')), ...packs]);
  for (let n = 2, id = base; ; n++) {
    if (!taken.has(id)) return id;
    id = `${base}-${n}`;
  }
}

/** Makes a backup whole, whose packs are durable. */
export async function saveBackup(
  files: FileSystem,
  directory: string,
  summary: BackupSummary,
  shards: readonly ShardCopy[],
): Promise<void> {
  await writeList(files, join(directory, summary.id + LIST_SUFFIX), shards);
  await writeLines(files, join(directory, summary.id + SUMMARY_SUFFIX), [summary]);
}

/**
 * Deletes backups, and what only they referred to. A crash in between leaves files that go with the next deletion. Who calls it holds the
 * lock of the set; `live` shards archive groups in it.
 */
export async function deleteBackups(
  files: FileSystem,
  directory: string,
  ids: readonly string[],
  live: readonly string[] = [],
): Promise<void> {
  for (const id of ids) {
    if (!ID.test(id)) throw new BrokerError('not-found', `there is no backup '${id}'`);
    // From now on it is no backup any more, and the others do not need its list.
    await files.remove(join(directory, id + SUMMARY_SUFFIX));
    await files.syncDirectory(directory);
    await files.remove(join(directory, id + LIST_SUFFIX));
  }
  await removeUnreferenced(files, directory, live);
}

/** Removes what no backup refers to: leftovers of backups that were broken off, or deleted. `live` shards archive groups at this time. */
export async function removeUnreferenced(
  files: FileSystem,
  directory: string,
  live: readonly string[] = [],
): Promise<void> {
  const entries = await listBackups(files, directory);
  const unreadable = entries.find((entry) => !isReadable(entry));
  // Nobody knows what that one needs.
  if (unreadable !== undefined)
    throw new BrokerError(
      'storage-damaged',
      `nothing but backup ${unreadable.id} itself can be deleted in ${directory}, since it cannot be read: delete it first`,
    );
  const summaries = entries.filter(isReadable);
  const needed = new Set<string>();
  for (const { id } of summaries)
    for (const { file } of storedIn(await readBackupList(files, directory, id))) needed.add(file);
  const known = new Set(summaries.map(({ id }) => id));
  for (const name of await files.list(join(directory, PACKS)))
    if (!needed.has(`${PACKS}/${name}`)) await files.remove(join(directory, PACKS, name));
  for (const name of await files.list(directory)) {
    const isList = name.endsWith(LIST_SUFFIX) && !known.has(name.slice(0, -LIST_SUFFIX.length));
    if (isList || name.endsWith('~')) await files.remove(join(directory, name));
  }
  await pruneArchive(files, directory, summaries, live);
}
