import { BrokerError } from '../../errors.ts';
import { AckSet } from '../delivery/ack-set.ts';
import type { AcquireMode } from './acquisition.ts';
import { InFlight, isAvailable, type Span, sizeOf } from './in-flight.ts';
import type { DeliveryState } from './state.ts';

/** What a member is to get. */
export interface Wanted {
  readonly owner: string;
  /** On the monotonic clock: until when it has them. */
  readonly deadline: number;
  readonly mode: AcquireMode;
  readonly maxRecords: number;
  readonly batchSize: number;
  /** share.delivery.count.limit */
  readonly deliveryLimit: number;
  /** share.partition.max.record.locks */
  readonly maxLocks: number;
}

/** What a member is being given. */
export class Taking {
  readonly wanted: Wanted;
  readonly taken: Span[] = [];
  /** It gets no more. */
  full = false;
  #left: number;

  constructor(wanted: Wanted) {
    this.wanted = wanted;
    this.#left = wanted.maxRecords;
  }

  /** How many records of the batch that is looked at it may get yet. */
  get most(): number {
    return this.wanted.mode === 'record-limit' ? this.#left : Number.POSITIVE_INFINITY;
  }

  took(records: number): void {
    this.#left -= records;
  }

  batchEnds(): void {
    if (this.#left <= 0) this.full = true;
  }

  /**
   * How many records next to each other it gets that were delivered so often: fewer and fewer with each attempt from half of the limit on, one
   * alone at the last, so that a record which its consumer cannot bear does not use up the attempts of those around it.
   */
  allowance(span: Span): number {
    if (!this.isSuspect(span)) return Number.POSITIVE_INFINITY;
    const { deliveryLimit } = this.wanted;
    if (span.count >= deliveryLimit - 1) return this.taken.length === 0 ? 1 : 0;
    return Math.max(1, sizeOf(span) >> (span.count - suspectFrom(deliveryLimit) + 1));
  }

  isSuspect({ count }: Span): boolean {
    const { deliveryLimit } = this.wanted;
    return deliveryLimit > 2 && count >= suspectFrom(deliveryLimit);
  }
}

function suspectFrom(deliveryLimit: number): number {
  return Math.max(2, Math.ceil(deliveryLimit / 2));
}

/**
 * Which records of a partition a group has done with, and which are in flight: those between the first that is not done with and the last that
 * was given out. What is neither is still to come. In memory only; whoever uses it sees to it that what has to last does.
 */
export class DeliveryWindow {
  readonly inFlight = new InFlight();
  /** All that is done with, what turned out to be no records included. */
  readonly done: AckSet;
  #end: number;

  /** As it was left: what was given out is available again. */
  constructor({ done, counts }: DeliveryState) {
    this.done = new AckSet(done.floor);
    let end = done.floor;
    for (const [from, to] of done.ranges()) {
      this.done.addRange(from, to);
      end = to;
    }
    for (const offset of counts.keys()) end = Math.max(end, offset + 1);
    this.#end = end;
    for (let offset = done.floor; offset < end; offset = this.done.firstOpen(offset + 1)) {
      const count = counts.get(offset) ?? 0;
      this.inFlight.add({ first: offset, last: offset, count, owner: undefined, deadline: 0, settling: false });
    }
    this.inFlight.merge();
  }

  /** What comes before is done with. */
  get startOffset(): number {
    return this.done.floor;
  }

  /** The first offset that was never given out. */
  get end(): number {
    return this.#end;
  }

  /** Where the next records to give out are, if they are there; undefined while too many are in flight. */
  next(maxLocks: number): number | undefined {
    return this.inFlight.firstAvailable()?.first ?? (this.#room(maxLocks) > 0 ? this.#end : undefined);
  }

  /** There are no records from `first` to `last` (inclusive), or none that anybody is to get. What a member has it keeps. */
  skip(first: number, last: number): void {
    if (last < this.startOffset) return;
    const gone = this.inFlight.cut(first, last).filter(isAvailable);
    this.inFlight.remove(gone);
    for (const span of gone) this.done.addRange(span.first, span.last + 1);
    if (last < this.#end) return;
    this.done.addRange(Math.max(first, this.#end), last + 1);
    this.#end = last + 1;
  }

  /** The log begins there now: nobody gets what came before, and what is said of it does not matter any more. */
  trim(logStart: number): void {
    if (logStart <= this.startOffset) return;
    this.inFlight.trim(logStart);
    this.done.addRange(this.startOffset, logStart);
    this.#end = Math.max(this.#end, this.startOffset);
  }

  /** Gives a member what is available of a batch, from `first` to `last` (inclusive). Answers whether there was any. */
  take(first: number, last: number, taking: Taking): boolean {
    const returned = this.#takeReturned(first, last, taking);
    const fresh = this.#takeNew(last, taking);
    taking.batchEnds();
    return returned || fresh;
  }

  /** What the member has from `first` to `last` (inclusive). Throws `invalid-record-state` when that is not all of it, `invalid-argument` beyond the end. */
  check(owner: string, first: number, last: number): void {
    if (last >= this.#end)
      throw new BrokerError('invalid-argument', `offset ${last} was not given out: the last one was ${this.#end - 1}`);
    let at = Math.max(first, this.startOffset);
    for (const span of this.inFlight.overlapping(at, last)) {
      if (span.first > at || span.owner !== owner || span.settling) break;
      at = span.last + 1;
    }
    if (at <= last)
      throw new BrokerError('invalid-record-state', `the record at offset ${at} is somebody else's, or nobody's`);
  }

  /** Spans of just these records, all of which the member has. */
  cut(first: number, last: number): readonly Span[] {
    const from = Math.max(first, this.startOffset);
    return from > last ? [] : this.inFlight.cut(from, last);
  }

  /** Nothing more is to be done with them. */
  finish(spans: readonly Span[]): void {
    this.inFlight.remove(spans);
    for (const span of spans) this.done.addRange(span.first, span.last + 1);
  }

  /** They are available again. */
  putBack(spans: readonly Span[]): void {
    if (spans.length === 0) return;
    for (const span of spans) {
      span.owner = undefined;
      span.settling = false;
    }
    this.inFlight.merge();
  }

  #room(maxLocks: number): number {
    return maxLocks - (this.#end - this.startOffset);
  }

  #takeReturned(first: number, last: number, taking: Taking): boolean {
    let any = false;
    for (const span of this.inFlight.overlapping(first, last)) {
      if (!isAvailable(span)) continue;
      const most = Math.min(taking.most, taking.allowance(span));
      taking.full ||= most <= 0;
      if (taking.full) break;
      taking.full = taking.isSuspect(span);
      const from = Math.max(span.first, first);
      const to = Math.min(span.last, last, from + most - 1);
      for (const piece of this.inFlight.cut(from, to)) this.#own(piece, taking);
      any = true;
    }
    return any;
  }

  #takeNew(last: number, taking: Taking): boolean {
    if (last < this.#end || taking.full) return false;
    const room = this.#room(taking.wanted.maxLocks);
    const most = taking.wanted.mode === 'record-limit' ? Math.min(taking.most, room) : taking.most;
    taking.full ||= room <= 0 || most <= 0;
    if (taking.full) return false;
    const first = this.#end;
    const span = { first, last: Math.min(last, first + most - 1), count: 0, owner: undefined, deadline: 0 };
    const added = { ...span, settling: false };
    this.#end = span.last + 1;
    this.inFlight.add(added);
    this.#own(added, taking);
    return true;
  }

  #own(span: Span, taking: Taking): void {
    const { owner, deadline, batchSize } = taking.wanted;
    span.owner = owner;
    span.deadline = deadline;
    span.count++;
    taking.took(sizeOf(span));
    const before = taking.taken.at(-1);
    const follows = before !== undefined && before.last + 1 === span.first && before.count === span.count;
    if (follows && sizeOf(before) < batchSize) this.inFlight.join(before, span);
    else taking.taken.push(span);
  }
}
