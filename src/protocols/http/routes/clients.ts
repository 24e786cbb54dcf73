import {
  type ClientChannel,
  type ClientConnection,
  type ClientConsumer,
  connectionName,
  jsonOfTable,
  type User,
} from '../../../broker/index.ts';
import { isAdministrator, isMonitor } from '../access.ts';
import { notAuthorised } from '../errors.ts';
import { type Listed, pickColumns } from '../listing.ts';
import { type Call, DONE, found, get, getList, type Route, remove } from '../route.ts';
import { nodeName } from '../server-facts.ts';
import type { ChannelShape, ConnectionShape, ConsumerShape } from '../shapes/clients.ts';
import { CLIENT_COUNTS, counted, isDisabled, messageStats, rangeOf } from '../statistics.ts';

export interface ConsumerAt {
  readonly connection: ClientConnection;
  readonly channel: ClientChannel;
  readonly consumer: ClientConsumer;
}

interface ChannelAt {
  readonly connection: ClientConnection;
  readonly channel: ClientChannel;
}

const VISIBLE_HOST = 'virtual-host';

export const clientRoutes: readonly Route[] = [
  getList('/connections', { access: 'user', summary: 'Connections of all protocols' }, (call) =>
    listedConnections(call, visible(call)),
  ),
  getList('/vhosts/:vhost/connections', { access: VISIBLE_HOST, summary: 'Connections to a virtual host' }, (call) =>
    listedConnections(call, inHost(call)),
  ),
  getList('/connections/username/:username', { access: 'user', summary: 'Connections of a user' }, (call) =>
    listedConnections(
      call,
      visible(call).filter(({ user }) => user === call.param('username')),
    ),
  ),
  remove('/connections/username/:username', { access: 'user', summary: 'Closes the connections of a user' }, (call) => {
    const name = call.param('username');
    if (!isAdministrator(call.user) && call.user.name !== name) throw notTheirs();
    for (const connection of [...call.broker.clients.all()]) if (connection.user === name) close(call, connection);
    return DONE;
  }),
  get('/connections/:connection', { access: 'user', summary: 'One connection' }, (call) =>
    pickColumns(showConnection(call, connectionOf(call)), (name) => call.query(name)),
  ),
  remove('/connections/:connection', { access: 'user', summary: 'Closes a connection' }, (call) => {
    const connection = found(call.broker.clients.get(call.param('connection')));
    if (!isAdministrator(call.user) && call.user.name !== connection.user) throw notTheirs();
    close(call, connection);
    return DONE;
  }),
  getList('/connections/:connection/channels', { access: 'user', summary: 'Channels of a connection' }, (call) =>
    listedChannels(call, channelsOf([connectionOf(call)])),
  ),
  getList('/channels', { access: 'user', summary: 'Channels of all connections' }, (call) =>
    listedChannels(call, channelsOf(visible(call))),
  ),
  getList('/vhosts/:vhost/channels', { access: VISIBLE_HOST, summary: 'Channels to a virtual host' }, (call) =>
    listedChannels(call, channelsOf(inHost(call))),
  ),
  get('/channels/:channel', { access: 'user', summary: 'One channel' }, (call) => {
    const at = channelNamed(call, call.param('channel'));
    const consumers = at.channel.consumers.map((consumer) => showConsumer(call, { ...at, consumer }));
    return pickColumns({ ...showChannel(call, at), consumer_details: consumers }, (name) => call.query(name));
  }),
  getList('/consumers', { access: 'user', summary: 'Consumers of all queues' }, (call) =>
    listedConsumers(call, consumersOf(visible(call))),
  ),
  getList('/consumers/:vhost', { access: VISIBLE_HOST, summary: 'Consumers in a virtual host' }, (call) =>
    listedConsumers(call, consumersOf(inHost(call))),
  ),
];

/** Everything of it at once, in the order in which they came. */
export function consumersOf(connections: Iterable<ClientConnection>): ConsumerAt[] {
  return channelsOf(connections).flatMap((at) => at.channel.consumers.map((consumer) => ({ ...at, consumer })));
}

export function showConsumer(call: Call, { connection, channel, consumer }: ConsumerAt): ConsumerShape {
  const { tag, queue, noAck, exclusive, prefetch, active, arguments: args } = consumer;
  return {
    consumer_tag: tag,
    queue: { name: queue, vhost: connection.virtualHost },
    channel_details: {
      ...{ name: channelName({ connection, channel }), number: channel.number, user: connection.user },
      ...{ connection_name: connectionName(connection), node: nodeName(call.broker.settings.nodeId) },
      ...{ peer_host: connection.peer.host, peer_port: connection.peer.port },
    },
    ack_required: !noAck,
    exclusive,
    prefetch_count: prefetch,
    active,
    activity_status: active ? 'up' : 'waiting',
    arguments: jsonOfTable(args),
  };
}

function close(call: Call, connection: ClientConnection): void {
  const given = call.header('x-reason');
  // Node takes the bytes of headers for Latin letters; they are UTF-8.
  const reason = given && Buffer.from(given, 'latin1').toString();
  connection.close(reason ?? `closed by user '${call.user.name}' over the HTTP API`);
}

function notTheirs() {
  return notAuthorised('User not authorised to access object');
}

/** Everybody's for whoever watches the broker, else one's own. */
function sees(user: User, connection: ClientConnection): boolean {
  return isMonitor(user) || user.name === connection.user;
}

function visible({ broker, user }: Call): ClientConnection[] {
  return [...broker.clients.all()].filter((connection) => sees(user, connection));
}

function inHost(call: Call): ClientConnection[] {
  const { name } = call.host;
  return visible(call).filter(({ virtualHost }) => virtualHost === name);
}

/** Throws 404. */
export function channelNamed(call: Call, name: string): ChannelAt {
  return found(channelsOf(visible(call)).find((each) => channelName(each) === name));
}

function connectionOf(call: Call): ClientConnection {
  return connectionNamed(call, call.param('connection'));
}

/** Throws 404, and 401 for one of another user. */
export function connectionNamed({ broker, user }: Call, name: string): ClientConnection {
  const connection = found(broker.clients.get(name));
  if (!sees(user, connection)) throw notTheirs();
  return connection;
}

function channelsOf(connections: Iterable<ClientConnection>): ChannelAt[] {
  return [...connections].flatMap((connection) => connection.channels.map((channel) => ({ connection, channel })));
}

function channelName({ connection, channel }: ChannelAt): string {
  return `${connectionName(connection)} (${channel.number})`;
}

function listedConnections(call: Call, items: readonly ClientConnection[]): Listed<ClientConnection> {
  return {
    items,
    basics: (connection) => ({
      ...{ vhost: connection.virtualHost, name: connectionName(connection), user: connection.user },
      ...{ protocol: connection.protocol, state: connection.state, ssl: connection.tls },
      ...{ channels: connection.channels.length, connected_at: connection.connectedAt },
      ...{ recv_oct: connection.bytesReceived, send_oct: connection.bytesSent },
    }),
    show: (connection) => showConnection(call, connection),
    order: ['vhost', 'name'],
    paged: true,
  };
}

function listedChannels(call: Call, items: readonly ChannelAt[]): Listed<ChannelAt> {
  return {
    items,
    basics: (at) => ({
      ...{ vhost: at.connection.virtualHost, name: channelName(at), user: at.connection.user },
      ...{ consumer_count: at.channel.consumers.length, prefetch_count: at.channel.prefetch },
      messages_unacknowledged: at.channel.unacknowledged,
      messages_unconfirmed: at.channel.unconfirmed,
    }),
    show: (at) => showChannel(call, at),
    order: ['vhost', 'name'],
    paged: true,
  };
}

function listedConsumers(call: Call, items: readonly ConsumerAt[]): Listed<ConsumerAt> {
  return {
    items,
    basics: ({ connection, consumer }) => ({
      ...{ queue: { name: consumer.queue, vhost: connection.virtualHost }, consumer_tag: consumer.tag },
    }),
    show: (at) => showConsumer(call, at),
    order: ['queue.vhost', 'queue.name', 'consumer_tag'],
    paged: false,
  };
}

function bytesOf(call: Call, connection: ClientConnection): Partial<ConnectionShape> {
  const { telemetry } = call.broker;
  const samples = telemetry.connections.of(telemetry.trafficOf(connection));
  const range = rangeOf(call, 'data_rates');
  return {
    ...counted('recv_oct', connection.bytesReceived, samples, range),
    ...counted('send_oct', connection.bytesSent, samples, range),
  };
}

function showConnection(call: Call, connection: ClientConnection): ConnectionShape {
  const { broker } = call;
  const { agreed, peer, local, givenName, user, virtualHost } = connection;
  return {
    name: connectionName(connection),
    node: nodeName(broker.settings.nodeId),
    protocol: connection.protocol,
    type: 'network',
    state: connection.state,
    ...(user !== undefined && { user }),
    ...(virtualHost !== undefined && { vhost: virtualHost }),
    ...(givenName !== undefined && { user_provided_name: givenName }),
    client_properties: jsonOfTable(connection.properties),
    connected_at: connection.connectedAt,
    ...{ host: local.host, port: local.port, peer_host: peer.host, peer_port: peer.port },
    ssl: connection.tls,
    ...(agreed && {
      channel_max: agreed.channelMax,
      frame_max: agreed.frameMax,
      timeout: agreed.heartbeatSeconds,
    }),
    channels: connection.channels.length,
    ...(isDisabled(call) ? {} : bytesOf(call, connection)),
  };
}

function showChannel(call: Call, { connection, channel }: ChannelAt): ChannelShape {
  const { broker } = call;
  const { counts } = channel;
  return {
    name: channelName({ connection, channel }),
    number: channel.number,
    node: nodeName(broker.settings.nodeId),
    user: connection.user,
    vhost: connection.virtualHost,
    state: 'running',
    connection_details: {
      ...{ name: connectionName(connection), peer_host: connection.peer.host, peer_port: connection.peer.port },
    },
    confirm: channel.confirms,
    transactional: channel.transactional,
    consumer_count: channel.consumers.length,
    prefetch_count: channel.prefetch,
    global_prefetch_count: channel.channelPrefetch,
    messages_unacknowledged: channel.unacknowledged,
    messages_unconfirmed: channel.unconfirmed,
    messages_uncommitted: channel.uncommitted.messages,
    acks_uncommitted: channel.uncommitted.acknowledgements,
    ...(isDisabled(call)
      ? {}
      : messageStats(counts, CLIENT_COUNTS, broker.telemetry.channels.of(counts), rangeOf(call, 'msg_rates'))),
  };
}
