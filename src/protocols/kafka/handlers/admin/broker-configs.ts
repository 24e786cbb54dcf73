import { type BrokerSettings, type ConfigType, DEFAULT_BROKER_SETTINGS } from '../../../../broker/index.ts';
import { MAX_PARTITIONS_PER_ANSWER } from '../describe-topic-partitions.ts';
import { type ConfigEntry, ConfigSource, configEntry } from './config-entry.ts';
import { REPLICATION_FACTOR } from './replica-assignment.ts';
import { byName, topicDefaults } from './topic-configs.ts';

interface BrokerConfig {
  readonly name: string;
  readonly type: ConfigType;
  readonly value: (settings: BrokerSettings) => unknown;
  readonly doc: string;
}

/** What this broker has that has a name in Kafka's broker configuration, beside the defaults of topics. */
const BROKER_CONFIGS: readonly BrokerConfig[] = [
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
];

/** The settings of this broker under Kafka's names, by name. They can be read, and changed only in its configuration. */
export function brokerConfigs(settings: BrokerSettings): ConfigEntry[] {
  const entries = BROKER_CONFIGS.map(({ name, type, value, doc }) => {
    const fallback = String(value(DEFAULT_BROKER_SETTINGS));
    const actual = String(value(settings));
    const synonyms = [{ name, value: fallback, source: ConfigSource.DEFAULT_CONFIG as number }];
    if (actual !== fallback) synonyms.unshift({ name, value: actual, source: ConfigSource.STATIC_BROKER_CONFIG });
    return configEntry({ name, type, doc, readOnly: true, synonyms, fallback });
  });
  return [...entries, ...topicDefaults(settings.streamDefaults)].sort(byName);
}
