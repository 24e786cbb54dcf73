import type { Command } from 'commander';
import { BrokerError } from '../../errors.ts';
import { api, exchangeInPath, path, withApi } from '../api/index.ts';
import { type Column, type Item, type ListingOptions, listing, printList } from '../listing.ts';
import { print, printJson } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { exchangeName } from './exchange.ts';
import { type DeletingOptions, deleting, type InHostOptions, inHost, ofHost, type Values, values } from './options.ts';

const COLUMNS: readonly Column[] = [
  { heading: 'vhost', path: 'vhost' },
  { heading: 'source', path: 'source', show: exchangeName },
  { heading: 'kind', path: 'destination_type' },
  { heading: 'destination', path: 'destination' },
  { heading: 'routing-key', path: 'routing_key' },
  { heading: 'arguments', path: 'arguments' },
];

const ARGUMENTS = ['the exchange that messages come from', 'the queue that they go to'] as const;

export function register(program: Command): void {
  const binding = program.command('binding').description('list, make and delete bindings');

  ofHost(listing(binding.command('list'), COLUMNS))
    .description('list bindings')
    .option('--default', 'also those of the default exchange, which every queue has')
    .addHelpText(
      'after',
      `
Examples:
  sluice binding list
  sluice binding list --filter source=events --sort destination
`,
    )
    .action(list);

  ending(
    inHost(
      api(
        binding
          .command('create')
          .alias('declare')
          .argument('<source>', ARGUMENTS[0])
          .argument('<destination>', ARGUMENTS[1]),
        'print what was made as JSON',
      ),
    ),
  )
    .description('bind a queue, or an exchange, to an exchange')
    .addHelpText(
      'after',
      `
Examples:
  sluice binding create events orders --routing-key 'order.#'
  sluice binding create events audit --to-exchange
  sluice binding create amq.headers big --argument x-match=all --argument size=7
`,
    )
    .action(create);

  deleting(
    ending(
      inHost(
        api(
          binding.command('delete').argument('<source>', ARGUMENTS[0]).argument('<destination>', ARGUMENTS[1]),
          'print what was deleted as JSON',
        ),
      ),
    ),
  )
    .description('take a binding away')
    .addHelpText('after', `\nExamples:\n  sluice binding delete events orders --routing-key 'order.#'\n`)
    .action(remove);
}

function ending(command: Command): Command {
  return command
    .option('--to-exchange', 'the destination is an exchange')
    .option('--routing-key <key>', 'with this routing key', '')
    .option('--argument <name=value>', 'an argument; may be repeated', values);
}

interface BindingOptions extends InHostOptions {
  readonly toExchange?: true;
  readonly routingKey: string;
  readonly argument?: Values;
}

async function list(options: ListingOptions & { readonly vhost?: string; readonly default?: true }): Promise<void> {
  const { vhost } = options;
  const named = { field: 'source', holds: (source: unknown) => source !== '' };
  const source = {
    path: vhost === undefined ? '/bindings' : path`/bindings/${vhost}`,
    columns: vhost === undefined ? COLUMNS : COLUMNS.slice(1),
    none: 'no bindings; make one: sluice binding create EXCHANGE QUEUE',
    ...(options.default ? {} : { only: named }),
  };
  await withApi(options, (client) => printList(client, source, options));
}

function between(source: string, destination: string, { vhost, toExchange }: BindingOptions): string {
  return path`/bindings/${vhost}/e/${exchangeInPath(source)}/${toExchange ? 'e' : 'q'}/${destination}`;
}

async function create(source: string, destination: string, options: BindingOptions): Promise<void> {
  const { vhost, routingKey: routing_key, argument = {} } = options;
  const subject = `exchange '${source}' or ${options.toExchange ? 'exchange' : 'queue'} '${destination}'`;
  await withApi(options, (client) =>
    client.post(between(source, destination, options), { routing_key, arguments: argument }, { subject }),
  );
  const destination_type = options.toExchange ? 'exchange' : 'queue';
  if (options.json)
    return printJson({ source, vhost, destination, destination_type, routing_key, arguments: argument });
  await print(`bound ${destination} to ${exchangeName(source)}`);
}

async function remove(source: string, destination: string, options: BindingOptions & DeletingOptions): Promise<void> {
  const { routingKey, argument } = options;
  if (!(await agreed(`take the binding of ${destination} to ${exchangeName(source)} away?`, options.yes)))
    return print('nothing was deleted');
  const gone = await withApi(options, async (client) => {
    const subject = `binding of '${destination}' to ${exchangeName(source)} with the routing key '${routingKey}'; see: sluice binding list`;
    const all = await client.all<Item>(between(source, destination, options), { subject });
    const wanted = argument === undefined ? undefined : JSON.stringify(sorted(argument));
    const found = all.filter(
      (each) =>
        each['routing_key'] === routingKey &&
        (wanted === undefined || JSON.stringify(sorted(each['arguments'] as Values)) === wanted),
    );
    const [only] = found;
    if (only === undefined) throw new BrokerError('not-found', `there is no ${subject}`);
    if (found.length > 1)
      throw new BrokerError(
        'invalid-argument',
        `${found.length} bindings have that routing key: say which by --argument`,
      );
    await client.delete(between(source, destination, options) + path`/${String(only['properties_key'])}`);
    return only;
  });
  if (options.json) return printJson(gone);
  await print(`unbound ${destination} from ${exchangeName(source)}`);
}

function sorted(object: Values): Values {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
