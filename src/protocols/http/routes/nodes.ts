import { notFound } from '../errors.ts';
import { troubles } from '../health.ts';
import { pickColumns, type Shown } from '../listing.ts';
import { type Call, get, type Route } from '../route.ts';
import { nodeName, type ServerFacts } from '../server-facts.ts';

export const EXCHANGE_TYPES = ['direct', 'fanout', 'headers', 'topic', 'x-consistent-hash', 'x-delayed-message'].map(
  (name) => ({ name, description: `AMQP ${name} exchange`, enabled: true }),
);

const AUTH_MECHANISMS = ['PLAIN', 'AMQPLAIN', 'EXTERNAL'].map((name) => ({
  ...{ name, description: `SASL ${name} authentication mechanism`, enabled: true },
}));

export const nodeRoutes: readonly Route[] = [
  get('/nodes', { access: 'monitor', summary: 'The broker' }, async (call) => [await shown(call)]),
  get('/nodes/:node', { access: 'monitor', summary: 'The broker' }, (call) => {
    if (call.param('node') !== nodeName(call.broker.settings.nodeId)) throw notFound();
    return shown(call);
  }),
];

/** Where clients connect to. */
export function listenersOf(server: ServerFacts, node: string): Shown[] {
  return server.listeners().map(({ protocol, host, port }) => ({ node, protocol, ip_address: host, port }));
}

/** Where this API is. */
export function contextsOf(server: ServerFacts, node: string): Shown[] {
  return server
    .listeners()
    .filter(({ protocol }) => protocol.startsWith('http'))
    .map(({ host, port }) => ({ node, description: 'HTTP API', path: '/', ip: host, port: String(port) }));
}

async function shown(call: Call): Promise<Shown> {
  return pickColumns(await node(call), (name) => call.query(name));
}

async function node({ broker, server }: Call): Promise<Shown> {
  const { clock, files, memory } = broker.environment;
  const name = nodeName(broker.settings.nodeId);
  const found = troubles(broker);
  const { disk } = server;
  return {
    name,
    type: disk === undefined ? 'ram' : 'disc',
    running: true,
    being_drained: false,
    os_pid: String(process.pid),
    uptime: Math.round(clock.monotonic() - server.startedAt),
    mem_used: memory.used(),
    mem_limit: broker.memoryAlarm.limitBytes,
    mem_alarm: found.includes('memory'),
    ...(disk && {
      disk_free: await files.freeBytes(disk.directory),
      disk_free_limit: disk.minFreeBytes,
      db_dir: disk.directory,
    }),
    disk_free_alarm: found.includes('disk'),
    rates_mode: 'none',
    exchange_types: EXCHANGE_TYPES,
    auth_mechanisms: AUTH_MECHANISMS,
    applications: [{ name: server.product, description: server.product, version: server.version }],
    contexts: contextsOf(server, name),
    partitions: [],
    cluster_links: [],
    log_files: [],
    config_files: [],
    enabled_plugins: [],
  };
}
