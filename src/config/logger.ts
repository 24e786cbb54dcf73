import type { Logger } from '../environment/logger.ts';
import type { Settings } from './schema.ts';

export interface LoggerOptions {
  readonly level: Settings['logLevel'];
  /** Whether a person reads along: lines to read instead of JSON. */
  readonly terminal: boolean;
}

const STDERR = 2;

/** Logs to standard error, at once: what was logged is out before the process dies of it. */
export async function createLogger({ level, terminal }: LoggerOptions): Promise<Logger> {
  const { pino } = await import('pino');
  if (terminal) {
    const { default: pretty } = await import('pino-pretty');
    const lines = pretty({
      destination: STDERR,
      sync: true,
      colorize: true,
      translateTime: 'SYS:HH:MM:ss.l',
      ignore: 'pid,hostname',
    });
    const logger: Logger = pino<never>({ level }, lines);
    return logger;
  }
  const logger: Logger = pino<never>(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: STDERR, sync: true }),
  );
  return logger;
}
