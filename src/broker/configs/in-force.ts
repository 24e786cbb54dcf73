import type { ConnectionNumbers } from '../flow/connection-limits.ts';
import type { CleanerSettings } from '../streams/cleaner.ts';
import type { BrokerConfigs } from './broker-configs.ts';
import { connectionOverrides } from './broker-definitions.ts';
import type { ConfigValues } from './config-definition.ts';

/** What the broker was started with of what can be set while it runs, by Kafka's names. */
export function brokerStatics({
  connections,
  compaction,
}: {
  readonly connections: Pick<ConnectionNumbers, 'max' | 'maxPerAddress'>;
  readonly compaction: Partial<CleanerSettings>;
}): ConfigValues {
  return texts({
    'max.connections': connections.max,
    'max.connections.per.ip': connections.maxPerAddress,
    'log.cleaner.backoff.ms': compaction.checkMs,
    'log.cleaner.dedupe.buffer.size': compaction.mapBytes,
    'log.cleaner.io.max.bytes.per.second': compaction.bytesPerSecond,
  });
}

/** What groups have that nothing is set for, by Kafka's names; the times of consumer groups are settings of their own. */
export function groupDefaults({
  groups,
  groupDefaults: others,
}: {
  readonly groups: { readonly consumerSessionTimeoutMs?: number; readonly consumerHeartbeatIntervalMs?: number };
  readonly groupDefaults: ConfigValues;
}): ConfigValues {
  const times = texts({
    'consumer.session.timeout.ms': groups.consumerSessionTimeoutMs,
    'consumer.heartbeat.interval.ms': groups.consumerHeartbeatIntervalMs,
  });
  return { ...others, ...times };
}

function texts(numbers: Readonly<Record<string, number | undefined>>): ConfigValues {
  const given = Object.entries(numbers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

/** Settings of the broker that count now, read. */
export interface NumbersInForce {
  readonly connections: ConnectionNumbers;
  readonly cleaner: CleanerSettings;
}

export function numbersOf(configs: BrokerConfigs): NumbersInForce {
  const number = (name: string) => Number(configs.value(name));
  return {
    connections: {
      max: number('max.connections'),
      maxPerAddress: number('max.connections.per.ip'),
      perAddress: connectionOverrides(configs.value('max.connections.per.ip.overrides')),
    },
    cleaner: {
      checkMs: number('log.cleaner.backoff.ms'),
      mapBytes: number('log.cleaner.dedupe.buffer.size'),
      bytesPerSecond: number('log.cleaner.io.max.bytes.per.second'),
    },
  };
}
