import { Broker, type Definitions, type DefinitionsInput, MessageSpans } from './broker/index.ts';
import {
  completeSettings,
  type Endpoint,
  formatEndpoint,
  type ListenerInput,
  type ListenerSettings,
  type LoadedSettings,
  originsOfProgram,
  parseEndpoint,
  parseListener,
  type Settings,
  type SettingsInput,
} from './config/index.ts';
import { readDefinitionsFile } from './definitions-file.ts';
import type { Clock, Environment, ListenOptions } from './environment/environment.ts';
import { type Logger, SILENT } from './environment/logger.ts';
import { realEnvironment } from './environment/real.ts';
import { BrokerError } from './errors.ts';
import { openStorage } from './open-storage.ts';
import { AmqpListener, ReplyChannels } from './protocols/amqp/index.ts';
import type { SettingsDesk } from './protocols/http/server-facts.ts';
import { embeddedProtocol, KafkaListener, PrincipalRules } from './protocols/kafka/index.ts';
import { readFile } from './read-file.ts';
import { BrokerSettingsDesk } from './settings-desk.ts';
import type { SpanExport } from './span-export.ts';
import { VERSION } from './version.ts';

export interface CreateBrokerOptions {
  /** Short for `settings.storage.kind`; 'memory' unless given otherwise: what a program embeds is mostly a test's. */
  readonly storage?: Settings['storage']['kind'];
  /** Short for `settings.storage.directory`. */
  readonly directory?: string;
  /** `PROTO://HOST:PORT`; port 0 takes a free one. Short for `settings.listeners`; none unless given: the broker is then reached in process. */
  readonly listeners?: readonly ListenerInput[];
  /** Short for `settings.advertise`. */
  readonly advertise?: readonly string[];
  /** Everything that a configuration file can say. */
  readonly settings?: SettingsInput;
  /** Where the settings come from, for those who ask; they are in `settings` as well. */
  readonly loaded?: LoadedSettings;
  /** Silent unless given. */
  readonly logger?: Logger;
  /** 'virtual' gives the broker a clock that stands still until `broker.clock.advance` turns it. */
  readonly clock?: 'system' | 'virtual';
  /** Where files, sockets, time and chance come from; the machine itself unless given. */
  readonly environment?: Environment;
}

/** Where a listener listens, and what its clients are told. */
export interface ListenerAddress {
  readonly protocol: string;
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

/** A clock that a test turns. */
export interface TestClock extends Clock {
  /** Lets so many milliseconds pass: timers that fall due fire in order, and what they set off is waited for. */
  advance(ms: number): Promise<void>;
}

export interface RunningBroker {
  /** In the order in which they were asked for. */
  readonly listeners: readonly ListenerAddress[];
  readonly clock: TestClock;
  /** Resolves when nothing is in flight: every request that is not waiting for something to happen is answered, every append durable. */
  idle(): Promise<void>;
  /**
   * Makes what RabbitMQ's definitions (parsed JSON) say and is not there yet, and users, permissions and policies as they say.
   * Rejects with `invalid-configuration`, which names the place of what is wrong.
   */
  importDefinitions(definitions: unknown): Promise<void>;
  /** Users, permissions, virtual hosts and what is in them but the messages, as RabbitMQ's definitions. */
  exportDefinitions(): DefinitionsInput;
  /** Stops accepting, answers what is in flight, makes everything durable, and lets go of ports and files. */
  close(): Promise<void>;
}

/** What accepts the clients of one protocol on one address. */
interface OpenListener {
  readonly port: number;
  /** Nothing is being worked on, but for what waits for something to happen. */
  readonly idle: boolean;
  /** Accepts no more, finishes what is under way for at most so long, then closes what is left. */
  close(graceMs: number): Promise<void>;
}

interface ListenerOn {
  readonly endpoint: Endpoint;
  readonly listener: OpenListener;
}

/** How long requests that are under way may take when the broker closes. */
const CLOSE_GRACE_MS = 5_000;

/**
 * Starts a broker in this process; many can live side by side. Rejects with a `BrokerError`: `invalid-configuration` for a
 * setting, `already-exists` for a port or a data directory in use, `storage-damaged`, `storage-failed`.
 */
export async function createBroker(options: CreateBrokerOptions = {}): Promise<RunningBroker> {
  const settings = settingsOf(options);
  const logger = options.logger ?? SILENT;
  const environment = await environmentOf(options);
  const storage = await openStorage(settings.storage, environment, keptForArchive(settings));
  const listeners: ListenerOn[] = [];
  let broker: Broker | undefined;
  let spans: SpanExport | undefined;
  const close = async () => {
    await Promise.all(listeners.map(({ listener }) => listener.close(CLOSE_GRACE_MS)));
    await broker?.close();
    await spans?.close();
    await storage.close();
  };
  try {
    const file = settings.definitions ? await readDefinitionsFile(environment.files, settings.definitions) : undefined;
    broker = await Broker.open({
      environment,
      logger,
      settings: { ...brokerSettings(settings), ...userSettings(settings, file?.definitions) },
      embeddedProtocol,
      dataDirectory: settings.storage.kind === 'disk' ? settings.storage.directory : undefined,
      openShard: storage.openShard,
      openTransientShard: storage.openTransientShard,
    });
    spans = await exportSpans(settings, broker, logger);
    if (storage.restored !== undefined) {
      await broker.producerIds.leap();
      await storage.notedRestore();
      const { backup, time } = storage.restored;
      logger.info(
        { backup, stateOf: new Date(time).toISOString() },
        'this is the state of a former time, restored from a backup',
      );
    }
    await file?.importInto(broker);
    if (file !== undefined)
      broker.audit.record(
        { protocol: 'broker' },
        { act: 'definitions.import', object: settings.definitions ?? '', outcome: 'done' },
      );
    const open = listenerOpener(settings, broker, listeners, deskOf(broker, settings, options));
    for (const asked of options.listeners ?? options.settings?.listeners ?? []) {
      const listener = parseListener(asked);
      listeners.push({ endpoint: listener.endpoint, listener: await open(listener) });
    }
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
  const opened = broker;
  let closing: Promise<void> | undefined;
  return {
    listeners: listeners.map(addressOf),
    clock: testClock(environment.clock),
    idle: () => idle(() => opened.idle && listeners.every(({ listener }) => listener.idle)),
    importDefinitions: (json) => opened.importDefinitions(json),
    exportDefinitions: () => opened.exportDefinitions(),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** Who does not look at spans does not load what sends them. */
async function exportSpans(
  { telemetry: { otlp } }: Settings,
  { environment: { clock, random }, turns }: Broker,
  logger: Logger,
): Promise<SpanExport | undefined> {
  const { endpoint, headers, share, serviceName } = otlp;
  if (endpoint === undefined) return undefined;
  const { SpanExport } = await import('./span-export.ts');
  const pairs = headers.map((header) => [header.slice(0, header.indexOf('=')), header.slice(header.indexOf('=') + 1)]);
  const spans = new SpanExport({
    ...{ endpoint, serviceName, version: VERSION, instanceId: random.uuid(), clock, logger },
    headers: Object.fromEntries(pairs),
  });
  turns.tracing.spans = new MessageSpans({ sink: spans, clock, share });
  return spans;
}

/** Of each commit log, until the archive is open. */
function keptForArchive({ backup: { archive, maxKeptBytes } }: Settings): number {
  return archive ? maxKeptBytes : 0;
}

function settingsOf({ storage, directory, listeners, advertise, settings }: CreateBrokerOptions): Settings {
  return completeSettings({
    ...settings,
    storage: {
      kind: 'memory',
      ...settings?.storage,
      ...(storage && { kind: storage }),
      ...(directory && { directory }),
    },
    ...(listeners && listeners.length > 0 && { listeners: [...listeners] }),
    ...(advertise && { advertise: [...advertise] }),
  });
}

async function environmentOf({ environment = realEnvironment(), clock }: CreateBrokerOptions): Promise<Environment> {
  if (clock !== 'virtual') return environment;
  const { VirtualClock } = await import('./environment/virtual-clock.ts');
  return { ...environment, clock: new VirtualClock(environment.clock.now()) };
}

function brokerSettings({
  storage,
  kafka,
  groups,
  transactions,
  limits,
  compaction,
  metrics,
  tracing,
  http,
  audit,
  backup,
}: Settings) {
  return {
    ...(limits.memoryBytes !== undefined && { memoryBytes: limits.memoryBytes }),
    nodeId: kafka.brokerId,
    connections: { max: limits.connections, maxPerAddress: limits.connectionsPerAddress },
    shards: storage.shards,
    clusterId: kafka.clusterId ?? '',
    groups: {
      minSessionTimeoutMs: groups.minSessionTimeoutMs,
      maxSessionTimeoutMs: groups.maxSessionTimeoutMs,
      consumerSessionTimeoutMs: groups.consumerSessionTimeoutMs,
      consumerHeartbeatIntervalMs: groups.consumerHeartbeatIntervalMs,
      consumerMigrationPolicy: groups.consumerMigrationPolicy,
      initialRebalanceDelayMs: groups.initialRebalanceDelayMs,
      maxMembers: groups.maxSize,
      maxShareMembers: groups.shareMaxSize,
      offsetsRetentionMs: groups.offsetsRetentionMs,
    },
    transactions,
    audit,
    backup: { ...backup, version: VERSION },
    sessions: { max: http.sessions, idleMs: http.sessionIdleMs, lifetimeMs: http.sessionLifetimeMs },
    topologyLimits: {
      maxVirtualHosts: limits.virtualHosts,
      maxQueues: limits.queues,
      maxExchanges: limits.exchanges,
      maxBindings: limits.bindings,
    },
    authorization: {
      enabled: kafka.authorizer === 'acl',
      superUsers: kafka.superUsers,
      allowWithoutAcl: kafka.allowEveryoneIfNoAclFound,
    },
    autoCreateStreams: kafka.autoCreateTopics,
    defaultPartitions: kafka.numPartitions,
    compaction,
    telemetry: { sampleMs: metrics.sampleMs, maxObjects: metrics.maxObjects },
    tracing,
    streamDefaults: texts(kafka.topicDefaults),
    groupDefaults: texts(kafka.groupDefaults),
    groupBounds: kafka.groupBounds,
    shareGroups: { maxPartitions: limits.shareGroupPartitions, deadLetterTopicPrefix: kafka.deadLetterTopicPrefix },
  };
}

/** Settings by Kafka's names, in which all is text. */
function texts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

function userSettings({ security }: Settings, definitions: Definitions | undefined) {
  const { defaultUser: name, defaultPassword: password, loopbackUsers } = security;
  const others = definitions !== undefined && definitions.users.length > 0;
  return {
    firstUser: others ? undefined : { name, password },
    // In the environment there is no empty list.
    loopbackUsers: loopbackUsers.filter((user) => user !== 'none'),
  };
}

function deskOf(
  broker: Broker,
  settings: Settings,
  { loaded, settings: given = {} }: CreateBrokerOptions,
): SettingsDesk {
  return new BrokerSettingsDesk({
    broker,
    loaded: { settings, origins: loaded?.origins ?? originsOfProgram(given), reload: loaded?.reload },
    restate: (changed) => broker.restate(brokerSettings(changed)),
  });
}

function addressOf({ endpoint, listener: { port } }: ListenerOn): ListenerAddress {
  const { protocol, host } = endpoint;
  return { protocol, url: formatEndpoint({ ...endpoint, port }), host, port };
}

function listenerOpener(settings: Settings, broker: Broker, opened: readonly ListenerOn[], desk: SettingsDesk) {
  const { limits, amqp, kafka, http, storage } = settings;
  const startedAt = broker.environment.clock.monotonic();
  // A reply finds its channel whichever listener that came by.
  const replies = new ReplyChannels(broker.environment.random);
  return async (own: ListenerSettings): Promise<OpenListener> => {
    const { endpoint } = own;
    const logger = broker.logs.part(endpoint.protocol);
    const listen = await listenOptions(own, settings, broker.environment);
    if (endpoint.protocol === 'amqp')
      return AmqpListener.open({
        broker,
        logger,
        listen,
        replies,
        limits: amqp,
        identity: { product: amqp.product, version: amqp.productVersion ?? VERSION },
        certificateName: own.certificateName ?? amqp.certificateName,
      });
    if (endpoint.protocol === 'http') {
      // Whoever needs no HTTP does not wait for what serves it.
      const { HttpListener } = await import('./protocols/http/index.ts');
      const disk = storage.kind === 'disk' ? storage : undefined;
      const listeners = () => opened.map(addressOf);
      const server = {
        product: 'Sluice',
        version: VERSION,
        listeners,
        disk,
        startedAt,
        metrics: settings.metrics,
        settings: desk,
      };
      return HttpListener.open({
        broker,
        logger,
        listen,
        server,
        maxBodyBytes: http.maxBodyBytes,
        console: http.console,
      });
    }
    const told =
      own.advertise ??
      settings.advertise
        .map(parseEndpoint)
        .find(({ protocol, tls }) => protocol === endpoint.protocol && tls === endpoint.tls);
    return KafkaListener.open({
      broker,
      logger,
      listen,
      ...(told && { advertise: { host: told.host, port: told.port } }),
      listeners: () => opened.map(({ listener }) => listener).filter((listener) => listener instanceof KafkaListener),
      authentication: {
        sasl: own.sasl ?? kafka.sasl,
        mechanisms: own.saslMechanisms ?? kafka.saslMechanisms,
        maxReauthMs: own.maxReauthMs ?? kafka.maxReauthMs,
        principalRules: new PrincipalRules(own.principalMappingRules ?? kafka.principalMappingRules),
      },
      limits: {
        maxFrameBytes: limits.frameBytes,
        maxPendingBytes: limits.inFlightBytesPerConnection,
        maxIdleMs: limits.connectionIdleMs,
      },
    });
  };
}

async function listenOptions(
  { endpoint: { host, port, tls }, tls: own }: ListenerSettings,
  settings: Settings,
  { files }: Environment,
): Promise<ListenOptions> {
  if (!tls) return { host, port };
  const { cert, key, ca, clientCertificates } = { ...settings.tls, ...own };
  if (cert === undefined || key === undefined)
    throw new BrokerError('invalid-configuration', 'a +tls listener needs tls.cert and tls.key');
  const clients = ca && {
    ca: await readFile(files, ca),
    requestCert: true,
    optionalCert: clientCertificates === 'optional',
  };
  return { host, port, tls: { cert: await readFile(files, cert), key: await readFile(files, key), ...clients } };
}

function testClock(clock: Clock): TestClock {
  const advance =
    'advance' in clock
      ? (ms: number) => (clock as TestClock).advance(ms)
      : () =>
          Promise.reject(
            new BrokerError('unsupported', "only a virtual clock can be turned: createBroker({ clock: 'virtual' })"),
          );
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    advance,
  };
}

/** Turns of the event loop that nothing may happen in before the broker counts as idle: a socket's data takes some to arrive. */
const QUIET_TURNS = 3;

async function idle(isIdle: () => boolean): Promise<void> {
  for (let quiet = 0; quiet < QUIET_TURNS; ) {
    quiet = isIdle() ? quiet + 1 : 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
