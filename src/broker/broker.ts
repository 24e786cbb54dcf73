import type { Environment, Timer } from '../environment/environment.ts';
import type { Logger } from '../environment/logger.ts';
import { type BrokerError, toBrokerError } from '../errors.ts';
import type { Shard } from '../storage/index.ts';
import { Catalog } from './catalog/catalog.ts';
import { LogSweeper } from './catalog/log-sweeper.ts';
import type { LogPlace } from './catalog/state.ts';
import { Clients } from './clients/index.ts';
import { brokerStatics, groupDefaults, type NumbersInForce, numbersOf } from './configs/in-force.ts';
import { BrokerConfigs, type GroupBounds, GroupConfigs } from './configs/index.ts';
import { type DefinitionsInput, exportDefinitions, importDefinitions } from './definitions/index.ts';
import { ClientQuotas } from './flow/client-quotas.ts';
import { ConnectionLimits } from './flow/connection-limits.ts';
import { MemoryAlarm } from './flow/memory-alarm.ts';
import { Groups, type GroupsOptions } from './groups/groups.ts';
import type { GroupSettings } from './groups/index.ts';
import type { Turns } from './queues/turn.ts';
import { BrokerTurns } from './queues/turns.ts';
import { Authorizer, type AuthorizerOptions } from './security/authorizer.ts';
import { Users, type UsersOptions } from './security/users.ts';
import type { ShareGroupSettings } from './share-groups/settings.ts';
import { ShareGroups } from './share-groups/share-groups.ts';
import { Cleaner, type CleanerSettings } from './streams/cleaner.ts';
import { ProducerIds } from './streams/producer-ids.ts';
import type { Stream } from './streams/stream.ts';
import { type StreamLimits, Streams } from './streams/streams.ts';
import { ClientMetrics } from './telemetry/index.ts';
import type { TransactionSettings } from './transactions/index.ts';
import { Transactions } from './transactions/transactions.ts';
import type { TopologyLimits } from './virtual-hosts/limits.ts';
import { VirtualHosts } from './virtual-hosts/virtual-hosts.ts';

export interface BrokerSettings {
  /** This broker's number among the brokers of its cluster. */
  readonly nodeId: number;
  /** Shards to spread new logs over; more are opened where the data has more. */
  readonly shards: number;
  /** How many there may be, of all clients and from one address. */
  readonly connections: { readonly max: number; readonly maxPerAddress: number };
  /** What clients know the cluster by; made up at the first start when empty. */
  readonly clusterId: string;
  /** Whether a stream that a client asks for is made. */
  readonly autoCreateStreams: boolean;
  /** Partitions of a stream for which nobody says how many. */
  readonly defaultPartitions: number;
  /** Settings of streams that do not set them themselves, by name. */
  readonly streamDefaults: Readonly<Record<string, string>>;
  readonly streamLimits: Partial<StreamLimits>;
  readonly groups: Partial<GroupSettings>;
  /** Settings of groups that do not have them of their own, by name; those of consumer groups are among `groups`. */
  readonly groupDefaults: Readonly<Record<string, string>>;
  readonly groupBounds: GroupBounds;
  /** Of the delivery state of share groups. */
  readonly shareGroups: Partial<ShareGroupSettings>;
  readonly transactions: Partial<TransactionSettings>;
  readonly topologyLimits: Partial<TopologyLimits>;
  /** Who is there from the first start on. */
  readonly firstUser: UsersOptions['firstUser'];
  readonly loopbackUsers: readonly string[];
  /** By access-control lists. */
  readonly authorization: Pick<AuthorizerOptions, 'enabled' | 'superUsers' | 'allowWithoutAcl'>;
  /** Bytes of memory in use from which on publishers wait; 0 for six tenths of what there is. */
  readonly memoryBytes: number;
  /** Milliseconds between two looks at what retention says. */
  readonly retentionCheckMs: number;
  readonly compaction: Partial<CleanerSettings>;
}

export const DEFAULT_BROKER_SETTINGS: BrokerSettings = {
  nodeId: 1,
  shards: 1,
  connections: { max: 10_000, maxPerAddress: 0x7fff_ffff },
  clusterId: '',
  autoCreateStreams: true,
  defaultPartitions: 1,
  streamDefaults: {},
  streamLimits: {},
  groups: {},
  groupDefaults: {},
  groupBounds: {},
  shareGroups: {},
  transactions: {},
  topologyLimits: {},
  firstUser: { name: 'guest', password: 'guest' },
  loopbackUsers: ['guest'],
  authorization: { enabled: false, superUsers: [], allowWithoutAcl: false },
  memoryBytes: 0,
  retentionCheckMs: 300_000,
  compaction: {},
};

/** Of the machine's memory. */
const MEMORY_SHARE = 0.6;

export interface BrokerOptions {
  readonly environment: Environment;
  readonly logger: Logger;
  readonly settings?: Partial<BrokerSettings>;
  /** What the members of a group say that they consume, in the words of their protocol. */
  readonly embeddedProtocol: GroupsOptions['embedded'];
  /** Opens a shard by its number, making it when it is not there. */
  readonly openShard: (index: number, onTrouble: (error: BrokerError, what: string) => void) => Promise<Shard>;
  /** Opens the shard of what does not outlive a restart. */
  readonly openTransientShard: (onTrouble: (error: BrokerError, what: string) => void) => Promise<Shard>;
}

/** The broker without any protocol: what exists, and what can be done with it. */
export class Broker {
  readonly environment: Environment;
  readonly logger: Logger;
  readonly settings: BrokerSettings;
  readonly streams: Streams;
  readonly groups: Groups;
  readonly groupConfigs: GroupConfigs;
  readonly configs: BrokerConfigs;
  readonly connections: ConnectionLimits;
  /** Who is connected. */
  readonly clients = new Clients();
  readonly clientMetrics: ClientMetrics;
  readonly shareGroups: ShareGroups;
  readonly transactions: Transactions;
  readonly virtualHosts: VirtualHosts;
  readonly users: Users;
  readonly authorizer: Authorizer;
  readonly quotas: ClientQuotas;
  readonly turns: Turns;
  readonly producerIds: ProducerIds;
  readonly #catalog: Catalog;
  readonly #shards: readonly Shard[];
  readonly #transientShard: Shard;
  readonly #alarm: MemoryAlarm;
  readonly #sweeper: LogSweeper;
  readonly #cleaner: Cleaner;
  /** What was set while the broker runs may change them. */
  #numbers: NumbersInForce;
  #retention: Timer | undefined;
  #closed = false;

  private constructor(parts: {
    options: BrokerOptions;
    settings: BrokerSettings;
    catalog: Catalog;
    shards: readonly Shard[];
    transientShard: Shard;
    sweeper: LogSweeper;
    streams: Streams;
    groups: Groups;
    groupConfigs: GroupConfigs;
    configs: BrokerConfigs;
    shareGroups: ShareGroups;
    transactions: Transactions;
    producerIds: ProducerIds;
    turns: Turns;
    alarm: MemoryAlarm;
    virtualHosts: VirtualHosts;
    users: Users;
    authorizer: Authorizer;
    quotas: ClientQuotas;
  }) {
    this.environment = parts.options.environment;
    this.logger = parts.options.logger;
    this.settings = parts.settings;
    this.streams = parts.streams;
    this.groups = parts.groups;
    this.groupConfigs = parts.groupConfigs;
    this.configs = parts.configs;
    this.#numbers = numbersOf(parts.configs);
    this.connections = new ConnectionLimits(() => this.#numbers.connections);
    this.clientMetrics = new ClientMetrics({ catalog: parts.catalog, clock: parts.options.environment.clock });
    this.shareGroups = parts.shareGroups;
    this.transactions = parts.transactions;
    this.virtualHosts = parts.virtualHosts;
    this.users = parts.users;
    this.authorizer = parts.authorizer;
    this.quotas = parts.quotas;
    this.turns = parts.turns;
    this.#alarm = parts.alarm;
    this.#catalog = parts.catalog;
    this.#shards = parts.shards;
    this.#transientShard = parts.transientShard;
    this.#sweeper = parts.sweeper;
    this.producerIds = parts.producerIds;
    this.#cleaner = cleaner(parts);
    this.configs.onChange(() => this.#configure());
    this.#watchRetention();
    this.#cleaner.start();
  }

  static async open(options: BrokerOptions): Promise<Broker> {
    const { environment, logger, openShard } = options;
    const settings = { ...DEFAULT_BROKER_SETTINGS, ...options.settings };
    const onTrouble = (error: BrokerError, what: string) => logger.warn({ code: error.code, err: error.message }, what);
    const now = () => environment.clock.now();
    const first = await openShard(0, onTrouble);
    const catalog = await Catalog.open({ shard: first, now, onTrouble });
    const count = Math.max(settings.shards, shardsIn(catalog));
    const rest = await Promise.all(Array.from({ length: count - 1 }, (_, i) => openShard(i + 1, onTrouble)));
    const shards = [first, ...rest];
    if (catalog.state.clusterId === '')
      await catalog.change(() => [foundCluster(environment, settings, shards.length)]);
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
    const turns = new BrokerTurns({ clock: environment.clock, shards: [...shards, transientShard], alarm, onTrouble });
    const virtualHosts = await VirtualHosts.open({
      environment,
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
    return new Broker({
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
    });
  }

  get clusterId(): string {
    return this.#catalog.state.clusterId;
  }

  /** Who writes the catalog, and how much there is of it. */
  get catalogEnd(): { readonly epoch: number; readonly endOffset: number } {
    return this.#catalog.end;
  }

  /** Nothing appended is waiting for the disk. */
  get idle(): boolean {
    return this.turns.idle && this.#shards.every((shard) => shard.idle);
  }

  /** Whether publishers wait for memory, and from how many bytes in use on. */
  get memoryAlarm(): Pick<MemoryAlarm, 'raised' | 'limitBytes'> {
    return this.#alarm;
  }

  /** Bytes of all streams' logs, for those who ask about disks. */
  get shards(): readonly Shard[] {
    return this.#shards;
  }

  /** As RabbitMQ has them. Rejects with `invalid-configuration`, which names the place of what is wrong. */
  importDefinitions(json: unknown): Promise<void> {
    return importDefinitions(json, this);
  }

  exportDefinitions(): DefinitionsInput {
    return exportDefinitions(this.virtualHosts, this.users);
  }

  /** Finishes what is under way, then lets go of the storage. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#retention?.cancel();
    this.#cleaner.stop();
    this.#alarm.close();
    this.#sweeper.stop();
    await this.shareGroups.close();
    await this.transactions.close();
    await this.groups.close();
    await this.virtualHosts.close();
    await this.users.close();
    await this.authorizer.close();
    await this.quotas.close();
    await this.#catalog.close();
    await Promise.all([...this.#shards, this.#transientShard].map((shard) => shard.close()));
  }

  /** Something was set while the broker runs. */
  #configure(): void {
    this.streams.setDefaults(this.configs.topicDefaults());
    this.#numbers = numbersOf(this.configs);
    this.#cleaner.configure(this.#numbers.cleaner);
  }

  #watchRetention(): void {
    this.#retention = this.environment.clock.setTimer(this.settings.retentionCheckMs, () => {
      void this.streams.retain().then(() => {
        if (!this.#closed) this.#watchRetention();
      });
    });
  }
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

function cleaner({
  options: { environment, logger },
  configs,
  shards,
  streams,
}: {
  options: BrokerOptions;
  configs: BrokerConfigs;
  shards: readonly Shard[];
  streams: Streams;
}): Cleaner {
  return new Cleaner({
    shards,
    streams,
    clock: environment.clock,
    settings: numbersOf(configs).cleaner,
    onTrouble: (error, what) => logger.warn({ code: error.code, err: error.message }, what),
    onCompacted: ({ name }, { index }, compacted) => logger.debug({ ...compacted }, `compacted ${name}-${index}`),
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
