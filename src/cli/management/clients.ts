import type { Command } from 'commander';
import { type ApiOptions, api, path, withApi } from '../api/index.ts';
import { at, type Column, cell, type Item, type ListingOptions, listing, printList } from '../listing.ts';
import { plural, print, printJson, size } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { UsageError } from '../usage-error.ts';
import { factsOf, section } from './facts.ts';
import { deleting, ofHost } from './options.ts';
import { rate } from './rates.ts';

const bytes = (value: unknown) => (typeof value === 'number' ? size(value) : '-');

const CONNECTIONS: readonly Column[] = [
  { heading: 'name', path: 'name' },
  { heading: 'user', path: 'user' },
  { heading: 'vhost', path: 'vhost' },
  { heading: 'protocol', path: 'protocol' },
  { heading: 'tls', path: 'ssl' },
  { heading: 'state', path: 'state' },
  { heading: 'channels', path: 'channels' },
  { heading: 'received', path: 'recv_oct', show: bytes },
  { heading: 'sent', path: 'send_oct', show: bytes },
];

const CHANNELS: readonly Column[] = [
  { heading: 'name', path: 'name' },
  { heading: 'user', path: 'user' },
  { heading: 'vhost', path: 'vhost' },
  { heading: 'consumers', path: 'consumer_count' },
  { heading: 'prefetch', path: 'prefetch_count' },
  { heading: 'unacked', path: 'messages_unacknowledged' },
  { heading: 'unconfirmed', path: 'messages_unconfirmed' },
  { heading: 'confirm', path: 'confirm' },
  { heading: 'in', path: 'message_stats.publish_details.rate', show: rate },
  { heading: 'out', path: 'message_stats.deliver_get_details.rate', show: rate },
];

const CONSUMERS: readonly Column[] = [
  { heading: 'queue', path: 'queue.name' },
  { heading: 'vhost', path: 'queue.vhost' },
  { heading: 'tag', path: 'consumer_tag' },
  { heading: 'channel', path: 'channel_details.name' },
  { heading: 'user', path: 'channel_details.user' },
  { heading: 'prefetch', path: 'prefetch_count' },
  { heading: 'acknowledges', path: 'ack_required' },
  { heading: 'active', path: 'active' },
];

type ListOptions = ListingOptions & { readonly vhost?: string };

export function registerConnection(program: Command): void {
  const connection = program.command('connection').description('list, show and close connections of clients');

  ofHost(listing(connection.command('list').argument('[part]', 'of their names'), CONNECTIONS))
    .description('list connections of all protocols')
    .addHelpText(
      'after',
      `\nExamples:\n  sluice connection list\n  sluice connection list --filter user=anna --sort -recv_oct\n`,
    )
    .action((part: string | undefined, options: ListOptions) =>
      list(options, {
        path: listPath('connections', options.vhost),
        part,
        columns: CONNECTIONS,
        none: 'no connections',
      }),
    );

  api(connection.command('show').alias('describe').argument('<name>', 'of the connection'), 'print as JSON')
    .description('show a connection and its channels')
    .addHelpText('after', `\nExamples:\n  sluice connection show '127.0.0.1:50000 -> 127.0.0.1:5672'\n`)
    .action(showConnection);

  deleting(
    api(
      connection.command('close').alias('delete').argument('[name...]', 'of the connections'),
      'print what was closed as JSON',
    ),
  )
    .description('close connections; clients mostly come back')
    .option('--of <user>', 'all of this user')
    .option('--reason <text>', 'the client is told')
    .addHelpText(
      'after',
      `
Examples:
  sluice connection close '127.0.0.1:50000 -> 127.0.0.1:5672' --reason 'maintenance'
  sluice connection close --of anna --yes
`,
    )
    .action(closeConnections);
}

export function registerChannel(program: Command): void {
  const channel = program.command('channel').description('list and show channels of connections');

  ofHost(listing(channel.command('list').argument('[part]', 'of their names'), CHANNELS))
    .description('list channels')
    .addHelpText('after', `\nExamples:\n  sluice channel list --filter 'unacked>0'\n`)
    .action((part: string | undefined, options: ListOptions) =>
      list(options, { path: listPath('channels', options.vhost), part, columns: CHANNELS, none: 'no channels' }),
    );

  api(channel.command('show').alias('describe').argument('<name>', 'of the channel'), 'print as JSON')
    .description('show a channel and its consumers')
    .addHelpText('after', `\nExamples:\n  sluice channel show '127.0.0.1:50000 -> 127.0.0.1:5672 (1)'\n`)
    .action(showChannel);
}

export function registerConsumer(program: Command): void {
  const consumer = program.command('consumer').description('list consumers of queues');
  ofHost(listing(consumer.command('list'), CONSUMERS))
    .description('list consumers of queues; members of groups: sluice group describe')
    .addHelpText('after', `\nExamples:\n  sluice consumer list\n  sluice consumer list --filter queue=orders --json\n`)
    .action((options: ListOptions) => {
      const { vhost } = options;
      const from = vhost === undefined ? '/consumers' : path`/consumers/${vhost}`;
      return list(options, { path: from, columns: CONSUMERS, none: 'no consumers' });
    });
}

function listPath(kind: 'connections' | 'channels', vhost: string | undefined): string {
  return vhost === undefined ? `/${kind}` : `${path`/vhosts/${vhost}`}/${kind}`;
}

function list(options: ListOptions, source: Parameters<typeof printList>[1]): Promise<void> {
  return withApi(options, (client) => printList(client, source, options));
}

async function showConnection(name: string, options: ApiOptions): Promise<void> {
  const subject = `connection '${name}'; see: sluice connection list`;
  const [connection, channels] = await withApi(options, (client) =>
    Promise.all([
      client.get<Item>(path`/connections/${name}`, { subject }),
      client.all<Item>(path`/connections/${name}/channels`, { subject }),
    ]),
  );
  if (options.json) return printJson({ ...connection, channel_details: channels });
  await print(
    factsOf({ ...connection, received: bytes(connection['recv_oct']), sent: bytes(connection['send_oct']) }, [
      ['name', 'name'],
      ['client', 'user_provided_name'],
      ['user', 'user'],
      ['virtual host', 'vhost'],
      ['protocol', 'protocol'],
      ['TLS', 'ssl'],
      ['state', 'state'],
      ['received', 'received'],
      ['sent', 'sent'],
      ['frame size', 'frame_max'],
      ['heartbeat', 'timeout'],
      ['product', 'client_properties.product'],
      ['version', 'client_properties.version'],
      ['platform', 'client_properties.platform'],
    ]),
  );
  await printSection(
    'channels',
    CHANNELS.filter(({ heading }) => heading !== 'user' && heading !== 'vhost'),
    channels,
  );
}

async function showChannel(name: string, options: ApiOptions): Promise<void> {
  const subject = `channel '${name}'; see: sluice channel list`;
  const channel = await withApi(options, (client) => client.get<Item>(path`/channels/${name}`, { subject }));
  if (options.json) return printJson(channel);
  await print(
    factsOf(
      channel,
      CHANNELS.map(({ heading, path }) => [heading, path]),
    ),
  );
  const consumers = (channel['consumer_details'] ?? []) as readonly Item[];
  await printSection(
    'consumers',
    CONSUMERS.filter(({ heading }) => heading !== 'channel' && heading !== 'user'),
    consumers,
  );
}

async function printSection(title: string, columns: readonly Column[], items: readonly Item[]): Promise<void> {
  if (items.length === 0) return;
  const rows = items.map((item) => columns.map(({ path, show = cell }) => show(at(item, path))));
  await print(
    section(
      title,
      columns.map(({ heading }) => heading),
      rows,
    ),
  );
}

interface CloseOptions extends ApiOptions {
  readonly of?: string;
  readonly reason?: string;
  readonly yes?: true;
}

async function closeConnections(names: readonly string[], options: CloseOptions): Promise<void> {
  const { of: user, reason } = options;
  if ((user === undefined) === (names.length === 0))
    throw new UsageError('give the names of connections, or --of USER');
  const headers = reason === undefined ? {} : { 'x-reason': reason };
  await withApi(options, async (client) => {
    const closing =
      user === undefined
        ? names
        : (
            await client.all<{ readonly name: string }>(path`/connections/username/${user}`, {
              query: { columns: 'name' },
            })
          ).map(({ name }) => name);
    if (!(await agreed(`close ${plural(closing.length, 'connection')}?`, options.yes)))
      return print('nothing was closed');
    if (user !== undefined) await client.delete(path`/connections/username/${user}`, { headers });
    else
      for (const name of closing)
        await client.delete(path`/connections/${name}`, {
          headers,
          subject: `connection '${name}'; see: sluice connection list`,
        });
    if (options.json) return printJson(closing);
    await print(`closed ${plural(closing.length, 'connection')}`);
  });
}
