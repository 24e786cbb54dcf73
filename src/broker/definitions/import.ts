import type { Logger } from '../../environment/logger.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import { checkPasswordHash } from '../security/password-hash.ts';
import { Pattern } from '../security/pattern.ts';
import type { Users } from '../security/users.ts';
import type { Policy, PolicyValue } from '../virtual-hosts/policy.ts';
import type { QueueType } from '../virtual-hosts/queue-entry.ts';
import type { VirtualHost } from '../virtual-hosts/virtual-host.ts';
import type { VirtualHosts } from '../virtual-hosts/virtual-hosts.ts';
import { tableOf } from './arguments.ts';
import { isPredeclared } from './export.ts';
import { type Definitions, parseDefinitions } from './schema.ts';

export interface ImportOptions {
  readonly virtualHosts: VirtualHosts;
  readonly users: Users;
  readonly logger: Logger;
}

type Kind = keyof Definitions;
type Item<Of extends Kind> = Definitions[Of][number];

/** Objects under way at a time: they share a flush. */
const MAX_TOGETHER = 500;
const QUEUE_TYPES: readonly string[] = ['classic', 'quorum', 'stream'] satisfies QueueType[];

/**
 * Makes what is not there yet, and users, permissions and policies as the definitions say; takes nothing away. A queue or an
 * exchange that is there stays as it is. Rejects with `invalid-configuration`, which names the place; of what could be seen to be
 * wrong before anything was made, nothing was made.
 */
export async function importDefinitions(json: unknown, options: ImportOptions): Promise<void> {
  const definitions = parseDefinitions(json);
  const importer = new Importer(definitions, options);
  importer.check();
  await importer.run();
}

class Importer {
  readonly #definitions: Definitions;
  readonly #options: ImportOptions;

  constructor(definitions: Definitions, options: ImportOptions) {
    this.#definitions = definitions;
    this.#options = options;
  }

  /** What can be seen without making anything. */
  check(): void {
    const { users, vhosts } = this.#definitions;
    const { virtualHosts, users: existing } = this.#options;
    const hosts = new Set([...virtualHosts.names(), ...vhosts.map(({ name }) => name)]);
    const names = new Set([...[...existing.all()].map(({ name }) => name), ...users.map(({ name }) => name)]);
    this.#each('users', checkUser);
    for (const kind of ['permissions', 'topic_permissions', 'policies', 'queues', 'exchanges', 'bindings'] as const)
      this.#each(kind, ({ vhost }) => {
        if (!hosts.has(vhost))
          throw new BrokerError('not-found', `there is no virtual host '${vhost}', nor is it in vhosts`);
      });
    for (const kind of ['permissions', 'topic_permissions'] as const)
      this.#each(kind, (permissions) => {
        if (!names.has(permissions.user))
          throw new BrokerError('not-found', `there is no user '${permissions.user}', nor is it in users`);
        for (const pattern of patternsOf(permissions)) Pattern.compile(pattern);
      });
    this.#each('vhosts', defaultQueueType);
  }

  async run(): Promise<void> {
    const { users, virtualHosts } = this.#options;
    this.#ignore('parameters');
    this.#ignore('global_parameters');
    await this.#all('vhosts', async (host) => {
      await virtualHosts.create(host.name, defaultQueueType(host));
    });
    await this.#all('users', (user) => users.put(putUser(user)));
    await this.#all('permissions', (set) => users.setPermissions(set.user, set.vhost, set));
    await this.#all('topic_permissions', (set) => users.setTopicPermissions(set.user, set.vhost, set.exchange, set));
    await this.#all('exchanges', (exchange) => this.#exchange(exchange));
    await this.#all('policies', (policy) => this.#policy(policy));
    await this.#all('queues', (queue) => this.#queue(queue));
    await this.#all('bindings', (binding) => this.#bind(binding));
  }

  async #exchange(exchange: Item<'exchanges'>): Promise<void> {
    const { name, vhost, type, durable, internal, auto_delete: autoDelete, arguments: args } = exchange;
    const host = this.#host(vhost);
    // They are there.
    if (isPredeclared(name) || host.exchange(name) !== undefined) return;
    await host.declareExchange({ name, type, durable, autoDelete, internal, arguments: tableOf(args) });
  }

  async #policy({ vhost, name, pattern, 'apply-to': applyTo, priority, definition }: Item<'policies'>): Promise<void> {
    const policy: Policy = { name, pattern, applyTo, priority, definition: policyDefinition(definition) };
    const host = this.#host(vhost);
    if (!samePolicy(host.policy(name), policy)) await host.setPolicy(policy);
  }

  async #queue({
    name,
    vhost,
    type,
    durable,
    auto_delete: autoDelete,
    arguments: args,
  }: Item<'queues'>): Promise<void> {
    const host = this.#host(vhost);
    if (host.queue(name) !== undefined) return;
    if (name.startsWith('amq.')) {
      this.#options.logger.warn(
        { queue: name, vhost },
        "a queue of the definitions is left out: its name begins with 'amq.'",
      );
      return;
    }
    // Only some versions have the type in the arguments too.
    const typed = type === 'quorum' || type === 'stream' ? { 'x-queue-type': type, ...args } : args;
    await host.declareQueue({ name, durable, exclusive: false, autoDelete, arguments: tableOf(typed) });
  }

  async #bind(binding: Item<'bindings'>): Promise<void> {
    const { source, vhost, destination, destination_type: type, routing_key: key, arguments: args } = binding;
    const host = this.#host(vhost);
    // To the default exchange every queue is bound, and cannot be otherwise.
    if (source === '') return;
    try {
      if (type === 'exchange') await host.bindExchange(destination, source, key, tableOf(args));
      else await host.bindQueue(destination, source, key, tableOf(args));
    } catch (error) {
      if (!(error instanceof BrokerError && error.code === 'not-found')) throw error;
      // RabbitMQ leaves internal exchanges out of what it exports, but not their bindings.
      this.#options.logger.warn(
        { source, destination, vhost },
        `a binding of the definitions is left out: ${error.message}`,
      );
    }
  }

  #host(name: string): VirtualHost {
    const host = this.#options.virtualHosts.get(name);
    if (host === undefined) throw new BrokerError('not-found', `there is no virtual host '${name}'`);
    return host;
  }

  #ignore(kind: 'parameters' | 'global_parameters'): void {
    const { length } = this.#definitions[kind];
    // Every export has the id of its cluster among them: nobody needs to look into it.
    if (length > 0)
      this.#options.logger.info(
        { count: length },
        `${kind} of the definitions are left out: there is nothing here that has them`,
      );
  }

  #each<Of extends Kind>(kind: Of, check: (item: Item<Of>) => void): void {
    const items: readonly Item<Of>[] = this.#definitions[kind];
    items.forEach((item, index) => {
      try {
        check(item);
      } catch (error) {
        throw placed(error, kind, index, item);
      }
    });
  }

  async #all<Of extends Kind>(kind: Of, make: (item: Item<Of>) => Promise<void>): Promise<void> {
    const items: readonly Item<Of>[] = this.#definitions[kind];
    for (let from = 0; from < items.length; from += MAX_TOGETHER) {
      const some = items.slice(from, from + MAX_TOGETHER);
      // Also when one fails: nothing is under way any more when this is done.
      const outcomes = await Promise.allSettled(some.map((item) => make(item)));
      outcomes.forEach((outcome, index) => {
        if (outcome.status === 'rejected') throw placed(outcome.reason, kind, from + index, some[index]);
      });
    }
  }
}

/** What is wrong with the definitions is told by its place; what is wrong with the broker stays what it is. */
function placed(reason: unknown, kind: Kind, index: number, item: unknown): BrokerError {
  const error = toBrokerError(reason);
  const broken = error.code.startsWith('storage-') || ['internal', 'closed', 'fenced'].includes(error.code);
  const { name } = item as { readonly name?: unknown };
  const which = typeof name === 'string' ? ` ('${name}')` : '';
  return new BrokerError(broken ? error.code : 'invalid-configuration', `${kind}[${index}]${which}: ${error.message}`, {
    cause: error,
  });
}

function checkUser(user: Item<'users'>): void {
  const { passwordHash } = putUser(user);
  if (passwordHash !== undefined) checkPasswordHash(passwordHash);
}

function putUser(user: Item<'users'>) {
  const { name, password, password_hash: hash, hashing_algorithm: algorithm, limits } = user;
  const tags = user.tags.map((tag) => tag.trim()).filter((tag) => tag !== '');
  if (hash === undefined || hash === '') return { name, password, tags, limits };
  return { name, password, passwordHash: { algorithm, hash }, tags, limits };
}

function defaultQueueType(host: Item<'vhosts'>): { defaultQueueType?: QueueType } {
  const type = host.metadata?.default_queue_type ?? host.default_queue_type ?? 'undefined';
  // What Erlang writes for 'none'.
  if (type === 'undefined') return {};
  if (!QUEUE_TYPES.includes(type)) throw new BrokerError('invalid-argument', `'${type}' is not a type of queues`);
  return { defaultQueueType: type as QueueType };
}

function patternsOf(permissions: Item<'permissions'> | Item<'topic_permissions'>): string[] {
  const { write, read } = permissions;
  return 'configure' in permissions ? [permissions.configure, write, read] : [write, read];
}

function policyDefinition(definition: Item<'policies'>['definition']): Policy['definition'] {
  const values: Record<string, PolicyValue> = {};
  for (const [setting, value] of Object.entries(definition)) {
    // Names of the nodes to mirror queues to: there is nothing to mirror to.
    if (setting === 'ha-params') continue;
    if (typeof value === 'object')
      throw new BrokerError('invalid-argument', `'${setting}' is not a text, a number or a boolean`);
    values[setting] = value;
  }
  return values;
}

function samePolicy(one: Policy | undefined, other: Policy): boolean {
  if (one === undefined) return false;
  const text = ({ pattern, applyTo, priority, definition }: Policy) =>
    JSON.stringify([pattern, applyTo, priority, Object.entries(definition).sort()]);
  return text(one) === text(other);
}
