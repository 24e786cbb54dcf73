import type { Command } from 'commander';
import type { DelayedHost, DelayedMessage } from '../../protocols/http/shapes/delayed.ts';
import { api, path, withApi } from '../api/index.ts';
import { whole } from '../arguments.ts';
import { plural, print, printJson, table } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { exchangeName } from './exchange.ts';
import { filterQuery, type MessageFilterOptions, messageFilter } from './message-filter.ts';
import { deleting, type InHostOptions, inHost, ofHost } from './options.ts';
import { bodyLine, firstItems, showQueued, timeText } from './queued-message.ts';

export function register(program: Command): void {
  const timer = program
    .command('timer')
    .description('look at messages that are held back until they are due; cancel or deliver them');

  messageFilter(ofHost(api(timer.command('list'), 'print as JSON')))
    .description('list messages that are held back, the next first')
    .option('--count <n>', 'no more than so many', whole(1, 100_000), 100)
    .addHelpText(
      'after',
      '\nExamples:\n  sluice timer list\n  sluice timer list --routing-key mail --count 10 --json\n',
    )
    .action(list);

  inHost(api(timer.command('show').argument('<id>', 'of the message, as sluice timer list has it'), 'print as JSON'))
    .description('show one of them')
    .addHelpText('after', '\nExamples:\n  sluice timer show 0-17-1700000000000\n')
    .action(show);

  deleting(
    inHost(api(timer.command('cancel').argument('<id...>', 'of the messages'), 'print what was cancelled as JSON')),
  )
    .description('take messages back before they are due: they are gone')
    .addHelpText('after', '\nExamples:\n  sluice timer cancel 0-17-1700000000000\n')
    .action((ids: readonly string[], options: EndOptions) => end(ids, options, 'cancel'));

  deleting(
    inHost(api(timer.command('deliver').argument('<id...>', 'of the messages'), 'print what was delivered as JSON')),
  )
    .description('deliver messages now')
    .addHelpText('after', '\nExamples:\n  sluice timer deliver 0-17-1700000000000\n')
    .action((ids: readonly string[], options: EndOptions) => end(ids, options, 'deliver'));
}

type ListOptions = Omit<InHostOptions, 'vhost'> &
  MessageFilterOptions & { readonly vhost?: string; readonly count: number };

async function list(options: ListOptions): Promise<void> {
  const { vhost, count } = options;
  const messages = await withApi(options, async (client) => {
    const hosts = await client.all<DelayedHost>('/delayed');
    const found: DelayedMessage[] = [];
    for (const host of hosts)
      if (host.messages > 0 && (vhost === undefined || host.vhost === vhost))
        found.push(
          ...(await firstItems<DelayedMessage>(
            client,
            path`/delayed/${host.vhost}`,
            filterQuery(options),
            count,
            `virtual host '${host.vhost}'`,
          )),
        );
    return found.toSorted((a, b) => a.due_at - b.due_at).slice(0, count);
  });
  if (options.json) return printJson(messages);
  if (messages.length === 0) return print('no messages are held back');
  await print(
    table(
      ['due', 'id', 'vhost', 'exchange', 'routing key', 'bytes', 'body'],
      messages.map((each) => [
        timeText(each.due_at),
        each.id,
        each.vhost,
        exchangeName(each.exchange),
        each.routing_key,
        each.payload?.bytes ?? 0,
        bodyLine(each.payload),
      ]),
    ),
  );
}

async function show(id: string, options: InHostOptions): Promise<void> {
  const message = await withApi(options, (client) =>
    client.get<DelayedMessage>(path`/delayed/${options.vhost}/${id}`, { subject: subjectOf(id, options) }),
  );
  if (options.json) return printJson(message);
  await print(showQueued(message, [['due', timeText(message.due_at)]]));
}

type EndOptions = InHostOptions & { readonly yes?: true };

async function end(ids: readonly string[], options: EndOptions, how: 'cancel' | 'deliver'): Promise<void> {
  if (how === 'cancel' && !(await agreed(`cancel ${plural(ids.length, 'message')}?`, options.yes)))
    return print('nothing was cancelled');
  await withApi(options, async (client) => {
    for (const id of ids) {
      const one = path`/delayed/${options.vhost}/${id}`;
      if (how === 'cancel') await client.delete(one, { subject: subjectOf(id, options) });
      else await client.post(`${one}/deliver`, {}, { subject: subjectOf(id, options) });
    }
  });
  if (options.json) return printJson(ids);
  await print(`${how === 'cancel' ? 'cancelled' : 'delivered'} ${plural(ids.length, 'message')}`);
}

function subjectOf(id: string, { vhost }: InHostOptions): string {
  return `message '${id}' that is held back in '${vhost}'`;
}
