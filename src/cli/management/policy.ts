import { type Command, Option } from 'commander';
import { api, path, withApi } from '../api/index.ts';
import { whole } from '../arguments.ts';
import { type Column, type Item, type ListingOptions, listing, printList } from '../listing.ts';
import { print, printJson } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { UsageError } from '../usage-error.ts';
import { factsOf } from './facts.ts';
import {
  type DeletingOptions,
  deleting,
  type InHostOptions,
  inHost,
  jsonObject,
  ofHost,
  type Values,
  values,
} from './options.ts';

const COLUMNS: readonly Column[] = [
  { heading: 'vhost', path: 'vhost' },
  { heading: 'name', path: 'name' },
  { heading: 'pattern', path: 'pattern' },
  { heading: 'apply-to', path: 'apply-to' },
  { heading: 'priority', path: 'priority' },
  { heading: 'definition', path: 'definition' },
];

const KINDS = ['all', 'queues', 'classic_queues', 'quorum_queues', 'streams', 'exchanges'];

export function register(program: Command): void {
  const policy = program.command('policy').description('list, set and delete policies of queues and exchanges');

  ofHost(listing(policy.command('list').argument('[part]', 'of their names'), COLUMNS))
    .description('list policies')
    .addHelpText('after', '\nExamples:\n  sluice policy list\n  sluice policy list --vhost shop --json\n')
    .action(list);

  inHost(api(policy.command('show').alias('describe').argument('<name>', 'of the policy'), 'print as JSON'))
    .description('show a policy')
    .addHelpText('after', '\nExamples:\n  sluice policy show ttl\n')
    .action(show);

  inHost(
    api(
      policy
        .command('set')
        .alias('create')
        .argument('<name>', 'of the policy')
        .argument('<pattern>', 'a regular expression; what has it in its name is meant'),
      'print what was set as JSON',
    ),
  )
    .description('make a policy, or change it')
    .option('--define <name=value>', 'a part of the definition; may be repeated', values)
    .option('--definition <json>', 'the definition as a whole', jsonObject)
    .option('--priority <n>', 'of several policies the one with the highest counts', whole(Number.MIN_SAFE_INTEGER), 0)
    .addOption(new Option('--apply-to <kind>', 'what it is for').choices(KINDS).default('all'))
    .addHelpText(
      'after',
      `
Examples:
  sluice policy set ttl '^mail\\.' --define message-ttl=60000 --apply-to queues
  sluice policy set dead '^jobs' --define dead-letter-exchange=failed --priority 5
  sluice policy set limits '.*' --definition '{"max-length":1000,"overflow":"reject-publish"}'
`,
    )
    .action(set);

  deleting(
    inHost(
      api(
        policy.command('delete').alias('clear').argument('<name...>', 'of the policies'),
        'print what was deleted as JSON',
      ),
    ),
  )
    .description('delete policies')
    .addHelpText('after', '\nExamples:\n  sluice policy delete ttl\n')
    .action(remove);
}

async function list(part: string | undefined, options: ListingOptions & { readonly vhost?: string }): Promise<void> {
  const { vhost } = options;
  const source = {
    path: vhost === undefined ? '/policies' : path`/policies/${vhost}`,
    part,
    columns: vhost === undefined ? COLUMNS : COLUMNS.slice(1),
    none: 'no policies; make one: sluice policy set NAME PATTERN',
  };
  await withApi(options, (client) => printList(client, source, options));
}

function subjectOf(name: string): string {
  return `policy '${name}'`;
}

async function show(name: string, options: InHostOptions): Promise<void> {
  const policy = await withApi(options, (client) =>
    client.get<Item>(path`/policies/${options.vhost}/${name}`, { subject: subjectOf(name) }),
  );
  if (options.json) return printJson(policy);
  await print(
    factsOf(
      policy,
      COLUMNS.map(({ heading, path }) => [heading, path]),
    ),
  );
}

interface SetOptions extends InHostOptions {
  readonly define?: Values;
  readonly definition?: Values;
  readonly priority: number;
  readonly applyTo: string;
}

async function set(name: string, pattern: string, options: SetOptions): Promise<void> {
  const { vhost, priority, applyTo } = options;
  const definition = { ...options.definition, ...options.define };
  if (Object.keys(definition).length === 0)
    throw new UsageError('a policy says something: give --define NAME=VALUE or --definition JSON');
  const body = { pattern, definition, priority, 'apply-to': applyTo };
  const { status } = await withApi(options, (client) => client.put(path`/policies/${vhost}/${name}`, body));
  const created = status === 201;
  if (options.json) return printJson({ name, vhost, ...body, created });
  await print(created ? `created ${name}` : `changed ${name}`);
}

async function remove(names: readonly string[], options: DeletingOptions): Promise<void> {
  if (!(await agreed(`delete ${names.join(', ')}?`, options.yes))) return print('nothing was deleted');
  await withApi(options, async (client) => {
    for (const name of names)
      await client.delete(path`/policies/${options.vhost}/${name}`, { subject: subjectOf(name) });
  });
  if (options.json) return printJson(names);
  await print(`deleted ${names.join(', ')}`);
}
