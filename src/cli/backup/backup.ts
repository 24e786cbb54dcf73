import type { Command } from 'commander';
import { api } from '../api/index.ts';
import { whole } from '../arguments.ts';
import { age } from './age.ts';
import { list, prune, remove, verify } from './kept.ts';
import { create, status, stop } from './making.ts';
import { MAIN_SET } from './shown.ts';

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
    .option('--set <name>', 'of backups', MAIN_SET)
    .option('--directory <path>', "the set's directory, to be used without a broker");
}
