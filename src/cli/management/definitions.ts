import type { Command } from 'commander';
import { BrokerError } from '../../errors.ts';
import { type ApiClient, type ApiOptions, api, path, withApi } from '../api/index.ts';
import type { Item } from '../listing.ts';
import { readNamed, writeNamed } from '../named-file.ts';
import { print, printJson } from '../output.ts';
import { agreed } from '../terminal/confirm.ts';
import { Progress } from '../terminal/progress.ts';

/** In the order in which they need each other. */
const KINDS = [
  'vhosts',
  'users',
  'permissions',
  'topic_permissions',
  'exchanges',
  'policies',
  'queues',
  'bindings',
] as const;
type Kind = (typeof KINDS)[number];
/** What is in a virtual host. */
const IN_HOST: readonly Kind[] = ['exchanges', 'policies', 'queues', 'bindings'];

const SINGULAR: Readonly<Record<Kind, string>> = {
  vhosts: 'virtual host',
  users: 'user',
  permissions: 'permission',
  topic_permissions: 'topic permission',
  exchanges: 'exchange',
  policies: 'policy',
  queues: 'queue',
  bindings: 'binding',
};

/** Objects of one request: an answer is there in less than a second, and the bar moves. */
const TOGETHER = 500;

export function register(program: Command): void {
  const definitions = program
    .command('definitions')
    .description('export and import users, virtual hosts, queues, exchanges, bindings and policies');

  api(definitions.command('export').argument('[file]', 'to write; standard output unless given'))
    .description('export what there is, but for messages')
    .option('--vhost <name>', 'only of this virtual host, without users')
    .option('--force', 'overwrite the file')
    .addHelpText(
      'after',
      `
Examples:
  sluice definitions export definitions.json
  sluice definitions export --vhost shop > shop.json

Hashes of passwords are in it: keep the file to yourself.
`,
    )
    .action(exportTo);

  api(
    definitions.command('import').argument('[file]', 'to read; standard input unless given'),
    'print what was imported as JSON',
  )
    .description('make what a file says and is not there; RabbitMQ exports such files too')
    .option('--vhost <name>', 'into this virtual host')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
Examples:
  sluice definitions import definitions.json
  sluice definitions import shop.json --vhost shop
  rabbitmqadmin export /dev/stdout | sluice definitions import --yes

Nothing is taken away; users, permissions and policies become as the file says.
`,
    )
    .action(importFrom);
}

interface ExportOptions extends ApiOptions {
  readonly vhost?: string;
  readonly force?: true;
}

async function exportTo(file: string | undefined, options: ExportOptions): Promise<void> {
  const { vhost, force } = options;
  const source = vhost === undefined ? '/definitions' : path`/definitions/${vhost}`;
  const definitions = await withApi(options, (client) =>
    client.get<Item>(source, { subject: `virtual host '${vhost}'` }),
  );
  if (file === undefined) return printJson(definitions);
  await writeNamed(file, `${JSON.stringify(definitions, undefined, 2)}\n`, force === true);
  await print(`exported ${countsText(definitions, KINDS)} to ${file}`);
}

async function importFrom(
  file: string | undefined,
  options: ApiOptions & { readonly vhost?: string; readonly yes?: true },
): Promise<void> {
  const definitions = parsed(
    file === undefined ? await standardInput() : await readNamed('sluice definitions import', file),
  );
  const kinds = options.vhost === undefined ? KINDS : IN_HOST;
  const what = countsText(definitions, kinds);
  if (!(await agreed(`import ${what}?`, options.yes))) return print('nothing was imported');
  await withApi(options, (client) => importParts(client, definitions, kinds, options.vhost));
  if (options.json) return printJson(Object.fromEntries(kinds.map((kind) => [kind, listOf(definitions, kind).length])));
  await print(`imported ${what}`);
}

/** What fits goes at once, so that all of it is checked before anything is made. */
async function importParts(
  client: ApiClient,
  definitions: Item,
  kinds: readonly Kind[],
  vhost: string | undefined,
): Promise<void> {
  const target = vhost === undefined ? '/definitions' : path`/definitions/${vhost}`;
  const options = { subject: vhost === undefined ? undefined : `virtual host '${vhost}'` };
  const total = kinds.reduce((sum, kind) => sum + listOf(definitions, kind).length, 0);
  if (total <= TOGETHER) return void (await client.post(target, definitions, options));
  const progress = new Progress({ doing: 'importing', total });
  try {
    for (const kind of kinds) {
      const items = listOf(definitions, kind);
      for (let at = 0; at < items.length; at += TOGETHER) {
        const part = items.slice(at, at + TOGETHER);
        await client.post(target, { [kind]: part }, options);
        progress.add(part.length);
      }
    }
  } finally {
    progress.end();
  }
}

function parsed(bytes: Buffer): Item {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Item;
  } catch {
    // Told below.
  }
  throw new BrokerError(
    'invalid-argument',
    'these are no definitions: a JSON object is wanted, as sluice definitions export makes it',
  );
}

function listOf(definitions: Item, kind: Kind): readonly unknown[] {
  const items = definitions[kind];
  return Array.isArray(items) ? items : [];
}

function countsText(definitions: Item, kinds: readonly Kind[]): string {
  const counts = kinds
    .map((kind) => [kind, listOf(definitions, kind).length] as const)
    .filter(([, count]) => count > 0);
  if (counts.length === 0) return 'nothing';
  return counts
    .map(([kind, count]) => (count === 1 ? `1 ${SINGULAR[kind]}` : `${count} ${kind.replace('_', ' ')}`))
    .join(', ');
}

async function standardInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
