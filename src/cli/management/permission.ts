import type { Command } from 'commander';
import { api, path, withApi } from '../api/index.ts';
import { type Column, type ListingOptions, listing, printList } from '../listing.ts';
import { print, printJson } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { UsageError } from '../usage-error.ts';
import { type DeletingOptions, deleting, type InHostOptions, inHost, ofHost } from './options.ts';

const COLUMNS: readonly Column[] = [
  { heading: 'user', path: 'user' },
  { heading: 'vhost', path: 'vhost' },
  { heading: 'configure', path: 'configure', show: String },
  { heading: 'write', path: 'write', show: String },
  { heading: 'read', path: 'read', show: String },
];

const TOPIC_COLUMNS: readonly Column[] = [
  { heading: 'user', path: 'user' },
  { heading: 'vhost', path: 'vhost' },
  { heading: 'exchange', path: 'exchange' },
  { heading: 'write', path: 'write', show: String },
  { heading: 'read', path: 'read', show: String },
];

export function register(program: Command): void {
  const permission = program
    .command('permission')
    .description('list, set and clear what users may do in a virtual host');

  ofHost(listing(permission.command('list').argument('[user]', 'only of this user'), COLUMNS))
    .description('list permissions')
    .option('--topic', 'those on the routing keys of exchanges')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice permission list\n  sluice permission list anna --topic\n  sluice permission list --vhost shop --json\n',
    )
    .action(list);

  inHost(api(permission.command('set').argument('<user>', 'whose'), 'print what was set as JSON'))
    .description('set what a user may do in a virtual host')
    .option('--configure <regexp>', 'declare and delete what is so named')
    .option('--write <regexp>', 'publish to what is so named, and bind it')
    .option('--read <regexp>', 'consume from what is so named, purge it, and bind to it')
    .option(
      '--topic-of <exchange>',
      'instead: with which routing keys it may --write to this exchange, and --read from it',
    )
    .addHelpText(
      'after',
      `
Examples:
  sluice permission set anna --configure '^anna' --write '.*' --read '.*'
  sluice permission set worker --read '^orders$' --vhost shop
  sluice permission set worker --topic-of amq.topic --write '^order\\.' --read '.*'

What is not given is nothing: a user without --write can write to nothing.
`,
    )
    .action(set);

  deleting(
    inHost(
      api(permission.command('delete').alias('clear').argument('<user>', 'whose'), 'print what was cleared as JSON'),
    ),
  )
    .description('take the permissions of a user on a virtual host away')
    .option('--topic-of <exchange>', 'instead: those on the routing keys of this exchange')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice permission delete anna\n  sluice permission delete anna --topic-of amq.topic --yes\n',
    )
    .action(remove);
}

type ListOptions = ListingOptions & { readonly vhost?: string; readonly topic?: true };

async function list(user: string | undefined, options: ListOptions): Promise<void> {
  const { vhost, topic } = options;
  const kind = topic ? 'topic-permissions' : 'permissions';
  const source = {
    path: user === undefined ? `/${kind}` : path`/users/${user}/${kind}`,
    columns: topic ? TOPIC_COLUMNS : COLUMNS,
    none: 'no permissions; give some: sluice permission set USER',
    only: { field: 'vhost', holds: (value: unknown) => vhost === undefined || value === vhost },
  };
  await withApi(options, (client) => printList(client, source, options));
}

interface SetOptions extends InHostOptions {
  readonly configure?: string;
  readonly write?: string;
  readonly read?: string;
  readonly topicOf?: string;
}

async function set(user: string, options: SetOptions): Promise<void> {
  const { vhost, configure = '', write = '', read = '', topicOf: exchange } = options;
  if (exchange !== undefined && options.configure !== undefined)
    throw new UsageError('--configure is nothing that routing keys have: leave it out, or --topic-of');
  const body = exchange === undefined ? { configure, write, read } : { exchange, write, read };
  const kind = exchange === undefined ? 'permissions' : 'topic-permissions';
  await withApi(options, (client) =>
    client.put(path`/${kind}/${vhost}/${user}`, body, { subject: `user '${user}', or no virtual host '${vhost}'` }),
  );
  if (options.json) return printJson({ user, vhost, ...body });
  await print(`set the permissions of ${user} on ${vhost}`);
}

async function remove(user: string, options: DeletingOptions & { readonly topicOf?: string }): Promise<void> {
  const { vhost, topicOf: exchange } = options;
  if (!(await agreed(`take the permissions of ${user} on ${vhost} away?`, options.yes)))
    return print('nothing was changed');
  const [kind, subject] =
    exchange === undefined ? ['permissions', ''] : ['topic-permissions', ` on exchange '${exchange}'`];
  const one = path`/${kind}/${vhost}/${user}` + (exchange === undefined ? '' : path`/${exchange}`);
  await withApi(options, (client) =>
    client.delete(one, { subject: `permission of '${user}' on '${vhost}'${subject}` }),
  );
  if (options.json) return printJson({ user, vhost, exchange: exchange ?? null });
  await print(`cleared the permissions of ${user} on ${vhost}`);
}
