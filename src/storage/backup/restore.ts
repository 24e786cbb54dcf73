import { join } from 'node:path';
import type { Environment, FileSystem } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { Aside } from '../repair/aside.ts';
import type { Damage } from '../repair/damage.ts';
import { examineShard } from '../repair/repair.ts';
import { type ArchiveReach, archiveReach, reachedTime, readArchive } from './archive.ts';
import { type ShardCopy, storedIn } from './backup-list.ts';
import { type BackupSummary, isReadable, listBackups, readBackupList, readSummary } from './backup-set.ts';
import { FrameWalk, isMark } from './group-frame.ts';
import type { Progress } from './progress.ts';
import { removeRestoreMark, writeRestoreMark } from './restore-mark.ts';
import { RestoredShard } from './restored-shard.ts';
import { type BackupDamage, StoredReader } from './stored.ts';
import { moreExact, verifyBackup } from './verify-backup.ts';

export interface RestoreOptions {
  readonly environment: Pick<Environment, 'files' | 'clock' | 'random'>;
  /** The set's directory. */
  readonly from: string;
  /** The data directory to make. */
  readonly to: string;
  /** Which backup; the last one before `at` unless told. */
  readonly backup?: string | undefined;
  /** The state of this time is wanted; milliseconds since the epoch. Without it: that of `backup`, or else the latest there is. */
  readonly at?: number | undefined;
  /** Restores what is whole, and cuts what is not as `sluice repair` does. */
  readonly skipDamaged: boolean;
  /** What is in the data directory goes, once the backup was found to be whole (or damage is skipped). */
  readonly overwrite: boolean;
  readonly progress: Progress;
}

export interface Restored {
  readonly backup: BackupSummary;
  /** What is there now is the state of this time; milliseconds since the epoch. */
  readonly time: number;
  /** Why it is not a later one that was asked for. */
  readonly stoppedBy: string | undefined;
  readonly shards: number;
  readonly bytes: number;
  readonly damages: readonly BackupDamage[];
  /** What was done about them, and what is lost by that. */
  readonly repaired: readonly Damage[];
}

/**
 * How much greater the writers' epochs are than any that the backup knows of: the broker may have started so often since. So a consumer that
 * was ahead of what is restored finds that its epoch ended earlier.
 */
export const EPOCH_LEAP = 1000;

/**
 * Makes a data directory from a backup and the archive after it, and starts each of its shards once. Everything is verified while it is copied. Rejects
 * with `storage-damaged`, naming file and byte, for what is damaged; with `not-found` where nothing is old enough; with `already-exists` for a data directory with something
 * in it.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { environment, from, to, skipDamaged, progress } = options;
  const { files } = environment;
  const backup = await choose(options);
  const shards = await readBackupList(files, from, backup.id);
  const plan = await planOf(options, backup, shards);
  for (const { size } of storedIn(shards)) progress.bytesTotal += size;
  await makeRoom(options, backup);
  await files.makeDirectory(to);
  const lock = await files.lock(to);
  try {
    await writeRestoreMark(files, to, { finished: false, backup: backup.id, time: plan.time });
    const damages: BackupDamage[] = [];
    const repaired: Damage[] = [];
    let bytes = 0;
    const reader = new StoredReader(files, from, progress);
    try {
      for (const [i, copy] of shards.entries()) {
        const shard = `shard-${copy.shard}`;
        const reach = plan.reaches[i];
        const target = new RestoredShard({
          ...{ environment, data: to, shard },
          epoch: Math.max(copy.epoch, reach?.epoch ?? 0) + EPOCH_LEAP,
        });
        const found: BackupDamage[] = [];
        const onDamage = (damage: BackupDamage) => {
          if (!skipDamaged) throw damagedError(from, damage);
          // Without it the broker would not start, and nobody could say what it held.
          if (damage.object.endsWith('/snapshot')) throw lostSnapshot(from, damage);
          found.push(damage);
        };
        target.beforeOpening = async () => {
          if (found.length > 0) repaired.push(...(await mend(options, shard)));
        };
        await target.base(copy, reader, onDamage);
        const isWhole = await addGroups(copy, target, reader, onDamage);
        if (isWhole && reach !== undefined && reach.position > copy.end)
          await readArchive(files, from, copy.shardId, { from: copy.end, upTo: reach.position }, async (payload) => {
            await target.add(payload);
            progress.bytesTotal += payload.length;
            await progress.did(payload.length);
          });
        await target.finish();
        damages.push(...found);
        bytes += target.appliedBytes;
      }
    } finally {
      await reader.close();
    }
    await writeRestoreMark(files, to, { finished: true, backup: backup.id, time: plan.time });
    bytes += backup.bytes;
    return { backup, time: plan.time, stoppedBy: plan.stoppedBy, shards: shards.length, bytes, damages, repaired };
  } finally {
    await lock.release();
  }
}

/** The backup to begin with. */
async function choose({ environment: { files }, from, backup, at }: RestoreOptions): Promise<BackupSummary> {
  if (backup !== undefined) {
    const found = await readSummary(files, from, backup);
    if (at === undefined || found.time <= at) return found;
    throw new BrokerError('not-found', `backup ${backup} is of ${isoTime(found.time)}: later than what is wanted`);
  }
  const entries = await listBackups(files, from);
  const before = entries.filter(isReadable).filter(({ time }) => time <= (at ?? Number.POSITIVE_INFINITY));
  const latest = before.reduce<BackupSummary | undefined>(
    (last, each) => (last === undefined || each.time >= last.time ? each : last),
    undefined,
  );
  if (latest !== undefined) return latest;
  const unreadable = entries.find((entry) => !isReadable(entry));
  if (unreadable !== undefined && 'error' in unreadable)
    throw new BrokerError('storage-damaged', `no backup in ${from} can be read: ${unreadable.error}`);
  const [first] = entries.filter(isReadable);
  throw new BrokerError(
    'not-found',
    first === undefined
      ? `there is no backup in ${from}`
      : `there is nothing to restore from before ${isoTime(first.time)}, when the first backup was made`,
  );
}

interface Plan {
  readonly time: number;
  readonly stoppedBy: string | undefined;
  /** Of each shard; undefined where the archive is not wanted. */
  readonly reaches: readonly (ArchiveReach | undefined)[];
}

/** How far each shard goes beyond the backup: all of them to the same time. */
async function planOf(options: RestoreOptions, backup: BackupSummary, shards: readonly ShardCopy[]): Promise<Plan> {
  const { environment, from, at, skipDamaged } = options;
  if (at === undefined && options.backup !== undefined)
    return { time: backup.time, stoppedBy: undefined, reaches: shards.map(() => undefined) };
  const reach = (until: number) =>
    Promise.all(shards.map(({ shardId, end }) => archiveReach(environment.files, from, shardId, { from: end, until })));
  const wanted = at ?? Number.POSITIVE_INFINITY;
  let reaches = await reach(wanted);
  const damage = reaches.flatMap(({ damages }) => damages)[0];
  if (damage !== undefined && !skipDamaged) throw damagedError(from, damage);
  const time = reachedTime(backup.time, reaches);
  const broken = reaches.find((each) => each.broken !== undefined);
  if (broken === undefined) return { time: at ?? time, stoppedBy: undefined, reaches };
  // What the others hold may build upon what is missing in this one.
  reaches = await reach(time);
  return { time, stoppedBy: broken.broken, reaches };
}

/** Adds what was in the commit log when the backup was made. Answers whether that was all of it. */
async function addGroups(
  { groups }: ShardCopy,
  target: RestoredShard,
  reader: StoredReader,
  onDamage: (damage: BackupDamage) => void,
): Promise<boolean> {
  const walk = new FrameWalk();
  const object = 'what was in the commit log';
  const damage = await reader.read(groups, object, async (piece) => {
    for (const frame of walk.add(piece)) if (!isMark(frame)) await target.add(frame.payload);
  });
  const found = moreExact(damage, walk.finish(), groups, object);
  if (found !== undefined) onDamage(found);
  return found === undefined;
}

/** Cuts what is damaged, as `sluice repair` does; copies stay in the data directory. */
async function mend({ environment, to }: RestoreOptions, shard: string): Promise<readonly Damage[]> {
  const { damages, mend } = await examineShard({ environment, data: to, shard });
  if (damages.length > 0) await mend(await Aside.next(environment.files, to));
  return damages;
}

/** Refuses a data directory with something in it, or empties it: not before it is known that the backup can take its place. */
async function makeRoom(options: RestoreOptions, backup: BackupSummary): Promise<void> {
  const { environment, from, to, overwrite, skipDamaged, progress } = options;
  const { files } = environment;
  if ((await files.list(to)).length === 0) return await checkSpace(files, to, backup.bytes);
  if (!overwrite) throw new BrokerError('already-exists', `${to} is not empty: name another directory, or say --force`);
  const lock = await files.lock(to);
  try {
    const { damages } = await verifyBackup(files, from, backup.id, progress);
    if (damages[0] !== undefined && !skipDamaged) throw damagedError(from, damages[0]);
    for (const name of await files.list(to)) {
      if (name.startsWith('lock')) continue;
      if (name.endsWith('/')) await removeTree(files, join(to, name.slice(0, -1)));
      else if (name === 'restore') await removeRestoreMark(files, to);
    }
    await checkSpace(files, to, backup.bytes);
  } finally {
    await lock.release();
  }
}

const DATA = /^(shard-\d+|transient|repair-\d+)$/;

/** Removes what a broker keeps below its data directory, and nothing that somebody else put there. */
async function removeTree(files: FileSystem, directory: string, isData = false): Promise<void> {
  if (!isData && !DATA.test(directory.slice(directory.lastIndexOf('/') + 1))) return;
  for (const name of await files.list(directory)) {
    const path = join(directory, name);
    if (name.endsWith('/')) await removeTree(files, path.slice(0, -1), true);
    else await files.remove(path);
  }
  await files.removeDirectory(directory);
}

async function checkSpace(files: FileSystem, directory: string, bytes: number): Promise<void> {
  await files.makeDirectory(directory);
  const free = await files.freeBytes(directory);
  if (free < bytes)
    throw new BrokerError('storage-full', `the backup has ${bytes} bytes, and ${free} are free where ${directory} is`);
}

function damagedError(directory: string, { file, byte, what, object }: BackupDamage): BrokerError {
  return new BrokerError(
    'storage-damaged',
    `${join(directory, file)}, byte ${byte}: ${what} (${object}); restore another backup, or what is whole of this one (--skip-damaged)`,
  );
}

function lostSnapshot(directory: string, { file, byte, what, object }: BackupDamage): BrokerError {
  return new BrokerError(
    'storage-damaged',
    `${join(directory, file)}, byte ${byte}: ${what}. It is ${object}, the broker's own state, without which nothing else can be used: restore another backup`,
  );
}

export function isoTime(time: number): string {
  return new Date(time).toISOString();
}
