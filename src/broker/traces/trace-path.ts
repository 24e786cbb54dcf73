import type { EventOf, TraceEvent } from './event.ts';
import { hashAt, hashNumber, hashText } from './place.ts';
import type { TraceLog } from './trace-log.ts';
import { ScanBudget, type ScannedGathering, scanAt, scanForward } from './trace-scan.ts';

/** From where a message's way is followed: what it was published as, or where it is. */
export type TraceStart =
  | { readonly trace: number }
  | { readonly placeId: string; readonly lane: number; readonly offset: number };

export interface TracePath {
  /** In the order in which they happened. */
  readonly events: readonly TraceEvent[];
  /** All that was recorded was looked through, and there is no more than is told. */
  readonly complete: boolean;
  readonly dropped: number;
}

/** Of the log, in all passes together. */
const FOLLOW_BYTES = 128 * 1024 * 1024;
/** A dead letter of a dead letter of a dead letter: each may take one more look at what was before. */
const MAX_PASSES = 8;
const MAX_EVENTS = 1000;

/** Follows a message through all places that it came to, forwards and backwards. */
export async function followTrace(log: TraceLog, start: TraceStart): Promise<TracePath> {
  log.flush();
  return await new Path(log, start).run();
}

/** What is known of the way by now. */
class Path {
  readonly #log: TraceLog;
  readonly #traces = new Set<number>();
  /** By place and lane: offsets. */
  readonly #offsets = new Map<string, Set<number>>();
  readonly #placeIds = new Set<string>();
  readonly #hashes = new Set<number>();
  /** By where they stand, so that none is told twice. */
  readonly #events = new Map<string, TraceEvent>();
  readonly #droppedAt = new Map<number, number>();
  readonly #budget = new ScanBudget(FOLLOW_BYTES);
  #hasOrigin = false;
  #grew = false;

  constructor(log: TraceLog, start: TraceStart) {
    this.#log = log;
    if ('trace' in start) this.#addTrace(start.trace);
    else this.#addPlace(start.placeId, start.lane, start.offset);
  }

  async run(): Promise<TracePath> {
    const covered = await this.#followIndex();
    // Where it began is known, and it goes on in what the index knows.
    if (!this.#hasOrigin && covered > this.#log.startOffset) await this.#followLog(covered);
    const events = [...this.#events.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, event]) => event);
    const dropped = [...this.#droppedAt.values()].reduce((sum, count) => sum + count, 0);
    const isWhole = !this.#budget.spent && this.#events.size < MAX_EVENTS;
    return { events: withoutVain(events), complete: isWhole && dropped === 0, dropped };
  }

  /** Answers from where on the index knows everything. */
  async #followIndex(): Promise<number> {
    const { index } = this.#log;
    if (index === undefined) return this.#log.nextOffset;
    const from = index.coversFrom;
    const looked = new Set<number>();
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const found = new Set<number>();
      for (const hash of this.#hashes) index.find(hash, found);
      const offsets = [...found].filter((offset) => offset >= from).sort((a, b) => a - b);
      const isNew = offsets.some((offset) => !looked.has(offset));
      if (!isNew && !this.#grew) break;
      this.#grew = false;
      for (const offset of offsets) looked.add(offset);
      await this.#lookAt(scanAt(this.#log, offsets, this.#budget));
    }
    return from;
  }

  /** All of it, as what the index does not know may lead to what it knows. */
  async #followLog(covered: number): Promise<void> {
    for (let pass = 0; pass < MAX_PASSES && (pass === 0 || this.#grew); pass++) {
      this.#grew = false;
      await this.#lookAt(scanForward(this.#log, this.#log.startOffset, covered, this.#budget));
      await this.#followIndex();
    }
  }

  async #lookAt(gatherings: AsyncIterable<ScannedGathering>): Promise<void> {
    for await (const { offset, events } of gatherings) {
      let index = 0;
      for (const event of events) {
        index++;
        if (event.type === 'dropped') this.#droppedAt.set(offset, event.count);
        else if (this.#events.size < MAX_EVENTS && this.#isOfIt(event))
          this.#events.set(orderKey(offset, index), event);
      }
    }
  }

  #isOfIt(event: TraceEvent): boolean {
    switch (event.type) {
      case 'published':
        return this.#isPublishOfIt(event);
      case 'stored':
        return this.#isStoredOfIt(event);
      case 'settled':
        for (const trace of this.#traces) if (trace >= event.trace && trace <= event.last) return true;
        return false;
      case 'delivered':
      case 'acknowledged':
      case 'requeued':
      case 'rejected':
      case 'left':
        return event.place !== undefined && this.#isAt(event.place.id, event.lane, event.offset);
      case 'purged':
        return event.place !== undefined && this.#placeIds.has(event.place.id);
      case 'appended': {
        const isIt = this.#isWithin(event.place?.id, event.offset, event.end);
        this.#hasOrigin ||= isIt;
        return isIt;
      }
      case 'fetched':
      case 'acquired':
      case 'answered':
        return this.#isWithin(event.place?.id, event.offset, event.end);
      case 'committed':
        return this.#isWithin(event.place?.id, 0, event.offset);
      default:
        return false;
    }
  }

  #isPublishOfIt(event: EventOf<'published'>): boolean {
    const { trace, from, fromLane, fromOffset } = event;
    const isChild = from !== undefined && this.#isAt(from.id, fromLane, fromOffset);
    if (isChild) this.#addTrace(trace);
    if (!this.#traces.has(trace)) return false;
    if (from === undefined) this.#hasOrigin = true;
    else this.#addPlace(from.id, fromLane, fromOffset);
    return true;
  }

  #isStoredOfIt({ trace, place, lane, offset }: EventOf<'stored'>): boolean {
    if (place === undefined) return false;
    if (this.#isAt(place.id, lane, offset)) this.#addTrace(trace);
    else if (this.#traces.has(trace)) this.#addPlace(place.id, lane, offset);
    else return false;
    return true;
  }

  #isAt(placeId: string, lane: number, offset: number): boolean {
    return this.#offsets.get(`${placeId}/${lane}`)?.has(offset) === true;
  }

  #isWithin(placeId: string | undefined, from: number, end: number): boolean {
    const offsets = placeId === undefined ? undefined : this.#offsets.get(`${placeId}/0`);
    if (offsets === undefined) return false;
    for (const offset of offsets) if (offset >= from && offset < end) return true;
    return false;
  }

  #addTrace(trace: number): void {
    if (this.#traces.has(trace)) return;
    this.#traces.add(trace);
    this.#hashes.add(hashNumber(trace));
    this.#grew = true;
  }

  #addPlace(placeId: string, lane: number, offset: number): void {
    if (this.#isAt(placeId, lane, offset)) return;
    const key = `${placeId}/${lane}`;
    const offsets = this.#offsets.get(key) ?? new Set<number>();
    this.#offsets.set(key, offsets.add(offset));
    this.#placeIds.add(placeId);
    const hash = hashText(placeId);
    this.#hashes.add(hash);
    this.#hashes.add(hashAt(hash, lane, offset));
    this.#grew = true;
  }
}

/** Text that sorts as the log does. */
function orderKey(offset: number, index: number): string {
  return `${String(offset).padStart(16, '0')}/${String(index).padStart(8, '0')}`;
}

/** Without what did not concern the message: purges when it did not wait there, and what a group committed after it was past it. */
function withoutVain(events: readonly TraceEvent[]): TraceEvent[] {
  const waiting = new Set<string>();
  const past = new Set<string>();
  return events.filter((event) => {
    const id = 'place' in event ? (event.place?.id ?? '') : '';
    if (event.type === 'stored' || event.type === 'requeued') waiting.add(id);
    else if (event.type === 'delivered' || event.type === 'left') waiting.delete(id);
    else if (event.type === 'purged') return waiting.delete(id);
    else if (event.type === 'committed') {
      const group = `${id}/${event.group}`;
      if (past.has(group)) return false;
      past.add(group);
    }
    return true;
  });
}
