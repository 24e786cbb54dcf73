import type { Environment, Timer } from '../environment/environment.ts';
import type { Logger } from '../environment/logger.ts';
import { BrokerError } from '../errors.ts';
import type { Shard } from '../storage/index.ts';
import { AuditLog, DEFAULT_AUDIT_SETTINGS } from './audit/index.ts';
import { Backups, DEFAULT_BACKUP_SETTINGS } from './backups/index.ts';
import { type BrokerParts, openParts } from './broker-parts.ts';
import type { BrokerOptions, BrokerSettings } from './broker-settings.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { LogSweeper } from './catalog/log-sweeper.ts';
import { Clients } from './clients/index.ts';
import { brokerStatics, type NumbersInForce, numbersOf } from './configs/in-force.ts';
import type { BrokerConfigs, GroupConfigs } from './configs/index.ts';
import { type DefinitionsInput, exportDefinitions, importDefinitions } from './definitions/index.ts';
import type { ClientQuotas } from './flow/client-quotas.ts';
import { ConnectionLimits } from './flow/connection-limits.ts';
import type { MemoryAlarm } from './flow/memory-alarm.ts';
import type { Groups } from './groups/groups.ts';
import { Logs } from './logs/index.ts';
import type { Turns } from './queues/turn.ts';
import type { Authorizer } from './security/authorizer.ts';
import { LoginThrottle } from './security/login-throttle.ts';
import { DEFAULT_SESSION_SETTINGS, Sessions } from './security/sessions.ts';
import type { Users } from './security/users.ts';
import type { ShareGroups } from './share-groups/share-groups.ts';
import { Cleaner } from './streams/cleaner.ts';
import type { ProducerIds } from './streams/producer-ids.ts';
import type { Streams } from './streams/streams.ts';
import { ClientMetrics, DEFAULT_TELEMETRY_SETTINGS, Telemetry } from './telemetry/index.ts';
import type { Meters } from './telemetry/meters.ts';
import type { Transactions } from './transactions/transactions.ts';
import { RedrivePositions, Transfers } from './transfers/index.ts';
import type { VirtualHosts } from './virtual-hosts/virtual-hosts.ts';

/** The broker without any protocol: what exists, and what can be done with it. */
export class Broker {
  readonly environment: Environment;
  readonly logger: Logger;
  /** Where everything goes that is logged, of this and of the protocols. */
  readonly logs: Logs;
  readonly settings: BrokerSettings;
  readonly streams: Streams;
  readonly groups: Groups;
  readonly groupConfigs: GroupConfigs;
  readonly configs: BrokerConfigs;
  readonly connections: ConnectionLimits;
  /** Who is connected. */
  readonly clients: Clients;
  /** What was done since the start, counted. */
  readonly meters: Meters;
  /** That, sampled over time. */
  readonly telemetry: Telemetry;
  readonly clientMetrics: ClientMetrics;
  readonly shareGroups: ShareGroups;
  readonly transactions: Transactions;
  readonly virtualHosts: VirtualHosts;
  readonly users: Users;
  /** Who logged in by a browser, and who tries to. */
  readonly sessions: Sessions;
  readonly logins: LoginThrottle;
  /** Who did what to the broker. */
  readonly audit: AuditLog;
  readonly authorizer: Authorizer;
  readonly quotas: ClientQuotas;
  readonly turns: Turns;
  /** Messages that are moved from queue to queue for somebody. */
  readonly transfers: Transfers;
  readonly redrivePositions: RedrivePositions;
  readonly producerIds: ProducerIds;
  readonly backups: Backups;
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

  private constructor(parts: BrokerParts, logs: Logs) {
    this.logs = logs;
    this.environment = parts.options.environment;
    this.logger = parts.options.logger;
    this.settings = parts.settings;
    this.streams = parts.streams;
    this.groups = parts.groups;
    this.groupConfigs = parts.groupConfigs;
    this.configs = parts.configs;
    this.#numbers = numbersOf(parts.configs);
    this.connections = new ConnectionLimits(() => this.#numbers.connections);
    this.meters = parts.meters;
    this.clients = new Clients(parts.meters);
    this.clientMetrics = new ClientMetrics({ catalog: parts.catalog, clock: parts.options.environment.clock });
    this.shareGroups = parts.shareGroups;
    this.transactions = parts.transactions;
    this.virtualHosts = parts.virtualHosts;
    this.users = parts.users;
    const { clock, random } = parts.options.environment;
    const sessions = { ...DEFAULT_SESSION_SETTINGS, ...parts.settings.sessions };
    this.sessions = new Sessions({ users: parts.users, clock, random, settings: sessions });
    this.logins = new LoginThrottle(clock);
    this.audit = openAuditLog(parts);
    this.authorizer = parts.authorizer;
    this.quotas = parts.quotas;
    this.turns = parts.turns;
    this.transfers = new Transfers(clock, random);
    this.redrivePositions = new RedrivePositions(parts.groups, () => clock.now());
    this.#alarm = parts.alarm;
    this.#catalog = parts.catalog;
    this.#shards = parts.shards;
    this.#transientShard = parts.transientShard;
    this.#sweeper = parts.sweeper;
    this.producerIds = parts.producerIds;
    this.#cleaner = cleaner(parts);
    this.backups = openBackups(parts);
    this.configs.onChange(() => this.#configure());
    this.telemetry = this.#openTelemetry(parts.options.dataDirectory);
    this.#watchRetention();
    this.#cleaner.start();
    this.telemetry.start();
  }

  static async open(options: BrokerOptions): Promise<Broker> {
    const { logger: sink, environment } = options;
    const logs = new Logs({ sink, now: () => environment.clock.now() });
    return new Broker(await openParts({ ...options, logger: logs.part('broker') }), logs);
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
    return this.turns.idle && this.audit.idle && this.#shards.every((shard) => shard.idle);
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

  /** Takes settings that can change while the broker runs as if it had been started with them. */
  restate(settings: Pick<BrokerSettings, 'connections' | 'compaction' | 'streamDefaults'>): void {
    this.configs.restate({ statics: brokerStatics(settings), topicDefaults: settings.streamDefaults });
  }

  exportDefinitions(): DefinitionsInput {
    return exportDefinitions(this.virtualHosts, this.users);
  }

  /** Finishes what is under way, then lets go of the storage. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#retention?.cancel();
    this.telemetry.stop();
    await this.backups.stop();
    this.#cleaner.stop();
    this.#alarm.close();
    this.#sweeper.stop();
    await this.transfers.close();
    await this.shareGroups.close();
    await this.transactions.close();
    await this.groups.close();
    await this.virtualHosts.close();
    await this.users.close();
    await this.authorizer.close();
    await this.quotas.close();
    await this.audit.close();
    this.turns.tracing.close();
    await this.#catalog.close();
    await this.backups.close();
    await Promise.all([...this.#shards, this.#transientShard].map((shard) => shard.close()));
  }

  /** Something was set while the broker runs. */
  #configure(): void {
    this.streams.setDefaults(this.configs.topicDefaults());
    this.#numbers = numbersOf(this.configs);
    this.#cleaner.configure(this.#numbers.cleaner);
  }

  #openTelemetry(directory: string | undefined): Telemetry {
    return new Telemetry({
      settings: { ...DEFAULT_TELEMETRY_SETTINGS, ...this.settings.telemetry },
      ...{ environment: this.environment, meters: this.meters, virtualHosts: this.virtualHosts },
      ...{ streams: this.streams, groups: this.groups, clients: this.clients },
      ...{ shards: this.#shards, directory },
      onTrouble: (error, what) => this.logger.warn({ code: error.code, err: error.message }, what),
    });
  }

  #watchRetention(): void {
    this.#retention = this.environment.clock.setTimer(this.settings.retentionCheckMs, () => {
      // Also while nothing is traced any more.
      this.turns.tracing.log?.retain();
      void Promise.all([this.streams.retain(), this.audit.retain()]).then(() => {
        if (!this.#closed) this.#watchRetention();
      });
    });
  }
}

function openAuditLog({ options: { environment, logger }, settings, shards: [shard] }: BrokerParts): AuditLog {
  if (shard === undefined) throw new BrokerError('internal', 'a broker without shards');
  return new AuditLog({
    shard,
    clock: environment.clock,
    settings: { ...DEFAULT_AUDIT_SETTINGS, ...settings.audit },
    onTrouble: (error, what) => logger.warn({ code: error.code, err: error.message }, what),
  });
}

function openBackups({ options: { environment, logger }, settings, shards, catalog }: BrokerParts): Backups {
  return new Backups({
    environment,
    shards,
    clusterId: () => catalog.state.clusterId,
    settings: { ...DEFAULT_BACKUP_SETTINGS, ...settings.backup },
    onTrouble: (error, what) => logger.warn({ code: error.code, err: error.message }, what),
    onCreated: ({ id, bytes, newBytes }) => logger.info({ backup: id, bytes, newBytes }, 'a backup was made'),
  });
}

function cleaner({ options: { environment, logger }, configs, shards, streams }: BrokerParts): Cleaner {
  return new Cleaner({
    shards,
    streams,
    clock: environment.clock,
    settings: numbersOf(configs).cleaner,
    onTrouble: (error, what) => logger.warn({ code: error.code, err: error.message }, what),
    onCompacted: ({ name }, { index }, compacted) => logger.debug({ ...compacted }, `compacted ${name}-${index}`),
  });
}
