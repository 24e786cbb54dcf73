import { realEnvironment } from '../../environment/real.ts';
import { BrokerError } from '../../errors.ts';
import type { BackupDamageShown, BackupShown, BackupTaskShown } from '../../protocols/http/shapes/backups.ts';
import { deleteBackups, isoTime, listBackups, Progress, prunedOf, verifyBackup } from '../../storage/backup/index.ts';
import { type ApiOptions, path, withApi } from '../api/index.ts';
import { print, printJson, size, table } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { watched } from './bar.ts';
import { backupIn, locked } from './offline.ts';
import { printDamages, shown } from './shown.ts';
import { ended } from './task.ts';

/** Of what is done by the broker, or without one. */
interface SetOptions extends ApiOptions {
  readonly set: string;
  readonly directory?: string;
}

export async function list(
  set: string | undefined,
  options: ApiOptions & { readonly directory?: string },
): Promise<void> {
  const backups = await backupsOf(set, options);
  if (options.json) return printJson(backups);
  if (backups.length === 0) return print('no backups; make one: sluice backup create');
  const rows = backups.map(({ set, name, time, full, bytes, new_bytes: fresh, error }) =>
    error === undefined
      ? [set, name, isoTime(time ?? 0), full ? 'full' : 'incremental', size(bytes ?? 0), size(fresh ?? 0)]
      : [set, name, 'cannot be read', '', '', ''],
  );
  await print(table(['set', 'backup', 'state of', 'kind', 'size', 'new'], rows));
}

async function backupsOf(
  set: string | undefined,
  options: ApiOptions & { readonly directory?: string },
): Promise<BackupShown[]> {
  const { directory } = options;
  if (directory === undefined)
    return withApi(options, (client) => client.all<BackupShown>('/backups', { query: { set } }));
  return (await listBackups(realEnvironment().files, directory)).map((backup) => shown(directory, backup));
}

interface Verified {
  readonly backup: string;
  readonly damages: readonly BackupDamageShown[];
  readonly archived_until: number | null;
  readonly archive_broken: string | null;
}

export async function verify(id: string | undefined, options: SetOptions): Promise<void> {
  const found =
    options.directory === undefined ? await verifiedByBroker(id, options) : await verifiedHere(id, options.directory);
  if (found.damages.length > 0) process.exitCode = 1;
  if (options.json) return printJson(found);
  await printDamages(`backup ${found.backup} is damaged:`, found.damages);
  if (found.damages.length === 0) await print(`backup ${found.backup} is whole`);
  if (found.archived_until !== null)
    await print(`with the archive, any time until ${isoTime(found.archived_until)} can be restored`);
  if (found.archive_broken !== null) await print(`the archive goes no further: ${found.archive_broken}`);
}

async function verifiedByBroker(id: string | undefined, options: SetOptions): Promise<Verified> {
  return withApi(options, async (client) => {
    const backup = id ?? (await backupsOf(options.set, options)).findLast(({ error }) => error === undefined)?.name;
    if (backup === undefined) throw new BrokerError('not-found', `there is no backup in set '${options.set}'`);
    const subject = `backup '${backup}' in set '${options.set}'`;
    const begun = await client.post(path`/backups/${options.set}/${backup}/verify`, {}, { subject });
    const task = await ended(client, 'verifying', begun.body as BackupTaskShown);
    return { backup, damages: task.damages, archived_until: task.archived_until, archive_broken: task.archive_broken };
  });
}

async function verifiedHere(id: string | undefined, directory: string): Promise<Verified> {
  const backup = await backupIn(directory, id);
  const progress = new Progress();
  const work = verifyBackup(realEnvironment().files, directory, backup.id, progress);
  const { damages, archivedUntil, archiveBroken } = await watched('verifying', progress, work);
  return {
    backup: backup.id,
    damages,
    archived_until: archivedUntil ?? null,
    archive_broken: archiveBroken ?? null,
  };
}

export async function remove(ids: readonly string[], options: SetOptions & { readonly yes?: true }): Promise<void> {
  const { directory, set, yes, json } = options;
  if (!(await agreed(`delete ${ids.join(', ')}?`, yes))) return print('nothing was deleted');
  if (directory === undefined) {
    await withApi(options, async (client) => {
      for (const id of ids)
        await client.delete(path`/backups/${set}/${id}`, { subject: `backup '${id}' in set '${set}'` });
    });
  } else {
    await locked(directory, async () => {
      const { files } = realEnvironment();
      const known = new Set((await listBackups(files, directory)).map((backup) => backup.id));
      for (const id of ids)
        if (!known.has(id)) throw new BrokerError('not-found', `there is no backup '${id}' in ${directory}`);
      await deleteBackups(files, directory, ids);
    });
  }
  if (json) return printJson(ids);
  await print(`deleted ${ids.join(', ')}`);
}

interface PruneOptions extends SetOptions {
  readonly keep: number;
  readonly olderThan?: number;
  readonly yes?: true;
}

export async function prune(options: PruneOptions): Promise<void> {
  const { directory, set, keep, olderThan = 0, yes, json } = options;
  const where = directory ?? `set '${set}'`;
  if (!(await agreed(`delete all backups of ${where} but the newest ${keep}?`, yes)))
    return print('nothing was deleted');
  const ids =
    directory === undefined
      ? await withApi(options, async (client) => {
          const { body } = await client.post('/backups/prune', { set, keep, older_than_ms: olderThan });
          return (body as { readonly deleted: string[] }).deleted;
        })
      : await prunedHere(directory, keep, olderThan);
  if (json) return printJson(ids);
  await print(ids.length === 0 ? 'nothing was deleted' : `deleted ${ids.join(', ')}`);
}

async function prunedHere(directory: string, keep: number, olderThanMs: number): Promise<string[]> {
  const { files, clock } = realEnvironment();
  return locked(directory, async () => {
    const ids = prunedOf(await listBackups(files, directory), { keep, olderThanMs }, clock.now());
    await deleteBackups(files, directory, ids);
    return ids;
  });
}
