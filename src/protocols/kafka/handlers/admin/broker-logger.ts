import type { ConfigValues } from '../../../../broker/index.ts';
import { hasLevel, type LevelledLogger, type Logger } from '../../../../environment/logger.ts';
import { BrokerError } from '../../../../errors.ts';
import { KafkaError } from '../../codec/error-codes.ts';
import { type ConfigEntry, ConfigSource, configEntry } from './config-entry.ts';
import type { ConfigTarget } from './config-target.ts';
import { Refusal } from './refusal.ts';

/** The only logger that there is: it stands for all. */
const ROOT = 'root';

/** Kafka's names of levels, and the log's. */
const LEVELS: ReadonlyMap<string, string> = new Map([
  ['TRACE', 'trace'],
  ['DEBUG', 'debug'],
  ['INFO', 'info'],
  ['WARN', 'warn'],
  ['ERROR', 'error'],
  ['FATAL', 'fatal'],
]);

function levelled(logger: Logger): LevelledLogger {
  if (hasLevel(logger)) return logger;
  throw new Refusal(KafkaError.INVALID_REQUEST, 'The log that this broker was given has no level.');
}

function levelOf({ level }: LevelledLogger): string {
  for (const [name, of] of LEVELS) if (of === level) return name;
  return 'OFF';
}

/** The level of the broker's log, as Kafka has levels of loggers (KIP-412). */
export function loggerConfigs(logger: Logger): ConfigEntry[] {
  const value = levelOf(levelled(logger));
  const synonyms = [{ name: ROOT, value, source: ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG }];
  const doc = 'The least severe messages that are logged; lasts until the broker stops.';
  const entry = configEntry({ name: ROOT, type: 'string', doc, readOnly: false, synonyms, fallback: value });
  return [{ ...entry, synonyms: [] }];
}

export function loggerTarget(logger: Logger): ConfigTarget {
  const log = levelled(logger);
  const own = (): ConfigValues => ({ [ROOT]: levelOf(log) });
  return {
    typeOf: () => 'string',
    value: (name, config) => config[name] ?? '',
    check: (change) => checkLevel(change(own())),
    configure: async (change) => {
      const config = change(own());
      checkLevel(config);
      const level = LEVELS.get(config[ROOT] ?? '');
      if (level !== undefined) log.level = level;
    },
  };
}

function checkLevel(config: ConfigValues): void {
  const other = Object.keys(config).find((name) => name !== ROOT);
  if (other !== undefined) throw new BrokerError('invalid-configuration', `Logger ${other} does not exist!`);
  const level = config[ROOT];
  if (level === undefined)
    throw new Refusal(KafkaError.INVALID_REQUEST, 'Removing the log level of the root logger is not allowed');
  if (!LEVELS.has(level) && level !== 'OFF')
    throw new BrokerError(
      'invalid-configuration',
      `Cannot set the log level of ${ROOT} to ${level} as it is not a supported log level. Valid log levels are ${[...LEVELS.keys()].join(', ')}`,
    );
}
