import type {
  ActorInfo,
  EventOf,
  FoundAt,
  FoundMessage,
  PlaceInfo,
  TraceEvent,
  TracePath,
} from '../../broker/index.ts';
import type { Trace, TraceActor, TracePlace, TraceStep, TraceSummary } from './shapes/traces.ts';
import { publishedId } from './trace-id.ts';

/** Whether whoever asks may know of what lies there. */
export type SeesPlace = (place: PlaceInfo) => boolean;

function showPlace({ place, offset }: Pick<FoundAt, 'place' | 'offset'>): TracePlace {
  const { kind, virtualHost: vhost, name, partition } = place;
  return { kind, vhost, name, ...(kind === 'stream' && { partition }), offset };
}

function showActor({ protocol, user, connection, client }: ActorInfo): TraceActor {
  return { protocol, ...(user && { user }), ...(connection && { connection }), ...(client && { client }) };
}

export function showFound({ published, places }: FoundMessage, sees: SeesPlace): TraceSummary {
  const { trace, time, messageId, key, virtualHost, exchange, routingKey, bytes, outcome, by } = published;
  return {
    trace: publishedId(trace),
    time,
    ...named({ messageId, key: key || routingKey }),
    vhost: virtualHost,
    exchange,
    routing_key: routingKey,
    bytes,
    outcome,
    ...actor(by),
    places: places.filter(({ place }) => sees(place)).map(showPlace),
  };
}

/** Undefined when whoever asks may know of nothing of it. */
export function showPath(
  trace: string,
  { events, complete, dropped }: TracePath,
  seesAll: boolean,
  sees: SeesPlace,
): Trace | undefined {
  if (!seesAll && !events.flatMap(placesOf).some(sees)) return undefined;
  const visible = seesAll ? events : visibleOf(events, sees);
  const published = events.find((event) => event.type === 'published');
  return {
    trace,
    ...(published && {
      ...named({ messageId: published.messageId, key: published.key || published.routingKey }),
      ...(published.traceparent && { traceparent: published.traceparent }),
      bytes: published.bytes,
    }),
    events: visible.flatMap(showEvent),
    complete,
    dropped,
  };
}

function placesOf(event: TraceEvent): readonly PlaceInfo[] {
  const places = [...('place' in event ? [event.place] : []), ...('from' in event ? [event.from] : [])];
  return places.filter((place) => place !== undefined);
}

/** What happened in places that may be known of. Of what was published again from there, only when it came to such a place. */
function visibleOf(events: readonly TraceEvent[], sees: SeesPlace): readonly TraceEvent[] {
  const known = new Set<number>();
  for (const event of events) {
    if (event.type === 'stored' && event.place !== undefined && sees(event.place)) known.add(event.trace);
    if (event.type === 'published' && event.from === undefined) known.add(event.trace);
  }
  return events.filter((event) => {
    if (event.type === 'published') return known.has(event.trace) && (event.from === undefined || sees(event.from));
    if (event.type === 'settled') return [...known].some((trace) => trace >= event.trace && trace <= event.last);
    return placesOf(event).every(sees);
  });
}

/** An event may be of no worth to people. */
function showEvent(event: TraceEvent): TraceStep[] {
  const { time, type } = event;
  const by = 'by' in event ? actor(event.by) : {};
  switch (type) {
    case 'published':
      return [showPublished(event)];
    case 'settled':
      return [{ time, type: event.lost ? 'lost' : 'durable' }];
    case 'stored':
      return [{ time, type, ...at(event) }];
    case 'delivered': {
      const { consumer, count, redelivered, noAck } = event;
      return [{ time, type, ...at(event), ...by, consumer, delivery_count: count, redelivered, no_ack: noAck }];
    }
    case 'acknowledged':
    case 'rejected':
      return [{ time, type, ...at(event), ...by }];
    case 'requeued':
      return [{ time, type, ...at(event), ...by, delivery_count: event.count, failed: event.failed }];
    case 'left':
      return [{ time, type, ...at(event), reason: event.reason, dead_lettered: event.lettered }];
    case 'purged':
      return [{ time, type, ...at({ place: event.place, offset: 0 }) }];
    case 'appended':
      return [{ time, type, ...at(event), ...by, records: event.end - event.offset }];
    case 'fetched':
      return [{ time, type, ...at(event), ...by, ...group(event.group), records: event.end - event.offset }];
    case 'committed':
      return [{ time, type, ...at(event), ...by, ...group(event.group), committed_offset: event.offset }];
    case 'acquired': {
      const records = event.end - event.offset;
      return [{ time, type, ...at(event), ...by, ...group(event.group), records, delivery_count: event.count }];
    }
    case 'answered': {
      const records = event.end - event.offset;
      return [{ time, type, ...at(event), ...by, ...group(event.group), records, settlement: event.settlement }];
    }
    case 'dropped':
      return [];
  }
}

function showPublished(event: EventOf<'published'>): TraceStep {
  const {
    time,
    type,
    how,
    outcome,
    by,
    virtualHost,
    exchange,
    routingKey,
    dueAt,
    from: place,
    fromOffset: offset,
  } = event;
  return {
    ...{ time, type, how, outcome, vhost: virtualHost, exchange, routing_key: routingKey },
    ...actor(by),
    ...(dueAt > 0 && { due_at: dueAt }),
    ...(place && { from: showPlace({ place, offset }) }),
  };
}

function at({ place, offset }: { readonly place: PlaceInfo | undefined; readonly offset: number }) {
  return place === undefined ? {} : { place: showPlace({ place, offset }) };
}

/** Somebody of whom nothing is known is left out. */
function actor(by: ActorInfo | undefined) {
  return by === undefined || by.protocol === '' ? {} : { by: showActor(by) };
}

function group(name: string) {
  return name === '' ? {} : { group: name };
}

function named({ messageId, key }: { readonly messageId: string; readonly key: string }) {
  return { ...(messageId && { message_id: messageId }), ...(key && { key }) };
}
