import { z } from 'zod';
import { CHURN_COLUMNS, hashPassword, MessageCounts, type VirtualHost } from '../../../broker/index.ts';
import { isAdministrator, isMonitor, reachableHosts } from '../access.ts';
import { badRequest } from '../errors.ts';
import { pickColumns, type Shown } from '../listing.ts';
import { type Call, get, put, type Route } from '../route.ts';
import { nodeName, RABBITMQ_VERSION } from '../server-facts.ts';
import { CLIENT_COUNTS, counted, isDisabled, messageStats, rangeOf, together } from '../statistics.ts';
import { consumersOf } from './clients.ts';
import { contextsOf, EXCHANGE_TYPES, listenersOf } from './nodes.ts';
import { totalsOf } from './queues.ts';

export const overviewRoutes: readonly Route[] = [
  get('/overview', { access: 'user', summary: 'What the broker is, and how much there is of everything' }, (call) =>
    pickColumns(overview(call), (name) => call.query(name)),
  ),
  get('/cluster-name', { access: 'user', summary: 'The id of the cluster' }, ({ broker }) => ({
    name: broker.clusterId,
  })),
  put('/cluster-name', { access: 'administrator', summary: 'Is refused' }, z.record(z.string(), z.unknown()), () => {
    throw badRequest('the name of the cluster is set once: kafka.clusterId');
  }),
  get('/whoami', { access: 'user', summary: 'Who asks' }, ({ user: { name, tags } }) => ({ name, tags })),
  get('/auth', { access: 'open', summary: 'How to log in' }, () => ({ enable_uaa: false, oauth_enabled: false })),
  get(
    '/auth/hash_password/:password',
    { access: 'user', summary: 'What is kept of a password' },
    ({ broker, param }) => ({
      ok: hashPassword(param('password'), broker.environment.random).hash,
    }),
  ),
  get('/extensions', { access: 'user', summary: 'Extensions of the console: there are none' }, () => []),
  get('/feature-flags', { access: 'user', summary: 'Feature flags: everything is on' }, () => []),
];

/** Seconds; of the whole, of single objects, and of what RabbitMQ would show of pairs of these. */
const RETENTION = { global: [600, 3600, 28_800, 86_400], basic: [600, 3600], detailed: [600] };

/** What was done in the virtual hosts that the user reaches. */
function statistics(call: Call, hosts: readonly VirtualHost[]): Shown {
  const { broker, user } = call;
  const { telemetry } = broker;
  const lengths = rangeOf(call, 'lengths');
  const rates = rangeOf(call, 'msg_rates');
  const all = isAdministrator(user);
  const seen = hosts.flatMap(({ messageCounts }) => telemetry.hosts.of(messageCounts) ?? []);
  const samples = all ? telemetry.overview : together(seen);
  const counts = all ? telemetry.messageCounts() : new MessageCounts();
  if (!all) for (const { messageCounts } of hosts) counts.add(messageCounts);
  const totals = Object.entries(totalsOf(hosts)).map(([name, total]) => counted(name, total, samples, lengths));
  const churn = CHURN_COLUMNS.map(([name, column]) =>
    counted(column, broker.meters.churn[name], telemetry.overview, rates),
  );
  return {
    message_stats: {},
    ...messageStats(counts, CLIENT_COUNTS, samples, rates),
    queue_totals: Object.assign({}, ...totals),
    ...(isMonitor(user) && { churn_rates: Object.assign({}, ...churn) }),
  };
}

export function overview(call: Call): Shown {
  const { broker, user, server } = call;
  const hosts = reachableHosts(broker, user);
  const count = (of: (host: (typeof hosts)[number]) => Iterable<unknown>) =>
    hosts.reduce((sum, host) => sum + [...of(host)].length, 0);
  const name = nodeName(broker.settings.nodeId);
  const connections = [...broker.clients.all()].filter((each) => isMonitor(user) || each.user === user.name);
  const clients = {
    connections: connections.length,
    channels: connections.reduce((sum, { channels }) => sum + channels.length, 0),
    consumers: consumersOf(connections).length,
  };
  return {
    management_version: RABBITMQ_VERSION,
    rates_mode: 'basic',
    sample_retention_policies: RETENTION,
    exchange_types: EXCHANGE_TYPES,
    product_version: server.version,
    product_name: server.product,
    rabbitmq_version: RABBITMQ_VERSION,
    cluster_name: broker.clusterId,
    disable_stats: false,
    enable_queue_totals: false,
    statistics_db_event_queue: 0,
    ...(isDisabled(call) ? {} : statistics(call, hosts)),
    object_totals: {
      ...clients,
      // The default exchange is one too.
      exchanges: count((host) => host.exchanges()) + hosts.length,
      queues: count((host) => host.queues()),
      ...(isMonitor(user) && { streams: [...broker.streams.names()].length }),
    },
    ...(isMonitor(user) && { node: name, listeners: listenersOf(server, name), contexts: contextsOf(server, name) }),
  };
}
