import type { BackupShown, BackupStatusShown, BackupTaskShown } from '../../protocols/http/shapes/backups.ts';
import { isoTime } from '../../storage/backup/index.ts';
import { type ApiOptions, withApi } from '../api/index.ts';
import { print, printJson, size, table } from '../output.ts';
import { UsageError } from '../usage-error.ts';
import { createOffline } from './offline.ts';
import { MAIN_SET, printDamages, shown } from './shown.ts';
import { ended } from './task.ts';

interface CreateOptions extends ApiOptions {
  readonly full?: true;
  readonly data?: string;
  readonly wait: boolean;
}

export async function create(set: string | undefined, options: CreateOptions): Promise<void> {
  const { full = false, data, wait, json } = options;
  let made: BackupShown;
  if (data !== undefined) {
    if (set === undefined) throw new UsageError('say where to: sluice backup create DIRECTORY --data DIR');
    made = shown(set, await createOffline(data, set, full));
  } else {
    const body = { set: set ?? MAIN_SET, full };
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

export async function status(options: ApiOptions): Promise<void> {
  await printStatus(await withApi(options, (client) => client.get<BackupStatusShown>('/backups/status')), options);
}

export async function stop(options: ApiOptions): Promise<void> {
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
