import type { EventOf, PlaceInfo, TraceEvent } from './event.ts';
import { hashNumber, hashText } from './place.ts';
import type { TraceLog } from './trace-log.ts';
import { ScanBudget, type ScannedGathering, scanAt, scanBackward } from './trace-scan.ts';

/** Which messages are looked for; all that is given has to hold. */
export interface TraceQuery {
  readonly messageId?: string | undefined;
  /** Kafka's, or the routing key. */
  readonly key?: string | undefined;
  /** A queue, a stream or an exchange. */
  readonly destination?: string | undefined;
  readonly virtualHost?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly count: number;
  /** Where a former search ended. */
  readonly before?: SearchPosition | undefined;
  /** Whether whoever asks may know of it. */
  readonly sees: (found: FoundMessage) => boolean;
}

/** Only gatherings before this offset are looked through; of the last of them, so many that match were told of already. */
export interface SearchPosition {
  readonly offset: number;
  readonly told: number;
}

export interface FoundAt {
  readonly place: PlaceInfo;
  readonly lane: number;
  readonly offset: number;
}

/** A message that was published, and where it came to lie. */
export interface FoundMessage {
  readonly published: EventOf<'published'>;
  readonly places: readonly FoundAt[];
}

export interface TraceResults {
  /** The latest first. */
  readonly found: readonly FoundMessage[];
  /** Where the next search goes on; undefined when there is nothing more. */
  readonly before: SearchPosition | undefined;
  /** Events that are missing of what was looked through. */
  readonly dropped: number;
}

/** Of the log, for one search. */
const SEARCH_BYTES = 32 * 1024 * 1024;
/** Messages whose places are remembered while going backwards: they are stored soon after they were published. */
const MAX_PLACES = 100_000;
/** Gatherings that are looked into for that when a search goes on. */
const AHEAD = 3;

/** Looks for messages in the log of traces. */
export async function searchTraces(log: TraceLog, query: TraceQuery): Promise<TraceResults> {
  log.flush();
  const search = new Search(log, query);
  return await search.run();
}

class Search {
  readonly #log: TraceLog;
  readonly #query: TraceQuery;
  readonly #budget = new ScanBudget(SEARCH_BYTES);
  readonly #found: FoundMessage[] = [];
  readonly #places = new Map<number, FoundAt[]>();
  /** What was looked through already. */
  #before: number;
  /** Of the gathering that is looked at: those that match. */
  #matched = 0;
  /** Where the answer is full, in the middle of a gathering. */
  #cut: SearchPosition | undefined;
  #dropped = 0;
  #isOver = false;

  constructor(log: TraceLog, query: TraceQuery) {
    this.#log = log;
    this.#query = query;
    this.#before = Math.min(query.before?.offset ?? Number.POSITIVE_INFINITY, log.nextOffset);
  }

  async run(): Promise<TraceResults> {
    const { to, before } = this.#query;
    if (before !== undefined) await this.#lookAhead();
    else if (to !== undefined) this.#before = await this.#endOf(to);
    const covered = this.#candidates();
    if (covered !== undefined) {
      await this.#lookAt(scanAt(this.#log, covered.offsets, this.#budget));
      if (!this.#isFull) this.#before = Math.min(this.#before, covered.from);
    }
    if (!this.#isFull) await this.#lookAt(scanBackward(this.#log, this.#before, this.#budget));
    await this.#findPlaces();
    const isDone = this.#isOver || this.#before <= this.#log.startOffset;
    return {
      found: withoutDescendants(this.#found),
      before: this.#cut ?? (isDone ? undefined : { offset: this.#before, told: 0 }),
      dropped: this.#dropped,
    };
  }

  get #isFull(): boolean {
    return this.#found.length >= this.#query.count || this.#isOver;
  }

  /** By the index: the gatherings that may have such messages, the latest first, and from where on it knows all of them. */
  #candidates(): { readonly offsets: readonly number[]; readonly from: number } | undefined {
    const { messageId, key } = this.#query;
    const { index } = this.#log;
    const wanted = messageId ?? key;
    if (index === undefined || wanted === undefined) return undefined;
    const offsets = new Set<number>();
    index.find(hashText(wanted), offsets);
    const from = index.coversFrom;
    const within = [...offsets].filter((offset) => offset >= from && offset < this.#before);
    return { offsets: within.sort((a, b) => b - a), from };
  }

  /** Whole gatherings, so that the next search goes on before the last one. */
  async #lookAt(gatherings: AsyncIterable<ScannedGathering>): Promise<void> {
    for await (const { offset, events } of gatherings) {
      for (const event of events) if (event.type === 'stored') this.#noteStored(event);
      this.#matched = 0;
      for (const event of events.toReversed()) this.#see(event, offset);
      this.#before = offset;
      const extra = this.#found.length - this.#query.count;
      if (extra > 0) {
        this.#found.length -= extra;
        this.#cut = { offset: offset + 1, told: this.#matched - extra };
        return;
      }
      const first = events[0]?.time ?? 0;
      if (this.#query.from !== undefined && events.length > 0 && first < this.#query.from) this.#isOver = true;
      if (this.#isFull) return;
    }
  }

  #see(event: TraceEvent, offset: number): void {
    if (event.type === 'dropped') this.#dropped += event.count;
    if (event.type !== 'published' || !this.#matches(event)) return;
    const found = { published: event, places: this.#places.get(event.trace) ?? [] };
    if (!this.#query.sees(found)) return;
    const { before } = this.#query;
    this.#matched++;
    if (before !== undefined && offset === before.offset - 1 && this.#matched <= before.told) return;
    this.#found.push(found);
  }

  #noteStored({ trace, place, lane, offset }: EventOf<'stored'>): void {
    if (place === undefined) return;
    const places = this.#places.get(trace);
    if (places !== undefined) places.push({ place, lane, offset });
    else {
      if (this.#places.size >= MAX_PLACES) this.#places.clear();
      this.#places.set(trace, [{ place, lane, offset }]);
    }
  }

  #matches(event: EventOf<'published'>): boolean {
    const { messageId, key, destination, virtualHost, from, to } = this.#query;
    if (messageId !== undefined && event.messageId !== messageId) return false;
    if (key !== undefined && event.key !== key && event.routingKey !== key) return false;
    if (virtualHost !== undefined && event.virtualHost !== virtualHost) return false;
    if ((from !== undefined && event.time < from) || (to !== undefined && event.time > to)) return false;
    if (destination === undefined) return true;
    if (event.exchange === destination || (event.exchange === '' && event.routingKey === destination)) return true;
    return this.#places.get(event.trace)?.some(({ place }) => place.name === destination) === true;
  }

  /** Of those that were found by the index, other gatherings may have where they were stored. */
  async #findPlaces(): Promise<void> {
    const { index } = this.#log;
    const missing = this.#found.filter(
      ({ published, places }) => places.length === 0 && published.outcome !== 'unroutable',
    );
    if (index === undefined || missing.length === 0) return;
    const offsets = new Set<number>();
    const wanted = new Set(missing.map(({ published }) => published.trace));
    for (const trace of wanted) index.find(hashNumber(trace), offsets);
    for await (const { events } of scanAt(
      this.#log,
      [...offsets].sort((a, b) => a - b),
      this.#budget,
    ))
      for (const event of events) if (event.type === 'stored' && wanted.has(event.trace)) this.#noteStored(event);
    this.#found.forEach((found, i) => {
      const places = this.#places.get(found.published.trace);
      if (found.places.length === 0 && places !== undefined) this.#found[i] = { ...found, places };
    });
  }

  /** Messages of where this search begins may have been stored in what the former one has looked through. */
  async #lookAhead(): Promise<void> {
    const ahead = Array.from({ length: AHEAD }, (_, i) => this.#before + i);
    for await (const { events } of scanAt(this.#log, ahead, this.#budget))
      for (const event of events) if (event.type === 'stored') this.#noteStored(event);
  }

  async #endOf(time: number): Promise<number> {
    return Math.min(this.#before, (await this.#log.offsetAt(time + 1)) + 1);
  }
}

/** A dead letter belongs to the trace of the message that it was, when that was found as well. */
function withoutDescendants(found: readonly FoundMessage[]): FoundMessage[] {
  const known = new Set(found.flatMap(({ places }) => places.map(placeKey)));
  return found.filter(({ published: { from: place, fromLane: lane, fromOffset: offset } }) => {
    return place === undefined || !known.has(placeKey({ place, lane, offset }));
  });
}

function placeKey({ place, lane, offset }: FoundAt): string {
  return `${place.id}/${lane}/${offset}`;
}
