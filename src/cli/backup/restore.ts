import { resolve } from 'node:path';
import type { Command } from 'commander';
import { realEnvironment } from '../../environment/real.ts';
import { BrokerError } from '../../errors.ts';
import { isoTime, Progress, type Restored, restore as restoreBackup } from '../../storage/backup/index.ts';
import { time } from '../arguments.ts';
import { print, printJson, size } from '../output.ts';
import { confirmed } from '../terminal/confirm.ts';
import { watched } from './bar.ts';

interface RestoreOptions {
  readonly to: string;
  readonly at?: number;
  readonly backup?: string;
  readonly skipDamaged?: true;
  readonly force?: true;
  readonly yes?: true;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  sluice restore /backups/main --to ./data                                   the latest state that is known
  sluice restore /backups/main --to ./data --backup 20260131T120000Z         that of a backup
  sluice restore /backups/main --to ./data --at 2026-01-31T11:59:30Z         that of a time, with an archive (backup.archive)
  sluice restore /backups/main --to ./data --force --yes

No broker may run on the data directory. Everything is verified while it is copied. With --skip-damaged what is whole is restored
of a damaged backup, and what is lost is told.
`;

export function register(program: Command): void {
  program
    .command('restore')
    .description('make a data directory from a backup')
    .argument('<directory>', 'of the set of backups')
    .requiredOption('--to <directory>', 'the data directory to make')
    .option('--at <time>', 'the state of this time, as in 2026-01-31T12:00:00Z', time)
    .option('--backup <id>', 'the backup to begin with')
    .option('--skip-damaged', 'restore what is whole, and say what is missing')
    .option('--force', 'also where there is data: it is deleted')
    .option('--yes', 'do not ask')
    .option('--json', 'print what was restored as JSON')
    .addHelpText('after', EXAMPLES)
    .action(restore);
}

async function restore(directory: string, options: RestoreOptions): Promise<void> {
  const { to, at, backup, skipDamaged = false, force = false, yes, json } = options;
  const environment = realEnvironment();
  const from = resolve(directory);
  const occupied = (await environment.files.list(to)).length > 0;
  if (occupied && force && !yes && (json || !process.stdin.isTTY))
    throw new BrokerError('precondition-failed', `what is in ${to} would be deleted: say --yes as well`);
  if (occupied && force && !yes && !(await confirmed(`delete what is in ${to}, and restore a backup in its place?`)))
    return print('nothing was changed');
  const progress = new Progress();
  const restored = await watched(
    'restoring',
    progress,
    restoreBackup({ environment, from, to: resolve(to), at, backup, skipDamaged, overwrite: force, progress }),
  );
  if (restored.damages.length > 0) process.exitCode = 1;
  if (json) return printJson(asJson(restored));
  await print(
    `restored to ${to}: the state of ${isoTime(restored.time)}, ${size(restored.bytes)}, from backup ${restored.backup.id}`,
  );
  if (restored.stoppedBy !== undefined) await print(`it is no later one, since ${restored.stoppedBy}`);
  for (const { file, byte, what, object } of restored.damages)
    await print(`damaged: ${file}, byte ${byte}: ${what} (${object})`);
  for (const { file, what, lost } of restored.repaired) {
    await print(`${file}: ${what}`);
    for (const range of lost) await print(`  lost: offsets ${range.from} to ${range.to - 1} of log ${range.log}`);
  }
}

function asJson({ backup, time, stoppedBy, shards, bytes, damages, repaired }: Restored) {
  return { backup: backup.id, time, stopped_by: stoppedBy ?? null, shards, bytes, damages, repaired };
}
