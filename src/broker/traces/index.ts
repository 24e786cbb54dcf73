export {
  type ActorInfo,
  EVENT_TYPES,
  type EventOf,
  LAYOUTS,
  type PlaceInfo,
  type TraceEvent,
} from './event.ts';
export { Participant } from './place.ts';
export { DEFAULT_TRACING_SETTINGS, TRACING_MODES, type TracingSettings } from './settings.ts';
export type { Tracing } from './tracing.ts';
