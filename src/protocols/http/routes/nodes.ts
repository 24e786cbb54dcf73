import { notFound } from '../errors.ts';
import { troubles } from '../health.ts';
import { pickColumns, type Shown } from '../listing.ts';
import { type Call, get, type Route } from '../route.ts';
import { nodeName, type ServerFacts } from '../server-facts.ts';
import { counted, isDisabled, rangeOf } from '../statistics.ts';

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

/** What it does to memory and disk, as far as it is known here: there are no Erlang processes, and no files of single queues. */
async function statistics(call: Call, freeBytes: number | undefined): Promise<Shown> {
  const { broker } = call;
  const { overview } = broker.telemetry;
  const { commitLog } = broker.telemetry.storage();
  const range = rangeOf(call, 'node_stats');
  const of = (name: string, total: number) => counted(name, total, overview, range);
  const { memory, vitals } = broker.environment;
  const files = await vitals?.openFiles();
  return {
    ...of('mem_used', memory.used()),
    ...(freeBytes !== undefined && of('disk_free', freeBytes)),
    ...(files !== undefined && { fd_used: files }),
    sockets_used: broker.clients.size,
    ...of('io_write_count', commitLog.writes),
    ...of('io_write_bytes', commitLog.writtenBytes),
    ...of('io_sync_count', commitLog.flushes),
    io_sync_avg_time: commitLog.flushes === 0 ? 0 : commitLog.flushMs / commitLog.flushes,
  };
}

async function node(call: Call): Promise<Shown> {
  const { broker, server } = call;
  const { clock, files, memory } = broker.environment;
  const name = nodeName(broker.settings.nodeId);
  const found = troubles(broker);
  const { disk } = server;
  const freeBytes = disk && (await files.freeBytes(disk.directory));
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
      disk_free: freeBytes,
      disk_free_limit: disk.minFreeBytes,
      db_dir: disk.directory,
    }),
    disk_free_alarm: found.includes('disk'),
    rates_mode: 'basic',
    exchange_types: EXCHANGE_TYPES,
    auth_mechanisms: AUTH_MECHANISMS,
    applications: [{ name: server.product, description: server.product, version: server.version }],
    contexts: contextsOf(server, name),
    partitions: [],
    cluster_links: [],
    log_files: [],
    config_files: [],
    enabled_plugins: [],
    ...(isDisabled(call) ? {} : await statistics(call, freeBytes)),
  };
}
