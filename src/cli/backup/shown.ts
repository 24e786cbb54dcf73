import type { BackupDamageShown, BackupShown } from '../../protocols/http/shapes/backups.ts';
import { type BackupEntry, isReadable } from '../../storage/backup/index.ts';
import { print } from '../output.ts';

/** The set of backups that is meant unless another is named. */
export const MAIN_SET = 'main';

export async function printDamages(heading: string, damages: readonly BackupDamageShown[]): Promise<void> {
  if (damages.length === 0) return;
  await print(heading);
  for (const { file, byte, what, object } of damages) await print(`  ${file}, byte ${byte}: ${what} (${object})`);
}

/** As the API shows it. */
export function shown(set: string, backup: BackupEntry): BackupShown {
  if (!isReadable(backup)) return { name: backup.id, set, state: 'unreadable', error: backup.error };
  const { id, time, full, bytes, newBytes, damages, logs, segments, version } = backup;
  const facts = { logs, segments, version, damages, started_at: backup.startedAt, completed_at: backup.completedAt };
  return { name: id, set, state: 'complete', time, full, bytes, new_bytes: newBytes, ...facts };
}
