import type { Environment } from '../environment/environment.ts';
import type { Logger } from '../environment/logger.ts';
import type { BrokerError } from '../errors.ts';
import type { Shard } from '../storage/index.ts';
import type { AuditSettings } from './audit/index.ts';
import type { BackupSettings } from './backups/index.ts';
import type { GroupBounds } from './configs/index.ts';
import type { GroupsOptions } from './groups/groups.ts';
import type { GroupSettings } from './groups/index.ts';
import type { AuthorizerOptions } from './security/authorizer.ts';
import type { SessionSettings } from './security/sessions.ts';
import type { UsersOptions } from './security/users.ts';
import type { ShareGroupSettings } from './share-groups/settings.ts';
import type { CleanerSettings } from './streams/cleaner.ts';
import type { StreamLimits } from './streams/streams.ts';
import type { TelemetrySettings } from './telemetry/telemetry.ts';
import { DEFAULT_TRACING_SETTINGS, type TracingSettings } from './traces/settings.ts';
import type { TransactionSettings } from './transactions/index.ts';
import type { TopologyLimits } from './virtual-hosts/limits.ts';

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
  /** Of browsers. */
  readonly sessions: Partial<SessionSettings>;
  readonly audit: Partial<AuditSettings>;
  /** By access-control lists. */
  readonly authorization: Pick<AuthorizerOptions, 'enabled' | 'superUsers' | 'allowWithoutAcl'>;
  /** Bytes of memory in use from which on publishers wait; 0 for six tenths of what there is. */
  readonly memoryBytes: number;
  /** Milliseconds between two looks at what retention says. */
  readonly retentionCheckMs: number;
  readonly compaction: Partial<CleanerSettings>;
  readonly backup: Partial<BackupSettings>;
  readonly telemetry: Partial<TelemetrySettings>;
  /** Which messages are traced, until somebody sets that while the broker runs. */
  readonly tracing: TracingSettings;
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
  sessions: {},
  audit: {},
  authorization: { enabled: false, superUsers: [], allowWithoutAcl: false },
  memoryBytes: 0,
  retentionCheckMs: 300_000,
  compaction: {},
  backup: {},
  telemetry: {},
  tracing: DEFAULT_TRACING_SETTINGS,
};

export interface BrokerOptions {
  readonly environment: Environment;
  readonly logger: Logger;
  readonly settings?: Partial<BrokerSettings>;
  /** Where messages are kept, when that is a disk: to say how much space there is. */
  readonly dataDirectory?: string | undefined;
  /** What the members of a group say that they consume, in the words of their protocol. */
  readonly embeddedProtocol: GroupsOptions['embedded'];
  /** Opens a shard by its number, making it when it is not there. */
  readonly openShard: (index: number, onTrouble: (error: BrokerError, what: string) => void) => Promise<Shard>;
  /** Opens the shard of what does not outlive a restart. */
  readonly openTransientShard: (onTrouble: (error: BrokerError, what: string) => void) => Promise<Shard>;
}
