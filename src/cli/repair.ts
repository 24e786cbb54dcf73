import type { Command } from 'commander';
import { realEnvironment } from '../environment/real.ts';
import { BrokerError } from '../errors.ts';
import { Aside } from '../storage/repair/aside.ts';
import { type Damage, joinRanges, type OffsetRange } from '../storage/repair/damage.ts';
import { type Examination, examineShard } from '../storage/repair/repair.ts';
import { print, printJson } from './output.ts';
import { confirmed } from './terminal/confirm.ts';

interface RepairOptions {
  readonly data: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  sluice repair --data ./data --dry-run           looks at all data, and says what is damaged and would be done
  sluice repair --data ./data                     asks, then does it
  sluice repair --data ./data --yes --json

The broker must not run. What is cut, replaced or removed is kept as a copy in DIR/repair-1 (repair-2, ...). Where there is a
backup that is recent enough, restore that instead. Ends with exit code 1 as long as there is damage.
`;

export function register(program: Command): void {
  program
    .command('repair')
    .description('look for damage in the data of a stopped broker, and mend what can be')
    .option('--data <directory>', 'the data directory', './data')
    .option('--dry-run', 'only say what is damaged and what would be done')
    .option('--yes', 'do not ask')
    .option('--json', 'print what was found and done as JSON')
    .addHelpText('after', EXAMPLES)
    .action(repair);
}

async function repair({ data, yes, dryRun, json }: RepairOptions): Promise<void> {
  const { files } = realEnvironment();
  const shards = (await files.list(data)).filter((name) => /^shard-\d+\/$/.test(name)).map((name) => name.slice(0, -1));
  if (shards.length === 0)
    throw new BrokerError('not-found', `there is no broker's data in ${data}; name its directory: --data DIR`);
  const lock = await files.lock(data);
  try {
    const found = await examine(data, shards);
    const damages = found.flatMap((shard) => shard.damages);
    if (!json) await describe(damages);
    const mendable = damages.some(({ remedy }) => remedy !== undefined);
    const agreed = mendable && !dryRun && (yes === true || (await asked(json)));
    const aside = agreed ? await mend(data, found) : undefined;
    const left = aside === undefined ? damages : (await examine(data, shards)).flatMap((shard) => shard.damages);
    if (left.length > 0) process.exitCode = 1;
    if (json) return await printJson({ damages, repaired: agreed, copies: aside?.name ?? null, left });
    if (aside === undefined) return await print(damages.length === 0 ? 'no damage' : 'nothing was changed');
    await print(`repaired; copies of what was there before are in ${data}/${aside.name}`);
    if (left.length === 0) return;
    await print('what is still damaged:');
    await describe(left);
  } finally {
    await lock.release();
  }
}

async function examine(data: string, shards: readonly string[]): Promise<Examination[]> {
  const environment = realEnvironment();
  const found: Examination[] = [];
  for (const shard of shards) found.push(await examineShard({ environment, data, shard }));
  return found;
}

async function mend(data: string, found: readonly Examination[]): Promise<Aside> {
  const aside = await Aside.next(realEnvironment().files, data);
  for (const shard of found) if (shard.damages.length > 0) await shard.mend(aside);
  return aside;
}

async function describe(damages: readonly Damage[]): Promise<void> {
  for (const { file, byte, what, remedy, lost } of damages) {
    await print(`${file}${byte === undefined ? '' : `, byte ${byte}`}: ${what}`);
    await print(`  ${remedy ?? 'nothing can be done about it here: restore a backup'}`);
    for (const range of joinRanges(lost)) await print(`  lost: ${rangeText(range)}`);
  }
}

function rangeText({ log, from, to }: OffsetRange): string {
  return `offsets ${from} to ${to - 1} of log ${log}`;
}

/** A script that has not said yes wants to look only. */
async function asked(json: true | undefined): Promise<boolean> {
  return !json && process.stdin.isTTY === true && confirmed('repair this? what is lost stays lost');
}
