import type { Environment } from '../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../errors.ts';
import type { Shard } from '../storage/index.ts';
import { type BrokerOptions, type BrokerSettings, DEFAULT_BROKER_SETTINGS } from './broker-settings.ts';
import { Catalog } from './catalog/catalog.ts';
import { LogSweeper } from './catalog/log-sweeper.ts';
import type { LogPlace } from './catalog/state.ts';
import { brokerStatics, groupDefaults } from './configs/in-force.ts';
import { BrokerConfigs, GroupConfigs } from './configs/index.ts';
import { ClientQuotas } from './flow/client-quotas.ts';
import { MemoryAlarm } from './flow/memory-alarm.ts';
import { Groups, type GroupsOptions } from './groups/groups.ts';
import type { Turns } from './queues/turn.ts';
import { BrokerTurns } from './queues/turns.ts';
import { Authorizer } from './security/authorizer.ts';
import { Users } from './security/users.ts';
import { ShareGroups } from './share-groups/share-groups.ts';
import { ProducerIds } from './streams/producer-ids.ts';
import type { Stream } from './streams/stream.ts';
import { Streams } from './streams/streams.ts';
import { Meters } from './telemetry/meters.ts';
import { Tracing } from './traces/tracing.ts';
import { Transactions } from './transactions/transactions.ts';
import { VirtualHosts } from './virtual-hosts/virtual-hosts.ts';

/** Of the machine's memory. */
const MEMORY_SHARE = 0.6;

/** What a broker is made of, all of it open. */
export interface BrokerParts {
  readonly options: BrokerOptions;
  readonly settings: BrokerSettings;
  readonly catalog: Catalog;
  readonly shards: readonly Shard[];
  readonly transientShard: Shard;
  readonly sweeper: LogSweeper;
  readonly streams: Streams;
  readonly groups: Groups;
  readonly groupConfigs: GroupConfigs;
  readonly configs: BrokerConfigs;
  readonly shareGroups: ShareGroups;
  readonly transactions: Transactions;
  readonly producerIds: ProducerIds;
  readonly turns: Turns;
  readonly alarm: MemoryAlarm;
  readonly virtualHosts: VirtualHosts;
  readonly users: Users;
  readonly authorizer: Authorizer;
  readonly quotas: ClientQuotas;
  readonly meters: Meters;
}

/** Opens everything in its order: what others ask for comes before them. Rejects with what opening the storage rejects with. */
export async function openParts(options: BrokerOptions): Promise<BrokerParts> {
  const { environment, logger, openShard } = options;
  const settings = { ...DEFAULT_BROKER_SETTINGS, ...options.settings };
  const onTrouble = (error: BrokerError, what: string) => logger.warn({ code: error.code, err: error.message }, what);
  const now = () => environment.clock.now();
  const first = await openShard(0, onTrouble);
  const catalog = await Catalog.open({ shard: first, now, onTrouble });
  const count = Math.max(settings.shards, shardsIn(catalog));
  const rest = await Promise.all(Array.from({ length: count - 1 }, (_, i) => openShard(i + 1, onTrouble)));
  const shards = [first, ...rest];
  if (catalog.state.clusterId === '') await catalog.change(() => [foundCluster(environment, settings, shards.length)]);
  const configs = new BrokerConfigs({
    catalog,
    nodeId: settings.nodeId,
    statics: brokerStatics(settings),
    topicDefaults: settings.streamDefaults,
  });
  const sweeper = new LogSweeper({ catalog, shards, clock: environment.clock, onTrouble });
  const streams = await Streams.open({
    catalog,
    shards,
    sweeper,
    now,
    uuid: () => environment.random.uuid(),
    defaults: configs.topicDefaults(),
    limits: settings.streamLimits,
    onTrouble,
  });
  const groupConfigs = new GroupConfigs({
    ...{ catalog, defaults: groupDefaults(settings), bounds: settings.groupBounds },
  });
  const shareGroups = await ShareGroups.open({
    shards,
    clock: environment.clock,
    streams,
    configs: groupConfigs,
    settings: settings.shareGroups,
    onTrouble,
  });
  const groups = await Groups.open({
    shards,
    logs: catalog.state.groupLogs,
    clock: environment.clock,
    random: environment.random,
    settings: settings.groups,
    configs: groupConfigs,
    embedded: options.embeddedProtocol,
    topics: topicsOf(streams),
    forgetDeliveries: (groupId) => shareGroups.deleteGroup(groupId),
    onTrouble,
  });
  streams.onDeleted((stream) => {
    groups
      .onTopicDeleted(stream.id)
      .catch((error: unknown) => onTrouble(toBrokerError(error), `offsets of ${stream.name} stay`));
  });
  if (catalog.state.transactionLogs.length === 0)
    await catalog.change(() => [{ type: 'transaction-logs-created', logs: logPlaces(environment, shards.length) }]);
  const producerIds = new ProducerIds(catalog);
  const transactions = await Transactions.open({
    shards,
    logs: catalog.state.transactionLogs,
    clock: environment.clock,
    settings: settings.transactions,
    streams,
    groups,
    newProducerId: () => producerIds.allocate(),
    onTrouble,
  });
  const transientShard = await options.openTransientShard(onTrouble);
  const alarm = watchMemory(options, settings);
  const tracing = new Tracing(environment.clock);
  await tracing.open({ shard: first, configured: settings.tracing, onTrouble });
  const turns = new BrokerTurns({
    ...{ clock: environment.clock, shards: [...shards, transientShard], alarm, tracing, onTrouble },
  });
  const meters = new Meters();
  const virtualHosts = await VirtualHosts.open({
    environment,
    meters,
    catalog,
    sweeper,
    turns,
    streams,
    shards,
    transientShard,
    limits: settings.topologyLimits,
    onTrouble,
  });
  const users = await Users.open({
    shard: first,
    random: environment.random,
    now,
    firstUser: settings.firstUser,
    loopbackUsers: settings.loopbackUsers,
    hasVirtualHost: (name) => virtualHosts.get(name) !== undefined,
    onTrouble,
  });
  const authorizer = await Authorizer.open({ shard: first, now, onTrouble, ...settings.authorization });
  const quotas = await ClientQuotas.open({ shard: first, now, onTrouble, clock: environment.clock });
  // The broker may have stopped between the end of a virtual host and that of its permissions.
  await users.forgetVirtualHosts((name) => virtualHosts.get(name) === undefined);
  virtualHosts.onDeleted((host) => {
    users
      .forgetVirtualHosts((name) => name === host.name)
      .catch((error: unknown) => onTrouble(toBrokerError(error), `permissions on vhost '${host.name}' stay`));
  });
  return {
    options,
    settings,
    catalog,
    shards,
    transientShard,
    sweeper,
    streams,
    groups,
    groupConfigs,
    configs,
    shareGroups,
    transactions,
    producerIds,
    turns,
    virtualHosts,
    users,
    authorizer,
    quotas,
    alarm,
    meters,
  };
}

/** Streams as groups see them. */
function topicsOf(streams: Streams): GroupsOptions['topics'] {
  const info = (stream: Stream | undefined) =>
    stream && { topicId: stream.id, name: stream.name, partitions: stream.partitions.length };
  return {
    get version() {
      return streams.version;
    },
    byName: (name) => info(streams.get(name)),
    byId: (topicId) => info(streams.getById(topicId)),
    names: () => streams.names(),
  };
}

function watchMemory({ environment, logger }: BrokerOptions, { memoryBytes }: BrokerSettings): MemoryAlarm {
  const { memory } = environment;
  const limitBytes = memoryBytes > 0 ? memoryBytes : Math.floor(memory.total() * MEMORY_SHARE);
  return new MemoryAlarm({
    ...{ memory, limitBytes },
    onChange: (raised, usedBytes) => {
      if (raised) logger.warn({ usedBytes, limitBytes }, 'memory runs short: publishers wait (limits.memoryBytes)');
      else logger.info({ usedBytes, limitBytes }, 'there is memory again: publishers go on');
    },
  });
}

function shardsIn(catalog: Catalog): number {
  const { streams, virtualHosts, groupLogs, transactionLogs, deleting } = catalog.state;
  let count = 1;
  const see = ({ shard }: LogPlace) => {
    count = Math.max(count, shard + 1);
  };
  for (const stream of streams.values()) stream.partitions.forEach(see);
  groupLogs.forEach(see);
  transactionLogs.forEach(see);
  for (const { shard } of virtualHosts.values()) count = Math.max(count, shard + 1);
  for (const place of deleting.values()) see(place);
  return count;
}

function foundCluster(environment: Environment, { clusterId }: BrokerSettings, shards: number) {
  // As Kafka makes them: 16 random bytes in URL-safe base64.
  const id = clusterId === '' ? environment.random.bytes(16).toString('base64url') : clusterId;
  return { type: 'cluster-created', clusterId: id, groupLogs: logPlaces(environment, shards) } as const;
}

/** One in each shard. */
function logPlaces({ random }: Environment, shards: number): LogPlace[] {
  return Array.from({ length: shards }, (_, shard) => ({ logId: random.uuid(), shard }));
}
