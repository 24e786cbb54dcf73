import type { Command } from 'commander';
import type { RouteAnswer, RouteStep } from '../../protocols/http/shapes/routing.ts';
import { api, exchangeInPath, path, withApi } from '../api/index.ts';
import { type Column, cell, type Item, type ListingOptions, listing, printList } from '../listing.ts';
import { print, printJson } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { factsOf, section } from './facts.ts';
import { type DeletingOptions, deleting, type InHostOptions, inHost, ofHost, type Values, values } from './options.ts';
import { type PublicationOptions, publishing, publishTo } from './publication.ts';
import { rate } from './rates.ts';

const COLUMNS: readonly Column[] = [
  { heading: 'vhost', path: 'vhost' },
  { heading: 'name', path: 'name', show: exchangeName },
  { heading: 'type', path: 'type' },
  { heading: 'durable', path: 'durable' },
  { heading: 'auto-delete', path: 'auto_delete' },
  { heading: 'internal', path: 'internal' },
  { heading: 'policy', path: 'policy' },
  { heading: 'in', path: 'message_stats.publish_in_details.rate', show: rate },
  { heading: 'out', path: 'message_stats.publish_out_details.rate', show: rate },
];

export function register(program: Command): void {
  const exchange = program.command('exchange').description('list, declare and delete exchanges, and publish to them');

  ofHost(listing(exchange.command('list').argument('[part]', 'of their names'), COLUMNS))
    .description('list exchanges')
    .addHelpText('after', `\nExamples:\n  sluice exchange list\n  sluice exchange list --filter type=topic --vhost /\n`)
    .action(list);

  inHost(api(exchange.command('show').alias('describe').argument('<name>', 'of the exchange'), 'print as JSON'))
    .description('show an exchange and what is bound to it')
    .addHelpText('after', '\nExamples:\n  sluice exchange show events\n  sluice exchange show amq.topic --json\n')
    .action(show);

  inHost(
    api(
      exchange.command('create').alias('declare').argument('<name>', 'of the exchange'),
      'print what was made as JSON',
    ),
  )
    .description('declare an exchange; one that is there, and is the same, is no error')
    .option('--type <type>', 'direct, fanout, topic, headers, x-consistent-hash or x-delayed-message', 'direct')
    .option('--transient', 'it is gone after a restart')
    .option('--auto-delete', 'it goes with its last binding')
    .option('--internal', 'only other exchanges publish to it')
    .option('--alternate-exchange <name>', 'where messages go that no binding takes')
    .option('--argument <name=value>', 'any other argument; may be repeated', values)
    .addHelpText(
      'after',
      `
Examples:
  sluice exchange create events --type topic
  sluice exchange create later --type x-delayed-message --argument x-delayed-type=direct
`,
    )
    .action(create);

  deleting(
    inHost(api(exchange.command('delete').argument('<name...>', 'of the exchanges'), 'print what was deleted as JSON')),
  )
    .description('delete exchanges with their bindings')
    .option('--if-unused', 'only if nothing is bound to it')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice exchange delete events\n  sluice exchange delete events --if-unused --yes\n',
    )
    .action(remove);

  inHost(api(exchange.command('route').argument('<name>', "of the exchange; '' for the default one"), 'print as JSON'))
    .description('say where a message would go, and why; nothing is published')
    .option('--routing-key <key>', 'with this routing key', '')
    .option('--header <name=value>', 'with this header; may be repeated', values)
    .addHelpText(
      'after',
      '\nExamples:\n  sluice exchange route events --routing-key order.created\n  sluice exchange route amq.headers --header size=7 --json\n',
    )
    .action(route);

  publishing(
    exchange
      .command('publish')
      .argument('<name>', "of the exchange; '' for the default one")
      .argument('[message]', 'its body'),
  )
    .description('publish messages to an exchange')
    .option('--routing-key <key>', 'with this routing key', '')
    .addHelpText(
      'after',
      `
Examples:
  sluice exchange publish events 'hello' --routing-key order.created
  sluice exchange publish later --file mail.json --routing-key mail --delay 60000
  cat lines.txt | sluice exchange publish events --routing-key line --lines

Ends with exit code 1 when no queue took a message.
`,
    )
    .action(
      (name: string, payload: string | undefined, options: PublicationOptions & { readonly routingKey: string }) =>
        publishTo({ exchange: name, routingKey: options.routingKey }, payload, options),
    );
}

/** The default exchange has no name. */
export function exchangeName(name: unknown): string {
  return name === '' ? '(default)' : String(name);
}

async function list(part: string | undefined, options: ListingOptions & { readonly vhost?: string }): Promise<void> {
  const { vhost } = options;
  const source = {
    path: vhost === undefined ? '/exchanges' : path`/exchanges/${vhost}`,
    part,
    columns: vhost === undefined ? COLUMNS : COLUMNS.slice(1),
    none: 'no exchanges',
  };
  await withApi(options, (client) => printList(client, source, options));
}

function exchangePath({ vhost }: InHostOptions, name: string): string {
  return path`/exchanges/${vhost}/${exchangeInPath(name)}`;
}

async function show(name: string, options: InHostOptions): Promise<void> {
  const subject = `exchange '${name}'`;
  const [exchange, from, to] = await withApi(options, (client) =>
    Promise.all([
      client.get<Item>(exchangePath(options, name), { subject }),
      client.all<Item>(`${exchangePath(options, name)}/bindings/source`, { subject }),
      client.all<Item>(`${exchangePath(options, name)}/bindings/destination`, { subject }),
    ]),
  );
  if (options.json) return printJson({ ...exchange, bindings_source: from, bindings_destination: to });
  await print(
    factsOf({ ...exchange, name: exchangeName(exchange['name']) }, [
      ['name', 'name'],
      ['virtual host', 'vhost'],
      ['type', 'type'],
      ['durable', 'durable'],
      ['auto-delete', 'auto_delete'],
      ['internal', 'internal'],
      ['arguments', 'arguments'],
      ['policy', 'policy'],
      ['in per second', 'message_stats.publish_in_details.rate', rate],
      ['out per second', 'message_stats.publish_out_details.rate', rate],
    ]),
  );
  const tables = [
    section(
      'goes to',
      ['kind', 'name', 'routing key', 'arguments'],
      from.map((each) =>
        ['destination_type', 'destination', 'routing_key', 'arguments'].map((field) => cell(each[field])),
      ),
    ),
    section(
      'comes from',
      ['exchange', 'routing key', 'arguments'],
      to.map((each) => ['source', 'routing_key', 'arguments'].map((field) => cell(each[field]))),
    ),
  ].filter((text) => text !== '');
  if (tables.length > 0) await print(tables.join('\n'));
}

interface CreateOptions extends InHostOptions {
  readonly type: string;
  readonly transient?: true;
  readonly autoDelete?: true;
  readonly internal?: true;
  readonly alternateExchange?: string;
  readonly argument?: Values;
}

async function create(name: string, options: CreateOptions): Promise<void> {
  const { vhost, type, alternateExchange: alternate } = options;
  const body = {
    type,
    durable: options.transient !== true,
    auto_delete: options.autoDelete === true,
    internal: options.internal === true,
    arguments: { ...(alternate !== undefined && { 'alternate-exchange': alternate }), ...options.argument },
  };
  const { status } = await withApi(options, (client) => client.put(exchangePath(options, name), body));
  const created = status === 201;
  if (options.json) return printJson({ name, vhost, ...body, created });
  await print(created ? `created ${name}` : `${name} was there already`);
}

async function remove(
  names: readonly string[],
  options: DeletingOptions & { readonly ifUnused?: true },
): Promise<void> {
  if (!(await agreed(`delete ${names.join(', ')} with all bindings?`, options.yes)))
    return print('nothing was deleted');
  const query = { 'if-unused': options.ifUnused };
  await withApi(options, async (client) => {
    for (const name of names)
      await client.delete(exchangePath(options, name), { query, subject: `exchange '${name}'` });
  });
  if (options.json) return printJson(names);
  await print(`deleted ${names.join(', ')}`);
}

async function route(
  name: string,
  options: InHostOptions & { readonly routingKey: string; readonly header?: Values },
): Promise<void> {
  const { routingKey, header: headers } = options;
  const { body } = await withApi(options, (client) =>
    client.post(
      `${exchangePath(options, name)}/route`,
      { routing_key: routingKey, ...(headers && { headers }) },
      { subject: `exchange '${name}'` },
    ),
  );
  const answer = body as RouteAnswer;
  if (options.json) return printJson(answer);
  if (!answer.routed) await print('no queue gets it');
  for (const queue of answer.queues) {
    await print(`${queue.name} (${queue.type})`);
    for (const steps of queue.paths) await print(`  ${steps.map(stepText).join(', ')}`);
  }
  for (const each of answer.exchanges)
    if (each.dead_end) await print(`${exchangeName(each.name)} (${each.type}) has no binding that takes it`);
  if (answer.delay > 0) await print(`it is held back for ${answer.delay} ms first`);
}

function stepText({ from, via, routing_key: key, to }: RouteStep): string {
  const how = via === 'binding' ? `bound by '${key}'` : via === 'alternate' ? 'its alternate exchange' : 'by its name';
  return `${exchangeName(from)} → ${to}, ${how}`;
}
