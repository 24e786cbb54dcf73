/** Kafka's names: an upgrade is one to the protocol of KIP-848. */
export type MigrationPolicy = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled';

/** Limits and times of consumer groups; Kafka's names are given where it has the setting. */
export interface GroupSettings {
  /** group.min.session.timeout.ms */
  readonly minSessionTimeoutMs: number;
  /** group.max.session.timeout.ms */
  readonly maxSessionTimeoutMs: number;
  /** group.consumer.session.timeout.ms: of members whose groups use the protocol of KIP-848. */
  readonly consumerSessionTimeoutMs: number;
  /** group.consumer.heartbeat.interval.ms: how often they are told to come. */
  readonly consumerHeartbeatIntervalMs: number;
  /** group.consumer.migration.policy: which way groups with members may go between the classic protocol and that of KIP-848. */
  readonly consumerMigrationPolicy: MigrationPolicy;
  /** How often at most a regular expression that they subscribed with is tried on the names of all topics. */
  readonly topicRegexRetryMs: number;
  /** group.initial.rebalance.delay.ms: how long an empty group that is joined waits for more members. */
  readonly initialRebalanceDelayMs: number;
  /** How long a new member's join may wait: it has no session yet, and may have gone without a trace. Kafka has this fixed. */
  readonly newMemberJoinTimeoutMs: number;
  /** group.max.size: members of a group. */
  readonly maxMembers: number;
  /** group.share.max.size: members of a share group. */
  readonly maxShareMembers: number;
  /** Member ids of a group that were given out and that nobody has joined with yet. */
  readonly maxPendingMembers: number;
  /** Members of all groups together, with the ids that were given out. */
  readonly maxTotalMembers: number;
  /** Groups with members, and likewise groups remembered. */
  readonly maxGroups: number;
  /** UTF-16 units of a group id; also of a group instance id. */
  readonly maxIdLength: number;
  /** Bytes of names and metadata of all protocols of one member. */
  readonly maxMemberMetadataBytes: number;
  /** Protocols of one member. */
  readonly maxMemberProtocols: number;
  /** The same of all members of a group; also bytes of an assignment of the whole group. */
  readonly maxGroupMetadataBytes: number;
  /** Bytes of metadata and assignments of all groups together. */
  readonly maxTotalMetadataBytes: number;
  /** offset.metadata.max.bytes: UTF-16 units, as Kafka counts them, of the metadata beside a committed offset. */
  readonly maxOffsetMetadataLength: number;
  /** Committed offsets of all groups together. */
  readonly maxOffsets: number;
  /** UTF-16 units of the metadata beside all of them. */
  readonly maxTotalOffsetMetadataLength: number;
  /** offsets.retention.minutes, in milliseconds (KIP-211). */
  readonly offsetsRetentionMs: number;
  /** offsets.retention.check.interval.ms */
  readonly offsetsRetentionCheckMs: number;
}

export const DEFAULT_GROUP_SETTINGS: GroupSettings = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  consumerSessionTimeoutMs: 45_000,
  consumerHeartbeatIntervalMs: 5_000,
  consumerMigrationPolicy: 'bidirectional',
  topicRegexRetryMs: 1_000,
  // Kafka's own default is 3000, which spares a large group that starts some rebalances. It also makes every single
  // consumer in development wait three seconds, which is why the configuration that Kafka ships for trying it out has 0.
  initialRebalanceDelayMs: 0,
  newMemberJoinTimeoutMs: 300_000,
  maxMembers: 10_000,
  maxShareMembers: 200,
  maxPendingMembers: 10_000,
  maxTotalMembers: 200_000,
  maxGroups: 100_000,
  maxIdLength: 1_024,
  maxMemberMetadataBytes: 1_048_576,
  maxMemberProtocols: 100,
  maxGroupMetadataBytes: 16_777_216,
  maxTotalMetadataBytes: 268_435_456,
  maxOffsetMetadataLength: 4_096,
  maxOffsets: 1_000_000,
  maxTotalOffsetMetadataLength: 67_108_864,
  offsetsRetentionMs: 7 * 24 * 3_600_000,
  offsetsRetentionCheckMs: 600_000,
};
