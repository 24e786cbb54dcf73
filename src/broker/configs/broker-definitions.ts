import { STREAM_CONFIG_DEFINITIONS } from '../streams/stream-config.ts';
import { type ConfigDefinition, type ConfigValues, definitionsByName, int, long } from './config-definition.ts';

/** What Kafka's brokers call the default of a topic's setting (ServerTopicConfigSynonyms); the rest has none. */
export const BROKER_NAMES: ConfigValues = {
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

/** A setting of the broker that can be changed while it runs. */
export interface BrokerConfigDefinition extends ConfigDefinition {
  /** The setting of topics that it is the default of. */
  readonly topicConfig?: string;
}

/** Numbers of connections by address: `host:number`, with commas between. */
const OVERRIDE = /^(.+):(\d{1,9})$/;

export function connectionOverrides(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const part of text.split(',')) {
    const [, address, limit] = OVERRIDE.exec(part.trim()) ?? [];
    if (address !== undefined) found.set(address, Number(limit));
  }
  return found;
}

const OWN: readonly BrokerConfigDefinition[] = [
  {
    name: 'log.cleaner.backoff.ms',
    type: 'long',
    default: '15000',
    check: long(1, 0x7fff_ffff),
    doc: 'How often is looked for logs to be compacted.',
  },
  {
    name: 'log.cleaner.dedupe.buffer.size',
    type: 'long',
    default: String(64 * 1024 * 1024),
    check: long(64 * 1024, 1024 * 1024 * 1024),
    doc: 'Bytes of memory for the keys of a log that is being compacted.',
  },
  {
    name: 'log.cleaner.io.max.bytes.per.second',
    type: 'double',
    default: String(64 * 1024 * 1024),
    check: (value) =>
      /^\d{1,15}(\.\d+)?$/.test(value) && Number(value) >= 64 * 1024 ? undefined : 'it must be 65536 or more',
    doc: 'Bytes that compaction reads and writes each second, for each shard.',
  },
  {
    name: 'max.connections',
    type: 'int',
    default: '10000',
    check: int(1),
    doc: 'Connections at a time, over all listeners.',
  },
  {
    name: 'max.connections.per.ip',
    type: 'int',
    default: '2147483647',
    // None at all would shut out who is to set it right again: that can be said of single addresses.
    check: int(1),
    doc: 'Connections at a time from one address.',
  },
  {
    name: 'max.connections.per.ip.overrides',
    type: 'string',
    default: '',
    check: (value) =>
      value === '' || value.split(',').every((part) => OVERRIDE.test(part.trim()))
        ? undefined
        : 'a list of address:number is wanted',
    doc: 'Other numbers for single addresses: address:number, with commas between.',
  },
];

function topicDefaults(): BrokerConfigDefinition[] {
  return Array.from(STREAM_CONFIG_DEFINITIONS.values()).flatMap((definition) => {
    const name = BROKER_NAMES[definition.name];
    return name === undefined || definition.ignored ? [] : [{ ...definition, name, topicConfig: definition.name }];
  });
}

/** What can be set for a broker while it runs, of what Kafka's can: defaults of topics, limits of connections, compaction. */
export const BROKER_CONFIG_DEFINITIONS: ReadonlyMap<string, BrokerConfigDefinition> = definitionsByName([
  ...OWN,
  ...topicDefaults(),
]);
