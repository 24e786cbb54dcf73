// Makes the table of commands in docs/cli.md: npm run docs.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { wholeProgram } from '../src/cli/main.ts';

const PAGE = new URL('../docs/cli.md', import.meta.url);
const BEGIN = '<!-- Made from the commands by `npm run docs`: change them there. -->';
const END = '<!-- End of what is made. -->';

/** Every command that does something, with what it does. */
export async function commandTable(): Promise<string> {
  const rows = leavesOf(await wholeProgram()).map(
    ({ path, description }) => `| \`${path}\` | ${description.replaceAll('|', '\\|')} |`,
  );
  return [BEGIN, '', '| command | |', '| --- | --- |', ...rows, '', END].join('\n');
}

interface Leaf {
  readonly path: string;
  readonly description: string;
}

function leavesOf(command: Command, before = ''): Leaf[] {
  const path = before === '' ? command.name() : `${before} ${command.name()}`;
  const below = command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help');
  if (below.length === 0) return [{ path, description: command.description() }];
  return below.flatMap((each) => leavesOf(each, path));
}

/** The page with its table as it has to be. */
export async function withTable(page: string): Promise<string> {
  const table = await commandTable();
  return page.slice(0, page.indexOf(BEGIN)) + table + page.slice(page.indexOf(END) + END.length);
}

if (import.meta.main) writeFileSync(PAGE, await withTable(readFileSync(PAGE, 'utf8')));
