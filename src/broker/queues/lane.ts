import type { Entry, Log } from '../../storage/index.ts';
import { AckSet } from './ack-set.ts';
import { MessageReader } from './message-reader.ts';
import { OffsetHeap } from './offset-heap.ts';

/** What a lane has to say in the turn that ends: offsets above the floor that are done with since the last one. */
export interface LaneNews {
  readonly lane: number;
  /** Pairs of `from`, `to` (exclusive), ascending. */
  readonly ranges: readonly number[];
}

/**
 * The messages of a queue that have one priority: a log, what of it is done with, and what of the rest is out. Offsets below
 * `cursor` were given out; those of them that came back wait in `returned`.
 */
export class Lane {
  readonly index: number;
  readonly log: Log;
  readonly reader: MessageReader;
  /** How often messages that came back were delivered. */
  readonly counts = new Map<number, number>();
  readonly acks: AckSet;
  /** Messages below may have been delivered before the broker was started. */
  redeliveredBelow = 0;

  readonly #returned = new OffsetHeap();
  #cursor: number;
  /** Done with at or above the cursor: they expired, or were dropped, before their turn came. */
  #doneAhead = 0;
  #trimmedTo: number;
  /** Done with in this turn, as `from, to` pairs in the order they came. */
  #fresh: number[] = [];

  constructor(index: number, log: Log) {
    this.index = index;
    this.log = log;
    this.reader = new MessageReader(log);
    this.acks = new AckSet(log.startOffset);
    this.#cursor = log.startOffset;
    this.#trimmedTo = log.startOffset;
  }

  get readyCount(): number {
    return this.log.nextOffset - this.#cursor - this.#doneAhead + this.#returned.size;
  }

  get cursor(): number {
    return this.#cursor;
  }

  /** After the acknowledgements of former runs were put into `acks`. */
  restored(): void {
    this.#cursor = this.acks.floor;
    this.#doneAhead = this.acks.count;
  }

  /** The offset of the next message to give out; -1 when there is none. */
  peek(): number {
    if (this.#returned.size > 0) return this.#returned.least;
    if (this.#doneAhead > 0) {
      const next = this.acks.firstOpen(this.#cursor);
      this.#doneAhead -= next - this.#cursor;
      this.#cursor = next;
    }
    return this.#cursor < this.log.nextOffset ? this.#cursor : -1;
  }

  /** Gives out what `peek` answered. */
  take(offset: number): void {
    if (offset === this.#cursor) this.#cursor++;
    else this.#returned.delete(offset);
  }

  /** Whether the message waits to be given out. */
  isReady(offset: number): boolean {
    return (
      (offset >= this.#cursor && offset < this.log.nextOffset && !this.acks.has(offset)) || this.#returned.has(offset)
    );
  }

  isRedelivered(offset: number): boolean {
    return offset < this.redeliveredBelow || this.counts.has(offset);
  }

  putBack(offset: number, count: number): void {
    this.counts.set(offset, count);
    this.#returned.add(offset);
  }

  /** A message that is out is done with. */
  done(offset: number): void {
    if (this.counts.size > 0) this.counts.delete(offset);
    this.#note(offset, offset + 1);
    this.acks.add(offset);
  }

  /** A message that waits is done with before it was given out. */
  drop(offset: number): void {
    if (offset === this.#cursor) this.#cursor++;
    else if (offset > this.#cursor) this.#doneAhead++;
    else this.#returned.delete(offset);
    this.done(offset);
  }

  /** All that wait are done with; answers how many there were. */
  dropAll(): number {
    const count = this.readyCount;
    for (const offset of [...this.#returned].sort((a, b) => a - b)) this.done(offset);
    this.#returned.clear();
    const end = this.log.nextOffset;
    if (end > this.#cursor) {
      this.#note(this.#cursor, end);
      this.acks.addRange(this.#cursor, end);
    }
    this.#cursor = end;
    this.#doneAhead = 0;
    return count;
  }

  /** Adds what makes this turn's acknowledgements last: the log's new beginning. Answers what lies above it, if anything does. */
  commit(entries: Entry[]): LaneNews | undefined {
    const { floor } = this.acks;
    if (floor > this.#trimmedTo) {
      entries.push({ log: this.log, before: floor });
      this.#trimmedTo = floor;
    }
    const fresh = this.#fresh;
    if (fresh.length === 0) return undefined;
    this.#fresh = [];
    const ranges = rangesAbove(fresh, floor);
    return ranges.length === 0 ? undefined : { lane: this.index, ranges };
  }

  /** The batches from `nextOffset` on are gone: their append failed. */
  rollBack(nextOffset: number): void {
    this.acks.rollBack(nextOffset);
    for (const offset of [...this.#returned]) if (offset >= nextOffset) this.#returned.delete(offset);
    for (const offset of this.counts.keys()) if (offset >= nextOffset) this.counts.delete(offset);
    this.#cursor = Math.min(this.#cursor, nextOffset);
    this.#trimmedTo = Math.min(this.#trimmedTo, nextOffset);
    this.redeliveredBelow = Math.min(this.redeliveredBelow, nextOffset);
    this.#doneAhead = this.acks.countIn(this.#cursor, nextOffset);
    this.#fresh = [];
    this.reader.forget();
  }

  #note(from: number, to: number): void {
    const fresh = this.#fresh;
    const last = fresh.length - 1;
    if (fresh[last] === from) fresh[last] = to;
    else fresh.push(from, to);
  }
}

/** Pairs above the floor, sorted and joined. */
function rangesAbove(pairs: readonly number[], floor: number): number[] {
  const kept: [number, number][] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    // Pairs: both are there.
    const to = pairs[i + 1]!;
    if (to > floor) kept.push([Math.max(pairs[i]!, floor), to]);
  }
  kept.sort(([a], [b]) => a - b);
  const ranges: number[] = [];
  for (const [from, to] of kept) {
    const last = ranges.length - 1;
    if (last > 0 && ranges[last]! >= from) ranges[last] = Math.max(ranges[last]!, to);
    else ranges.push(from, to);
  }
  return ranges;
}
