import { Command } from 'commander';
import { type ApiOptions, api, path, withApi } from '../api/index.ts';
import { type Address, remote } from '../arguments.ts';
import type { LoginOptions } from '../login.ts';
import type { NameKind } from './command-tree.ts';

/** Nobody waits for a completion any longer. */
const MOST = 500;

/** The names that the broker has, asked for as the line says how to reach it. Throws when it does not answer. */
export async function namesOf(kind: NameKind, line: string): Promise<string[]> {
  return kind === 'topic' || kind === 'group' ? kafkaNames(kind, line) : apiNames(kind, line);
}

async function apiNames(kind: Exclude<NameKind, 'topic' | 'group'>, line: string): Promise<string[]> {
  const options = optionsIn<ApiOptions & { readonly vhost?: string }>(
    api(new Command()).option('--vhost <name>'),
    line,
  );
  const { vhost } = options;
  const lists = {
    ...{ queue: 'queues', exchange: 'exchanges', policy: 'policies' },
    ...{ user: 'users', vhost: 'vhosts', connection: 'connections', channel: 'channels' },
  };
  const inHost = ['queue', 'exchange', 'policy'].includes(kind);
  const list = inHost ? `/${lists[kind]}${path`/${vhost ?? '/'}`}` : `/${lists[kind]}`;
  const query = { columns: 'name', page: 1, page_size: MOST };
  const body = await withApi(options, (client) => client.get<Named[] | { readonly items: Named[] }>(list, { query }));
  return ('items' in body ? body.items : body).map(({ name }) => name).filter((name) => name !== '');
}

interface Named {
  readonly name: string;
}

async function kafkaNames(kind: 'topic' | 'group', line: string): Promise<string[]> {
  const options = optionsIn<LoginOptions & { readonly broker: Address }>(remote(new Command(), ''), line);
  const [{ withClient }, { listTopics, listGroups }] = await Promise.all([
    import('../connection.ts'),
    import('../../client/index.ts'),
  ]);
  if (kind === 'group') return (await withClient(options, listGroups)).map(({ name }) => name);
  const topics = await withClient(options, listTopics);
  return topics.filter(({ internal }) => !internal).map(({ name }) => name);
}

/** Those of the line that say how to reach the broker; it may not be finished, and have others. */
function optionsIn<Options>(command: Command, line: string): Options {
  const words = line.split(/\s+/).slice(1);
  const taken = words.flatMap((word, at) => {
    const option = command.options.find(({ long }) => long === word);
    if (option === undefined) return [];
    return option.required ? words.slice(at, at + 2) : [word];
  });
  command.exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} });
  return command.parse(taken, { from: 'user' }).opts() as Options;
}
