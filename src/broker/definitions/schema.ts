import { z } from 'zod';
import { BrokerError } from '../../errors.ts';

/*
 * RabbitMQ's definitions: what `rabbitmqctl export_definitions` and its management plugin write. Fields that are not known are
 * left out of account, as there: each version has some more.
 */

const name = z.string().min(1);
/** Files of a single virtual host do not have it: they cannot be imported as a whole. */
const vhost = z.string('it is missing: the file is that of one virtual host, export all of them').min(1);
/** RabbitMQ before 3.7 wrote `[]` for an empty object. */
const table = z.union([z.record(z.string(), z.json()), z.tuple([]).transform(() => ({}))]).default({});
const list = <Item extends z.ZodType>(item: Item) => z.array(item).default([]);

const user = z.object({
  name,
  password: z.string().optional(),
  /** Empty for a user without a password. */
  password_hash: z.string().optional(),
  hashing_algorithm: z.string().default('rabbit_password_hashing_sha256'),
  /** RabbitMQ before 3.9 wrote them with commas between. */
  tags: z.union([z.array(z.string()), z.string().transform((tags) => tags.split(','))]).default([]),
  limits: z.union([z.record(z.string(), z.int()), z.tuple([]).transform(() => ({}))]).default({}),
});

const virtualHost = z.object({
  name,
  default_queue_type: z.string().optional(),
  metadata: z.object({ default_queue_type: z.string().optional() }).optional(),
});

const permission = z.object({ user: name, vhost, configure: z.string(), write: z.string(), read: z.string() });
const topicPermission = z.object({ user: name, vhost, exchange: z.string(), write: z.string(), read: z.string() });

const policy = z.object({
  vhost,
  name,
  pattern: z.string(),
  'apply-to': z.enum(['all', 'queues', 'classic_queues', 'quorum_queues', 'streams', 'exchanges']).default('all'),
  priority: z.int().default(0),
  definition: z.record(z.string(), z.json()),
});

const queue = z.object({
  name,
  vhost,
  type: z.string().optional(),
  durable: z.boolean().default(true),
  auto_delete: z.boolean().default(false),
  arguments: table,
});

const exchange = z.object({
  /** Of the default exchange it is empty. */
  name: z.string(),
  vhost,
  type: name,
  durable: z.boolean().default(true),
  auto_delete: z.boolean().default(false),
  internal: z.boolean().default(false),
  arguments: table,
});

const binding = z.object({
  source: z.string(),
  vhost,
  destination: name,
  destination_type: z.enum(['queue', 'exchange']),
  routing_key: z.string().default(''),
  arguments: table,
});

const definitionsSchema = z.object({
  users: list(user),
  vhosts: list(virtualHost),
  permissions: list(permission),
  topic_permissions: list(topicPermission),
  parameters: list(z.unknown()),
  global_parameters: list(z.unknown()),
  policies: list(policy),
  queues: list(queue),
  exchanges: list(exchange),
  bindings: list(binding),
});

/** Definitions, checked and complete. */
export type Definitions = z.output<typeof definitionsSchema>;
/** What can be imported. */
export type DefinitionsInput = z.input<typeof definitionsSchema>;

/** Throws `invalid-configuration`, which names the place of what is wrong first. */
export function parseDefinitions(json: unknown): Definitions {
  const { data, error } = definitionsSchema.safeParse(json);
  if (data !== undefined) return data;
  // A failed parse has at least one issue.
  const { path, message } = error.issues[0]!;
  throw new BrokerError('invalid-configuration', `${placeOf(path)}: ${message}`, { cause: error });
}

/** `queues[3].arguments` */
function placeOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'definitions';
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}
