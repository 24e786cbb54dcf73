import { z } from 'zod';
import {
  type Broker,
  type FoundMessage,
  followTrace,
  type PlaceInfo,
  type SearchPosition,
  type Stream,
  searchTraces,
  TRACING_MODES,
  type TracingSettings,
} from '../../../broker/index.ts';
import { isMonitor } from '../access.ts';
import { numberIn, timeIn } from '../browse-query.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { badRequest, notFound } from '../errors.ts';
import { type Call, DONE, get, ok, put, type Route, remove } from '../route.ts';
import type { Trace, TraceSearch, TraceSettingsState, TraceSummary } from '../shapes/traces.ts';
import { describeRecord, type StreamTraces, searchStream } from '../stream-traces.ts';
import { traceStart } from '../trace-id.ts';
import { type SeesPlace, showFound, showPath } from '../trace-shape.ts';

const DEFAULT_COUNT = 50;
const MAX_COUNT = 200;
const MAX_PATTERNS = 100;
const MAX_NAME = 255;
const MINUTE_MS = 60_000;
const YEAR_MS = 366 * 24 * 60 * MINUTE_MS;
const MIN_BYTES = 8 * 1024 * 1024;
const MAX_BYTES = 1024 * 1024 * 1024 * 1024;
/** In a cursor: before and after it, where the one and the other search goes on. */
const DIVIDER = '~';

const patterns = z.array(z.string().min(1).max(MAX_NAME)).max(MAX_PATTERNS);

const changes = z.strictObject({
  mode: z.enum(TRACING_MODES).optional(),
  sample_share: z.number().min(0).max(1).optional(),
  virtual_hosts: patterns.optional(),
  destinations: patterns.optional(),
  id_header: z.string().min(1).max(MAX_NAME).optional(),
  retention_ms: z.int().min(MINUTE_MS).max(YEAR_MS).optional(),
  retention_bytes: z.int().min(MIN_BYTES).max(MAX_BYTES).optional(),
});

export const traceRoutes: readonly Route[] = [
  get('/traces', { access: 'user', summary: 'Messages by id, key, destination or time, to follow their way' }, find),
  get('/traces/settings', { access: 'user', summary: 'Which messages are traced' }, ({ broker }) => settingsOf(broker)),
  put('/traces/settings', { access: 'administrator', summary: 'Changes which messages are traced' }, changes, change),
  remove(
    '/traces/settings',
    { access: 'administrator', summary: 'Which messages are traced is what the configuration says again' },
    async ({ broker }) => {
      await broker.turns.tracing.configure(undefined);
      return DONE;
    },
  ),
  get('/traces/:trace', { access: 'user', summary: 'The way of one message, in time' }, follow),
];

/** A user sees traces of what they may read, who watches over the broker all of them. */
function sight({ broker, user, access }: Call): { readonly all: boolean; readonly sees: SeesPlace } {
  const all = isMonitor(user);
  const answers = new Map<string, boolean>();
  const may = ({ kind, virtualHost, name }: PlaceInfo) => {
    if (kind === 'stream') return access.may('read', 'topic', name);
    // What a virtual host holds back is nobody's to read.
    return (
      kind === 'queue' && broker.virtualHosts.get(virtualHost) !== undefined && user.may(virtualHost, 'read', name)
    );
  };
  const sees = (place: PlaceInfo) => {
    if (all) return true;
    const key = `${place.kind}/${place.virtualHost}/${place.name}`;
    const known = answers.get(key) ?? may(place);
    answers.set(key, known);
    return known;
  };
  return { all, sees };
}

async function find(call: Call): Promise<TraceSearch> {
  const { broker } = call;
  const { tracing } = broker.turns;
  const text = (name: string) => call.query(name) || undefined;
  const query = {
    messageId: text('message_id'),
    key: text('key'),
    from: timeIn(call, 'from'),
    to: timeIn(call, 'to'),
    count: numberIn(call, 'count', { default: DEFAULT_COUNT, min: 1, max: MAX_COUNT }),
  };
  const destination = text('destination');
  const virtualHost = text('vhost');
  const cursor = cursorIn(call);
  const { all, sees } = sight(call);
  const seesFound = ({ places }: FoundMessage) => all || places.some(({ place }) => sees(place));
  const logged =
    tracing.log === undefined || cursor.before === 'done'
      ? undefined
      : await searchTraces(tracing.log, {
          ...{ ...query, destination, virtualHost, before: cursor.before, sees: seesFound },
        });
  const stream = destination === undefined ? undefined : streamNamed(broker, virtualHost, destination);
  // What was traced is for who watches, too; what lies in a stream, for who may read it.
  const isReadable = stream !== undefined && call.access.may('read', 'topic', stream.name);
  const { idHeader, mode } = tracing.settings;
  const read: StreamTraces =
    stream !== undefined && isReadable && cursor.positions !== 'done'
      ? await searchStream(stream, { ...query, idHeader, positions: cursor.positions })
      : { traces: [], positions: undefined };
  const found = logged?.found.map((one) => showFound(one, sees)) ?? [];
  const next = encodeNext(logged?.before, read.positions);
  return {
    traces: merge(found, read.traces),
    ...(next !== undefined && { cursor: next }),
    dropped: logged?.dropped ?? 0,
    mode,
  };
}

async function follow(call: Call): Promise<Trace> {
  const id = call.param('trace');
  const start = traceStart(id);
  const { log } = call.broker.turns.tracing;
  if (start === undefined || log === undefined) throw notFound();
  const path = await followTrace(log, start);
  const { all, sees } = sight(call);
  const shown = path.events.length === 0 ? undefined : showPath(id, path, all, sees);
  const record = 'placeId' in start ? await inStream(call, start) : undefined;
  if (shown !== undefined) return { ...record, ...shown };
  // Of a record that nobody recorded anything of, it is known that it is there.
  if (record === undefined) throw notFound();
  return { trace: id, ...record, events: [], complete: true, dropped: 0 };
}

/** What the record says that lies there, where it is one of a stream. */
async function inStream(
  call: Call,
  { placeId, offset }: { readonly placeId: string; readonly offset: number },
): ReturnType<typeof describeRecord> {
  for (const stream of call.broker.streams.all()) {
    const partition = stream.partitions.find(({ log }) => log.id === placeId);
    if (partition === undefined) continue;
    const isReadable = call.access.may('read', 'topic', stream.name);
    return isReadable ? await describeRecord(stream, partition, offset) : undefined;
  }
  return undefined;
}

/** A record that was traced is found in both ways: once is enough. The latest first. */
function merge(logged: readonly TraceSummary[], read: readonly TraceSummary[]): TraceSummary[] {
  const key = ({ name, partition, offset }: TraceSummary['places'][number]) => `${name}/${partition}/${offset}`;
  const known = new Set(logged.flatMap(({ places }) => places.filter(({ kind }) => kind === 'stream').map(key)));
  const others = read.filter(({ places }) => !places.some((place) => known.has(key(place))));
  return [...logged, ...others].sort((a, b) => b.time - a.time);
}

function streamNamed(broker: Broker, virtualHost: string | undefined, name: string): Stream | undefined {
  const entry = broker.virtualHosts.get(virtualHost ?? '/')?.queue(name);
  if (entry?.kind === 'stream') return entry.stream.stream;
  return virtualHost === undefined || virtualHost === '/' ? broker.streams.get(name) : undefined;
}

/** Where both searches go on; nothing before the divider, or after it, stands for one that is over. */
function encodeNext(before: SearchPosition | undefined, positions: StreamTraces['positions']): string | undefined {
  if (before === undefined && positions === undefined) return undefined;
  const first = before === undefined ? '' : encodeCursor([{ partition: before.told, offset: before.offset }]);
  return `${first}${DIVIDER}${positions === undefined ? '' : encodeCursor(positions)}`;
}

function cursorIn(call: Call) {
  const text = call.query('cursor');
  if (text === undefined || text === '') return { before: undefined, positions: undefined };
  const [before = '', positions, more] = text.split(DIVIDER);
  if (positions === undefined || more !== undefined) throw badRequest('this is not a cursor of this list');
  const [position] = before === '' ? [] : decodeCursor(before);
  return {
    before: position === undefined ? ('done' as const) : { offset: position.offset, told: position.partition },
    positions: positions === '' ? ('done' as const) : decodeCursor(positions),
  };
}

async function change({ broker }: Call, given: z.output<typeof changes>) {
  const { tracing } = broker.turns;
  const { settings } = tracing;
  await tracing.configure({
    mode: given.mode ?? settings.mode,
    sampleShare: given.sample_share ?? settings.sampleShare,
    virtualHosts: given.virtual_hosts ?? settings.virtualHosts,
    destinations: given.destinations ?? settings.destinations,
    idHeader: given.id_header ?? settings.idHeader,
    retentionMs: given.retention_ms ?? settings.retentionMs,
    retentionBytes: given.retention_bytes ?? settings.retentionBytes,
  } satisfies TracingSettings);
  return ok(settingsOf(broker));
}

function settingsOf({ turns: { tracing } }: Broker): TraceSettingsState {
  const { settings, overridden, log } = tracing;
  return {
    mode: settings.mode,
    sample_share: settings.sampleShare,
    virtual_hosts: settings.virtualHosts,
    destinations: settings.destinations,
    id_header: settings.idHeader,
    retention_ms: settings.retentionMs,
    retention_bytes: settings.retentionBytes,
    overridden,
    recorded: { events: log?.events ?? 0, dropped: log?.dropped ?? 0, bytes: log?.sizeBytes ?? 0 },
  };
}
