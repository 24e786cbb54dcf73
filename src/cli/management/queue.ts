import type { Command } from 'commander';
import { Option } from 'commander';
import { api, path, withApi } from '../api/index.ts';
import { whole } from '../arguments.ts';
import { type Column, cell, type Item, type ListingOptions, listing, printList } from '../listing.ts';
import { plural, print, printJson, size } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { Progress } from '../terminal/progress.ts';
import { factsOf, section } from './facts.ts';
import { type DeletingOptions, deleting, type InHostOptions, inHost, ofHost, type Values, values } from './options.ts';
import { registerMessages } from './queue-messages.ts';
import { queuePath, queueSubject } from './queue-path.ts';
import { rate } from './rates.ts';

const COLUMNS: readonly Column[] = [
  { heading: 'vhost', path: 'vhost' },
  { heading: 'name', path: 'name' },
  { heading: 'type', path: 'type' },
  { heading: 'policy', path: 'policy' },
  { heading: 'consumers', path: 'consumers' },
  { heading: 'ready', path: 'messages_ready' },
  { heading: 'unacked', path: 'messages_unacknowledged' },
  { heading: 'messages', path: 'messages' },
  { heading: 'in', path: 'message_stats.publish_details.rate', show: rate },
  { heading: 'out', path: 'message_stats.deliver_get_details.rate', show: rate },
];

export function register(program: Command): void {
  const queue = program
    .command('queue')
    .description('list, declare, purge, move and delete queues, and look at their messages');

  ofHost(listing(queue.command('list').argument('[part]', 'of their names'), COLUMNS))
    .description('list queues')
    .addHelpText(
      'after',
      `
Examples:
  sluice queue list
  sluice queue list --filter 'ready>0' --sort -ready --limit 10
  sluice queue list orders --columns name,messages,arguments.x-max-length
  sluice queue list --json | jq '.[].name'

'in' and 'out' are messages a second. Columns are those of RabbitMQ's management API; --json shows what there is.
`,
    )
    .action(list);

  inHost(api(queue.command('show').alias('describe').argument('<name>', 'of the queue'), 'print as JSON'))
    .description('show a queue: its settings, messages, consumers and bindings')
    .addHelpText('after', '\nExamples:\n  sluice queue show orders\n  sluice queue show orders --vhost shop --json\n')
    .action(show);

  inHost(
    api(queue.command('create').alias('declare').argument('<name>', 'of the queue'), 'print what was made as JSON'),
  )
    .description('declare a queue; one that is there, and is the same, is no error')
    .addOption(
      new Option('--type <type>', "what kind of queue (default: the virtual host's)").choices([
        'classic',
        'quorum',
        'stream',
      ]),
    )
    .option('--transient', 'it is gone after a restart, with its messages')
    .option('--auto-delete', 'it goes with its last consumer')
    .option('--max-length <n>', 'no more messages than this', whole(0))
    .option('--max-length-bytes <n>', 'no more bytes than this', whole(0))
    .addOption(
      new Option('--overflow <what>', 'what happens to messages beyond that').choices([
        'drop-head',
        'reject-publish',
        'reject-publish-dlx',
      ]),
    )
    .option('--message-ttl <ms>', 'how long messages stay', whole(0))
    .option('--dead-letter-exchange <name>', 'where messages go that are rejected, too old or too many')
    .option('--dead-letter-routing-key <key>', 'with this routing key')
    .option('--max-priority <n>', 'priorities of messages from 0 to this', whole(1, 255))
    .option('--argument <name=value>', 'any other argument; may be repeated', values)
    .addHelpText(
      'after',
      `
Examples:
  sluice queue create orders
  sluice queue create jobs --type quorum --dead-letter-exchange '' --dead-letter-routing-key jobs.failed
  sluice queue create scratch --transient --argument x-expires=60000
`,
    )
    .action(create);

  deleting(
    inHost(api(queue.command('delete').argument('<name...>', 'of the queues'), 'print what was deleted as JSON')),
  )
    .description('delete queues with their messages')
    .option('--if-empty', 'only if there are no messages')
    .option('--if-unused', 'only if there are no consumers')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice queue delete orders\n  sluice queue delete scratch jobs --if-unused --yes\n\nOn a terminal you are asked first; in a script you are not.\n',
    )
    .action(remove);

  deleting(inHost(api(queue.command('purge').argument('<name...>', 'of the queues'), 'print what was purged as JSON')))
    .description('drop all messages of queues that are not out with a consumer')
    .addHelpText('after', '\nExamples:\n  sluice queue purge orders\n  sluice queue purge jobs orders --yes\n')
    .action(purge);

  registerMessages(queue);
}

async function list(part: string | undefined, options: ListingOptions & { readonly vhost?: string }): Promise<void> {
  const { vhost } = options;
  const source = {
    path: vhost === undefined ? '/queues' : path`/queues/${vhost}`,
    part,
    columns: vhost === undefined ? COLUMNS : COLUMNS.slice(1),
    none: 'no queues; create one: sluice queue create NAME',
  };
  await withApi(options, (client) => printList(client, source, options));
}

async function show(name: string, options: InHostOptions): Promise<void> {
  const subject = queueSubject(options, name);
  const [queue, bindings] = await withApi(options, (client) =>
    Promise.all([
      client.get<Item>(queuePath(options, name), { subject }),
      client.all<Item>(`${queuePath(options, name)}/bindings`, { subject }),
    ]),
  );
  if (options.json) return printJson({ ...queue, bindings });
  await print(
    factsOf(
      { ...queue, bytes: typeof queue['message_bytes_ready'] === 'number' ? size(queue['message_bytes_ready']) : null },
      [
        ['name', 'name'],
        ['virtual host', 'vhost'],
        ['type', 'type'],
        ['state', 'state'],
        ['durable', 'durable'],
        ['auto-delete', 'auto_delete'],
        ['exclusive', 'exclusive'],
        ['arguments', 'arguments'],
        ['policy', 'policy'],
        ['policy says', 'effective_policy_definition'],
        ['messages', 'messages'],
        ['ready', 'messages_ready'],
        ['unacknowledged', 'messages_unacknowledged'],
        ['bytes ready', 'bytes'],
        ['in per second', 'message_stats.publish_details.rate', rate],
        ['out per second', 'message_stats.deliver_get_details.rate', rate],
        ['single active consumer', 'single_active_consumer_tag'],
        ['consumers', 'consumers'],
      ],
    ),
  );
  const consumers = (queue['consumer_details'] ?? []) as readonly ConsumerItem[];
  const tables = [
    section(
      'consumers',
      ['tag', 'channel', 'prefetch', 'acknowledges', 'active'],
      consumers.map((each) => [
        each.consumer_tag,
        each.channel_details.name,
        each.prefetch_count,
        cell(each.ack_required),
        cell(each.active),
      ]),
    ),
    section(
      'bindings',
      ['from exchange', 'routing key', 'arguments'],
      bindings.map((each) => [
        each['source'] === '' ? '(default)' : cell(each['source']),
        cell(each['routing_key']),
        cell(each['arguments']),
      ]),
    ),
  ].filter((text) => text !== '');
  if (tables.length > 0) await print(tables.join('\n'));
}

interface ConsumerItem {
  readonly consumer_tag: string;
  readonly channel_details: { readonly name: string };
  readonly prefetch_count: number;
  readonly ack_required: boolean;
  readonly active: boolean;
}

interface CreateOptions extends InHostOptions {
  readonly type?: string;
  readonly transient?: true;
  readonly autoDelete?: true;
  readonly maxLength?: number;
  readonly maxLengthBytes?: number;
  readonly overflow?: string;
  readonly messageTtl?: number;
  readonly deadLetterExchange?: string;
  readonly deadLetterRoutingKey?: string;
  readonly maxPriority?: number;
  readonly argument?: Values;
}

async function create(name: string, options: CreateOptions): Promise<void> {
  const { vhost } = options;
  const named = {
    'x-queue-type': options.type,
    'x-max-length': options.maxLength,
    'x-max-length-bytes': options.maxLengthBytes,
    'x-overflow': options.overflow,
    'x-message-ttl': options.messageTtl,
    'x-dead-letter-exchange': options.deadLetterExchange,
    'x-dead-letter-routing-key': options.deadLetterRoutingKey,
    'x-max-priority': options.maxPriority,
  };
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
  const body = {
    durable: options.transient !== true,
    auto_delete: options.autoDelete === true,
    arguments: { ...given, ...options.argument },
  };
  const { status } = await withApi(options, (client) => client.put(queuePath(options, name), body));
  const created = status === 201;
  if (options.json) return printJson({ name, vhost, ...body, created });
  await print(created ? `created ${name}` : `${name} was there already`);
}

interface RemoveOptions extends DeletingOptions {
  readonly ifEmpty?: true;
  readonly ifUnused?: true;
}

async function remove(names: readonly string[], options: RemoveOptions): Promise<void> {
  if (!(await agreed(`delete ${names.join(', ')} with all messages?`, options.yes)))
    return print('nothing was deleted');
  const query = { 'if-empty': options.ifEmpty, 'if-unused': options.ifUnused };
  await withApi(options, (client) =>
    each('deleting', names, (name) =>
      client.delete(queuePath(options, name), { query, subject: queueSubject(options, name) }),
    ),
  );
  if (options.json) return printJson(names);
  await print(`deleted ${names.join(', ')}`);
}

async function purge(names: readonly string[], options: DeletingOptions): Promise<void> {
  await withApi(options, async (client) => {
    const before: { name: string; messages: number }[] = [];
    for (const name of names) {
      const query = { columns: 'messages_ready' };
      const { messages_ready: messages } = await client.get<{ readonly messages_ready: number }>(
        queuePath(options, name),
        {
          ...{ query, subject: queueSubject(options, name) },
        },
      );
      before.push({ name, messages });
    }
    const all = before.reduce((sum, { messages }) => sum + messages, 0);
    if (!(await agreed(`drop ${plural(all, 'message')} of ${names.join(', ')}?`, options.yes)))
      return print('nothing was dropped');
    await each('purging', names, (name) =>
      client.delete(`${queuePath(options, name)}/contents`, { subject: queueSubject(options, name) }),
    );
    if (options.json) return printJson(before);
    for (const { name, messages } of before) await print(`purged ${name}: ${plural(messages, 'message')}`);
  });
}

/** One after the other, with a bar; what fails ends it, and those before it are done. */
async function each(doing: string, names: readonly string[], act: (name: string) => Promise<unknown>): Promise<void> {
  const progress = new Progress({ doing, total: names.length });
  try {
    for (const name of names) {
      await act(name);
      progress.add(1);
    }
  } finally {
    progress.end();
  }
}
