import type { Clock } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';
import type { Entry, Log, Shard } from '../../storage/index.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { Consumer, ConsumerOptions } from './consumer.ts';
import { Consumers, type QueueConsumer } from './consumers.ts';
import { Delivery } from './delivery.ts';
import { ExpiryHeap, MAX_WATCHED } from './expiry.ts';
import { type KeptMessage, Lane } from './lane.ts';
import type { MessageBatch } from './message-batch.ts';
import { MessageReader } from './message-reader.ts';
import type { QueueSettings } from './settings.ts';
import { type QueueSnapshot, StateLog } from './state-log.ts';
import type { Turns } from './turn.ts';

export type DeadLetterReason = 'rejected' | 'expired' | 'maxlen' | 'delivery_limit';

/** What a queue needs of the world around it. */
export interface QueueHost {
  /**
   * Publishes a message that leaves a queue without being acknowledged to the queue's dead-letter exchange, in the turn under
   * way, which also takes it from the queue. Only called where there is such an exchange.
   */
  deadLetter(queue: Queue, message: MessageBytes, reason: DeadLetterReason): void;
  /** The queue was not used for its `expiresMs`, or its last consumer went. */
  expired(queue: Queue, why: 'idle' | 'unused'): void;
  onTrouble(error: BrokerError, what: string): void;
}

export interface QueueOptions {
  readonly name: string;
  readonly virtualHost: string;
  readonly shard: Shard;
  /** Log ids, one for each priority from 0 on. */
  readonly lanes: readonly string[];
  readonly stateLogId: string;
  readonly settings: QueueSettings;
  readonly host: QueueHost;
  readonly turns: Turns;
  readonly clock: Clock;
  /** Messages done with behind one that is not, from which on that one is copied out of their way; 10 000 unless given. */
  readonly stragglerSpan?: number;
  /**
   * When a message expires (milliseconds since the epoch), of a queue that keeps messages until a time: then all of them are
   * watched, however many there are. Without it, a message's own expiration counts.
   */
  readonly expiryOf?: (message: MessageBytes, publishedAt: number) => number | undefined;
}

/** Messages that one queue gives out, or lets expire, before others have their turn. */
const BUDGET = 1000;
/** After a read failed, it is tried again. */
const RETRY_MS = 1000;
/** Of a timer: longer waits are made of several. */
const MAX_TIMER_MS = 0x7fffffff;

/** A log plus delivery state: each message goes to one consumer, is locked while out, and leaves when acknowledged. */
export class Queue {
  readonly name: string;
  readonly virtualHost: string;
  readonly shard: Shard;
  /** The batch of the turn under way that its next message may go to; the turn's. */
  openBatch: MessageBatch | undefined;
  /** Messages published in the turn under way; counted where there is a limit. The turn's. */
  pendingCount = 0;
  pendingBytes = 0;

  readonly #lanes: readonly Lane[];
  readonly #state: StateLog;
  readonly #consumers: Consumers;
  readonly #host: QueueHost;
  readonly #turns: Turns;
  readonly #clock: Clock;
  readonly #expiries: ExpiryHeap;
  readonly #expiryOf: NonNullable<QueueOptions['expiryOf']>;
  /** For messages out of order: rejected ones, and those that expire in the middle. */
  #side: MessageReader | undefined;
  #sideLane = -1;
  #settings: QueueSettings;
  #readyBytes = 0;
  #unacknowledged = 0;
  #generation = 0;
  /** Appends that failed: from these offsets on, what was out is void. */
  readonly #voided: { readonly generation: number; readonly lane: number; readonly from: number }[] = [];
  /** Messages that came back in this turn, with their counts, by lane. */
  readonly #returned = new Map<number, Map<number, number>>();
  #loading: Promise<void> | undefined;
  #expiryTimer: { readonly at: number; cancel(): void } | undefined;
  #idleTimer: { cancel(): void } | undefined;
  #usedAt = 0;
  #expiring = false;
  /** It was closed in order, and nothing was done with it since. */
  #untouched = false;
  #deleted = false;
  #keeping = false;
  /** With this floor, the first straggler is too large to be copied. */
  #tooLargeAt = -1;

  private constructor(options: QueueOptions) {
    this.name = options.name;
    this.virtualHost = options.virtualHost;
    this.shard = options.shard;
    this.#host = options.host;
    this.#turns = options.turns;
    this.#clock = options.clock;
    this.#settings = options.settings;
    this.#expiryOf = options.expiryOf ?? ownExpiry;
    this.#expiries = new ExpiryHeap(options.expiryOf === undefined ? MAX_WATCHED : Number.POSITIVE_INFINITY);
    this.#lanes = options.lanes.map((id, index) => {
      const lane = new Lane(index, options.shard.log(id), options.stragglerSpan);
      lane.log.onRollBack = (nextOffset) => this.#rollBack(lane, nextOffset);
      return lane;
    });
    this.#state = new StateLog(options.shard.log(options.stateLogId));
    this.#consumers = new Consumers(
      this,
      () => this.#turns.pumpLater(this),
      () => this.#unused(),
    );
    this.configure(options.settings);
  }

  /** A queue over new logs: there is nothing to read. */
  static create(options: QueueOptions): Queue {
    return new Queue(options);
  }

  /** A queue over logs that may have something in them. Rejects with `storage-damaged` when they cannot be read. */
  static async open(options: QueueOptions): Promise<Queue> {
    const queue = new Queue(options);
    await queue.#restore();
    return queue;
  }

  get settings(): QueueSettings {
    return this.#settings;
  }

  get deleted(): boolean {
    return this.#deleted;
  }

  /** Messages that wait for a consumer. */
  get readyCount(): number {
    let count = 0;
    for (const lane of this.#lanes) count += lane.readyCount;
    return count;
  }

  /** Bytes of their bodies; after a crash an upper bound, until the queue was empty once. */
  get readyBytes(): number {
    return this.#readyBytes;
  }

  /** Messages that are out. */
  get unacknowledgedCount(): number {
    return this.#unacknowledged;
  }

  get consumerCount(): number {
    return this.#consumers.size;
  }

  /** All logs of the queue, by id. */
  get logIds(): readonly string[] {
    return [...this.#lanes.map(({ log }) => log.id), this.#state.log.id];
  }

  configure(settings: QueueSettings): void {
    this.#settings = settings;
    this.#consumers.singleActive = settings.singleActiveConsumer;
    this.touch();
    this.#armExpiry();
    if (this.#isOver) this.#turns.pumpLater(this);
  }

  /** Begins to deliver. Throws `access-refused` when there is an exclusive consumer, or this one wants to be and there are others. */
  subscribe(options: ConsumerOptions): Consumer {
    this.touch();
    return this.#consumers.add(options);
  }

  /** Takes the next message out of the queue, if there is one; the bytes are handed to `visit` and valid during that call only. */
  async get(noAck: boolean, visit: (delivery: Delivery, message: MessageBytes) => void): Promise<boolean> {
    this.touch();
    this.#turns.flush();
    for (;;) {
      const lane = this.#firstLane();
      if (lane === undefined || this.#deleted) return false;
      const offset = lane.peek();
      if (!lane.read(lane.reader, offset)) {
        await lane.reader.load(offset);
        continue;
      }
      if (this.#isExpired(lane.reader, this.#clock.now())) {
        this.#leave(lane, offset, lane.reader.message, 'expired');
        continue;
      }
      this.#giveOut(lane, offset, noAck, visit);
      return true;
    }
  }

  /** Drops all messages that are ready; answers how many there were. */
  purge(): number {
    this.#turns.flush();
    let count = 0;
    for (const lane of this.#lanes) count += lane.dropAll();
    this.#readyBytes = 0;
    this.#expiries.clear();
    this.#changed();
    return count;
  }

  /** Somebody declared it again, or asked for it: it is in use, and does not expire yet. */
  touch(): void {
    this.#usedAt = this.#clock.monotonic();
    this.#watchIdleness();
  }

  /** Called by `Delivery`. */
  acknowledge(delivery: Delivery): void {
    const lane = this.#settle(delivery);
    if (lane === undefined) return;
    lane.done(delivery.offset);
    this.#changed();
  }

  /** Called by `Delivery`. */
  requeue(delivery: Delivery, failed: boolean): void {
    const lane = this.#settle(delivery);
    if (lane === undefined) return;
    const count = delivery.deliveryCount + (failed ? 1 : 0);
    const { deliveryLimit } = this.#settings;
    if (deliveryLimit !== undefined && count > deliveryLimit) {
      this.#leaveFromOut(lane, delivery, 'delivery_limit');
      return;
    }
    lane.putBack(delivery.offset, count);
    this.#readyBytes += delivery.bytes;
    if (deliveryLimit !== undefined && failed) this.#noteReturned(lane.index, delivery.offset, count);
    this.#watch(lane, delivery.offset, delivery.timestamp);
    this.#turns.pumpLater(this);
  }

  /** Called by `Delivery`. */
  reject(delivery: Delivery): void {
    const lane = this.#settle(delivery);
    if (lane !== undefined) this.#leaveFromOut(lane, delivery, 'rejected');
  }

  /** The queue is deleted: consumers are told, and nothing comes of what is out. Its logs are its owner's to delete. */
  delete(): void {
    if (this.#deleted) return;
    this.#deleted = true;
    this.#expiryTimer?.cancel();
    this.#idleTimer?.cancel();
    this.#consumers.cancelAll();
  }

  // What follows is for the turns alone.

  /** The log for messages of a priority. */
  laneFor(priority: number): Lane {
    // There is a lane for every priority up to the greatest.
    return this.#lanes[Math.min(priority, this.#lanes.length - 1)]!;
  }

  /** Which of its lanes the log is. */
  laneOf(log: Log): number {
    return this.#lanes.findIndex((lane) => lane.log === log);
  }

  get hasPriorities(): boolean {
    return this.#lanes.length > 1;
  }

  /** Whether there are limits that a publisher is refused for. */
  get mayRefuse(): boolean {
    const { overflow, maxLength, maxLengthBytes } = this.#settings;
    return overflow !== 'drop-head' && (maxLength !== undefined || maxLengthBytes !== undefined);
  }

  /** Whether it is full, what this turn brought included. Deals with a message that it refuses. */
  refuses(message: MessageBytes): boolean {
    const { maxLength, maxLengthBytes, overflow, deadLetterExchange } = this.#settings;
    if (
      this.readyCount + this.pendingCount < (maxLength ?? Number.POSITIVE_INFINITY) &&
      this.#readyBytes + this.pendingBytes + message.bodyLength <= (maxLengthBytes ?? Number.POSITIVE_INFINITY)
    )
      return false;
    if (overflow === 'reject-publish-dlx' && deadLetterExchange !== undefined)
      this.#host.deadLetter(this, message, 'maxlen');
    return true;
  }

  /** Messages were appended. */
  appended(bodyBytes: number): void {
    this.openBatch = undefined;
    this.pendingCount = 0;
    this.pendingBytes = 0;
    this.#readyBytes += bodyBytes;
    if (this.#settings.messageTtlMs !== undefined) this.#armExpiry();
  }

  /** A message with an expiration of its own was appended. */
  appendedExpiring(lane: number, offset: number, at: number): void {
    if (!this.#expiring) {
      this.#expiring = true;
      this.#state.expiring();
      this.#changed();
    }
    this.#expiries.add(at, lane, offset);
    this.#armExpiry();
  }

  /** Adds what has to be appended for what was done with messages in this turn. */
  commit(entries: Entry[], now: number): void {
    if (this.#deleted) return;
    for (const lane of this.#lanes) {
      const news = lane.commit(entries);
      if (news !== undefined) this.#state.acknowledged(news);
      for (const offset of lane.takeKeptDone()) this.#state.keptDone(lane.index, offset);
    }
    for (const [lane, counts] of this.#returned) this.#state.returned(lane, counts);
    this.#returned.clear();
    this.#state.commit(entries, now, () => this.#snapshot());
    // For the next turn: what is copied and what is trimmed for it belong into one.
    for (const lane of this.#lanes) this.#keepStragglers(lane);
  }

  /** Delivers what there is to those who can take it. */
  pump(): void {
    if (this.#deleted || this.#loading !== undefined) return;
    if (this.#consumers.size > 0) {
      const now = this.#clock.now();
      for (let budget = BUDGET; ; budget--) {
        const lane = this.#firstLane();
        if (lane === undefined) break;
        const consumer = this.#consumers.next();
        if (consumer === undefined) break;
        if (budget === 0) {
          this.#turns.pumpLater(this);
          return;
        }
        if (!this.#deliver(lane, consumer, now)) return;
      }
    }
    this.#enforceLimits();
  }

  /** What makes the state last over a stop; nothing may be done with the queue afterwards. */
  closing(entries: Entry[]): void {
    this.#expiryTimer?.cancel();
    this.#idleTimer?.cancel();
    if (this.#deleted || this.#untouched) return;
    // What was appended without waiting may have failed.
    for (const { log, acks } of this.#lanes)
      if (acks.floor > log.startOffset) entries.push({ log, before: acks.floor });
    this.#state.closed(
      this.#lanes.map(({ cursor }) => cursor),
      this.#readyBytes,
    );
    this.commit(entries, this.#clock.now());
  }

  /** Answers false when the message has to be loaded first. */
  #deliver(lane: Lane, consumer: QueueConsumer, now: number): boolean {
    const offset = lane.peek();
    if (!lane.read(lane.reader, offset)) {
      this.#load(lane.reader, offset, () => this.pump());
      return false;
    }
    if (this.#isExpired(lane.reader, now)) this.#leave(lane, offset, lane.reader.message, 'expired');
    else this.#giveOut(lane, offset, consumer.options.noAck, consumer.options.deliver);
    return true;
  }

  #giveOut(
    lane: Lane,
    offset: number,
    noAck: boolean,
    deliver: (delivery: Delivery, message: MessageBytes) => void,
  ): void {
    const { message, timestamp } = lane.reader;
    const bytes = message.bodyLength;
    const count = lane.counts.size > 0 ? (lane.counts.get(offset) ?? 0) : 0;
    const at = { lane: lane.index, offset, bytes, timestamp };
    const delivery = new Delivery(this, at, count, lane.isRedelivered(offset), this.#generation);
    lane.take(offset);
    this.#lessReady(bytes);
    if (this.#untouched) this.#changed();
    if (noAck) {
      delivery.open = false;
      lane.done(offset);
      this.#changed();
    } else this.#unacknowledged++;
    deliver(delivery, message);
  }

  /** A message that waits leaves the queue, not by an acknowledgement. */
  #leave(lane: Lane, offset: number, message: MessageBytes, reason: DeadLetterReason): void {
    const bytes = message.bodyLength;
    if (this.#settings.deadLetterExchange !== undefined) this.#host.deadLetter(this, message, reason);
    lane.drop(offset);
    this.#lessReady(bytes);
    this.#changed();
  }

  /** A message that was out leaves the queue, not by an acknowledgement. */
  #leaveFromOut(lane: Lane, { offset }: Delivery, reason: DeadLetterReason): void {
    if (this.#settings.deadLetterExchange === undefined) {
      lane.done(offset);
      this.#changed();
      return;
    }
    this.#withMessage(lane, offset, (message) => {
      this.#host.deadLetter(this, message, reason);
      lane.done(offset);
      this.#changed();
    });
  }

  /** Over its limits, the queue drops the messages that would be next. */
  #enforceLimits(): void {
    for (let budget = BUDGET; this.#isOver; budget--) {
      const lane = this.#firstLane();
      if (lane === undefined) return;
      if (budget === 0) {
        this.#turns.pumpLater(this);
        return;
      }
      const offset = lane.peek();
      if (!lane.read(lane.reader, offset)) {
        this.#load(lane.reader, offset, () => this.pump());
        return;
      }
      this.#leave(lane, offset, lane.reader.message, 'maxlen');
    }
  }

  get #isOver(): boolean {
    const { overflow, maxLength, maxLengthBytes } = this.#settings;
    if (overflow !== 'drop-head' || (maxLength === undefined && maxLengthBytes === undefined)) return false;
    return (
      (maxLength !== undefined && this.readyCount > maxLength) ||
      (maxLengthBytes !== undefined && this.#readyBytes > maxLengthBytes)
    );
  }

  /** The lane that the next message comes from: the highest priority that has one. */
  #firstLane(): Lane | undefined {
    for (let i = this.#lanes.length - 1; i >= 0; i--) {
      const lane = this.#lanes[i];
      if (lane !== undefined && lane.peek() >= 0) return lane;
    }
    this.#readyBytes = 0;
    return undefined;
  }

  #lessReady(bytes: number): void {
    this.#readyBytes = Math.max(0, this.#readyBytes - bytes);
  }

  /** Answers the lane of a delivery that can be settled. */
  #settle(delivery: Delivery): Lane | undefined {
    if (!delivery.open) return undefined;
    delivery.open = false;
    if (this.#deleted) return undefined;
    this.#unacknowledged--;
    if (delivery.generation !== this.#generation && this.#isVoid(delivery)) return undefined;
    return this.#lanes[delivery.lane];
  }

  #isVoid({ generation, lane, offset }: Delivery): boolean {
    return this.#voided.some((each) => each.generation > generation && each.lane === lane && offset >= each.from);
  }

  #rollBack(lane: Lane, nextOffset: number): void {
    this.#generation++;
    this.#voided.push({ generation: this.#generation, lane: lane.index, from: nextOffset });
    lane.rollBack(nextOffset);
    this.#side?.forget();
  }

  #changed(): void {
    if (this.#untouched) {
      this.#untouched = false;
      this.#state.opened();
    }
    this.#turns.touch(this);
  }

  #noteReturned(lane: number, offset: number, count: number): void {
    let counts = this.#returned.get(lane);
    if (counts === undefined) {
      counts = new Map();
      this.#returned.set(lane, counts);
    }
    counts.set(offset, count);
    this.#changed();
  }

  #snapshot(): QueueSnapshot {
    return {
      acknowledged: this.#lanes.map(({ index, acks }) => ({ lane: index, ranges: [...acks.ranges()].flat() })),
      returned: this.#lanes.map(({ index, counts }) => ({ lane: index, counts })),
      expiring: this.#expiring,
      kept: this.#lanes.map(({ index, kept }) => ({ lane: index, messages: kept })),
    };
  }

  /**
   * A message that stays out while thousands after it are done with would hold the space of them all: it is copied to the state
   * log, and the messages' own log goes on without it.
   */
  #keepStragglers(lane: Lane): void {
    if (this.#keeping || this.#tooLargeAt === lane.acks.floor) return;
    const offsets = lane.stragglers();
    if (offsets.length === 0) return;
    this.#keeping = true;
    this.#keepAll(lane, offsets)
      .catch((error: unknown) => {
        if (!this.#deleted)
          this.#host.onTrouble(toBrokerError(error), `queue '${this.name}' takes more space than it needs`);
      })
      .finally(() => {
        this.#keeping = false;
      });
  }

  async #keepAll(lane: Lane, offsets: readonly number[]): Promise<void> {
    const reader = new MessageReader(lane.log);
    for (const offset of offsets) {
      while (!lane.acks.has(offset) && !reader.read(offset)) await reader.load(offset);
      if (this.#deleted || lane.acks.has(offset)) continue;
      const kept = copyOf(reader);
      if (!lane.keep(offset, kept)) {
        this.#tooLargeAt = lane.acks.floor;
        return;
      }
      this.#state.kept(lane.index, offset, kept);
      this.#changed();
    }
  }

  // Reading.

  #load(reader: MessageReader, offset: number, then: () => void): void {
    this.#loading = reader.load(offset).then(
      () => {
        this.#loading = undefined;
        then();
      },
      (error: unknown) => {
        this.#loading = undefined;
        if (this.#deleted) return;
        this.#host.onTrouble(toBrokerError(error), `queue '${this.name}' waits: a message cannot be read`);
        this.#clock.setTimer(RETRY_MS, () => this.#turns.pumpLater(this));
      },
    );
  }

  /** Reads a message that is not the next one. */
  #withMessage(lane: Lane, offset: number, visit: (message: MessageBytes) => void): void {
    if (this.#side === undefined || this.#sideLane !== lane.index) {
      this.#side = new MessageReader(lane.log);
      this.#sideLane = lane.index;
    }
    const side = this.#side;
    if (lane.read(side, offset)) {
      visit(side.message);
      return;
    }
    // Of its own, so that two that wait do not take the pages from each other.
    const reader = new MessageReader(lane.log);
    reader.load(offset).then(
      () => {
        if (!this.#deleted && reader.read(offset)) visit(reader.message);
      },
      (error: unknown) => {
        if (this.#deleted) return;
        this.#host.onTrouble(toBrokerError(error), `a message of queue '${this.name}' stays: it cannot be read`);
      },
    );
  }

  // Time.

  #isExpired({ message, timestamp }: MessageReader, now: number): boolean {
    const { messageTtlMs } = this.#settings;
    if (messageTtlMs !== undefined && timestamp + messageTtlMs <= now) return true;
    if (!this.#expiring) return false;
    const at = this.#expiryOf(message, timestamp);
    return at !== undefined && at <= now;
  }

  /** Watches a message that came back, where it has an expiration of its own. */
  #watch(lane: Lane, offset: number, timestamp: number): void {
    if (this.#settings.messageTtlMs !== undefined) this.#armExpiry();
    if (!this.#expiring) return;
    this.#withMessage(lane, offset, (message) => {
      const at = this.#expiryOf(message, timestamp);
      if (at === undefined) return;
      this.#expiries.add(at, lane.index, offset);
      this.#armExpiry();
    });
  }

  /** Sees to it that the next message that expires does so in time. */
  #armExpiry(): void {
    if (this.#deleted) return;
    const at = Math.min(this.#expiries.earliest, this.#headExpiry());
    if (at === Number.POSITIVE_INFINITY) return;
    if (this.#expiryTimer !== undefined) {
      if (this.#expiryTimer.at <= at) return;
      this.#expiryTimer.cancel();
    }
    const delay = Math.min(Math.max(0, at - this.#clock.now()), MAX_TIMER_MS);
    const timer = this.#clock.setTimer(delay, () => {
      this.#expiryTimer = undefined;
      this.#expire();
    });
    this.#expiryTimer = { at, cancel: () => timer.cancel() };
  }

  /** When the first of the messages that wait reaches the queue's own time to live; at once, when that has to be read first. */
  #headExpiry(): number {
    const { messageTtlMs } = this.#settings;
    if (messageTtlMs === undefined) return Number.POSITIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes) {
      const offset = lane.peek();
      if (offset < 0) continue;
      if (!lane.read(lane.reader, offset)) {
        if (this.#loading === undefined) this.#load(lane.reader, offset, () => this.#armExpiry());
        continue;
      }
      earliest = Math.min(earliest, lane.reader.timestamp + messageTtlMs);
    }
    return earliest;
  }

  #expire(): void {
    if (this.#deleted) return;
    const now = this.#clock.now();
    this.#expiries.take(now, (index, offset) => {
      const lane = this.#lanes[index];
      if (lane?.isReady(offset))
        this.#withMessage(lane, offset, (message) => {
          if (lane.isReady(offset)) this.#leave(lane, offset, message, 'expired');
        });
    });
    if (this.#settings.messageTtlMs !== undefined) {
      for (const lane of this.#lanes) {
        for (let budget = BUDGET; budget > 0; budget--) {
          const offset = lane.peek();
          if (offset < 0 || !lane.read(lane.reader, offset) || !this.#isExpired(lane.reader, now)) break;
          this.#leave(lane, offset, lane.reader.message, 'expired');
        }
      }
    }
    this.#armExpiry();
  }

  #watchIdleness(): void {
    const { expiresMs } = this.#settings;
    if (expiresMs === undefined || this.#idleTimer !== undefined || this.#deleted) return;
    const wait = Math.max(0, this.#usedAt + expiresMs - this.#clock.monotonic());
    this.#idleTimer = this.#clock.setTimer(Math.min(wait, MAX_TIMER_MS), () => {
      this.#idleTimer = undefined;
      if (this.#deleted || this.#settings.expiresMs === undefined || this.#consumers.size > 0) return;
      if (this.#clock.monotonic() - this.#usedAt >= this.#settings.expiresMs) this.#host.expired(this, 'idle');
      else this.#watchIdleness();
    });
  }

  #unused(): void {
    this.touch();
    this.#host.expired(this, 'unused');
  }

  // Starting again.

  async #restore(): Promise<void> {
    let clean: readonly number[] | undefined;
    await this.#state.replay({
      acknowledged: (lane, from, to) => this.#lanes[lane]?.acks.addRange(from, to),
      returned: (lane, offset, count) => this.#lanes[lane]?.counts.set(offset, count),
      reset: () => {
        clean = undefined;
        this.#expiring = false;
        for (const lane of this.#lanes) for (const offset of [...lane.kept.keys()]) lane.unkeep(offset);
      },
      closed: (cursors, readyBytes) => {
        clean = cursors;
        this.#readyBytes = readyBytes;
      },
      opened: () => {
        clean = undefined;
      },
      expiring: () => {
        this.#expiring = true;
      },
      kept: (lane, offset, message) => this.#lanes[lane]?.restoreKept(offset, message),
      keptDone: (lane, offset) => this.#lanes[lane]?.unkeep(offset),
    });
    this.#untouched = clean !== undefined;
    for (const lane of this.#lanes) {
      for (const offset of lane.counts.keys())
        if (lane.acks.has(offset) && !lane.kept.has(offset)) lane.counts.delete(offset);
      lane.restored();
      // After a crash nobody knows what had been delivered.
      lane.redeliveredBelow = clean?.[lane.index] ?? lane.log.nextOffset;
    }
    if (clean === undefined) this.#readyBytes = this.#lanes.reduce((bytes, { log }) => bytes + log.sizeBytes, 0);
    if (this.readyCount === 0) this.#readyBytes = 0;
    const counted = clean !== undefined || this.#settings.maxLengthBytes === undefined;
    if (this.readyCount > 0 && (this.#expiring || !counted)) await this.#scan(counted);
    this.#armExpiry();
  }

  /** Reads all that waits, for what nothing else remembers: expirations, and the bytes after a crash. */
  async #scan(counted: boolean): Promise<void> {
    let bytes = 0;
    for (const { log, acks, index } of this.#lanes) {
      const reader = new MessageReader(log);
      for (let offset = acks.firstOpen(0); offset < log.nextOffset; offset = acks.firstOpen(offset + 1)) {
        if (!reader.read(offset)) {
          await reader.load(offset);
          reader.read(offset);
        }
        bytes += reader.message.bodyLength;
        const at = this.#expiryOf(reader.message, reader.timestamp);
        if (at !== undefined) this.#expiries.add(at, index, offset);
      }
    }
    if (!counted) this.#readyBytes = bytes;
  }
}

function ownExpiry({ expiration }: MessageBytes, publishedAt: number): number | undefined {
  return expiration === undefined ? undefined : publishedAt + Number(expiration);
}

function copyOf({ message, timestamp }: MessageReader): KeptMessage {
  return {
    timestamp,
    address: Buffer.from(message.address.subarray(message.addressStart, message.addressEnd)),
    properties: Buffer.from(message.properties.subarray(message.propertiesStart, message.propertiesEnd)),
    body: Buffer.from(message.body.subarray(message.bodyStart, message.bodyEnd)),
  };
}
