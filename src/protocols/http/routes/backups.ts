import { z } from 'zod';
import { type BackupInSet, type Backups, type BackupTask, MAIN_SET } from '../../../broker/index.ts';
import type { Shown } from '../listing.ts';
import { list } from '../listing.ts';
import { type Answer, DONE, get, ok, post, type Route, remove } from '../route.ts';
import type { BackupShown, BackupStatusShown, BackupTaskShown } from '../shapes/backups.ts';

const access = 'administrator';

const set = z.string().default(MAIN_SET);
const create = z.strictObject({ set, full: z.boolean().default(false) });
const prune = z.strictObject({
  set,
  keep: z.int().min(0),
  older_than_ms: z.int().min(0).default(0),
});

export const backupRoutes: readonly Route[] = [
  {
    ...get('/backups', { access, summary: 'Backups, of all sets or of one (`set`)' }, async ({ broker, query }) => {
      const items = await broker.backups.list(query('set'));
      const show = (item: BackupInSet): Shown => ({ ...shownBackup(item) });
      return list({ items, basics: show, show, order: ['set', 'name'], paged: true }, query);
    }),
    lists: true,
  },
  post('/backups', { access, summary: 'Begins to make a backup' }, create, async ({ broker }, body) =>
    begun(broker.backups.create(body.set, body.full)),
  ),
  get('/backups/status', { access, summary: 'What is under way, or was last; the archive' }, ({ broker }) =>
    shownStatus(broker.backups),
  ),
  remove('/backups/status', { access, summary: 'Stops what is under way' }, async ({ broker }) => {
    await broker.backups.stop();
    return ok(shownStatus(broker.backups));
  }),
  post('/backups/prune', { access, summary: 'Deletes old backups' }, prune, async ({ broker }, body) => {
    const { keep, older_than_ms: olderThanMs } = body;
    return ok({ deleted: await broker.backups.prune(body.set, { keep, olderThanMs }) });
  }),
  remove('/backups/:set/:backup', { access, summary: 'Deletes one; others stay whole' }, async ({ broker, param }) => {
    await broker.backups.delete(param('set'), param('backup'));
    return DONE;
  }),
  post(
    '/backups/:set/:backup/verify',
    { access, summary: 'Begins to read all of it, and the archive after it' },
    z.unknown(),
    ({ broker, param }) => begun(broker.backups.verify(param('set'), param('backup'))),
  ),
];

function begun(task: BackupTask): Answer {
  return { status: 202, body: shownTask(task) };
}

function shownStatus({ directory, task, archive }: Backups): BackupStatusShown {
  return {
    directory: directory ?? null,
    task: task === undefined ? null : shownTask(task),
    archive:
      archive?.map(({ archivedAt, lagBytes, error }, shard) => ({
        ...{ shard, archived_at: archivedAt ?? null, lag_bytes: lagBytes, error: error ?? null },
      })) ?? null,
  };
}

function shownTask({ kind, set, state, startedAt, endedAt, progress, error, result }: BackupTask): BackupTaskShown {
  const verified = result !== undefined && 'backup' in result ? result : undefined;
  const backup = result !== undefined && 'backup' in result ? result.backup : result;
  return {
    kind,
    set,
    state,
    started_at: startedAt,
    ended_at: endedAt ?? null,
    bytes_done: progress.bytesDone,
    bytes_total: Math.max(progress.bytesTotal, progress.bytesDone),
    error: error?.message ?? null,
    backup: backup === undefined ? null : shownBackup({ set, backup }),
    damages: verified?.damages ?? [],
    archived_until: verified?.archivedUntil ?? null,
    archive_broken: verified?.archiveBroken ?? null,
  };
}

function shownBackup({ set, backup }: BackupInSet): BackupShown {
  if ('error' in backup) return { name: backup.id, set, state: 'unreadable', error: backup.error };
  return {
    name: backup.id,
    set,
    state: 'complete',
    time: backup.time,
    started_at: backup.startedAt,
    completed_at: backup.completedAt,
    full: backup.full,
    cluster_id: backup.clusterId,
    version: backup.version,
    shards: backup.shards.length,
    logs: backup.logs,
    segments: backup.segments,
    bytes: backup.bytes,
    new_bytes: backup.newBytes,
    damages: backup.damages,
  };
}
