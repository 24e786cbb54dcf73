import {
  BROKER_NAMES,
  type BrokerConfigs,
  type ConfigValues,
  STREAM_CONFIG_DEFINITIONS,
} from '../../../../broker/index.ts';
import { changedSynonyms } from './broker-synonyms.ts';
import { byName, type ConfigEntry, ConfigSource, type ConfigSynonym, configEntry } from './config-entry.ts';

/** Those that have no default in Kafka's brokers, for they stand in for a coarser setting that has one. */
const COARSER: Readonly<Record<string, { readonly name: string; readonly value: string }>> = {
  'flush.ms': { name: 'log.flush.scheduler.interval.ms', value: '9223372036854775807' },
  'retention.ms': { name: 'log.retention.hours', value: '168' },
  'segment.jitter.ms': { name: 'log.roll.jitter.hours', value: '0' },
  'segment.ms': { name: 'log.roll.hours', value: '168' },
};

/** All settings of a topic: those set for it, else the broker's, else Kafka's. By name. */
export function topicConfigs(own: ConfigValues, broker: BrokerConfigs): ConfigEntry[] {
  const definitions = Array.from(STREAM_CONFIG_DEFINITIONS.values());
  return definitions
    .filter(({ name, former }) => !former || own[name] !== undefined)
    .map(({ name, type, doc, default: fallback }) => {
      const value = own[name];
      const set = value === undefined ? [] : [{ name, value, source: ConfigSource.DYNAMIC_TOPIC_CONFIG }];
      const synonyms = [...set, ...defaultSynonyms(name, fallback, broker)];
      return configEntry({ name, type, doc, readOnly: false, synonyms, fallback });
    })
    .sort(byName);
}

/** Where the default of a topic's setting comes from. */
export function defaultSynonyms(name: string, fallback: string, broker: BrokerConfigs): ConfigSynonym[] {
  const brokerName = BROKER_NAMES[name];
  if (brokerName === undefined) return [];
  const coarser = COARSER[name];
  const given = changedSynonyms(brokerName, fallback, broker);
  // Where nobody set it, the coarser one that is not there stands for it.
  if (given.length === 0 && coarser !== undefined) return [];
  return [...given, { ...(coarser ?? { name: brokerName, value: fallback }), source: ConfigSource.DEFAULT_CONFIG }];
}
