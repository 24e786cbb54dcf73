import type { Command } from 'commander';
import { Option } from 'commander';
import { type ApiClient, type ApiOptions, api, path, withApi } from '../api/index.ts';
import { type Column, cell, type Item, type ListingOptions, listing, printList } from '../listing.ts';
import { newPassword } from '../login.ts';
import { print, printJson } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { UsageError } from '../usage-error.ts';
import { facts, section } from './facts.ts';
import { deleting } from './options.ts';

const COLUMNS: readonly Column[] = [
  { heading: 'name', path: 'name' },
  { heading: 'tags', path: 'tags' },
];

const TAGS = 'management, policymaker, monitoring or administrator, with commas between them';

export function register(program: Command): void {
  const user = program.command('user').description('list, make, change and delete users');

  listing(user.command('list').argument('[part]', 'of their names'), COLUMNS)
    .description('list users')
    .addHelpText('after', '\nExamples:\n  sluice user list\n  sluice user list --filter tags~administrator --json\n')
    .action((part: string | undefined, options: ListingOptions) =>
      withApi(options, (client) =>
        // What passwords are checked by is no column, and nobody's business in a list.
        printList(
          client,
          { path: '/users', part, columns: COLUMNS, none: 'no users' },
          { ...options, columns: options.columns ?? ['name', 'tags'] },
        ),
      ),
    );

  api(user.command('show').alias('describe').argument('<name>', 'of the user'), 'print as JSON')
    .description('show a user with its tags and permissions')
    .addHelpText('after', '\nExamples:\n  sluice user show anna\n')
    .action(show);

  api(user.command('whoami'), 'print as JSON')
    .description('show who you are to the broker')
    .addHelpText('after', '\nExamples:\n  sluice user whoami --user anna\n')
    .action(whoami);

  password(api(user.command('create').argument('<name>', 'of the user'), 'print what was made as JSON'))
    .description('make a user, without permissions; or change one')
    .option('--tags <tags>', TAGS, '')
    .addOption(
      new Option('--password-hash <hash>', "the password's hash, of sluice hash-password").conflicts('newPasswordFile'),
    )
    .option('--no-password', 'nobody can log in with a password as this user: it comes with a certificate')
    .addHelpText(
      'after',
      `
Examples:
  sluice user create anna --tags monitoring
  SLUICE_CLIENT_NEW_PASSWORD=... sluice user create worker
  sluice user create worker --new-password-file password.txt && sluice permission set worker --read '^orders$'

The password is asked for on the terminal, or is in a file, or in SLUICE_CLIENT_NEW_PASSWORD.
`,
    )
    .action(create);

  password(
    api(
      user.command('set-password').alias('change-password').argument('<name>', 'of the user'),
      'print what was changed as JSON',
    ),
  )
    .description("change a user's password")
    .addHelpText(
      'after',
      '\nExamples:\n  sluice user set-password anna\n  sluice user set-password anna --new-password-file password.txt\n',
    )
    .action(setPassword);

  api(
    user.command('set-tags').argument('<name>', 'of the user').argument('[tag...]', 'none takes all away'),
    'print what was changed as JSON',
  )
    .description('set the tags of a user')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice user set-tags anna monitoring policymaker\n  sluice user set-tags anna\n',
    )
    .action(setTags);

  deleting(api(user.command('delete').argument('<name...>', 'of the users'), 'print what was deleted as JSON'))
    .description('delete users, and close their connections')
    .addHelpText('after', '\nExamples:\n  sluice user delete anna\n')
    .action(remove);
}

function password(command: Command): Command {
  return command.option('--new-password-file <file>', "its first line is the user's new password");
}

const subjectOf = (name: string) => `user '${name}'`;

/** A user as the API shows it to administrators. */
interface UserItem {
  readonly name: string;
  readonly password_hash: string;
  readonly hashing_algorithm: string;
  readonly tags: readonly string[];
}

async function show(name: string, options: ApiOptions): Promise<void> {
  const subject = subjectOf(name);
  const [user, permissions, topics] = await withApi(options, (client) =>
    Promise.all([
      client.get<UserItem>(path`/users/${name}`, { subject }),
      client.all<Item>(path`/users/${name}/permissions`, { subject }),
      client.all<Item>(path`/users/${name}/topic-permissions`, { subject }),
    ]),
  );
  const shown = { name: user.name, tags: user.tags, has_password: user.password_hash !== '' };
  if (options.json) return printJson({ ...shown, permissions, topic_permissions: topics });
  await print(
    facts([
      ['name', name],
      ['tags', cell(user.tags)],
      ['password', shown.has_password ? 'yes' : 'none'],
    ]),
  );
  const tables = [
    section(
      'permissions',
      ['vhost', 'configure', 'write', 'read'],
      permissions.map((each) => fieldsOf(each, ['vhost', 'configure', 'write', 'read'])),
    ),
    section(
      'topic permissions',
      ['vhost', 'exchange', 'write', 'read'],
      topics.map((each) => fieldsOf(each, ['vhost', 'exchange', 'write', 'read'])),
    ),
  ].filter((text) => text !== '');
  await print(
    tables.length > 0
      ? tables.join('\n')
      : `\nno permissions; give some: sluice permission set ${name} --configure '.*' --write '.*' --read '.*'`,
  );
}

function fieldsOf(item: Item, names: readonly string[]) {
  return names.map((name) => String(item[name] ?? ''));
}

async function whoami(options: ApiOptions): Promise<void> {
  const { name, tags } = await withApi(options, (client) => client.get<Pick<UserItem, 'name' | 'tags'>>('/whoami'));
  if (options.json) return printJson({ name, tags });
  await print(
    facts([
      ['name', name],
      ['tags', cell(tags)],
    ]),
  );
}

interface PasswordOptions extends ApiOptions {
  readonly newPasswordFile?: string;
}

interface CreateOptions extends PasswordOptions {
  readonly tags: string;
  readonly passwordHash?: string;
  /** False for `--no-password`. */
  readonly password: boolean;
}

async function create(name: string, options: CreateOptions): Promise<void> {
  const { tags, passwordHash, password: wanted, newPasswordFile: file } = options;
  if (!wanted && (passwordHash !== undefined || file !== undefined))
    throw new UsageError('--no-password goes with no password');
  const secret = await secretOf(name, options);
  const { status } = await withApi(options, (client) => client.put(path`/users/${name}`, { ...secret, tags }));
  const created = status === 201;
  if (options.json) return printJson({ name, tags: tagList(tags), created });
  await print(created ? `created ${name}` : `changed ${name}`);
}

async function secretOf(name: string, { passwordHash, password: wanted, newPasswordFile }: CreateOptions) {
  if (!wanted) return { password_hash: '' };
  if (passwordHash !== undefined) return { password_hash: passwordHash };
  return { password: await newPassword(name, newPasswordFile) };
}

function tagList(tags: string): string[] {
  return tags
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}

async function setPassword(name: string, options: PasswordOptions): Promise<void> {
  const password = await newPassword(name, options.newPasswordFile);
  await withApi(options, async (client) => {
    const { tags } = await userOf(client, name);
    await client.put(path`/users/${name}`, { password, tags });
  });
  if (options.json) return printJson({ name });
  await print(`changed the password of ${name}`);
}

async function setTags(name: string, tags: readonly string[], options: ApiOptions): Promise<void> {
  await withApi(options, async (client) => {
    // As it came, it keeps the password.
    const { password_hash, hashing_algorithm } = await userOf(client, name);
    await client.put(path`/users/${name}`, { password_hash, hashing_algorithm, tags });
  });
  if (options.json) return printJson({ name, tags });
  await print(tags.length === 0 ? `${name} has no tags` : `${name} has the tags ${tags.join(', ')}`);
}

function userOf(client: ApiClient, name: string): Promise<UserItem> {
  return client.get<UserItem>(path`/users/${name}`, { subject: subjectOf(name) });
}

async function remove(names: readonly string[], options: ApiOptions & { readonly yes?: true }): Promise<void> {
  if (!(await agreed(`delete ${names.join(', ')}?`, options.yes))) return print('nothing was deleted');
  await withApi(options, async (client) => {
    for (const name of names) await client.delete(path`/users/${name}`, { subject: subjectOf(name) });
  });
  if (options.json) return printJson(names);
  await print(`deleted ${names.join(', ')}`);
}
