import { BrokerError } from '../../errors.ts';
import {
  type ActorInfo,
  EVENT_TYPES,
  LAYOUTS,
  type Layout,
  PLACE_KINDS,
  type PlaceInfo,
  type TraceEvent,
} from './event.ts';
import { DEFINES_ACTOR, DEFINES_PLACE, ENTRY_HEADER_BYTES, PREFIX_BYTES, VERSION } from './trace-writer.ts';

/** Reads the values of one entry after the other. Never beyond its end. */
class Values {
  readonly bytes: Buffer;
  at = 0;
  end = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw damaged('a number is too large');
      if ((byte & 0x80) === 0) return value;
      if (scale >= 2 ** 49) throw damaged('a number does not end');
    }
  }

  byte(): number {
    const byte = this.at < this.end ? this.bytes[this.at++] : undefined;
    if (byte === undefined) throw damaged('an entry is too short');
    return byte;
  }

  text(): string {
    const length = this.number();
    const start = this.at;
    if (length > this.end - start) throw damaged('a text is longer than its entry');
    this.at = start + length;
    return this.bytes.toString('utf8', start, this.at);
  }

  choice<Choice>(choices: readonly Choice[]): Choice {
    const choice = choices[this.byte()];
    if (choice === undefined) throw damaged('a choice is none of those that there are');
    return choice;
  }
}

const FIELDS = EVENT_TYPES.map((type) => ({ type, fields: Object.entries(LAYOUTS[type] as Layout) }));

/** The events of one gathering, in the order in which they happened. Those of kinds that are not known are left out. Throws `storage-damaged`. */
export function* readGathering(bytes: Buffer): Generator<TraceEvent, void> {
  if (bytes.length < PREFIX_BYTES || bytes[0] !== VERSION) throw damaged(`version ${bytes[0]}`);
  const baseTime = bytes.readDoubleLE(1);
  if (!Number.isSafeInteger(baseTime)) throw damaged('the time is none');
  const places: PlaceInfo[] = [];
  const actors: ActorInfo[] = [];
  const values = new Values(bytes);
  for (let at = PREFIX_BYTES; at < bytes.length; at = values.end) {
    if (at + ENTRY_HEADER_BYTES > bytes.length) throw damaged('an entry is cut off');
    const kind = bytes[at] ?? 0;
    values.at = at + ENTRY_HEADER_BYTES;
    values.end = values.at + bytes.readUInt16LE(at + 1);
    if (values.end > bytes.length) throw damaged('an entry is cut off');
    if (kind === DEFINES_PLACE) places.push(placeOf(values));
    else if (kind === DEFINES_ACTOR) actors.push(actorOf(values));
    else {
      const known = FIELDS[kind - 1];
      if (known !== undefined) yield eventOf(known, values, baseTime, places, actors);
    }
  }
}

function eventOf(
  { type, fields }: (typeof FIELDS)[number],
  values: Values,
  baseTime: number,
  places: readonly PlaceInfo[],
  actors: readonly ActorInfo[],
): TraceEvent {
  const event: Record<string, unknown> = { type, time: baseTime + values.number() };
  for (const [name, kind] of fields) {
    if (kind === 'number') event[name] = values.number();
    else if (kind === 'flag') event[name] = values.byte() !== 0;
    else if (kind === 'text') event[name] = values.text();
    else if (kind === 'place') event[name] = known(places, values.number());
    else if (kind === 'actor') event[name] = known(actors, values.number());
    else event[name] = values.choice(kind);
  }
  // As its layout says.
  return event as unknown as TraceEvent;
}

function known<Value>(list: readonly Value[], reference: number): Value | undefined {
  if (reference === 0) return undefined;
  const value = list[reference - 1];
  if (value === undefined) throw damaged('an event speaks of what is not defined');
  return value;
}

function placeOf(values: Values): PlaceInfo {
  const kind = values.choice(PLACE_KINDS);
  return { kind, id: values.text(), virtualHost: values.text(), name: values.text(), partition: values.number() };
}

function actorOf(values: Values): ActorInfo {
  return { protocol: values.text(), user: values.text(), connection: values.text(), client: values.text() };
}

function damaged(what: string): BrokerError {
  return new BrokerError('storage-damaged', `events of traces cannot be read: ${what}`);
}
