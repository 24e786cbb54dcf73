/*
 * What happens to messages, as traces keep it. Offsets say which message is meant: a message has one in each queue and stream that it comes to.
 * An event is a row of values; LAYOUTS says of which kind each is, for who writes them, who reads them, and docs/tracing.md.
 */

/** Where messages lie: a queue, a partition of a stream, or those that are held back in a virtual host until they are due. */
export interface PlaceInfo {
  readonly kind: PlaceKind;
  /** UUID of its (first) log: who is made anew under an old name is another. */
  readonly id: string;
  readonly virtualHost: string;
  readonly name: string;
  /** 0 for what has none. */
  readonly partition: number;
}

/** Who does something with messages. Empty where it is not known. */
export interface ActorInfo {
  readonly protocol: string;
  readonly user: string;
  /** As the list of connections names it. */
  readonly connection: string;
  /** What the client calls itself. */
  readonly client: string;
}

export const PLACE_KINDS = ['queue', 'stream', 'delayed'] as const;
export type PlaceKind = (typeof PLACE_KINDS)[number];

const COMMON = {
  /** How a message came to an exchange. */
  how: ['published', 'dead-lettered', 'due', 'moved'],
  /** What came of it. */
  outcome: ['routed', 'unroutable', 'refused', 'held'],
  /** Why a message left a queue without being acknowledged. */
  reason: ['rejected', 'expired', 'maxlen', 'delivery_limit', 'removed'],
  settlement: ['accepted', 'released', 'rejected', 'renewed'],
} as const;

export type How = (typeof COMMON.how)[number];
export type Outcome = (typeof COMMON.outcome)[number];
export type LeaveReason = (typeof COMMON.reason)[number];
export type Settlement = (typeof COMMON.settlement)[number];

/** One message in one place. */
const AT = { place: 'place', lane: 'number', offset: 'number' } as const;
/** Those from `offset` on, up to and without `end`. */
const RANGE = { place: 'place', offset: 'number', end: 'number' } as const;

/** In the order of their numbers, from 1 on; what is written never changes, new ones come at the end. */
export const LAYOUTS = {
  /** A message came to an exchange. `trace` names it until it is stored. */
  published: {
    trace: 'number',
    how: COMMON.how,
    outcome: COMMON.outcome,
    by: 'actor',
    virtualHost: 'text',
    exchange: 'text',
    routingKey: 'text',
    messageId: 'text',
    key: 'text',
    traceparent: 'text',
    bytes: 'number',
    dueAt: 'number',
    /** Of what was in a queue before. */
    from: 'place',
    fromLane: 'number',
    fromOffset: 'number',
  },
  /** It got its place. */
  stored: { trace: 'number', ...AT },
  /** Of the messages published under these numbers, all that is to be on the disk is there; or it is lost. */
  settled: { trace: 'number', last: 'number', lost: 'flag' },
  delivered: { ...AT, by: 'actor', consumer: 'text', count: 'number', redelivered: 'flag', noAck: 'flag' },
  acknowledged: { ...AT, by: 'actor' },
  requeued: { ...AT, by: 'actor', count: 'number', failed: 'flag' },
  rejected: { ...AT, by: 'actor' },
  /** It left the queue by itself; `lettered` when to the dead-letter exchange. */
  left: { ...AT, reason: COMMON.reason, lettered: 'flag' },
  purged: { place: 'place' },
  /** Records that a producer sent as a batch. */
  appended: { ...RANGE, by: 'actor' },
  fetched: { ...RANGE, by: 'actor', group: 'text' },
  /** A group is done with what is before the offset. */
  committed: { place: 'place', offset: 'number', by: 'actor', group: 'text' },
  /** A member of a share group has them until it says what became of them. */
  acquired: { ...RANGE, by: 'actor', group: 'text', count: 'number' },
  answered: { ...RANGE, by: 'actor', group: 'text', settlement: COMMON.settlement },
  /** So many events are missing: tracing did not keep up. */
  dropped: { count: 'number' },
} as const satisfies Record<string, Layout>;

type FieldKind = 'number' | 'flag' | 'text' | 'place' | 'actor' | readonly string[];
export type Layout = Readonly<Record<string, FieldKind>>;
export type EventType = keyof typeof LAYOUTS;

type ValueOf<Kind> = Kind extends readonly (infer Choice)[]
  ? Choice
  : Kind extends 'number'
    ? number
    : Kind extends 'flag'
      ? boolean
      : Kind extends 'place'
        ? PlaceInfo | undefined
        : Kind extends 'actor'
          ? ActorInfo | undefined
          : string;

/** `time` is in milliseconds since the epoch. */
export type EventOf<Type extends EventType> = {
  readonly [Field in keyof (typeof LAYOUTS)[Type]]: ValueOf<(typeof LAYOUTS)[Type][Field]>;
} & { readonly type: Type; readonly time: number };

export type TraceEvent = { [Type in EventType]: EventOf<Type> }[EventType];

export const EVENT_TYPES = Object.keys(LAYOUTS) as readonly EventType[];

/** As an event begins. */
export function eventNumber(type: EventType): number {
  return EVENT_TYPES.indexOf(type) + 1;
}
