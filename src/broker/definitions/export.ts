import { topicPermissionsOf, type UserRecord } from '../security/state.ts';
import type { Users } from '../security/users.ts';
import type { VirtualHost } from '../virtual-hosts/virtual-host.ts';
import type { VirtualHosts } from '../virtual-hosts/virtual-hosts.ts';
import { jsonOfTable } from './arguments.ts';
import type { DefinitionsInput } from './schema.ts';

/** All that lasts of users and virtual hosts but the messages, as RabbitMQ writes it: of queues all that are not exclusive. */
export function exportDefinitions(virtualHosts: VirtualHosts, users: Users): DefinitionsInput {
  const hosts = virtualHosts.names().flatMap((name) => virtualHosts.get(name) ?? []);
  const records = [...users.all()].flatMap(({ record }) => record ?? []);
  return {
    users: records.map(userDefinition),
    vhosts: hosts.map(({ name, info }) => ({ name, metadata: { default_queue_type: info.defaultQueueType } })),
    permissions: records.flatMap(({ name, permissions }) =>
      [...permissions].map(([vhost, patterns]) => ({ user: name, vhost, ...patterns })),
    ),
    topic_permissions: records.flatMap((user) =>
      [...topicPermissionsOf(user)].map(([vhost, exchange, patterns]) => ({
        user: user.name,
        vhost,
        exchange,
        ...patterns,
      })),
    ),
    parameters: [],
    global_parameters: [],
    policies: hosts.flatMap(policyDefinitions),
    queues: hosts.flatMap(queueDefinitions),
    exchanges: hosts.flatMap(exchangeDefinitions),
    bindings: hosts.flatMap(bindingDefinitions),
  };
}

function userDefinition({ name, credentials: { password }, tags, limits }: UserRecord) {
  return {
    name,
    password_hash: password?.hash ?? '',
    hashing_algorithm: password?.algorithm ?? 'rabbit_password_hashing_sha256',
    tags: [...tags],
    limits: { ...limits },
  };
}

function policyDefinitions(host: VirtualHost) {
  return [...host.policies()].map(({ name, pattern, applyTo, priority, definition }) => ({
    vhost: host.name,
    name,
    pattern,
    'apply-to': applyTo,
    priority,
    definition: { ...definition },
  }));
}

function queueDefinitions(host: VirtualHost) {
  return [...host.queues()]
    .filter(({ exclusive }) => !exclusive)
    .map(({ name, type, durable, autoDelete, arguments: args }) => ({
      name,
      vhost: host.name,
      type,
      durable,
      auto_delete: autoDelete,
      arguments: jsonOfTable(args),
    }));
}

function exchangeDefinitions(host: VirtualHost) {
  return [...host.exchanges()]
    .filter(({ name }) => !isPredeclared(name))
    .map(({ name, type, durable, autoDelete, internal, arguments: args }) => ({
      name,
      vhost: host.name,
      type,
      durable,
      auto_delete: autoDelete,
      internal,
      arguments: jsonOfTable(args),
    }));
}

function bindingDefinitions(host: VirtualHost) {
  const exclusive = new Set<string>();
  for (const queue of host.queues()) if (queue.exclusive) exclusive.add(queue.name);
  return [...host.bindings()]
    .filter(({ endpoint, destinationName }) => endpoint.exchange !== undefined || !exclusive.has(destinationName))
    .map(({ source, endpoint, destinationName, key, args }) => ({
      source,
      vhost: host.name,
      destination: destinationName,
      destination_type: endpoint.exchange === undefined ? ('queue' as const) : ('exchange' as const),
      routing_key: key,
      arguments: jsonOfTable(args),
    }));
}

/** Those that every virtual host has, and no client can make. */
export function isPredeclared(exchange: string): boolean {
  return exchange === '' || exchange.startsWith('amq.');
}
