import type { Access } from '../access.ts';
import { notFound } from '../errors.ts';
import { troubles } from '../health.ts';
import { type Answer, type Call, get, ok, type Route } from '../route.ts';
import { nodeName } from '../server-facts.ts';

const OK = { status: 'ok' } as const;

/** For whatever watches the process: without a login, and with nothing in it that a stranger may not know. */
export const probeRoutes: readonly Route[] = [
  get('/healthz', { access: 'open', summary: 'The process is alive' }, () => OK),
  probe(
    '/readyz',
    'open',
    'Clients can be served: there is memory, and storage takes what is written',
    ({ broker }) => {
      const found = troubles(broker);
      return found.length === 0 ? OK : { status: 'failed', reasons: found };
    },
  ),
];

export const healthRoutes: readonly Route[] = [
  probe('/health/checks/alarms', 'user', 'No alarm is in effect', alarms('There are alarms in effect in the cluster')),
  probe(
    '/health/checks/local-alarms',
    'user',
    'No alarm is in effect here',
    alarms('There are alarms in effect on the node'),
  ),
  probe('/health/checks/virtual-hosts', 'user', 'All virtual hosts are served', () => OK),
  probe('/health/checks/node-is-quorum-critical', 'user', 'Nothing depends on this broker alone', single),
  probe('/health/checks/node-is-mirror-sync-critical', 'user', 'Nothing depends on this broker alone', single),
  probe('/health/checks/is-in-service', 'user', 'The broker serves clients', () => OK),
  probe('/health/checks/ready-to-serve-clients', 'user', 'The broker serves clients', () => OK),
  probe('/health/checks/port-listener/:port', 'user', 'There is a listener on the port', ({ server, param }) => {
    const ports = server.listeners().map(({ port }) => port);
    const port = Number(param('port'));
    if (ports.includes(port)) return { ...OK, port };
    return { status: 'failed', reason: 'No active listener', missing: port, ports };
  }),
  probe(
    '/health/checks/protocol-listener/:protocol',
    'user',
    'There is a listener for the protocol',
    ({ server, param }) => {
      const protocols = server.listeners().map(({ protocol }) => protocol);
      const protocol = param('protocol');
      if (protocols.includes(protocolOf(protocol))) return { ...OK, protocol };
      return { status: 'failed', reason: 'No active listener', missing: protocol, protocols };
    },
  ),
  probe('/aliveness-test/:vhost', 'virtual-host', 'The virtual host is served', (call) => {
    const { host } = call;
    const found = troubles(call.broker);
    return found.length === 0 ? OK : { status: 'failed', reason: `vhost '${host.name}': ${found.join(', ')}` };
  }),
  probe('/healthchecks/node', 'user', 'No alarm is in effect', alarms('There are alarms in effect')),
  probe('/healthchecks/node/:node', 'user', 'No alarm is in effect', (call) => {
    if (call.param('node') !== nodeName(call.broker.settings.nodeId)) throw notFound();
    return alarms('There are alarms in effect')(call);
  }),
];

interface Outcome {
  readonly status: 'ok' | 'failed';
  readonly [detail: string]: unknown;
}

/** 200, or 503 where it failed. */
function probe(path: string, access: Access, summary: string, check: (call: Call) => Outcome): Route {
  const answer = (call: Call): Answer => {
    const outcome = check(call);
    return outcome.status === 'ok' ? ok(outcome) : { status: 503, body: outcome };
  };
  return { ...get(path, { access, summary }, check), answer: async (call) => answer(call) };
}

function alarms(reason: string): (call: Call) => Outcome {
  return ({ broker }) => {
    const found = troubles(broker);
    if (found.length === 0) return OK;
    const node = nodeName(broker.settings.nodeId);
    return { status: 'failed', reason, alarms: found.map((resource) => ({ node, resource })) };
  };
}

function single(): Outcome {
  return { status: 'ok', reason: 'single node cluster' };
}

/** By the names that RabbitMQ has for them. */
function protocolOf(name: string): string {
  return name === 'amqp091' || name === 'amqp/ssl' ? 'amqp' : name;
}
