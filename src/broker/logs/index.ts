export { isLogLevel, LOG_LEVELS, type LogLevel, severity } from './level.ts';
export type { LogEntry, LogRing } from './log-ring.ts';
export { LOG_PARTS, type LogPart, Logs } from './logs.ts';
