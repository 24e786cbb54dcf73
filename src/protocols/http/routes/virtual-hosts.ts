import { z } from 'zod';
import type { QueueType, VirtualHost } from '../../../broker/index.ts';
import { visibleHosts } from '../access.ts';
import { flag } from '../body-types.ts';
import { badRequest } from '../errors.ts';
import type { Shown } from '../listing.ts';
import { type Call, DONE, get, getList, made, put, type Route, remove } from '../route.ts';
import { nodeName } from '../server-facts.ts';
import { CLIENT_COUNTS, counted, isDisabled, messageStats, rangeOf } from '../statistics.ts';
import { totalsOf } from './queues.ts';

const ADMIN = 'administrator';
const QUEUE_TYPES = ['classic', 'quorum', 'stream'] as const satisfies QueueType[];
const EVERYTHING = { configure: '.*', write: '.*', read: '.*' };

/** Descriptions and tags are not kept. */
const given = z.object({
  default_queue_type: z.enum([...QUEUE_TYPES, 'undefined']).optional(),
  tracing: flag().default(false),
});

export const virtualHostRoutes: readonly Route[] = [
  getList('/vhosts', { access: 'user', summary: 'Virtual hosts that the user sees' }, (call) => ({
    items: visibleHosts(call.broker, call.user),
    basics: ({ name }: VirtualHost) => ({ name }),
    show: (host: VirtualHost) => show(call, host),
    order: ['name'],
    paged: true,
  })),
  get('/vhosts/:vhost', { access: ADMIN, summary: 'One virtual host' }, (call) => show(call, call.host)),
  put('/vhosts/:vhost', { access: ADMIN, summary: 'Makes a virtual host' }, given, create),
  remove('/vhosts/:vhost', { access: ADMIN, summary: 'Deletes a virtual host with everything in it' }, async (call) => {
    await call.broker.virtualHosts.delete(call.host.name);
    return DONE;
  }),
];

/** Whoever made it may do everything in it, as from RabbitMQ. */
async function create(call: Call, { default_queue_type: type, tracing }: z.output<typeof given>) {
  const { virtualHosts, users } = call.broker;
  const name = call.param('vhost');
  if (tracing) throw badRequest('tracing is not supported');
  if (virtualHosts.get(name) !== undefined) return made(false);
  await virtualHosts.create(name, type === undefined || type === 'undefined' ? {} : { defaultQueueType: type });
  await users.setPermissions(call.user.name, name, EVERYTHING);
  return made(true);
}

function show(call: Call, host: VirtualHost): Shown {
  const { broker } = call;
  const type = host.info.defaultQueueType;
  return {
    name: host.name,
    description: '',
    tags: [],
    default_queue_type: type,
    metadata: { description: '', tags: [], default_queue_type: type },
    tracing: false,
    cluster_state: { [nodeName(broker.settings.nodeId)]: 'running' },
    ...(isDisabled(call) ? {} : statistics(call, host)),
  };
}

function statistics(call: Call, host: VirtualHost): Shown {
  const samples = call.broker.telemetry.hosts.of(host.messageCounts);
  const lengths = rangeOf(call, 'lengths');
  const totals = Object.entries(totalsOf([host])).map(([name, total]) => counted(name, total, samples, lengths));
  const stats = messageStats(host.messageCounts, CLIENT_COUNTS, samples, rangeOf(call, 'msg_rates'));
  return { ...Object.assign({}, ...totals), ...stats };
}
