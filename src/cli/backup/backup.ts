import type { Command } from 'commander';
import { realEnvironment } from '../../environment/real.ts';
import { BrokerError } from '../../errors.ts';
import type {
  BackupDamageShown,
  BackupShown,
  BackupStatusShown,
  BackupTaskShown,
} from '../../protocols/http/shapes/backups.ts';
import {
  type BackupEntry,
  deleteBackups,
  isoTime,
  isReadable,
  listBackups,
  Progress,
  prunedOf,
  verifyBackup,
} from '../../storage/backup/index.ts';
import { type ApiClient, type ApiOptions, api, path, withApi } from '../api/index.ts';
import { whole } from '../arguments.ts';
import { print, printJson, size, table } from '../output.ts';
import { pause } from '../pause.ts';
import { agreed } from '../terminal/confirm.ts';
import { UsageError } from '../usage-error.ts';
import { age } from './age.ts';
import { BytesBar, watched } from './bar.ts';
import { backupIn, createOffline, locked } from './offline.ts';

const MAIN = 'main';
const LOOK_MS = 200;

interface SetOptions extends ApiOptions {
  readonly set: string;
  readonly directory?: string;
}

export function register(program: Command): void {
  const backup = program.command('backup').description('make, list, verify and delete backups');

  api(
    backup.command('create').argument('[set]', 'of backups, by its name; with --data: its directory'),
    'print the backup as JSON',
  )
    .description('back up a running broker, or the data directory of a stopped one')
    .option('--full', 'copy everything, also what former backups of the set have')
    .option('--data <directory>', 'of a stopped broker')
    .option('--no-wait', 'do not wait for the end')
    .addHelpText(
      'after',
      `
Examples:
  sluice backup create                                   to the set 'main', below the broker's backup.directory
  sluice backup create before-upgrade --full
  sluice backup create /backups/main --data ./data       of a broker that does not run

What former backups of the set have is not copied again. The broker goes on serving; --no-wait leaves it to that, and
sluice backup status says how far it is. Restore with: sluice restore --help
`,
    )
    .action(create);

  api(backup.command('list').argument('[set]', 'of backups; all unless given'), 'print as JSON')
    .description('list backups')
    .option('--directory <path>', "the set's directory, to be read without a broker")
    .addHelpText(
      'after',
      `
Examples:
  sluice backup list
  sluice backup list --directory /backups/main

'size' is what would be restored, 'new' what was copied for it.
`,
    )
    .action(list);

  inSet(backup.command('verify').argument('[backup]', 'the latest unless given'), 'print what was found as JSON')
    .description('read all of a backup, and the archive after it: every checksum, every CRC')
    .addHelpText(
      'after',
      `
Examples:
  sluice backup verify
  sluice backup verify 20260131T120000Z --directory /backups/main

Ends with exit code 1 when something is damaged.
`,
    )
    .action(verify);

  inSet(backup.command('delete').argument('<backup...>', 'to delete'), 'print what was deleted as JSON')
    .description('delete backups; others stay whole')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
Examples:
  sluice backup delete 20260131T120000Z
  sluice backup delete 20260131T120000Z --directory /backups/main --yes
`,
    )
    .action(remove);

  inSet(backup.command('prune'), 'print what was deleted as JSON')
    .description('delete old backups')
    .requiredOption('--keep <n>', 'how many of the newest stay', whole(0))
    .option('--older-than <time>', 'only those that are older, as in 30d, 12h, 5m', age)
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
Examples:
  sluice backup prune --keep 7
  sluice backup prune --keep 1 --older-than 30d --yes

With the archive goes what lies before the oldest backup that is left.
`,
    )
    .action(prune);

  api(backup.command('status'), 'print as JSON')
    .description('how far a backup is that is being made or verified, and how far the archive is')
    .addHelpText('after', '\nExamples:\n  sluice backup status\n')
    .action(status);

  api(backup.command('stop'), 'print as JSON')
    .description('stop what is under way: no backup comes of it')
    .addHelpText('after', '\nExamples:\n  sluice backup stop\n')
    .action(stop);
}

function inSet(command: Command, what: string): Command {
  return api(command, what)
    .option('--set <name>', 'of backups', MAIN)
    .option('--directory <path>', "the set's directory, to be used without a broker");
}

interface CreateOptions extends ApiOptions {
  readonly full?: true;
  readonly data?: string;
  readonly wait: boolean;
}

async function create(set: string | undefined, options: CreateOptions): Promise<void> {
  const { full = false, data, wait, json } = options;
  let made: BackupShown;
  if (data !== undefined) {
    if (set === undefined) throw new UsageError('say where to: sluice backup create DIRECTORY --data DIR');
    made = shown(set, await createOffline(data, set, full));
  } else {
    const body = { set: set ?? MAIN, full };
    const task = await withApi(options, async (client) => {
      const begun = (await client.post('/backups', body)).body as BackupTaskShown;
      return wait ? ended(client, 'copying', begun) : begun;
    });
    if (task.backup === null) {
      if (json) return printJson(task);
      return print(`a backup is being made in set '${task.set}'; see: sluice backup status`);
    }
    made = task.backup;
  }
  if (json) return printJson(made);
  const { name, bytes = 0, new_bytes: fresh = 0, damages = [], time = 0 } = made;
  await print(
    `backup ${name} in ${made.set}: the state of ${isoTime(time)}, ${size(bytes)}, of which ${size(fresh)} are new`,
  );
  await printDamages("the broker's own data are damaged, and so they are in the backup (see sluice repair):", damages);
}

async function list(set: string | undefined, options: ApiOptions & { readonly directory?: string }): Promise<void> {
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

async function verify(id: string | undefined, options: SetOptions): Promise<void> {
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

async function remove(ids: readonly string[], options: SetOptions & { readonly yes?: true }): Promise<void> {
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

async function prune(options: PruneOptions): Promise<void> {
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

async function status(options: ApiOptions): Promise<void> {
  await printStatus(await withApi(options, (client) => client.get<BackupStatusShown>('/backups/status')), options);
}

async function stop(options: ApiOptions): Promise<void> {
  const { body } = await withApi(options, (client) => client.delete('/backups/status'));
  await printStatus(body as BackupStatusShown, options);
}

async function printStatus({ directory, task, archive }: BackupStatusShown, { json }: ApiOptions): Promise<void> {
  if (json) return printJson({ directory, task, archive });
  if (directory === null) return print('this broker has nowhere to put backups: set backup.directory');
  if (task === null) await print('no backup was made or verified since the start');
  else {
    const { kind, set, state, bytes_done: done, bytes_total: total, error } = task;
    const doing = kind === 'create' ? 'making a backup in' : 'verifying a backup of';
    await print(
      `${doing} set '${set}': ${state}, ${size(done)} of ${size(total)}${error === null ? '' : `; ${error}`}`,
    );
  }
  if (archive === null) return print('nothing is archived (backup.archive)');
  await print('');
  await print(
    table(
      ['shard', 'archived until', 'behind', 'trouble'],
      archive.map(({ shard, archived_at: at, lag_bytes: lag, error }) => [
        ...[shard, at === null ? 'not yet' : isoTime(at), size(lag), error ?? ''],
      ]),
    ),
  );
}

/** Waits for the end, with a bar. Rejects with what kept it from being done. */
async function ended(client: ApiClient, doing: string, begun: BackupTaskShown): Promise<BackupTaskShown> {
  const bar = new BytesBar(doing);
  try {
    for (let task = begun; ; ) {
      if (task.started_at !== begun.started_at) throw new BrokerError('closed', 'it has ended, and another has begun');
      if (task.state === 'done') return task;
      if (task.state !== 'running') throw new BrokerError('storage-failed', task.error ?? `it is ${task.state}`);
      bar.show(task.bytes_done, task.bytes_total);
      await pause(LOOK_MS);
      const now = (await client.get<BackupStatusShown>('/backups/status')).task;
      if (now === null) throw new BrokerError('closed', 'the broker was started again: nothing came of it');
      task = now;
    }
  } finally {
    bar.end();
  }
}

async function printDamages(heading: string, damages: readonly BackupDamageShown[]): Promise<void> {
  if (damages.length === 0) return;
  await print(heading);
  for (const { file, byte, what, object } of damages) await print(`  ${file}, byte ${byte}: ${what} (${object})`);
}

/** As the API shows it. */
function shown(set: string, backup: BackupEntry): BackupShown {
  if (!isReadable(backup)) return { name: backup.id, set, state: 'unreadable', error: backup.error };
  const { id, time, full, bytes, newBytes, damages, logs, segments, version } = backup;
  const facts = { logs, segments, version, damages, started_at: backup.startedAt, completed_at: backup.completedAt };
  return { name: id, set, state: 'complete', time, full, bytes, new_bytes: newBytes, ...facts };
}
