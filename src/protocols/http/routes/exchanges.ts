import { z } from 'zod';
import {
  type ExchangeEntry,
  jsonOfTable,
  Permissions,
  stringOf,
  tableOf,
  type VirtualHost,
} from '../../../broker/index.ts';
import { reachableHosts } from '../access.ts';
import { fields, flag } from '../body-types.ts';
import { notAuthorised } from '../errors.ts';
import { type Listed, pickColumns, type Shown } from '../listing.ts';
import { type Call, DONE, found, get, getList, made, put, type Route, remove } from '../route.ts';
import { exchangeStats, isDisabled, rangeOf } from '../statistics.ts';

const IN_HOST = 'virtual-host';
/** How the default exchange, which has no name, stands in paths. */
const DEFAULT_EXCHANGE = 'amq.default';

const declaration = z.object({
  type: z.string().default('direct'),
  durable: flag().default(false),
  auto_delete: flag().default(false),
  internal: flag().default(false),
  arguments: fields().default({}),
});

/** The default exchange has no entry. */
type Shared = Omit<ExchangeEntry, 'policy' | 'counts'> & { readonly policy?: ExchangeEntry['policy'] };

interface ExchangeAt {
  readonly host: VirtualHost;
  readonly exchange: Shared;
}

const THE_DEFAULT: Shared = {
  name: '',
  type: 'direct',
  durable: true,
  autoDelete: false,
  internal: false,
  arguments: new Map(),
};

export const exchangeRoutes: readonly Route[] = [
  getList('/exchanges', { access: 'user', summary: 'Exchanges of all virtual hosts' }, (call) =>
    listed(call, reachableHosts(call.broker, call.user)),
  ),
  getList('/exchanges/:vhost', { access: IN_HOST, summary: 'Exchanges of a virtual host' }, (call) =>
    listed(call, [call.host]),
  ),
  get('/exchanges/:vhost/:exchange', { access: IN_HOST, summary: 'One exchange' }, (call) =>
    pickColumns(exchangeShower(call)({ host: call.host, exchange: exchangeOf(call) }), (name) => call.query(name)),
  ),
  put('/exchanges/:vhost/:exchange', { access: IN_HOST, summary: 'Declares an exchange' }, declaration, declare),
  remove('/exchanges/:vhost/:exchange', { access: IN_HOST, summary: 'Deletes an exchange' }, async (call) => {
    const { host, user } = call;
    const { name } = exchangeOf(call);
    if (name === '' || name.startsWith('amq.'))
      throw notAuthorised(`deletion of system exchange '${name}' in vhost '${host.name}' not allowed`);
    new Permissions(user, host.name).check('configure', 'exchange', name);
    await host.deleteExchange(name, { ifUnused: call.query('if-unused') === 'true' });
    return DONE;
  }),
];

/** A name from a path. */
export function exchangeName(text: string): string {
  return text === DEFAULT_EXCHANGE ? '' : text;
}

/** Throws 404. */
export function exchangeOf(call: Call): Shared {
  const name = exchangeName(call.param('exchange'));
  return name === '' ? THE_DEFAULT : found(call.host.exchange(name));
}

function listed(call: Call, hosts: readonly VirtualHost[]): Listed<ExchangeAt> {
  return {
    items: hosts.flatMap((host) => [THE_DEFAULT, ...host.exchanges()].map((exchange) => ({ host, exchange }))),
    basics: ({ host, exchange }) => showExchange(host, exchange),
    show: exchangeShower(call),
    order: ['vhost', 'name'],
    paged: true,
  };
}

async function declare(call: Call, given: z.output<typeof declaration>) {
  const { host, user } = call;
  const name = exchangeName(call.param('exchange'));
  const args = tableOf(given.arguments);
  const isNew = host.exchange(name) === undefined;
  const alternate = isNew ? stringOf(args.get('alternate-exchange')) : undefined;
  new Permissions(user, host.name).checkMaking('exchange', name, alternate);
  const { type, durable, auto_delete: autoDelete, internal } = given;
  await host.declareExchange({ name, type, durable, autoDelete, internal, arguments: args });
  return made(isNew);
}

/** With what the query asks for beside. */
function exchangeShower(call: Call): (at: ExchangeAt) => Shown {
  if (isDisabled(call)) return ({ host, exchange }) => showExchange(host, exchange);
  const range = rangeOf(call, 'msg_rates');
  const { exchanges } = call.broker.telemetry;
  return ({ host, exchange }) => {
    const counts = host.exchange(exchange.name)?.counts ?? host.defaultExchangeCounts;
    return { ...showExchange(host, exchange), ...exchangeStats(counts, exchanges.of(counts), range) };
  };
}

function showExchange(host: VirtualHost, exchange: Shared): Shown {
  const { name, type, durable, autoDelete, internal, arguments: args, policy } = exchange;
  return {
    name,
    vhost: host.name,
    type,
    durable,
    auto_delete: autoDelete,
    internal,
    arguments: jsonOfTable(args),
    ...(policy && { policy: policy.name }),
  };
}
