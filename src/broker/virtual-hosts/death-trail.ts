import { decodeProperties, type Field, type FieldTable, type MessageBytes, stringOf } from '../messages/index.ts';

/** One entry of a dead letter's trail: so often it died there for that reason. */
export interface Death {
  readonly queue: string;
  /** `rejected`, `expired`, `maxlen`, `delivery_limit`; whatever else another broker says. */
  readonly reason: string;
  readonly count: number;
  /** Of the first time, milliseconds since the epoch. */
  readonly time: number | undefined;
  /** What it was published to before it died there. */
  readonly exchange: string;
  readonly routingKeys: readonly string[];
}

/** Where a message died first, or last. */
export interface DeathPlace {
  readonly queue: string;
  readonly reason: string;
  readonly exchange: string;
}

/** How a message came to be a dead letter. */
export interface DeathTrail {
  /** The latest first. */
  readonly deaths: readonly Death[];
  readonly first: DeathPlace | undefined;
  readonly last: DeathPlace | undefined;
}

/** Headers that the trail is made of. */
export const TRAIL_HEADERS: readonly string[] = [
  'x-death',
  ...['queue', 'reason', 'exchange'].flatMap((what) => [`x-first-death-${what}`, `x-last-death-${what}`]),
];

/** What the headers of a message say; undefined when they say of no death. */
export function deathTrail({ properties, propertiesStart, propertiesEnd }: MessageBytes): DeathTrail | undefined {
  const { headers } = decodeProperties(properties, propertiesStart, propertiesEnd);
  const field = headers?.get('x-death');
  if (headers === undefined || field?.type !== 'A') return undefined;
  const deaths = field.value.flatMap((death) => (death.type === 'F' ? [deathOf(death.value)] : []));
  if (deaths.length === 0) return undefined;
  return { deaths, first: placeOf(headers, 'first'), last: placeOf(headers, 'last') };
}

function deathOf(death: FieldTable): Death {
  const text = (name: string) => stringOf(death.get(name)) ?? '';
  const time = death.get('time');
  const keys = death.get('routing-keys');
  return {
    queue: text('queue'),
    reason: text('reason'),
    count: numberOf(death.get('count')) ?? 1,
    time: time?.type === 'T' ? Number(time.value) * 1000 : undefined,
    exchange: text('exchange'),
    routingKeys: keys?.type === 'A' ? keys.value.map(stringOf).filter((key) => key !== undefined) : [],
  };
}

function placeOf(headers: FieldTable, which: 'first' | 'last'): DeathPlace | undefined {
  const text = (what: string) => stringOf(headers.get(`x-${which}-death-${what}`));
  const queue = text('queue');
  if (queue === undefined) return undefined;
  return { queue, reason: text('reason') ?? '', exchange: text('exchange') ?? '' };
}

function numberOf(field: Field | undefined): number | undefined {
  const number = field === undefined || typeof field.value === 'object' ? Number.NaN : Number(field.value);
  return Number.isSafeInteger(number) ? number : undefined;
}
