import { BrokerError } from '../../errors.ts';
import type { BackupStatusShown, BackupTaskShown } from '../../protocols/http/shapes/backups.ts';
import type { ApiClient } from '../api/index.ts';
import { pause } from '../pause.ts';
import { BytesBar } from './bar.ts';

const LOOK_MS = 200;

/** Waits for the end, with a bar. Rejects with what kept it from being done. */
export async function ended(client: ApiClient, doing: string, begun: BackupTaskShown): Promise<BackupTaskShown> {
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
