/** Structured logging, as pino does it: facts first, then one line of prose. */
export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A logger that can be told to say more, or less, while it is in use. */
export interface LevelledLogger extends Logger {
  level: string;
}

export function hasLevel(logger: Logger): logger is LevelledLogger {
  return 'level' in logger && typeof logger.level === 'string';
}
