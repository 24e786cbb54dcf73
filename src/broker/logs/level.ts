/** From the one that says most to the one that says nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export function isLogLevel(text: string): text is LogLevel {
  return LOG_LEVELS.some((level) => level === text);
}

/** What is at least so severe is logged. */
export function severity(level: LogLevel): number {
  return LOG_LEVELS.indexOf(level);
}
