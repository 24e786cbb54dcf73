import { type Command, Option } from 'commander';
import type { AuditEntryShape, AuditPageShape } from '../../protocols/http/shapes/audit.ts';
import { type ApiClient, type ApiOptions, api, withApi } from '../api/index.ts';
import { time, whole } from '../arguments.ts';
import { cell } from '../listing.ts';
import { print, table } from '../output.ts';
import { timeText } from './queued-message.ts';

/** Entries of one request. */
const PAGE = 1_000;

export function register(program: Command): void {
  api(program.command('audit'), 'print as JSON, one entry a line')
    .description('show who did what to the broker, the latest first')
    .option('--of-user <name>', 'only what this user did')
    .option('--act <act>', 'only acts of this name or beginning, as in queue.delete or queue')
    .option('--object <name>', 'only on what has this in its name')
    .option('--vhost <name>', 'only in this virtual host')
    .addOption(new Option('--outcome <outcome>', 'only what ended so').choices(['done', 'refused', 'failed']))
    .option('--from <time>', 'not before, as in 2026-01-31T12:00:00Z', time)
    .option('--to <time>', 'not after', time)
    .option('--count <n>', 'no more than so many', whole(1, 1_000_000), 100)
    .addHelpText(
      'after',
      `
Examples:
  sluice audit --act queue.delete
  sluice audit --outcome refused --from 2026-01-31T00:00:00Z
  sluice audit --json --count 100000 > audit.jsonl
`,
    )
    .action(audit);
}

interface AuditOptions extends ApiOptions {
  readonly ofUser?: string;
  readonly act?: string;
  readonly object?: string;
  readonly vhost?: string;
  readonly outcome?: string;
  readonly from?: number;
  readonly to?: number;
  readonly count: number;
}

async function audit(options: AuditOptions): Promise<void> {
  await withApi(options, async (client) => {
    if (options.json) {
      for await (const entries of pages(client, options))
        for (const entry of entries) await print(JSON.stringify(entry));
      return;
    }
    const rows: (readonly (string | number)[])[] = [];
    for await (const entries of pages(client, options)) rows.push(...entries.map(row));
    const headings = ['TIME', 'USER', 'ADDRESS', 'BY', 'ACT', 'OBJECT', 'VHOST', 'OUTCOME'];
    await print(rows.length === 0 ? 'nothing was done that fits' : table(headings, rows));
  });
}

async function* pages(client: ApiClient, options: AuditOptions): AsyncGenerator<readonly AuditEntryShape[], void> {
  const { ofUser: user, act, object, vhost, outcome, from: since, to: until } = options;
  let before: number | undefined;
  for (let left = options.count; left > 0; ) {
    const query = { user, act, object, vhost, outcome, since, until, before, limit: Math.min(left, PAGE) };
    const { items, next } = await client.get<AuditPageShape>('/audit', { query });
    yield items;
    left -= items.length;
    if (next === null) return;
    before = next;
  }
}

function row({ time: at, user, address, protocol, act, object, vhost, outcome }: AuditEntryShape) {
  return [timeText(at), cell(user), cell(address), protocol, act, cell(object), cell(vhost), outcome];
}
