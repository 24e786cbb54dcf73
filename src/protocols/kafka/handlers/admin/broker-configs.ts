import {
  BROKER_CONFIG_DEFINITIONS,
  type Broker,
  type BrokerSettings,
  type ConfigType,
  DEFAULT_BROKER_SETTINGS,
  GROUP_CONFIG_DEFINITIONS,
} from '../../../../broker/index.ts';
import { MAX_PARTITIONS_PER_ANSWER } from '../describe-topic-partitions.ts';
import { changedSynonyms } from './broker-synonyms.ts';
import { byName, type ConfigEntry, ConfigSource, type ConfigSynonym, configEntry } from './config-entry.ts';
import { REPLICATION_FACTOR } from './replica-assignment.ts';
import { defaultSynonyms } from './topic-configs.ts';

/** What is as the broker was started. */
interface FixedConfig {
  readonly name: string;
  readonly type: ConfigType;
  readonly value: (settings: BrokerSettings) => unknown;
  readonly doc: string;
}

/** What this broker has that has a name in Kafka's broker configuration, and cannot be changed while it runs. */
const FIXED_CONFIGS: readonly FixedConfig[] = [
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

/** The settings of this broker under Kafka's names, by name. */
export function brokerConfigs({ settings, configs, groupConfigs }: Broker): ConfigEntry[] {
  const fixed = FIXED_CONFIGS.map(({ name, type, value, doc }) =>
    fixedEntry({ name, type, doc, fallback: String(value(DEFAULT_BROKER_SETTINGS)), actual: String(value(settings)) }),
  );
  const changeable = Array.from(
    BROKER_CONFIG_DEFINITIONS.values(),
    ({ name, type, doc, default: fallback, topicConfig }) => {
      const synonyms =
        topicConfig === undefined
          ? [
              ...changedSynonyms(name, fallback, configs),
              { name, value: fallback, source: ConfigSource.DEFAULT_CONFIG },
            ]
          : defaultSynonyms(topicConfig, fallback, configs);
      return configEntry({ name, type, doc, readOnly: false, synonyms, fallback });
    },
  );
  const ofGroups = Array.from(GROUP_CONFIG_DEFINITIONS.values()).flatMap(
    ({ name, type, doc, default: fallback, brokerName }) => {
      if (brokerName === undefined) return [];
      return [fixedEntry({ name: brokerName, type, doc, fallback, actual: groupConfigs.defaults[name] ?? fallback })];
    },
  );
  return [...fixed, ...changeable, ...ofGroups].sort(byName);
}

/** What was set for all brokers while they ran. */
export function clusterConfigs({ configs }: Broker): ConfigEntry[] {
  const set = Object.entries(configs.own('cluster')).flatMap(([name, value]) => {
    const definition = BROKER_CONFIG_DEFINITIONS.get(name);
    if (definition === undefined) return [];
    const synonyms = [{ name, value, source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG }];
    return [configEntry({ ...definition, readOnly: false, synonyms, fallback: definition.default })];
  });
  return set.sort(byName);
}

function fixedEntry({
  name,
  fallback,
  actual,
  ...rest
}: {
  readonly name: string;
  readonly type: ConfigType;
  readonly doc: string;
  readonly fallback: string;
  readonly actual: string;
}): ConfigEntry {
  const synonyms: ConfigSynonym[] = [{ name, value: fallback, source: ConfigSource.DEFAULT_CONFIG }];
  if (actual !== fallback) synonyms.unshift({ name, value: actual, source: ConfigSource.STATIC_BROKER_CONFIG });
  return configEntry({ ...rest, name, readOnly: true, synonyms, fallback });
}
