import {
  type ConfigValues,
  LOG_LEVELS,
  LOG_PARTS,
  type LogLevel,
  type LogPart,
  type Logs,
} from '../../../../broker/index.ts';
import { BrokerError } from '../../../../errors.ts';
import { KafkaError } from '../../codec/error-codes.ts';
import { type ConfigEntry, ConfigSource, configEntry } from './config-entry.ts';
import type { ConfigTarget } from './config-target.ts';
import { Refusal } from './refusal.ts';

/** The logger of all parts that have no level of their own. */
const ROOT = 'root';

/** Kafka's names of levels. It has none for nothing at all; log4j calls it this. */
const OFF = 'OFF';
const LEVELS: ReadonlyMap<string, LogLevel> = new Map(
  LOG_LEVELS.map((level) => [level === 'silent' ? OFF : level.toUpperCase(), level]),
);

function textOf(level: LogLevel): string {
  return level === 'silent' ? OFF : level.toUpperCase();
}

/** The levels of the broker's log, as Kafka has levels of loggers (KIP-412): a part without one is told with that of all. */
export function loggerConfigs(logs: Logs): ConfigEntry[] {
  return [ROOT, ...LOG_PARTS].map((name) => {
    const own = name === ROOT ? undefined : logs.ownLevel(name as LogPart);
    const value = textOf(own ?? logs.level);
    const synonyms = [{ name, value, source: ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG }];
    const doc = 'The least severe messages that are logged; lasts until the broker stops.';
    const entry = configEntry({ name, type: 'string', doc, readOnly: false, synonyms, fallback: value });
    return { ...entry, synonyms: [] };
  });
}

export function loggerTarget(logs: Logs): ConfigTarget {
  const own = (): ConfigValues => {
    const parts = LOG_PARTS.map((part) => [part, logs.ownLevel(part)] as const);
    const set = parts.flatMap(([part, level]) => (level === undefined ? [] : [[part, textOf(level)] as const]));
    return { [ROOT]: textOf(logs.level), ...Object.fromEntries(set) };
  };
  return {
    typeOf: () => 'string',
    value: (name, config) => config[name] ?? '',
    check: (change) => checkLevels(change(own())),
    configure: async (change) => {
      const config = change(own());
      checkLevels(config);
      const root = LEVELS.get(config[ROOT] ?? '');
      if (root !== undefined) logs.setLevel('all', root);
      for (const part of LOG_PARTS) logs.setLevel(part, LEVELS.get(config[part] ?? ''));
    },
  };
}

function checkLevels(config: ConfigValues): void {
  const parts: readonly string[] = [ROOT, ...LOG_PARTS];
  const other = Object.keys(config).find((name) => !parts.includes(name));
  if (other !== undefined) throw new BrokerError('invalid-configuration', `Logger ${other} does not exist!`);
  if (config[ROOT] === undefined)
    throw new Refusal(KafkaError.INVALID_REQUEST, 'Removing the log level of the root logger is not allowed');
  for (const [name, level] of Object.entries(config))
    if (!LEVELS.has(level))
      throw new BrokerError(
        'invalid-configuration',
        `Cannot set the log level of ${name} to ${level} as it is not a supported log level. Valid log levels are ${[...LEVELS.keys()].filter((each) => each !== OFF).join(', ')}`,
      );
}
