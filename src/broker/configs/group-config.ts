/** Where a share group begins in a partition that it has not consumed yet: an age goes by the records' timestamps. */
export type ShareOffsetReset =
  | { readonly at: 'earliest' | 'latest' }
  | { readonly at: 'age'; readonly milliseconds: number };

/** What can be set for one group while the broker runs, read (Kafka: Group Configs). A group need not exist to have settings. */
export interface GroupConfig {
  /** consumer.session.timeout.ms: how long members of a consumer group may be silent. */
  readonly consumerSessionTimeoutMs: number;
  /** consumer.heartbeat.interval.ms: how often they are told to come. */
  readonly consumerHeartbeatIntervalMs: number;
  /** share.session.timeout.ms: how long members of a share group may be silent. */
  readonly shareSessionTimeoutMs: number;
  /** share.heartbeat.interval.ms: how often they are told to come. */
  readonly shareHeartbeatIntervalMs: number;
  /** share.record.lock.duration.ms: how long a record is one member's. */
  readonly shareRecordLockDurationMs: number;
  /** share.delivery.count.limit: how often a record is delivered before it is archived. */
  readonly shareDeliveryCountLimit: number;
  /** share.partition.max.record.locks: records of one partition that are in flight. */
  readonly sharePartitionMaxRecordLocks: number;
  /** share.auto.offset.reset */
  readonly shareAutoOffsetReset: ShareOffsetReset;
  /** share.isolation.level */
  readonly shareIsolationLevel: 'read_committed' | 'read_uncommitted';
  /** share.renew.acknowledge.enable: whether members may have a record longer (KIP-1222). */
  readonly shareRenewAcknowledge: boolean;
  /** errors.deadletterqueue.topic.name: where archived records of a share group go (KIP-1191); empty for nowhere. */
  readonly deadLetterTopic: string;
  /** errors.deadletterqueue.copy.record.enable: whether with key, value and headers, or only where they came from. */
  readonly deadLetterCopiesRecord: boolean;
}

/** What groups have that nothing was set for. */
export const DEFAULT_GROUP_CONFIG: GroupConfig = {
  consumerSessionTimeoutMs: 45_000,
  consumerHeartbeatIntervalMs: 5_000,
  shareSessionTimeoutMs: 45_000,
  shareHeartbeatIntervalMs: 5_000,
  shareRecordLockDurationMs: 30_000,
  shareDeliveryCountLimit: 5,
  sharePartitionMaxRecordLocks: 2_000,
  shareAutoOffsetReset: { at: 'latest' },
  shareIsolationLevel: 'read_uncommitted',
  shareRenewAcknowledge: true,
  deadLetterTopic: '',
  deadLetterCopiesRecord: false,
};

/** The settings of groups, as those read them who act by them. */
export interface GroupConfigReader {
  /** The same object until something changes: ask again each time, it costs one look into a map. */
  of(groupId: string): GroupConfig;
  /** Calls back after the settings of a group have changed, or of all groups (undefined); until the answered function is called. */
  onChange(callback: (groupId: string | undefined) => void): () => void;
}
