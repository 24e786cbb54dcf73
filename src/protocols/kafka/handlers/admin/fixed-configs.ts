import {
  ASSIGNORS,
  type BrokerSettings,
  type ConfigType,
  DEFAULT_GROUP_SETTINGS,
  DEFAULT_TRANSACTION_SETTINGS,
  type GroupSettings,
  type TransactionSettings,
} from '../../../../broker/index.ts';
import { LOG_DIR } from '../describe-log-dirs.ts';
import { MAX_PARTITIONS_PER_ANSWER } from '../describe-topic-partitions.ts';
import { REPLICATION_FACTOR } from './replica-assignment.ts';

/** What is as the broker was started. */
interface FixedConfig {
  readonly name: string;
  readonly type: ConfigType;
  readonly value: (settings: BrokerSettings) => unknown;
  readonly doc: string;
}

const MINUTE_MS = 60_000;

const ofGroups = (value: (settings: GroupSettings) => unknown) => (settings: BrokerSettings) =>
  value({ ...DEFAULT_GROUP_SETTINGS, ...settings.groups });

const ofTransactions = (value: (settings: TransactionSettings) => unknown) => (settings: BrokerSettings) =>
  value({ ...DEFAULT_TRANSACTION_SETTINGS, ...settings.transactions });

/** What this broker has that has a name and a type in Kafka's broker configuration, and cannot be changed while it runs. */
export const FIXED_CONFIGS: readonly FixedConfig[] = [
  {
    name: 'auto.create.topics.enable',
    type: 'boolean',
    value: ({ autoCreateStreams }) => autoCreateStreams,
    doc: 'Whether a topic comes into being when a client that allows it first asks for it.',
  },
  {
    name: 'broker.id',
    type: 'int',
    value: ({ nodeId }) => nodeId,
    doc: 'This broker among the brokers of its cluster.',
  },
  {
    name: 'default.replication.factor',
    type: 'int',
    value: () => REPLICATION_FACTOR,
    doc: 'Replicas of a partition; how often its data is kept is up to the storage.',
  },
  { name: 'delete.topic.enable', type: 'boolean', value: () => true, doc: 'Whether topics can be deleted.' },
  {
    name: 'group.consumer.assignors',
    type: 'list',
    value: () => [...ASSIGNORS.keys()].join(','),
    doc: 'Ways to assign partitions to members of consumer groups, the default first.',
  },
  {
    name: 'group.consumer.max.size',
    type: 'int',
    value: ofGroups(({ maxMembers }) => maxMembers),
    doc: 'Members of a consumer group.',
  },
  {
    name: 'group.consumer.migration.policy',
    type: 'string',
    value: ofGroups(({ consumerMigrationPolicy }) => consumerMigrationPolicy),
    doc: 'Which way groups with members may go between the classic protocol and the new one.',
  },
  {
    name: 'group.initial.rebalance.delay.ms',
    type: 'int',
    value: ofGroups(({ initialRebalanceDelayMs }) => initialRebalanceDelayMs),
    doc: 'How long an empty group waits for more members after the first.',
  },
  {
    name: 'group.max.session.timeout.ms',
    type: 'int',
    value: ofGroups(({ maxSessionTimeoutMs }) => maxSessionTimeoutMs),
    doc: 'The longest session that members of classic groups may ask for.',
  },
  {
    name: 'group.max.size',
    type: 'int',
    value: ofGroups(({ maxMembers }) => maxMembers),
    doc: 'Members of a classic group.',
  },
  {
    name: 'group.min.session.timeout.ms',
    type: 'int',
    value: ofGroups(({ minSessionTimeoutMs }) => minSessionTimeoutMs),
    doc: 'The shortest session that members of classic groups may ask for.',
  },
  {
    name: 'group.share.max.size',
    type: 'int',
    value: ofGroups(({ maxShareMembers }) => maxShareMembers),
    doc: 'Members of a share group.',
  },
  {
    name: 'log.dirs',
    type: 'string',
    value: () => LOG_DIR,
    doc: 'What the place of all data is called here.',
  },
  {
    name: 'log.retention.check.interval.ms',
    type: 'long',
    value: ({ retentionCheckMs }) => retentionCheckMs,
    doc: 'How often is looked for records that retention says must go.',
  },
  {
    name: 'max.request.partition.size.limit',
    type: 'int',
    value: () => MAX_PARTITIONS_PER_ANSWER,
    doc: 'Partitions in one answer to DescribeTopicPartitions.',
  },
  {
    name: 'node.id',
    type: 'int',
    value: ({ nodeId }) => nodeId,
    doc: 'This broker among the brokers of its cluster.',
  },
  {
    name: 'num.partitions',
    type: 'int',
    value: ({ defaultPartitions }) => defaultPartitions,
    doc: 'Partitions of a topic that is created without a number.',
  },
  {
    name: 'offset.metadata.max.bytes',
    type: 'int',
    value: ofGroups(({ maxOffsetMetadataLength }) => maxOffsetMetadataLength),
    doc: 'The longest metadata beside a committed offset.',
  },
  {
    name: 'offsets.retention.check.interval.ms',
    type: 'long',
    value: ofGroups(({ offsetsRetentionCheckMs }) => offsetsRetentionCheckMs),
    doc: 'How often is looked for offsets that are kept no longer.',
  },
  {
    name: 'offsets.retention.minutes',
    type: 'int',
    value: ofGroups(({ offsetsRetentionMs }) => Math.ceil(offsetsRetentionMs / MINUTE_MS)),
    doc: 'How long the offsets of a group without members are kept, to the next minute.',
  },
  {
    name: 'transaction.abort.timed.out.transaction.cleanup.interval.ms',
    type: 'int',
    value: ofTransactions(({ timeoutCheckMs }) => timeoutCheckMs),
    doc: 'How often is looked for transactions that take too long.',
  },
  {
    name: 'transaction.max.timeout.ms',
    type: 'int',
    value: ofTransactions(({ maxTimeoutMs }) => maxTimeoutMs),
    doc: 'The longest time-out of transactions that a producer may ask for.',
  },
  {
    name: 'transaction.remove.expired.transaction.cleanup.interval.ms',
    type: 'int',
    value: ofTransactions(({ expirationCheckMs }) => expirationCheckMs),
    doc: 'How often is looked for transactional ids that are remembered no longer.',
  },
  {
    name: 'transactional.id.expiration.ms',
    type: 'int',
    value: ofTransactions(({ idExpirationMs }) => idExpirationMs),
    doc: 'How long a transactional id is remembered that nobody uses.',
  },
];
