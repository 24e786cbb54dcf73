import type { Clock } from '../../environment/environment.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { Backlog } from './backlog.ts';
import { ExpiryHeap, MAX_WATCHED } from './expiry-heap.ts';
import type { Lane } from './lane.ts';

/** When a message expires: milliseconds since the epoch; undefined for never. */
export type ExpiryOf = (message: MessageBytes, publishedAt: number) => number | undefined;

export interface ExpirationOptions {
  readonly clock: Clock;
  readonly backlog: Backlog;
  /** Instead of the messages' own expirations. Then all are watched, however many there are. */
  readonly expiryOf: ExpiryOf | undefined;
  /** The queue's own time to live, as it is set now. */
  readonly messageTtlMs: () => number | undefined;
  /** The message that the lane would give out next has to be loaded; `arm` is called afterwards. */
  readonly load: (lane: Lane, offset: number) => void;
  /** Takes a message that waits out of the queue. */
  readonly leave: (lane: Lane, offset: number, message: MessageBytes) => void;
}

/** Messages that expire at a time, of one lane or of those that are watched, before others have their turn. */
const BUDGET = 1000;
/** Longer waits are made of several. */
const MAX_TIMER_MS = 0x7fffffff;

/** Sees to it that messages leave a queue when their time is over: one timer, for the next of them. */
export class Expiration {
  readonly #options: ExpirationOptions;
  readonly #expiryOf: ExpiryOf;
  /** Of those with an expiration of their own. */
  readonly #heap: ExpiryHeap;
  #timer: { readonly at: number; cancel(): void } | undefined;
  #stopped = false;

  constructor(options: ExpirationOptions) {
    this.#options = options;
    this.#expiryOf = options.expiryOf ?? ownExpiry;
    this.#heap = new ExpiryHeap(options.expiryOf === undefined ? MAX_WATCHED : Number.POSITIVE_INFINITY);
  }

  isExpired(message: MessageBytes, timestamp: number, now: number): boolean {
    const ttl = this.#options.messageTtlMs();
    if (ttl !== undefined && timestamp + ttl <= now) return true;
    const at = this.expiryOf(message, timestamp);
    return at !== undefined && at <= now;
  }

  /** When a message expires by itself. */
  expiryOf(message: MessageBytes, timestamp: number): number | undefined {
    return this.#options.backlog.expiring ? this.#expiryOf(message, timestamp) : undefined;
  }

  /** A message with an expiration of its own is there. */
  add(lane: number, offset: number, at: number): void {
    this.#heap.add(at, lane, offset);
    this.arm();
  }

  /** The same for a message of which it is not known whether it has one. */
  see(lane: Lane, offset: number, message: MessageBytes, timestamp: number): void {
    const at = this.#expiryOf(message, timestamp);
    if (at !== undefined) this.#heap.add(at, lane.index, offset);
  }

  /** A message came back, which expires by itself at that time, if it does. */
  returned(lane: Lane, offset: number, expiresAt: number | undefined): void {
    if (expiresAt !== undefined) this.#heap.add(expiresAt, lane.index, offset);
    if (expiresAt !== undefined || this.#options.messageTtlMs() !== undefined) this.arm();
  }

  /** The messages that are watched, earliest first; some may be done with. As `ExpiryHeap.inOrder`. */
  inOrder(...args: Parameters<ExpiryHeap['inOrder']>): void {
    this.#heap.inOrder(...args);
  }

  /** All messages that waited are gone. */
  clear(): void {
    this.#heap.clear();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Sees to it that the next message that expires does so in time. */
  arm(): void {
    if (this.#stopped) return;
    // While some that are due are read, the others wait.
    const watched = this.#options.backlog.reading ? Number.POSITIVE_INFINITY : this.#heap.earliest;
    const at = Math.min(watched, this.#headExpiry());
    if (at === Number.POSITIVE_INFINITY) return;
    if (this.#timer !== undefined) {
      if (this.#timer.at <= at) return;
      this.#timer.cancel();
    }
    const { clock } = this.#options;
    const delay = Math.min(Math.max(0, at - clock.now()), MAX_TIMER_MS);
    const timer = clock.setTimer(delay, () => {
      this.#timer = undefined;
      this.#expire(clock.now());
      this.arm();
    });
    this.#timer = { at, cancel: () => timer.cancel() };
  }

  /** When the first of the messages that wait reaches the queue's own time to live; one that is in segments is loaded first. */
  #headExpiry(): number {
    const { backlog, load } = this.#options;
    const ttl = this.#options.messageTtlMs();
    let earliest = Number.POSITIVE_INFINITY;
    if (ttl === undefined) return earliest;
    for (const lane of backlog.lanes) {
      const offset = lane.peek();
      if (offset < 0) continue;
      if (lane.read(lane.reader, offset)) earliest = Math.min(earliest, lane.reader.timestamp + ttl);
      else load(lane, offset);
    }
    return earliest;
  }

  #expire(now: number): void {
    const { backlog, leave } = this.#options;
    const due = (index: number, offset: number) => {
      const lane = backlog.lanes[index];
      if (!lane?.isReady(offset)) return;
      backlog.withMessage(lane, offset, (message, timestamp) => {
        // Of what was watched, the append may have failed: then this is another.
        if (lane.isReady(offset) && this.isExpired(message, timestamp, now)) leave(lane, offset, message);
      });
    };
    if (!backlog.reading) this.#heap.take(now, BUDGET, due);
    if (this.#options.messageTtlMs() === undefined) return;
    for (const lane of backlog.lanes) {
      for (let budget = BUDGET; budget > 0; budget--) {
        const offset = lane.peek();
        if (offset < 0 || !lane.read(lane.reader, offset)) break;
        const { message, timestamp } = lane.reader;
        if (!this.isExpired(message, timestamp, now)) break;
        leave(lane, offset, message);
      }
    }
  }
}

function ownExpiry({ expiration }: MessageBytes, publishedAt: number): number | undefined {
  return expiration === undefined ? undefined : publishedAt + Number(expiration);
}
