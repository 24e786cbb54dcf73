import { z } from 'zod';
import {
  isLogLevel,
  LOG_LEVELS,
  LOG_PARTS,
  type LogEntry,
  type LogPart,
  type Logs,
  severity,
} from '../../../broker/index.ts';
import { badRequest } from '../errors.ts';
import type { EventStream } from '../event-stream.ts';
import { limitOf, numberOf, timeOf } from '../query-values.ts';
import { type Call, DONE, get, getEvents, put, type Route } from '../route.ts';
import type { LogLevelShape, LogLineShape, LogPageShape } from '../shapes/logs.ts';

const DEFAULT_LIMIT = 200;
const MAX_LIMIT = 5_000;
/** Lines of the past that a reader of what comes is told first. */
const MAX_PAST = 1_000;

const level = z.enum(LOG_LEVELS);
const levels = z.strictObject({
  level: level.optional(),
  parts: z.partialRecord(z.enum(LOG_PARTS), level.nullable()).optional(),
});

export const logRoutes: readonly Route[] = [
  get('/logs', { access: 'monitor', summary: 'The latest lines of the log, the newest first' }, (call) => page(call)),
  getEvents('/logs/tail', { access: 'monitor', summary: 'Lines of the log as they come' }, (call) => {
    const { query, header } = call;
    const wanted = matching(query);
    const after = numberOf('last-event-id', header('last-event-id')) ?? numberOf('after', query('after'));
    return { status: 200, events: (stream) => tail(call, wanted, after, stream) };
  }),
  get('/log-level', { access: 'monitor', summary: 'What is logged' }, ({ broker }) => showLevels(broker.logs)),
  put(
    '/log-level',
    { access: 'administrator', summary: 'Changes what is logged, until the broker stops' },
    levels,
    ({ broker: { logs } }, given) => {
      if (given.level !== undefined) logs.setLevel('all', given.level);
      for (const [part, own] of Object.entries(given.parts ?? {})) logs.setLevel(part as LogPart, own ?? undefined);
      return DONE;
    },
  ),
];

function page({ broker, query }: Call): LogPageShape {
  const wanted = matching(query);
  const limit = limitOf(query('limit'), DEFAULT_LIMIT, MAX_LIMIT);
  const items: LogLineShape[] = [];
  for (const entry of broker.logs.ring.newestFirst(numberOf('before', query('before')))) {
    if (!wanted(entry)) continue;
    if (items.length === limit) return { items, next: items.at(-1)?.id ?? null };
    items.push(show(entry));
  }
  return { items, next: null };
}

/** Lines that are there and match first, the oldest at the beginning, then those that come. */
function tail({ broker }: Call, wanted: Wanted, after: number | undefined, stream: EventStream): void {
  const past: LogEntry[] = [];
  for (const entry of broker.logs.ring.newestFirst()) {
    if (after === undefined || entry.id <= after || past.length === MAX_PAST) break;
    if (wanted(entry)) past.push(entry);
  }
  const tell = (entry: LogEntry) => void stream.send({ event: 'line', id: String(entry.id), data: show(entry) });
  for (const entry of past.reverse()) tell(entry);
  // Who does not keep up misses lines: the ids tell.
  stream.onClose(broker.logs.ring.onLine((entry) => (wanted(entry) && !stream.congested ? tell(entry) : undefined)));
}

type Wanted = (entry: LogEntry) => boolean;

function matching(query: Call['query']): Wanted {
  const text = (query('text') ?? '').toLowerCase();
  const part = query('part') ?? '';
  const least = query('level') ?? '';
  if (least !== '' && !isLogLevel(least)) throw badRequest(`level: one of ${LOG_LEVELS.join(', ')} is wanted`);
  const threshold = isLogLevel(least) ? severity(least) : 0;
  const since = timeOf('since', query('since')) ?? 0;
  return (entry) =>
    severity(entry.level) >= threshold &&
    (part === '' || entry.part === part) &&
    entry.time >= since &&
    (text === '' || entry.message.toLowerCase().includes(text) || entry.facts.toLowerCase().includes(text));
}

/** The newest lines, for those who take some of everything. */
export function newestLines({ broker }: Call, limit: number): LogLineShape[] {
  const lines: LogLineShape[] = [];
  for (const entry of broker.logs.ring.newestFirst()) {
    if (lines.length === limit) break;
    lines.push(show(entry));
  }
  return lines;
}

function show({ id, time, level: of, part, message, facts }: LogEntry): LogLineShape {
  return { id, time, level: of, part, message, facts: JSON.parse(facts) as LogLineShape['facts'] };
}

function showLevels(logs: Logs): LogLevelShape {
  const parts = Object.fromEntries(LOG_PARTS.map((part) => [part, logs.ownLevel(part) ?? null]));
  return { level: logs.level, parts, levels: LOG_LEVELS };
}
