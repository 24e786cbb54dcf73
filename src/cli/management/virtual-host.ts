import { type Command, Option } from 'commander';
import { type ApiOptions, api, path, withApi } from '../api/index.ts';
import { type Column, type Item, type ListingOptions, listing, printList } from '../listing.ts';
import { print, printJson } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { factsOf } from './facts.ts';
import { deleting } from './options.ts';

const COLUMNS: readonly Column[] = [
  { heading: 'name', path: 'name' },
  { heading: 'queue-type', path: 'default_queue_type' },
  { heading: 'ready', path: 'messages_ready' },
  { heading: 'unacked', path: 'messages_unacknowledged' },
  { heading: 'messages', path: 'messages' },
];

export function register(program: Command): void {
  const vhost = program.command('vhost').description('list, make and delete virtual hosts');

  listing(vhost.command('list').argument('[part]', 'of their names'), COLUMNS)
    .description('list virtual hosts')
    .addHelpText('after', '\nExamples:\n  sluice vhost list\n')
    .action((part: string | undefined, options: ListingOptions) =>
      withApi(options, (client) =>
        printList(client, { path: '/vhosts', part, columns: COLUMNS, none: 'no virtual hosts that you see' }, options),
      ),
    );

  api(vhost.command('show').alias('describe').argument('<name>', 'of the virtual host'), 'print as JSON')
    .description('show a virtual host')
    .addHelpText('after', '\nExamples:\n  sluice vhost show shop\n')
    .action(show);

  api(vhost.command('create').alias('add').argument('<name>', 'of the virtual host'), 'print what was made as JSON')
    .description('make a virtual host; you may do everything in it')
    .addOption(
      new Option('--queue-type <type>', 'of queues whose clients ask for none').choices([
        'classic',
        'quorum',
        'stream',
      ]),
    )
    .addHelpText('after', '\nExamples:\n  sluice vhost create shop\n  sluice vhost create shop --queue-type quorum\n')
    .action(create);

  deleting(api(vhost.command('delete').argument('<name>', 'of the virtual host'), 'print what was deleted as JSON'))
    .description('delete a virtual host with everything in it')
    .addHelpText('after', '\nExamples:\n  sluice vhost delete shop\n')
    .action(remove);
}

function subjectOf(name: string): string {
  return `virtual host '${name}'`;
}

async function show(name: string, options: ApiOptions): Promise<void> {
  const host = await withApi(options, (client) =>
    client.get<Item>(path`/vhosts/${name}`, { subject: subjectOf(name) }),
  );
  if (options.json) return printJson(host);
  await print(
    factsOf(
      host,
      COLUMNS.map(({ heading, path }) => [heading, path]),
    ),
  );
}

async function create(name: string, options: ApiOptions & { readonly queueType?: string }): Promise<void> {
  const body = options.queueType === undefined ? {} : { default_queue_type: options.queueType };
  const { status } = await withApi(options, (client) => client.put(path`/vhosts/${name}`, body));
  const created = status === 201;
  if (options.json) return printJson({ name, ...body, created });
  await print(created ? `created ${name}` : `${name} was there already`);
}

async function remove(name: string, options: ApiOptions & { readonly yes?: true }): Promise<void> {
  if (!(await agreed(`delete ${name} with all queues, exchanges and messages in it?`, options.yes)))
    return print('nothing was deleted');
  await withApi(options, (client) => client.delete(path`/vhosts/${name}`, { subject: subjectOf(name) }));
  if (options.json) return printJson([name]);
  await print(`deleted ${name}`);
}
