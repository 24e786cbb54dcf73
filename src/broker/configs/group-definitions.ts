import { BrokerError } from '../../errors.ts';
import {
  type ConfigDefinition,
  type ConfigValues,
  checkConfig,
  definitionsByName,
  int,
  oneOf,
} from './config-definition.ts';
import type { GroupConfig, ShareOffsetReset } from './group-config.ts';

/** A setting of a group, and what Kafka's brokers call its default; the rest has none. */
interface GroupConfigDefinition extends ConfigDefinition {
  readonly brokerName?: string;
  /** What may be set for a group, unless the broker's settings say otherwise: see `boundNames`. */
  readonly bounds?: readonly [min: number, max: number];
}

const DEFINITIONS: readonly GroupConfigDefinition[] = [
  {
    name: 'consumer.heartbeat.interval.ms',
    type: 'int',
    default: '5000',
    check: int(1),
    bounds: [5_000, 15_000],
    brokerName: 'group.consumer.heartbeat.interval.ms',
    doc: 'How often members of a consumer group come, and so how soon they learn of a change.',
  },
  {
    name: 'consumer.session.timeout.ms',
    type: 'int',
    default: '45000',
    check: int(1),
    bounds: [45_000, 60_000],
    brokerName: 'group.consumer.session.timeout.ms',
    doc: 'How long members of a consumer group may be silent.',
  },
  {
    name: 'errors.deadletterqueue.copy.record.enable',
    type: 'boolean',
    default: 'false',
    check: oneOf(['true', 'false']),
    doc: 'Whether dead letters of a share group have key, value and headers of the record, or only say where it is.',
  },
  {
    name: 'errors.deadletterqueue.topic.name',
    type: 'string',
    default: '',
    check: (value) => (value.startsWith('__') ? "the name must not begin with '__'" : undefined),
    doc: 'The topic that records go to that a share group gave up on; empty for none.',
  },
  {
    name: 'share.auto.offset.reset',
    type: 'string',
    default: 'latest',
    check: (value) =>
      shareOffsetReset(value) === undefined
        ? 'it must be earliest, latest or by_duration:PnDTnHnMn.nS (ISO 8601, not negative)'
        : undefined,
    doc: 'Where a share group begins in a partition: earliest, latest, or by_duration: and an ISO 8601 duration before now.',
  },
  {
    name: 'share.delivery.count.limit',
    type: 'int',
    default: '5',
    check: int(2),
    bounds: [2, 10],
    brokerName: 'group.share.delivery.count.limit',
    doc: 'How often a record is delivered to a share group.',
  },
  {
    name: 'share.heartbeat.interval.ms',
    type: 'int',
    default: '5000',
    check: int(1),
    bounds: [5_000, 15_000],
    brokerName: 'group.share.heartbeat.interval.ms',
    doc: 'How often members of a share group come.',
  },
  {
    name: 'share.isolation.level',
    type: 'string',
    default: 'read_uncommitted',
    check: oneOf(['read_committed', 'read_uncommitted']),
    doc: 'Whether a share group gets records of transactions before those are committed.',
  },
  {
    name: 'share.partition.max.record.locks',
    type: 'int',
    default: '2000',
    check: int(100),
    bounds: [100, 4_000],
    brokerName: 'group.share.partition.max.record.locks',
    doc: 'How many records of a partition a share group may have in flight.',
  },
  {
    name: 'share.record.lock.duration.ms',
    type: 'int',
    default: '30000',
    check: int(1_000),
    bounds: [15_000, 60_000],
    brokerName: 'group.share.record.lock.duration.ms',
    doc: "How long a record is one member's.",
  },
  {
    name: 'share.renew.acknowledge.enable',
    type: 'boolean',
    default: 'true',
    check: oneOf(['true', 'false']),
    doc: 'Whether members of a share group may have a record for longer.',
  },
  {
    name: 'share.session.timeout.ms',
    type: 'int',
    default: '45000',
    check: int(1),
    bounds: [45_000, 60_000],
    brokerName: 'group.share.session.timeout.ms',
    doc: 'How long members of a share group may be silent.',
  },
];

/** What can be set for one group (Kafka: Group Configs). Streams groups are not there, and nor are their settings. */
export const GROUP_CONFIG_DEFINITIONS: ReadonlyMap<string, GroupConfigDefinition> = definitionsByName(DEFINITIONS);

/** The least and the greatest that may be set for single groups, where it is not Kafka's default; by `boundNames`. */
export type GroupBounds = Readonly<Record<string, number>>;

/** What the broker's settings for the bounds of a group's setting are called; Kafka puts `group.` before them. */
export function boundNames(name: string): readonly [min: string, max: string] {
  const [kind = '', ...rest] = name.split('.');
  return [[kind, 'min', ...rest].join('.'), [kind, 'max', ...rest].join('.')];
}

/** Throws `invalid-configuration` for defaults that cannot be. */
export function checkGroupDefaults(defaults: ConfigValues): void {
  checkConfig('group', GROUP_CONFIG_DEFINITIONS, defaults);
}

/**
 * Settings of one group, checked as Kafka's GroupConfig does: throws `invalid-configuration`. What holds for all groups holds for each,
 * even beyond the bounds.
 */
export function checkGroupConfig(own: ConfigValues, defaults: ConfigValues, given: GroupBounds): void {
  checkConfig('group', GROUP_CONFIG_DEFINITIONS, own);
  for (const [name, value] of Object.entries(own)) {
    const { bounds, default: fallback } = GROUP_CONFIG_DEFINITIONS.get(name) ?? {};
    if (bounds === undefined) continue;
    const usual = Number(defaults[name] ?? fallback);
    const [minName, maxName] = boundNames(name);
    const min = Math.min(given[minName] ?? bounds[0], usual);
    const max = Math.max(given[maxName] ?? bounds[1], usual);
    if (Number(value) < min) refuse(`${name} must be greater than or equal to ${min}`);
    if (Number(value) > max) refuse(`${name} must be less than or equal to ${max}`);
  }
  const config = groupConfig(own, defaults);
  if (config.consumerSessionTimeoutMs <= config.consumerHeartbeatIntervalMs)
    refuse('consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms');
  if (config.shareSessionTimeoutMs <= config.shareHeartbeatIntervalMs)
    refuse('share.session.timeout.ms must be greater than share.heartbeat.interval.ms');
}

function refuse(message: string): never {
  throw new BrokerError('invalid-configuration', message);
}

/** The value that counts, as text: the group's own, else the broker's default, else Kafka's. */
export function groupConfigValue(name: string, own: ConfigValues, defaults: ConfigValues): string {
  return own[name] ?? defaults[name] ?? GROUP_CONFIG_DEFINITIONS.get(name)?.default ?? '';
}

/** A group's settings, read. What is given must have been checked. */
export function groupConfig(own: ConfigValues, defaults: ConfigValues): GroupConfig {
  const text = (name: string) => groupConfigValue(name, own, defaults);
  const number = (name: string) => Number(text(name));
  return {
    consumerSessionTimeoutMs: number('consumer.session.timeout.ms'),
    consumerHeartbeatIntervalMs: number('consumer.heartbeat.interval.ms'),
    shareSessionTimeoutMs: number('share.session.timeout.ms'),
    shareHeartbeatIntervalMs: number('share.heartbeat.interval.ms'),
    shareRecordLockDurationMs: number('share.record.lock.duration.ms'),
    shareDeliveryCountLimit: number('share.delivery.count.limit'),
    sharePartitionMaxRecordLocks: number('share.partition.max.record.locks'),
    shareAutoOffsetReset: shareOffsetReset(text('share.auto.offset.reset')) ?? { at: 'latest' },
    shareIsolationLevel: text('share.isolation.level') === 'read_committed' ? 'read_committed' : 'read_uncommitted',
    shareRenewAcknowledge: text('share.renew.acknowledge.enable') === 'true',
    deadLetterTopic: text('errors.deadletterqueue.topic.name'),
    deadLetterCopiesRecord: text('errors.deadletterqueue.copy.record.enable') === 'true',
  };
}

/** As java.time.Duration reads it, but for signs. */
const DURATION = /^P(?=.)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{0,9})?)S)?)?$/i;

function shareOffsetReset(text: string): ShareOffsetReset | undefined {
  if (text === 'earliest' || text === 'latest') return { at: text };
  const found = text.startsWith('by_duration:') ? DURATION.exec(text.slice('by_duration:'.length)) : null;
  if (found === null) return undefined;
  const [days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0));
  const milliseconds = ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
  return milliseconds <= Number.MAX_SAFE_INTEGER ? { at: 'age', milliseconds: Math.floor(milliseconds) } : undefined;
}
