import type { Clock, Timer } from '../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import type { Log, LogRead } from '../../storage/index.ts';
import type { GroupConfig, GroupConfigReader } from '../configs/group-config.ts';
import type { AckSet } from '../delivery/ack-set.ts';
import { appendTogether, type ShardEventLog, type StagedEvents } from '../event-log.ts';
import { checkAcknowledgements, runsOf } from './acknowledgements.ts';
import {
  type Acknowledgement,
  type Acquired,
  type AcquiredRange,
  type AcquireOptions,
  REJECT,
  RELEASE,
  RENEW,
} from './acquisition.ts';
import { DELIVERED_TOO_OFTEN, type DeadLetterSource, type DeadLetters, REJECTED } from './dead-letters.ts';
import { DeliveryWindow, Taking } from './delivery-window.ts';
import type { Span } from './in-flight.ts';
import type { DeliveryState, ShareEvent, ShareState } from './state.ts';
import { wholeBatches } from './whole-batches.ts';

export interface SharePartitionOptions extends DeadLetterSource {
  readonly clock: Clock;
  readonly log: ShardEventLog<ShareState, ShareEvent>;
  readonly configs: Pick<GroupConfigReader, 'of'>;
  readonly deadLetters: DeadLetters;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** What becomes of records that are in flight. */
class Settlement {
  readonly done: Span[] = [];
  readonly released: Span[] = [];
  readonly archived: { readonly span: Span; readonly reason: string }[] = [];

  /** Back to the others, unless that was done as often as it may be. */
  release(span: Span, { shareDeliveryCountLimit }: GroupConfig): void {
    if (span.count >= shareDeliveryCountLimit) this.archived.push({ span, reason: DELIVERED_TOO_OFTEN });
    else this.released.push(span);
  }

  get spans(): readonly Span[] {
    return [...this.done, ...this.released, ...this.archived.map(({ span }) => span)];
  }

  get finished(): readonly Span[] {
    return [...this.done, ...this.archived.map(({ span }) => span)];
  }
}

const NOTHING: Acquired = { read: { chunks: [], bytes: 0 }, ranges: [] };
/** When records could not be archived, it is tried again so many milliseconds later. */
const RETRY_MS = 1000;

/**
 * A partition as a share group has it (KIP-932): which of its records are done with, which are out, and with whom. What members say of records is
 * theirs to say from the moment that they got them until the lock runs out; it takes effect when it is durable, and the records are nobody
 * else's before.
 */
export class SharePartition {
  readonly #options: SharePartitionOptions;
  readonly #waiters = new Set<() => void>();
  #window: DeliveryWindow;
  /** The log is being read for a member: others wait, or they would read the same and find it taken. */
  #reading: Promise<void> | undefined;
  #timer: { readonly due: number; readonly timer: Timer } | undefined;
  #stopWatching: (() => void) | undefined;
  #closed = false;

  constructor(options: SharePartitionOptions, state: DeliveryState) {
    this.#options = options;
    this.#window = new DeliveryWindow(state);
  }

  /** What comes before is done with. */
  get startOffset(): number {
    this.#window.trim(this.#options.partition.log.startOffset);
    return this.#window.startOffset;
  }

  /** Records that are not done with. */
  get lag(): number {
    return lagOf(this.#window.done, this.#options.partition.log);
  }

  /** Records that members have, and those that came back and wait to be had again. */
  get inFlight(): { readonly acquired: number; readonly returned: number } {
    let [acquired, returned] = [0, 0];
    for (const { first, last, owner } of this.#window.inFlight.spans)
      if (owner === undefined) returned += last - first + 1;
      else acquired += last - first + 1;
    return { acquired, returned };
  }

  /**
   * Gives an owner, which is a member in one of its sessions, what is available, as far as the limits go, and locks it for `share.record.lock.duration.ms`. Answers at once where the records
   * are in memory. Throws and rejects with `not-found` when the group's state or the topic has gone, `invalid-argument`, and as `Partition.read`.
   */
  acquire(owner: string, options: AcquireOptions): Acquired | Promise<Acquired> {
    this.#checkOpen();
    if (owner === '' || options.maxRecords < 1)
      throw new BrokerError('invalid-argument', 'an owner that has an id acquires one record or more');
    if (this.#reading !== undefined) return this.#reading.then(() => this.acquire(owner, options));
    const config = this.#config;
    const deadline = this.#now() + config.shareRecordLockDurationMs;
    const { shareDeliveryCountLimit: deliveryLimit, sharePartitionMaxRecordLocks: maxLocks } = config;
    const taking = new Taking({ ...options, owner, deadline, deliveryLimit, maxLocks });
    return this.#acquire(taking, options.maxBytes);
  }

  /**
   * What the owner says of records that it has: all of it is taken, or none. Resolves when that is durable. Rejects with `invalid-record-state` for
   * records that are not locked by this owner, `invalid-argument` for ranges that make no sense, the storage's error (then all is as before),
   * `not-found`.
   */
  async acknowledge(owner: string, acknowledgements: readonly Acknowledgement[]): Promise<void> {
    this.#checkOpen();
    checkAcknowledgements(acknowledgements);
    this.#window.trim(this.#options.partition.log.startOffset);
    const config = this.#config;
    for (const { firstOffset, lastOffset, types } of acknowledgements) {
      if (types.includes(RENEW) && !config.shareRenewAcknowledge)
        throw new BrokerError('invalid-record-state', 'Renewing acquisition locks is not enabled for the group.');
      this.#window.check(owner, firstOffset, lastOffset);
    }
    const settlement = new Settlement();
    for (const [type, firstOffset, lastOffset] of runsOf(acknowledgements)) {
      for (const span of this.#window.cut(firstOffset, lastOffset)) {
        if (type === RENEW) span.deadline = this.#now() + config.shareRecordLockDurationMs;
        else if (type === RELEASE) settlement.release(span, config);
        else if (type === REJECT) settlement.archived.push({ span, reason: REJECTED });
        else settlement.done.push(span);
      }
    }
    await this.#settle(settlement);
  }

  /** The member's session has ended: what it has is available to others. Resolves when that is durable; never rejects. */
  async releaseAll(owner: string): Promise<void> {
    if (this.#closed) return;
    const config = this.#config;
    const settlement = new Settlement();
    for (const span of this.#window.inFlight.spans)
      if (span.owner === owner && !span.settling) settlement.release(span, config);
    await this.#settle(settlement).catch((error: unknown) => {
      // Their locks run out.
      if (!this.#closed) this.#trouble(error, 'what a member had is not available to others yet');
    });
  }

  /** Calls back whenever there may be more to acquire (or nothing ever again), until the answered function is called. */
  onAvailable(callback: () => void): () => void {
    this.#waiters.add(callback);
    this.#stopWatching ??= this.#options.partition.log.onGrowth(() => this.#wake());
    return () => {
      this.#waiters.delete(callback);
      if (this.#waiters.size > 0) return;
      this.#stopWatching?.();
      this.#stopWatching = undefined;
    };
  }

  /** Goes on, or begins again, with this state: what members had is theirs no more. For who changed it. */
  reset(state: DeliveryState): void {
    this.#window = new DeliveryWindow(state);
    this.#closed = false;
    this.#wake();
  }

  /** Nothing is acquired or acknowledged any more. For who takes the state away, or is about to change it. */
  close(): void {
    this.#closed = true;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    this.#wake();
  }

  // Acquiring

  #acquire(taking: Taking, maxBytes: number): Acquired | Promise<Acquired> {
    for (;;) {
      const from = this.#next(taking);
      if (from === undefined) return NOTHING;
      const read = this.#read(from, maxBytes);
      if (read instanceof Promise) return this.#acquireRead(read, from, taking, maxBytes);
      const acquired = this.#take(read, from, taking);
      if (acquired !== undefined) return acquired;
    }
  }

  async #acquireRead(pending: Promise<LogRead>, from: number, taking: Taking, maxBytes: number): Promise<Acquired> {
    const window = this.#window;
    const settled = Promise.withResolvers<void>();
    this.#reading = settled.promise;
    let read: LogRead | undefined;
    try {
      read = await pending;
    } catch (error) {
      // Retention has been faster.
      if (from >= this.#options.partition.log.startOffset) throw error;
    } finally {
      this.#reading = undefined;
      settled.resolve();
    }
    this.#checkOpen();
    const acquired = read === undefined || window !== this.#window ? undefined : this.#take(read, from, taking);
    return acquired ?? (await this.#acquire(taking, maxBytes));
  }

  /** Where there is something to read for a member; undefined for nowhere. */
  #next({ wanted }: Taking): number | undefined {
    const { partition } = this.#options;
    this.#window.trim(partition.log.startOffset);
    const next = this.#window.next(wanted.maxLocks);
    const end = this.#committedOnly ? partition.lastStableOffset : partition.log.highWatermark;
    return next === undefined || next >= end ? undefined : next;
  }

  #read(from: number, maxBytes: number): LogRead | Promise<LogRead> {
    const { partition } = this.#options;
    if (!this.#committedOnly) return partition.read(from, maxBytes);
    const committed = partition.readCommitted(from, maxBytes);
    return committed instanceof Promise ? committed.then(({ read }) => read) : committed.read;
  }

  /** Gives the member what is available of what was read; undefined when that is nothing at all. */
  #take(read: LogRead, from: number, taking: Taking): Acquired | undefined {
    const window = this.#window;
    const { partition } = this.#options;
    const committedOnly = this.#committedOnly;
    window.trim(partition.log.startOffset);
    const chunks: Buffer[] = [];
    let bytes = 0;
    let next = from;
    for (const batch of wholeBatches(read)) {
      const { baseOffset, lastOffset } = batch;
      // What compaction left out.
      if (baseOffset > next) window.skip(next, baseOffset - 1);
      next = lastOffset + 1;
      if (batch.isControl || batch.recordCount === 0 || (committedOnly && partition.isAborted(batch)))
        window.skip(baseOffset, lastOffset);
      else if (window.take(baseOffset, lastOffset, taking)) {
        chunks.push(batch.bytes);
        bytes += batch.size;
      }
      if (taking.full) break;
    }
    if (taking.taken.length === 0) {
      // There was no room for more; by now something may have come back.
      taking.full = false;
      return undefined;
    }
    this.#watchLocks(taking.wanted.deadline);
    return { read: { chunks, bytes }, ranges: taking.taken.map(rangeOf) };
  }

  // Settling

  /** Makes it durable, then lets it take effect. Rejects with the storage's error: then all is as before. */
  async #settle(settlement: Settlement): Promise<void> {
    const { spans, archived } = settlement;
    if (spans.length === 0) return;
    const window = this.#window;
    for (const span of spans) span.settling = true;
    const fact = () => this.#stage(window, settlement.finished, settlement.released);
    try {
      const { log, deadLetters, groupId } = this.#options;
      if (archived.length > 0 && deadLetters.wanted(groupId)) {
        const letters = archived.map(({ span, reason }) => ({ ...rangeOf(span), reason }));
        letters.sort((a, b) => a.firstOffset - b.firstOffset);
        await deadLetters.append(this.#options, letters, fact);
      } else await appendTogether(log.shard, [fact()]).settled;
    } catch (error) {
      for (const span of spans) {
        span.settling = false;
        if (window === this.#window) this.#watchLocks(span.deadline);
      }
      throw error;
    }
    window.finish(settlement.finished);
    window.putBack(settlement.released);
    if (window === this.#window) this.#wake();
  }

  #stage(window: DeliveryWindow, finished: readonly Span[], returned: readonly Span[]): StagedEvents {
    this.#checkOpen();
    if (window !== this.#window) throw gone();
    const { groupId, stream, partition, log } = this.#options;
    const done: number[] = [];
    for (const { first, last } of [...finished].sort((a, b) => a.first - b.first)) {
      if (done.at(-1) === first) done[done.length - 1] = last + 1;
      else done.push(first, last + 1);
    }
    return log.stage([
      {
        type: 'settled',
        groupId,
        streamId: stream.id,
        partition: partition.index,
        floor: window.startOffset,
        done,
        returned: [...returned].sort((a, b) => a.first - b.first).map(rangeOf),
      },
    ]);
  }

  // Locks

  /** Sees to it that somebody looks when this lock runs out. One timer for all: mostly they run out in the order that they were taken. */
  #watchLocks(deadline: number): void {
    if (this.#closed || (this.#timer !== undefined && this.#timer.due <= deadline)) return;
    this.#timer?.timer.cancel();
    const timer = this.#options.clock.setTimer(Math.max(0, deadline - this.#now()), () => {
      this.#timer = undefined;
      this.#endLocks();
    });
    this.#timer = { due: deadline, timer };
  }

  #endLocks(): void {
    const now = this.#now();
    const config = this.#config;
    const ended = new Settlement();
    let earliest = Number.POSITIVE_INFINITY;
    for (const span of this.#window.inFlight.spans) {
      if (span.owner === undefined || span.settling) continue;
      if (span.deadline <= now) ended.release(span, config);
      else earliest = Math.min(earliest, span.deadline);
    }
    if (earliest < Number.POSITIVE_INFINITY) this.#watchLocks(earliest);
    this.#giveBack(ended.released);
    this.#archive(ended.archived);
  }

  /** At once: whoever was waiting for the lock need not wait for the disk. What a crash loses of it is how often they were delivered. */
  #giveBack(spans: readonly Span[]): void {
    if (spans.length === 0) return;
    const staged = this.#stage(this.#window, [], spans);
    this.#window.putBack(spans);
    const save = async () => await appendTogether(staged.shard, [staged]).settled;
    save().catch((error: unknown) => {
      if (!this.#closed) this.#trouble(error, 'a crash now would lose how often records were delivered');
    });
    this.#wake();
  }

  #archive(archived: Settlement['archived']): void {
    const settlement = new Settlement();
    settlement.archived.push(...archived);
    this.#settle(settlement).catch((error: unknown) => {
      if (this.#closed) return;
      this.#trouble(error, 'records that were delivered too often stay in flight; tried again in a second');
      for (const { span } of archived) {
        span.deadline = this.#now() + RETRY_MS;
        this.#watchLocks(span.deadline);
      }
    });
  }

  // Small change

  get #config(): GroupConfig {
    return this.#options.configs.of(this.#options.groupId);
  }

  get #committedOnly(): boolean {
    return this.#config.shareIsolationLevel === 'read_committed';
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  #checkOpen(): void {
    if (this.#closed) throw gone();
  }

  #wake(): void {
    for (const callback of [...this.#waiters]) callback();
  }

  #trouble(error: unknown, what: string): void {
    const { groupId, stream, partition, onTrouble } = this.#options;
    onTrouble(toBrokerError(error), `share group ${groupId}, ${stream.name}-${partition.index}: ${what}`);
  }
}

/** Records of a log that are not done with. */
export function lagOf(
  done: AckSet,
  { startOffset, highWatermark }: Pick<Log, 'startOffset' | 'highWatermark'>,
): number {
  const from = Math.max(done.floor, startOffset);
  return Math.max(0, highWatermark - from - done.countIn(from, highWatermark));
}

function rangeOf({ first, last, count }: Span): AcquiredRange {
  return { firstOffset: first, lastOffset: last, deliveryCount: count };
}

function gone(): BrokerError {
  return new BrokerError('not-found', 'what the share group has of this partition has gone');
}
