import { z } from 'zod';
import {
  type Binding,
  type Destination,
  type FieldTable,
  jsonOfTable,
  Permissions,
  tableOf,
  type VirtualHost,
} from '../../../broker/index.ts';
import { reachableHosts } from '../access.ts';
import { bindingKey } from '../binding-key.ts';
import { fields } from '../body-types.ts';
import { badRequest, notAuthorised, notFound } from '../errors.ts';
import type { Listed, Shown } from '../listing.ts';
import { type Call, DONE, found, get, getList, post, type Route, remove } from '../route.ts';
import { exchangeName } from './exchanges.ts';

const IN_HOST = 'virtual-host';
const BETWEEN = '/bindings/:vhost/e/:source/:dtype/:destination';

interface BindingAt {
  readonly host: VirtualHost;
  readonly source: string;
  readonly destination: string;
  readonly type: 'queue' | 'exchange';
  readonly key: string;
  readonly args: FieldTable;
}

const given = z.object({ routing_key: z.string().default(''), arguments: fields().default({}) });

export const bindingRoutes: readonly Route[] = [
  getList('/bindings', { access: 'user', summary: 'Bindings of all virtual hosts' }, ({ broker, user }) =>
    listed(reachableHosts(broker, user).flatMap(allOf)),
  ),
  getList('/bindings/:vhost', { access: IN_HOST, summary: 'Bindings of a virtual host' }, ({ host }) =>
    listed(allOf(host)),
  ),
  getList('/queues/:vhost/:queue/bindings', { access: IN_HOST, summary: 'Bindings to a queue' }, (call) =>
    listed(to(call.host, 'queue', call.param('queue'))),
  ),
  getList(
    '/exchanges/:vhost/:exchange/bindings/source',
    { access: IN_HOST, summary: 'Bindings from an exchange' },
    (call) => listed(from(call.host, exchangeName(call.param('exchange')))),
  ),
  getList(
    '/exchanges/:vhost/:exchange/bindings/destination',
    { access: IN_HOST, summary: 'Bindings to an exchange' },
    (call) => listed(to(call.host, 'exchange', exchangeName(call.param('exchange')))),
  ),
  getList(BETWEEN, { access: IN_HOST, summary: 'Bindings from an exchange to one queue (q) or exchange (e)' }, (call) =>
    listed(between(call)),
  ),
  post(BETWEEN, { access: IN_HOST, summary: 'Binds a queue or an exchange to an exchange' }, given, bind),
  get(`${BETWEEN}/:props`, { access: IN_HOST, summary: 'One binding, by its `properties_key`' }, (call) =>
    show(one(call)),
  ),
  remove(`${BETWEEN}/:props`, { access: IN_HOST, summary: 'Takes a binding away' }, async (call) => {
    const { host, source, destination, type, key, args } = one(call);
    checkPermissions(call, { host, source, destination, type, key });
    if (type === 'queue') await host.unbindQueue(destination, source, key, args);
    else await host.unbindExchange(destination, source, key, args);
    return DONE;
  }),
];

async function bind(call: Call, { routing_key: key, arguments: json }: z.output<typeof given>) {
  const { host } = call;
  const { source, destination, type } = ends(call);
  const args = tableOf(json);
  checkPermissions(call, { host, source, destination, type, key });
  const isNew =
    type === 'queue'
      ? await host.bindQueue(destination, source, key, args)
      : await host.bindExchange(destination, source, key, args);
  const last = encodeURIComponent(bindingKey(key, args));
  return {
    status: 201,
    unchanged: !isNew,
    headers: { location: `${encodeURIComponent(call.param('destination'))}/${last}` },
  };
}

/** As for AMQP's clients. */
function checkPermissions({ user }: Call, { host, source, destination, type, key }: Omit<BindingAt, 'args'>): void {
  const permissions = new Permissions(user, host.name);
  permissions.check('write', type, destination);
  if (source === '' || (type === 'exchange' && destination === ''))
    throw notAuthorised('operation not permitted on the default exchange');
  permissions.check('read', 'exchange', source);
  const exchange = host.exchange(source);
  if (exchange !== undefined) permissions.checkTopic('read', exchange, key);
}

function ends(call: Call): Pick<BindingAt, 'source' | 'destination' | 'type'> {
  const source = exchangeName(call.param('source'));
  const dtype = call.param('dtype');
  if (dtype === 'q') return { source, destination: call.param('destination'), type: 'queue' };
  if (dtype === 'e') return { source, destination: exchangeName(call.param('destination')), type: 'exchange' };
  throw badRequest(`a destination is q (a queue) or e (an exchange), not '${dtype}'`);
}

function one(call: Call): BindingAt {
  const props = call.param('props');
  return found(between(call).find(({ key, args }) => bindingKey(key, args) === props));
}

function between(call: Call): BindingAt[] {
  const { source, destination, type } = ends(call);
  return to(call.host, type, destination).filter((binding) => binding.source === source);
}

function from(host: VirtualHost, source: string): BindingAt[] {
  if (source === '') return [...host.queues()].map(({ name }) => byDefault(host, name));
  if (host.exchange(source) === undefined) throw notFound();
  return Array.from(host.bindingsFrom(source), (binding) => at(host, binding));
}

function to(host: VirtualHost, type: BindingAt['type'], name: string): BindingAt[] {
  if (type === 'exchange') {
    if (name !== '' && host.exchange(name) === undefined) throw notFound();
    return Array.from(host.bindingsTo({ exchange: name }), (binding) => at(host, binding));
  }
  const { destination } = found(host.queue(name));
  return [byDefault(host, name), ...Array.from(host.bindingsTo(destination), (binding) => at(host, binding))];
}

function allOf(host: VirtualHost): BindingAt[] {
  return [...from(host, ''), ...Array.from(host.bindings(), (binding) => at(host, binding))];
}

function at(host: VirtualHost, { source, endpoint, destinationName, key, args }: Binding<Destination>): BindingAt {
  const type = endpoint.exchange === undefined ? 'queue' : 'exchange';
  return { host, source, destination: destinationName, type, key, args };
}

/** Every queue is bound to the default exchange by its name. */
function byDefault(host: VirtualHost, queue: string): BindingAt {
  return { host, source: '', destination: queue, type: 'queue', key: queue, args: new Map() };
}

function listed(items: readonly BindingAt[]): Listed<BindingAt> {
  return {
    items,
    basics: show,
    show,
    order: ['vhost', 'source', 'destination_type', 'destination', 'routing_key', 'properties_key'],
    paged: false,
  };
}

function show({ host, source, destination, type, key, args }: BindingAt): Shown {
  return {
    source,
    vhost: host.name,
    destination,
    destination_type: type,
    routing_key: key,
    arguments: jsonOfTable(args),
    properties_key: bindingKey(key, args),
  };
}
