import { hasLevel, type Logger } from '../../environment/logger.ts';
import { isLogLevel, LOG_LEVELS, type LogLevel, severity } from './level.ts';
import { LogRing } from './log-ring.ts';

/** What says something in the log. */
export const LOG_PARTS = ['broker', 'kafka', 'amqp', 'http'] as const;

export type LogPart = (typeof LOG_PARTS)[number];

export interface LogsOptions {
  /** Where lines go. Its own level, where it has one, follows the levels set here. */
  readonly sink: Logger;
  readonly now: () => number;
}

/** The log: what goes to it by level, of all and of single parts, and its latest lines. */
export class Logs {
  readonly ring = new LogRing();
  readonly #options: LogsOptions;
  readonly #loggers: ReadonlyMap<LogPart, PartLogger>;
  #level: LogLevel;

  constructor(options: LogsOptions) {
    this.#options = options;
    const { sink } = options;
    const given = hasLevel(sink) ? sink.level : '';
    // A program that takes lines itself, without levels, takes all.
    this.#level = isLogLevel(given) ? given : 'debug';
    this.#loggers = new Map(LOG_PARTS.map((part) => [part, new PartLogger(part, this)]));
    this.#follow();
  }

  /** The least severe lines that are logged, of the parts that have no level of their own. */
  get level(): LogLevel {
    return this.#level;
  }

  /** What says its lines are of this part; of one that is not known, they are the broker's. */
  part(part: string): Logger {
    const known = LOG_PARTS.find((each) => each === part) ?? 'broker';
    // There is one of each.
    return this.#loggers.get(known) ?? this.#options.sink;
  }

  /** A part's own level; undefined where it has none. */
  ownLevel(part: LogPart): LogLevel | undefined {
    return this.#loggers.get(part)?.own;
  }

  /** Lasts until the broker stops. Of one part, undefined takes its own level away. */
  setLevel(part: LogPart, level: LogLevel | undefined): void;
  setLevel(part: 'all', level: LogLevel): void;
  setLevel(part: LogPart | 'all', level: LogLevel | undefined): void {
    if (part !== 'all') {
      const logger = this.#loggers.get(part);
      if (logger !== undefined) logger.own = level;
    } else if (level !== undefined) this.#level = level;
    this.#follow();
  }

  /** For the parts' loggers: a line that is severe enough. */
  log(part: LogPart, level: Exclude<keyof Logger, symbol>, facts: object, message: string): void {
    const { sink, now } = this.#options;
    sink[level](facts, message);
    this.ring.add({ time: now(), level, part, message }, facts);
  }

  #follow(): void {
    let least = severity(this.#level);
    for (const logger of this.#loggers.values()) {
      logger.threshold = severity(logger.own ?? this.#level);
      least = Math.min(least, logger.threshold);
    }
    const { sink } = this.#options;
    const level = LOG_LEVELS[least];
    if (hasLevel(sink) && level !== undefined && sink.level !== level) sink.level = level;
  }
}

const [DEBUG, INFO, WARN, ERROR] = [severity('debug'), severity('info'), severity('warn'), severity('error')];

/** One part's way to the log. */
class PartLogger implements Logger {
  own: LogLevel | undefined;
  /** Less severe lines are not logged. */
  threshold = 0;
  readonly #part: LogPart;
  readonly #logs: Logs;

  constructor(part: LogPart, logs: Logs) {
    this.#part = part;
    this.#logs = logs;
  }

  debug(facts: object, message: string): void {
    if (this.threshold <= DEBUG) this.#logs.log(this.#part, 'debug', facts, message);
  }

  info(facts: object, message: string): void {
    if (this.threshold <= INFO) this.#logs.log(this.#part, 'info', facts, message);
  }

  warn(facts: object, message: string): void {
    if (this.threshold <= WARN) this.#logs.log(this.#part, 'warn', facts, message);
  }

  error(facts: object, message: string): void {
    if (this.threshold <= ERROR) this.#logs.log(this.#part, 'error', facts, message);
  }
}
