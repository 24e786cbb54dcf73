import type { Command } from 'commander';
import { Option } from 'commander';
import type { DeadLetterMessage } from '../../protocols/http/shapes/dead-letters.ts';
import { api, path, withApi } from '../api/index.ts';
import { whole } from '../arguments.ts';
import { type Column, type ListingOptions, listing, printList } from '../listing.ts';
import { plural, print, printJson } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { UsageError } from '../usage-error.ts';
import { filterQuery, type MessageFilterOptions, messageFilter } from './message-filter.ts';
import { deleting, type InHostOptions, inHost, ofHost } from './options.ts';
import { firstItems, showQueued, timeText } from './queued-message.ts';
import { type TransferOptions, transfer, transferBody, transferring } from './transfer.ts';

const when = (value: unknown) => timeText(typeof value === 'number' ? value : null);

const COLUMNS: readonly Column[] = [
  { heading: 'vhost', path: 'vhost' },
  { heading: 'queue', path: 'name' },
  { heading: 'type', path: 'type' },
  { heading: 'messages', path: 'messages' },
  { heading: 'oldest', path: 'oldest', show: when },
  { heading: 'reasons', path: 'reasons' },
  { heading: 'died-in', path: 'sources' },
  { heading: 'set-for', path: 'dead_letters_of' },
];

const PLACES = ['source', 'first-source', 'publication'];

export function register(program: Command): void {
  const dlq = program.command('dlq').description('look at dead letters, and bring them back');

  ofHost(listing(dlq.command('list').argument('[part]', 'of their names'), COLUMNS))
    .description('list queues and streams that hold dead letters, or get some')
    .addHelpText(
      'after',
      `
Examples:
  sluice dlq list
  sluice dlq list --filter 'messages>0' --sort -messages

Reasons, and where the letters died, are those of the first messages of each.
`,
    )
    .action(list);

  messageFilter(inHost(api(dlq.command('show').argument('<queue>', 'that holds them'), 'print as JSON')), true)
    .description('show dead letters, with how they died; nothing is delivered')
    .option('--count <n>', 'no more than so many', whole(1, 100_000), 10)
    .addHelpText(
      'after',
      '\nExamples:\n  sluice dlq show jobs.failed\n  sluice dlq show jobs.failed --reason rejected --source jobs --count 100 --json\n',
    )
    .action(show);

  deleting(
    transferring(
      inHost(api(dlq.command('redrive').argument('<queue>', 'that holds them'), 'print how it went as JSON')),
      true,
    ),
  )
    .description('bring dead letters back to where they came from, or elsewhere')
    .addOption(
      new Option(
        '--to <place>',
        'the queue where it died last, the one where it died first, or as it was published at first',
      )
        .choices(PLACES)
        .default('source'),
    )
    .option('--to-queue <queue>', 'instead: to this queue')
    .option('--to-exchange <exchange>', 'instead: to this exchange, with its first routing key')
    .option('--forget', 'without the headers that say how it died')
    .addHelpText(
      'after',
      `
Examples:
  sluice dlq redrive jobs.failed --dry-run
  sluice dlq redrive jobs.failed --reason rejected --rate 100
  sluice dlq redrive jobs.failed --count 1 --to-queue jobs.debug --yes

Ctrl-C stops it: what was brought back stays where it is then.
`,
    )
    .action(redrive);
}

async function list(part: string | undefined, options: ListingOptions & { readonly vhost?: string }): Promise<void> {
  const { vhost } = options;
  const source = {
    path: vhost === undefined ? '/dead-letters' : path`/dead-letters/${vhost}`,
    part,
    columns: vhost === undefined ? COLUMNS : COLUMNS.slice(1),
    none: 'no dead letters, and no queue that gets some',
  };
  await withApi(options, (client) => printList(client, source, options));
}

async function show(
  queue: string,
  options: InHostOptions & MessageFilterOptions & { readonly count: number },
): Promise<void> {
  const source = path`/dead-letters/${options.vhost}/${queue}/messages`;
  const letters = await withApi(options, (client) =>
    firstItems<DeadLetterMessage>(client, source, filterQuery(options), options.count, `queue '${queue}'`),
  );
  if (options.json) return printJson(letters);
  if (letters.length === 0) return print('no such dead letters');
  await print(letters.map(letterText).join('\n\n'));
}

function letterText(letter: DeadLetterMessage): string {
  const { deaths, origin } = letter;
  const { 'x-death': _, ...headers } = (letter.properties['headers'] ?? {}) as Readonly<Record<string, unknown>>;
  const trail = deaths.map(
    ({ reason, queue, count, time }) =>
      ['died', `${reason} in ${queue}, ${plural(count, 'time')}, ${timeText(time)}`] as const,
  );
  const record =
    origin === null
      ? []
      : [
          [
            'died',
            `${origin.message}, in ${origin.topic} partition ${origin.partition} offset ${origin.offset} for group ${origin.group}`,
          ] as const,
        ];
  return showQueued({ ...letter, properties: { ...letter.properties, headers } }, [...trail, ...record]);
}

interface RedriveOptions extends TransferOptions {
  readonly to: string;
  readonly toQueue?: string;
  readonly toExchange?: string;
  readonly forget?: true;
  readonly yes?: true;
}

async function redrive(queue: string, options: RedriveOptions): Promise<void> {
  const { vhost, to, toQueue, toExchange, forget, dryRun, yes } = options;
  if (toQueue !== undefined && toExchange !== undefined)
    throw new UsageError('give --to-queue or --to-exchange, not both');
  const target = toQueue !== undefined ? { queue: toQueue } : toExchange !== undefined ? { exchange: toExchange } : to;
  const body = { ...transferBody(target, options), keep_trail: forget !== true };
  if (!dryRun && !(await agreed(`bring dead letters of ${queue} back?`, yes))) return print('nothing was done');
  await withApi(options, (client) =>
    transfer(client, path`/dead-letters/${vhost}/${queue}/redrive`, body, options, `queue '${queue}'`),
  );
}
