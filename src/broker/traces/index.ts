export {
  type ActorInfo,
  EVENT_TYPES,
  type EventOf,
  LAYOUTS,
  type PlaceInfo,
  type TraceEvent,
} from './event.ts';
export { type MessageSpan, MessageSpans, type SpanAttributes, type SpanSink } from './message-spans.ts';
export { Participant } from './place.ts';
export { DEFAULT_TRACING_SETTINGS, TRACING_MODES, type TracingSettings } from './settings.ts';
export { followTrace, type TracePath, type TraceStart } from './trace-path.ts';
export {
  type FoundAt,
  type FoundMessage,
  type SearchPosition,
  searchTraces,
  type TraceQuery,
  type TraceResults,
} from './trace-search.ts';
export type { Tracing } from './tracing.ts';
