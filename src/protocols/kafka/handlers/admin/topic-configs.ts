import { STREAM_CONFIG_DEFINITIONS } from '../../../../broker/index.ts';
import { type ConfigEntry, ConfigSource, type ConfigSynonym, configEntry } from './config-entry.ts';

type Values = Readonly<Record<string, string>>;

/** What Kafka's brokers call the default of a topic's setting (ServerTopicConfigSynonyms); the rest has none. */
const BROKER_NAMES: Values = {
  'cleanup.policy': 'log.cleanup.policy',
  'compression.type': 'compression.type',
  'delete.retention.ms': 'log.cleaner.delete.retention.ms',
  'file.delete.delay.ms': 'log.segment.delete.delay.ms',
  'flush.messages': 'log.flush.interval.messages',
  'flush.ms': 'log.flush.interval.ms',
  'index.interval.bytes': 'log.index.interval.bytes',
  'max.compaction.lag.ms': 'log.cleaner.max.compaction.lag.ms',
  'max.message.bytes': 'message.max.bytes',
  'message.timestamp.after.max.ms': 'log.message.timestamp.after.max.ms',
  'message.timestamp.before.max.ms': 'log.message.timestamp.before.max.ms',
  'message.timestamp.type': 'log.message.timestamp.type',
  'min.cleanable.dirty.ratio': 'log.cleaner.min.cleanable.ratio',
  'min.compaction.lag.ms': 'log.cleaner.min.compaction.lag.ms',
  'min.insync.replicas': 'min.insync.replicas',
  preallocate: 'log.preallocate',
  'retention.bytes': 'log.retention.bytes',
  'retention.ms': 'log.retention.ms',
  'segment.bytes': 'log.segment.bytes',
  'segment.index.bytes': 'log.index.size.max.bytes',
  'segment.jitter.ms': 'log.roll.jitter.ms',
  'segment.ms': 'log.roll.ms',
  'unclean.leader.election.enable': 'unclean.leader.election.enable',
};

/** Those that have no default in Kafka's brokers, for they stand in for a coarser setting that has one. */
const COARSER: Readonly<Record<string, { readonly name: string; readonly value: string }>> = {
  'flush.ms': { name: 'log.flush.scheduler.interval.ms', value: '9223372036854775807' },
  'retention.ms': { name: 'log.retention.hours', value: '168' },
  'segment.jitter.ms': { name: 'log.roll.jitter.hours', value: '0' },
  'segment.ms': { name: 'log.roll.hours', value: '168' },
};

/** All settings of a topic: those set for it, else the broker's, else Kafka's. By name. */
export function topicConfigs(own: Values, defaults: Values): ConfigEntry[] {
  const definitions = Array.from(STREAM_CONFIG_DEFINITIONS.values());
  return definitions
    .filter(({ name, former }) => !former || own[name] !== undefined)
    .map(({ name, type, doc, default: fallback }) => {
      const value = own[name];
      const set = value === undefined ? [] : [{ name, value, source: ConfigSource.DYNAMIC_TOPIC_CONFIG }];
      const synonyms = [...set, ...defaultSynonyms(name, fallback, defaults)];
      return configEntry({ name, type, doc, readOnly: false, synonyms, fallback });
    })
    .sort(byName);
}

/** What topics have that are not told otherwise, under the names that it has in a Kafka broker's configuration. */
export function topicDefaults(defaults: Values): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  for (const { name, type, doc, default: fallback, ignored } of STREAM_CONFIG_DEFINITIONS.values()) {
    const brokerName = BROKER_NAMES[name];
    if (brokerName === undefined || ignored) continue;
    const synonyms = defaultSynonyms(name, fallback, defaults);
    entries.push(configEntry({ name: brokerName, type, doc, readOnly: true, synonyms, fallback }));
  }
  return entries;
}

function defaultSynonyms(name: string, fallback: string, defaults: Values): ConfigSynonym[] {
  const brokerName = BROKER_NAMES[name];
  if (brokerName === undefined) return [];
  const value = defaults[name];
  const coarser = COARSER[name];
  // The broker's settings are complete, whoever set them: what equals the default counts as set by nobody.
  if (value === undefined || value === fallback)
    return coarser === undefined ? [{ name: brokerName, value: fallback, source: ConfigSource.DEFAULT_CONFIG }] : [];
  return [
    { name: brokerName, value, source: ConfigSource.STATIC_BROKER_CONFIG },
    { ...(coarser ?? { name: brokerName, value: fallback }), source: ConfigSource.DEFAULT_CONFIG },
  ];
}

export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
