import { Argument, type Command } from 'commander';
import type { LogLevelShape } from '../../protocols/http/shapes/logs.ts';
import { type ApiOptions, api, withApi } from '../api/index.ts';
import { print, printJson, table } from '../output.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export function register(program: Command): void {
  api(
    program
      .command('log-level')
      .addArgument(new Argument('[level]', 'from now on; without it nothing changes').choices(LEVELS)),
    'print as JSON',
  )
    .description('show what the broker logs, or change it until it stops')
    .option('--part <name>', 'of this part only: broker, kafka, amqp or http')
    .option('--reset', 'have the part go by the level of all again')
    .addHelpText(
      'after',
      `
Examples:
  sluice log-level
  sluice log-level debug --part kafka
  sluice log-level --part kafka --reset
`,
    )
    .action(logLevel);
}

interface LogLevelOptions extends ApiOptions {
  readonly part?: string;
  readonly reset?: true;
}

async function logLevel(level: string | undefined, { part, reset, ...options }: LogLevelOptions): Promise<void> {
  await withApi(options, async (client) => {
    if (level !== undefined || reset) {
      const own = reset ? null : level;
      await client.put('/log-level', part === undefined ? { level: own } : { parts: { [part]: own } });
    }
    const levels = await client.get<LogLevelShape>('/log-level');
    if (options.json) return printJson(levels);
    const parts = Object.entries(levels.parts).map(([name, own]) => [name, own ?? `${levels.level} (as all)`]);
    return print(table(['PART', 'LEVEL'], [['all', levels.level], ...parts]));
  });
}
