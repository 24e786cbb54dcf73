import type { Entry, Log } from '../../storage/index.ts';
import { AckSet } from '../delivery/ack-set.ts';
import { MessageReader } from './message-reader.ts';
import { OffsetHeap } from './offset-heap.ts';

/** What a lane has to say in the turn that ends: offsets above the floor that are done with since the last one. */
export interface LaneNews {
  readonly lane: number;
  /** Pairs of `from`, `to` (exclusive), ascending. */
  readonly ranges: readonly number[];
}

/** A message that was copied out of its log, because it stays long after those around it have gone. */
export interface KeptMessage {
  readonly timestamp: number;
  readonly address: Buffer;
  readonly properties: Buffer;
  readonly body: Buffer;
}

/** So many messages between the first that is not done with and the last given out, nine of ten done with, are worth a copy of the rest. */
const STRAGGLER_SPAN = 10_000;
/** As many are copied at a time. */
const STRAGGLERS = 200;
/** Copies of larger messages are not made, nor more than this in all. */
const MAX_KEPT_BYTES = 1024 * 1024;

/**
 * The messages of a queue that have one priority: a log, what of it is done with, and what of the rest is out. Offsets below
 * `cursor` were given out; those of them that came back wait in `returned`. So do those kept, which after a start may lie beyond the cursor: an append that
 * failed has brought back some before them.
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
  /** Messages from here on came since consumers were last served: they get them even when they may not wait at all. */
  freshFrom: number;

  /** Messages that are not in the log any more and not done with either: all were given out before. */
  readonly kept = new Map<number, KeptMessage>();
  #keptBytes = 0;
  /** Of those kept, done with in this turn. */
  #keptDone: number[] = [];
  readonly #returned = new OffsetHeap();
  #cursor: number;
  /** Done with at or above the cursor: they expired, or were dropped, before their turn came. */
  #doneAhead = 0;
  #trimmedTo: number;
  /** Done with in this turn, as `from, to` pairs in the order they came. */
  #fresh: number[] = [];

  readonly #stragglerSpan: number;

  constructor(index: number, log: Log, stragglerSpan = STRAGGLER_SPAN) {
    this.index = index;
    this.#stragglerSpan = stragglerSpan;
    this.log = log;
    this.reader = new MessageReader(log);
    this.acks = new AckSet(log.startOffset);
    this.#cursor = log.startOffset;
    this.#trimmedTo = log.startOffset;
    this.freshFrom = log.nextOffset;
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
    for (const offset of this.kept.keys()) this.#returned.add(offset);
  }

  /** The offset of the next message to give out; -1 when there is none. */
  peek(): number {
    const returned = this.#returned.size > 0 ? this.#returned.least : -1;
    if (returned >= 0 && returned < this.#cursor) return returned;
    if (this.#doneAhead > 0) {
      const next = this.acks.firstOpen(this.#cursor);
      this.#doneAhead -= next - this.#cursor;
      this.#cursor = next;
    }
    if (returned >= 0 && returned < this.#cursor) return returned;
    return this.#cursor < this.log.nextOffset ? this.#cursor : returned;
  }

  /** Gives out what `peek` answered. */
  take(offset: number): void {
    if (this.#returned.size > 0 && this.#returned.delete(offset)) return;
    if (offset === this.#cursor) this.#cursor++;
  }

  /** Whether the message waits to be given out. */
  isReady(offset: number): boolean {
    return (
      (offset >= this.#cursor && offset < this.log.nextOffset && !this.acks.has(offset)) || this.#returned.has(offset)
    );
  }

  /** Nothing more is to be done with the message. */
  isDone(offset: number): boolean {
    return this.acks.has(offset) && !this.kept.has(offset);
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
    if (this.kept.size > 0 && this.kept.has(offset)) {
      this.unkeep(offset);
      this.#keptDone.push(offset);
      return;
    }
    this.#note(offset, offset + 1);
    this.acks.add(offset);
  }

  /** A message that waits is done with before it was given out. */
  drop(offset: number): void {
    if (this.#returned.size === 0 || !this.#returned.delete(offset)) {
      if (offset === this.#cursor) this.#cursor++;
      else if (offset > this.#cursor) this.#doneAhead++;
    }
    this.done(offset);
  }

  /** A message is not done with after all. Answers whether it waits; else it is out, until it is put back. */
  undo(offset: number, kept: KeptMessage | undefined): boolean {
    if (kept !== undefined) this.restoreKept(offset, kept);
    else this.acks.delete(offset);
    if (offset < this.#cursor || kept !== undefined) return false;
    this.#doneAhead = this.acks.countIn(this.#cursor, this.log.nextOffset);
    return true;
  }

  /** Messages so far behind the others that their log should not wait for them; none when that is not so. */
  stragglers(): readonly number[] {
    const { floor, count } = this.acks;
    const span = this.#cursor - floor;
    if (span < this.#stragglerSpan || count < span * 0.9 || this.#keptBytes > MAX_KEPT_BYTES / 2) return [];
    const offsets: number[] = [];
    for (let at = floor; at < this.#cursor && offsets.length < STRAGGLERS; at = this.acks.firstOpen(at + 1))
      offsets.push(at);
    return offsets;
  }

  /** Takes a message out of the log that was given out. Answers false when it is too large, or not there any more. */
  keep(offset: number, message: KeptMessage): boolean {
    const bytes = message.body.length + message.properties.length;
    if (this.acks.has(offset) || this.#keptBytes + bytes > MAX_KEPT_BYTES) return false;
    this.restoreKept(offset, message);
    this.acks.add(offset);
    return true;
  }

  restoreKept(offset: number, message: KeptMessage): void {
    this.kept.set(offset, message);
    this.#keptBytes += message.body.length + message.properties.length;
  }

  unkeep(offset: number): void {
    const message = this.kept.get(offset);
    if (message === undefined) return;
    this.kept.delete(offset);
    this.#keptBytes -= message.body.length + message.properties.length;
  }

  /** Those kept that are done with since the last call. */
  takeKeptDone(): readonly number[] {
    const done = this.#keptDone;
    if (done.length > 0) this.#keptDone = [];
    return done;
  }

  /** Reads a message into `reader`; answers false when it has to be loaded first. */
  read(reader: MessageReader, offset: number): boolean {
    const kept = this.kept.size > 0 ? this.kept.get(offset) : undefined;
    if (kept === undefined) return reader.read(offset);
    reader.show(kept);
    return true;
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
    for (const offset of [...this.kept.keys()]) if (offset >= nextOffset) this.unkeep(offset);
    this.#cursor = Math.min(this.#cursor, nextOffset);
    // Trims were lost as well.
    this.#trimmedTo = this.log.startOffset;
    this.redeliveredBelow = Math.min(this.redeliveredBelow, nextOffset);
    this.freshFrom = Math.min(this.freshFrom, nextOffset);
    this.#doneAhead = this.acks.countIn(this.#cursor, nextOffset);
    this.#fresh = this.#fresh.map((offset) => Math.min(offset, nextOffset));
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
    const from = Math.max(pairs[i]!, floor);
    if (to > from) kept.push([from, to]);
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
