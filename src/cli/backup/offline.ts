import { join, resolve } from 'node:path';
import { completeSettings } from '../../config/index.ts';
import { realEnvironment } from '../../environment/real.ts';
import { BrokerError } from '../../errors.ts';
import { openStorage } from '../../open-storage.ts';
import {
  type BackupSummary,
  createBackup,
  isReadable,
  listBackups,
  Progress,
  removeUnreferenced,
} from '../../storage/backup/index.ts';
import type { Shard } from '../../storage/index.ts';
import { VERSION } from '../../version.ts';
import { UsageError } from '../usage-error.ts';
import { watched } from './bar.ts';

/** Backs up the data of a stopped broker. Its shards are opened for that, as a start of the broker opens them. */
export async function createOffline(data: string, directory: string, full: boolean): Promise<BackupSummary> {
  const environment = realEnvironment();
  const { files, clock } = environment;
  const count = (await files.list(data)).filter((name) => /^shard-\d+\/$/.test(name)).length;
  if (count === 0)
    throw new BrokerError('not-found', `there is no broker's data in ${data}; name its directory: --data DIR`);
  const set = resolve(directory);
  if (`${set}/`.startsWith(`${resolve(data)}/`))
    throw new UsageError('a backup inside of the data directory is lost with it: name another directory');
  const settings = completeSettings({ storage: { kind: 'disk', directory: data, minFreeBytes: 0 } });
  const storage = await openStorage(settings.storage, environment);
  const shards: Shard[] = [];
  try {
    for (let i = 0; i < count; i++) shards.push(await storage.openShard(i, () => {}));
    return await locked(set, async () => {
      await removeUnreferenced(files, set);
      const progress = new Progress();
      const facts = { clusterId: '', version: VERSION, maxKeptBytes: Number.POSITIVE_INFINITY };
      const created = createBackup({ files, clock, directory: set, shards, full, ...facts, progress });
      return watched('copying', progress, created);
    });
  } finally {
    for (const shard of shards) await shard.close();
    await storage.close();
  }
}

/** Does something with a set of backups that no broker writes to meanwhile. */
export async function locked<Result>(directory: string, work: () => Promise<Result>): Promise<Result> {
  const { files } = realEnvironment();
  await files.makeDirectory(directory);
  const lock = await files.lock(directory);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** The backup with that id, or the latest. */
export async function backupIn(directory: string, id: string | undefined): Promise<BackupSummary> {
  const backups = (await listBackups(realEnvironment().files, directory)).filter(isReadable);
  const found = id === undefined ? backups.at(-1) : backups.find((backup) => backup.id === id);
  if (found !== undefined) return found;
  throw new BrokerError(
    'not-found',
    `there is no backup${id === undefined ? '' : ` '${id}'`} in ${join(directory, '')}`,
  );
}
