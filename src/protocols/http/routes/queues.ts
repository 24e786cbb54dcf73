import { z } from 'zod';
import {
  connectionName,
  jsonOfTable,
  Permissions,
  type QueueEntry,
  stringOf,
  tableOf,
  type VirtualHost,
} from '../../../broker/index.ts';
import { reachableHosts } from '../access.ts';
import { fields, flag } from '../body-types.ts';
import { badRequest, type HttpError } from '../errors.ts';
import { type Listed, pickColumns, type Shown } from '../listing.ts';
import { type Call, DONE, found, get, getList, made, post, put, type Route, remove } from '../route.ts';
import { nodeName } from '../server-facts.ts';
import { counted, isDisabled, messageStats, QUEUE_COUNTS, rangeOf, streamStats } from '../statistics.ts';
import { consumersOf, showConsumer } from './clients.ts';

/** A queue, and where it is. */
export interface QueueAt {
  readonly host: VirtualHost;
  readonly entry: QueueEntry;
}

const IN_HOST = 'virtual-host';

const declaration = z.object({
  durable: flag().default(false),
  auto_delete: flag().default(false),
  arguments: fields().default({}),
});

export const queueRoutes: readonly Route[] = [
  getList('/queues', { access: 'user', summary: 'Queues of all virtual hosts' }, (call) =>
    listed(call, reachableHosts(call.broker, call.user)),
  ),
  getList('/queues/:vhost', { access: IN_HOST, summary: 'Queues of a virtual host' }, (call) =>
    listed(call, [call.host]),
  ),
  get('/queues/:vhost/:queue', { access: IN_HOST, summary: 'One queue' }, (call) => {
    const queue = queueOf(call);
    const shown = queueShower(call)(queue);
    return pickColumns({ ...shown, ...usersOf(call, queue) }, (name) => call.query(name));
  }),
  put('/queues/:vhost/:queue', { access: IN_HOST, summary: 'Declares a queue' }, declaration, declare),
  remove('/queues/:vhost/:queue', { access: IN_HOST, summary: 'Deletes a queue' }, async (call) => {
    const { host, entry } = queueOf(call);
    new Permissions(call.user, host.name).check('configure', 'queue', entry.name);
    const [ifUnused, ifEmpty] = [call.query('if-unused') === 'true', call.query('if-empty') === 'true'];
    await host.deleteQueue(entry.name, { ifUnused, ifEmpty });
    return DONE;
  }),
  remove('/queues/:vhost/:queue/contents', { access: IN_HOST, summary: 'Drops the messages of a queue' }, (call) => {
    const { host, entry } = queueOf(call);
    new Permissions(call.user, host.name).check('read', 'queue', entry.name);
    // Throws where another connection has the queue for itself.
    host.checkQueue(entry.name);
    if (entry.kind === 'stream') throw notForStreams('queue.purge', host, entry.name);
    entry.queue.purge();
    return DONE;
  }),
  post(
    '/queues/:vhost/:queue/actions',
    { access: 'administrator', summary: 'Actions on mirrored queues: there are none to act on' },
    z.object({ action: z.string() }),
    (call, { action }) => {
      queueOf(call);
      throw badRequest(`unknown action '${action}': queues are not mirrored`);
    },
  ),
];

export function queueOf(call: Call): QueueAt {
  const { host } = call;
  return { host, entry: found(host.queue(call.param('queue'))) };
}

export function notForStreams(method: string, host: VirtualHost, queue: string): HttpError {
  return badRequest(
    `540 NOT_IMPLEMENTED - ${method} not supported by stream queues queue '${queue}' in vhost '${host.name}'`,
  );
}

/** Who consumes from a queue, and whose it is when it is exclusive. */
function usersOf(call: Call, { host, entry }: QueueAt): Shown {
  const connections = [...call.broker.clients.all()].filter(({ virtualHost }) => virtualHost === host.name);
  const consumers = consumersOf(connections).filter(({ consumer }) => consumer.queue === entry.name);
  const single = entry.kind === 'queue' && entry.queue.settings.singleActiveConsumer;
  const owner = connections.find((connection) => entry.owner !== undefined && connection.owner === entry.owner);
  return {
    consumer_details: consumers.map((consumer) => showConsumer(call, consumer)),
    exclusive_consumer_tag: consumers.find(({ consumer }) => consumer.exclusive)?.consumer.tag ?? null,
    single_active_consumer_tag: single
      ? (consumers.find(({ consumer }) => consumer.active)?.consumer.tag ?? null)
      : null,
    ...(owner && {
      owner_pid_details: { name: connectionName(owner), peer_host: owner.peer.host, peer_port: owner.peer.port },
    }),
  };
}

/** Messages of some queues. */
export function totalsOf(hosts: Iterable<VirtualHost>) {
  const totals = { messages: 0, messages_ready: 0, messages_unacknowledged: 0 };
  for (const host of hosts)
    for (const entry of host.queues()) {
      const { messages, ready, unacknowledged } = countsOf(entry);
      totals.messages += messages;
      totals.messages_ready += ready;
      totals.messages_unacknowledged += unacknowledged;
    }
  return totals;
}

function listed(call: Call, hosts: readonly VirtualHost[]): Listed<QueueAt> {
  const show = queueShower(call);
  return {
    items: hosts.flatMap((host) => [...host.queues()].map((entry) => ({ host, entry }))),
    basics,
    show,
    order: ['vhost', 'name'],
    paged: true,
  };
}

async function declare(call: Call, given: z.output<typeof declaration>) {
  const { host, user } = call;
  const name = call.param('queue');
  const args = tableOf(given.arguments);
  const isNew = host.queue(name) === undefined;
  const deadLetters = isNew ? stringOf(args.get('x-dead-letter-exchange')) : undefined;
  new Permissions(user, host.name).checkMaking('queue', name, deadLetters);
  const { durable, auto_delete: autoDelete } = given;
  await host.declareQueue({ name, durable, autoDelete, exclusive: false, arguments: args });
  return made(isNew);
}

/** What lists are sorted and filtered by: asked of every queue, so it has to be quick. */
function basics({ host, entry }: QueueAt): Shown {
  const { name, durable, autoDelete, exclusive, type } = entry;
  const { messages, ready, unacknowledged } = countsOf(entry);
  return {
    vhost: host.name,
    name,
    durable,
    auto_delete: autoDelete,
    exclusive,
    type,
    messages,
    messages_ready: ready,
    messages_unacknowledged: unacknowledged,
    consumers: consumerCount(entry),
  };
}

function consumerCount(entry: QueueEntry): number {
  return entry.kind === 'stream' ? entry.stream.consumerCount : entry.queue.consumerCount;
}

function countsOf(entry: QueueEntry): { messages: number; ready: number; unacknowledged: number } {
  if (entry.kind === 'stream') {
    const { messageCount } = entry.stream;
    return { messages: messageCount, ready: messageCount, unacknowledged: 0 };
  }
  const { readyCount: ready, unacknowledgedCount: unacknowledged } = entry.queue;
  return { messages: ready + unacknowledged, ready, unacknowledged };
}

function showQueue(queue: QueueAt, node: string): Shown {
  const { entry } = queue;
  const { policy } = entry;
  return {
    ...showDeclaration(queue, node),
    state: 'running',
    policy: policy?.name ?? null,
    operator_policy: null,
    effective_policy_definition: policy?.definition ?? {},
    consumers: consumerCount(entry),
    ...showCounts(entry),
    ...(entry.kind === 'queue' && { message_bytes_ready: entry.queue.readyBytes }),
  };
}

/** As lists show a queue, with what the query asks for beside. */
function queueShower(call: Call): (queue: QueueAt) => Shown {
  const node = nodeName(call.broker.settings.nodeId);
  if (isDisabled(call)) return (queue) => showBriefly(queue, node, call.query('enable_queue_totals') === 'true');
  const rates = rangeOf(call, 'msg_rates');
  const lengths = rangeOf(call, 'lengths');
  const { queues, streams } = call.broker.telemetry;
  return (queue) => {
    const shown = showQueue(queue, node);
    const { entry } = queue;
    if (entry.kind === 'stream') {
      const { counts } = entry.stream.stream;
      const samples = streams.of(counts);
      return {
        ...shown,
        ...counted('messages', entry.stream.messageCount, samples, lengths),
        ...streamStats(counts, samples, rates),
      };
    }
    const { counts, readyCount, unacknowledgedCount } = entry.queue;
    const samples = queues.of(counts);
    return {
      ...shown,
      ...counted('messages', readyCount + unacknowledgedCount, samples, lengths),
      ...counted('messages_ready', readyCount, samples, lengths),
      ...counted('messages_unacknowledged', unacknowledgedCount, samples, lengths),
      ...messageStats(counts, QUEUE_COUNTS, samples, rates),
    };
  };
}

/** What RabbitMQ shows with `disable_stats`, and with `enable_queue_totals` besides. */
function showBriefly(queue: QueueAt, node: string, totals: boolean): Shown {
  return { ...showDeclaration(queue, node), ...(totals && showCounts(queue.entry)) };
}

/** What a queue is, whatever is in it. */
function showDeclaration({ host, entry }: QueueAt, node: string): Shown {
  const { name, type, durable, exclusive, autoDelete, arguments: args } = entry;
  return {
    name,
    vhost: host.name,
    type,
    durable,
    auto_delete: autoDelete,
    exclusive,
    arguments: jsonOfTable(args),
    node,
  };
}

function showCounts(entry: QueueEntry): Shown {
  const { messages, ready, unacknowledged } = countsOf(entry);
  return { messages, messages_ready: ready, messages_unacknowledged: unacknowledged };
}
