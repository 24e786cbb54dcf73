/** What is set for a share group: Kafka's group configs, with its defaults. */
export interface ShareGroupConfig {
  /** share.record.lock.duration.ms: how long an acquired record stays its member's. */
  readonly recordLockDurationMs: number;
  /** share.delivery.count.limit: so often a record is delivered at most. */
  readonly deliveryCountLimit: number;
  /** share.partition.max.record.locks: records between the first that is not done with and the last that was given out. */
  readonly partitionMaxRecordLocks: number;
  /** share.auto.offset.reset: latest, earliest or by_duration:<ISO 8601>. */
  readonly autoOffsetReset: string;
  /** share.isolation.level */
  readonly isolationLevel: 'read_committed' | 'read_uncommitted';
  /** share.renew.acknowledge.enable */
  readonly renewAcknowledgeEnable: boolean;
}

export const DEFAULT_SHARE_GROUP_CONFIG: ShareGroupConfig = {
  recordLockDurationMs: 30_000,
  deliveryCountLimit: 5,
  partitionMaxRecordLocks: 2000,
  autoOffsetReset: 'latest',
  isolationLevel: 'read_uncommitted',
  renewAcknowledgeEnable: true,
};
