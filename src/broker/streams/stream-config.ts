import type { Compression } from '../../records/index.ts';
import {
  anything,
  type ConfigDefinition,
  type ConfigValues,
  checkConfig,
  definitionsByName,
  int,
  listOf,
  long,
  oneOf,
  ratio,
} from '../configs/config-definition.ts';

/** What can be set for one stream, under Kafka's names (Kafka: Topic Configs). Sizes in bytes, times in milliseconds. */
export interface StreamConfig {
  /** What becomes of old records: 'delete', 'compact' or both. */
  readonly cleanupPolicy: readonly ('delete' | 'compact')[];
  /** -1 for no limit. */
  readonly retentionMs: number;
  /** Per partition; -1 for no limit. */
  readonly retentionBytes: number;
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly maxMessageBytes: number;
  /** What batches are kept as; 'producer' for as they come. */
  readonly compressionType: Compression | 'producer';
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
  readonly minInsyncReplicas: number;
  /** How long compaction leaves tombstones, from when it first met them. */
  readonly deleteRetentionMs: number;
  /** Younger records are not compacted. */
  readonly minCompactionLagMs: number;
  /** With older records that were never compacted, compaction does not wait for the dirty ratio. */
  readonly maxCompactionLagMs: number;
  /** Above this share of bytes that were never compacted, a log is compacted. */
  readonly minCleanableDirtyRatio: number;
  /** Whether share groups may have it for their dead letters. */
  readonly takesDeadLetters: boolean;
}

const DEFINITIONS: readonly ConfigDefinition[] = [
  {
    name: 'cleanup.policy',
    type: 'list',
    default: 'delete',
    check: listOf(['delete', 'compact']),
    doc: 'What becomes of old records: delete them, or keep the last one of each key.',
  },
  {
    name: 'compression.type',
    type: 'string',
    default: 'producer',
    check: oneOf(['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer']),
    doc: 'What batches are kept as: producer for as they come, which spares the broker the work.',
  },
  {
    name: 'delete.retention.ms',
    type: 'long',
    default: '86400000',
    check: long(0),
    doc: 'How long compaction keeps tombstones, from when it first met them.',
  },
  {
    name: 'errors.deadletterqueue.group.enable',
    type: 'boolean',
    default: 'false',
    check: oneOf(['true', 'false']),
    doc: 'Whether share groups may have this topic for their dead letters.',
  },
  {
    name: 'file.delete.delay.ms',
    type: 'long',
    default: '60000',
    check: long(0),
    doc: 'No effect: files go at once.',
    ignored: true,
  },
  {
    name: 'flush.messages',
    type: 'long',
    default: '9223372036854775807',
    check: long(1),
    doc: 'No effect: see storage.flush.',
    ignored: true,
  },
  {
    name: 'flush.ms',
    type: 'long',
    default: '9223372036854775807',
    check: long(0),
    doc: 'No effect: see storage.flush.',
    ignored: true,
  },
  {
    name: 'index.interval.bytes',
    type: 'int',
    default: '4096',
    check: int(0),
    doc: 'No effect: an index entry for each 4096 bytes.',
    ignored: true,
  },
  {
    name: 'max.compaction.lag.ms',
    type: 'long',
    default: '9223372036854775807',
    check: long(1),
    doc: 'The longest that a record may wait for compaction, whatever min.cleanable.dirty.ratio says.',
  },
  {
    name: 'max.message.bytes',
    type: 'int',
    default: '1048588',
    check: int(0),
    doc: 'The largest record batch, in bytes, compressed as it came and as it is kept.',
  },
  {
    name: 'message.timestamp.after.max.ms',
    type: 'long',
    default: '9223372036854775807',
    check: long(0),
    doc: 'How far ahead of the clock a record may be stamped.',
  },
  {
    name: 'message.timestamp.before.max.ms',
    type: 'long',
    default: '9223372036854775807',
    check: long(0),
    doc: 'How far behind the clock a record may be stamped.',
  },
  {
    name: 'message.timestamp.difference.max.ms',
    type: 'long',
    default: '9223372036854775807',
    check: long(0),
    doc: 'How far from the clock a record may be stamped, in both directions: what message.timestamp.before.max.ms and message.timestamp.after.max.ms are when they are not set.',
    former: true,
  },
  {
    name: 'message.timestamp.type',
    type: 'string',
    default: 'CreateTime',
    check: oneOf(['CreateTime', 'LogAppendTime']),
    doc: "Whether the producer's time or the time of appending counts.",
  },
  {
    name: 'min.cleanable.dirty.ratio',
    type: 'double',
    default: '0.5',
    check: ratio,
    doc: 'The share of a log that was never compacted, in bytes, above which compaction runs.',
  },
  {
    name: 'min.compaction.lag.ms',
    type: 'long',
    default: '0',
    check: long(0),
    doc: 'The shortest that a record escapes compaction.',
  },
  {
    name: 'min.insync.replicas',
    type: 'int',
    default: '1',
    check: int(1),
    doc: 'Replicas that must have a record before acks=all is answered; there is one of each partition.',
  },
  {
    name: 'preallocate',
    type: 'boolean',
    default: 'false',
    check: oneOf(['true', 'false']),
    doc: 'No effect.',
    ignored: true,
  },
  {
    name: 'retention.bytes',
    type: 'long',
    default: '-1',
    check: long(-1),
    doc: 'The size from which on the oldest records of a partition go; -1 for no limit.',
  },
  {
    name: 'retention.ms',
    type: 'long',
    default: '604800000',
    check: long(-1),
    doc: 'The age from which on records go; -1 for no limit.',
  },
  { name: 'segment.bytes', type: 'int', default: '1073741824', check: int(14), doc: 'The largest segment.' },
  {
    name: 'segment.index.bytes',
    type: 'int',
    default: '10485760',
    check: int(4),
    doc: 'No effect: an index is as large as its segment needs.',
    ignored: true,
  },
  { name: 'segment.jitter.ms', type: 'long', default: '0', check: long(0), doc: 'No effect.', ignored: true },
  {
    name: 'segment.ms',
    type: 'long',
    default: '604800000',
    check: long(1),
    doc: 'The longest span of time in one segment.',
  },
  {
    name: 'unclean.leader.election.enable',
    type: 'boolean',
    default: 'false',
    check: oneOf(['true', 'false']),
    doc: 'No effect: there is one replica.',
    ignored: true,
  },
  {
    name: 'leader.replication.throttled.replicas',
    type: 'list',
    default: '',
    check: anything,
    doc: 'No effect.',
    ignored: true,
  },
  {
    name: 'follower.replication.throttled.replicas',
    type: 'list',
    default: '',
    check: anything,
    doc: 'No effect.',
    ignored: true,
  },
];

export const STREAM_CONFIG_DEFINITIONS: ReadonlyMap<string, ConfigDefinition> = definitionsByName(DEFINITIONS);

/** Settings by name, checked. Throws `invalid-configuration` for a name or a value that is not one. */
export function checkStreamConfig(config: ConfigValues): void {
  checkConfig('topic', STREAM_CONFIG_DEFINITIONS, config);
}

/** The value that counts, as text: the stream's own, else the broker's default, else Kafka's. */
export function configValue(name: string, own: ConfigValues, defaults: ConfigValues): string {
  return own[name] ?? defaults[name] ?? STREAM_CONFIG_DEFINITIONS.get(name)?.default ?? '';
}

/** A stream's settings, read once for use on the hot path. Both records must have passed `checkStreamConfig`. */
export function streamConfig(own: ConfigValues, defaults: ConfigValues): StreamConfig {
  const text = (name: string) => configValue(name, own, defaults);
  const number = (name: string) => Number(text(name));
  const timestampLimit = (name: string) =>
    Number(own[name] ?? own['message.timestamp.difference.max.ms'] ?? text(name));
  return {
    cleanupPolicy: text('cleanup.policy')
      .split(',')
      .map((policy) => (policy.trim() === 'compact' ? 'compact' : 'delete')),
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    segmentBytes: number('segment.bytes'),
    segmentMs: number('segment.ms'),
    maxMessageBytes: number('max.message.bytes'),
    compressionType: compressionType(text('compression.type')),
    timestampType: text('message.timestamp.type') === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    timestampBeforeMaxMs: timestampLimit('message.timestamp.before.max.ms'),
    timestampAfterMaxMs: timestampLimit('message.timestamp.after.max.ms'),
    minInsyncReplicas: number('min.insync.replicas'),
    deleteRetentionMs: number('delete.retention.ms'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    maxCompactionLagMs: number('max.compaction.lag.ms'),
    minCleanableDirtyRatio: number('min.cleanable.dirty.ratio'),
    takesDeadLetters: text('errors.deadletterqueue.group.enable') === 'true',
  };
}

function compressionType(text: string): StreamConfig['compressionType'] {
  // Checked before.
  return text === 'uncompressed' ? 'none' : (text as StreamConfig['compressionType']);
}
