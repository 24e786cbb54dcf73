import type { Clock, Timer } from '../../environment/environment.ts';
import { toBrokerError } from '../../errors.ts';
import type { Entry, Log, Shard } from '../../storage/index.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import { Latency } from '../telemetry/latency.ts';
import { MessageCounts } from '../telemetry/message-counts.ts';
import type { Participant, Place } from '../traces/place.ts';
import type { TracedAt } from '../traces/traced.ts';
import type { Tracing } from '../traces/tracing.ts';
import { Backlog } from './backlog.ts';
import type { Consumer, ConsumerOptions } from './consumer.ts';
import { Consumers, type QueueConsumer } from './consumers.ts';
import { Delivery } from './delivery.ts';
import { Expiration } from './expiration.ts';
import { IdleWatch } from './idle-watch.ts';
import type { Lane } from './lane.ts';
import { hasRoom, isOver, refusesPublishers } from './length-limits.ts';
import type { MessageBatch } from './message-batch.ts';
import type { Move } from './moves.ts';
import { Outstanding } from './outstanding.ts';
import { QueueMessages } from './queue-messages.ts';
import type { DeadLetterReason, QueueHost, QueueOptions } from './queue-options.ts';
import type { QueueSettings } from './settings.ts';
import type { Turns } from './turn.ts';

/** Messages that one queue gives out, or drops, before others have their turn. */
const BUDGET = 1000;
/** After a read or an append failed, it is tried again. */
const RETRY_MS = 1000;

/** A log plus delivery state: each message goes to one consumer, is locked while out, and leaves when acknowledged. */
export class Queue {
  readonly name: string;
  readonly virtualHost: string;
  readonly shard: Shard;
  readonly keepsTransient: boolean;
  /** Its messages leave it when they are due. */
  readonly holdsBack: boolean;
  /** What traces know it by; theirs. */
  tracePlace: Place | undefined;
  readonly counts = new MessageCounts();
  /** The batch of the turn under way that its next message may go to; the turn's. */
  openBatch: MessageBatch | undefined;
  /** Messages published in the turn under way; counted where there is a limit. The turn's. */
  pendingCount = 0;
  pendingBytes = 0;

  /** Whether there are limits that a publisher is refused for: asked for each message. */
  mayRefuse: boolean;

  readonly #backlog: Backlog;
  readonly #consumers: Consumers;
  readonly #expiration: Expiration;
  readonly #idleWatch: IdleWatch;
  readonly #host: QueueHost;
  readonly #turns: Turns;
  readonly #tracing: Tracing;
  readonly #clock: Clock;
  readonly #totals: MessageCounts;
  readonly #waitTime: Latency;
  #settings: QueueSettings;
  readonly #out = new Outstanding();
  #loading = false;
  #retry: Timer | undefined;
  #deleted = false;

  private constructor(options: QueueOptions) {
    const { host, turns, clock } = options;
    this.name = options.name;
    this.virtualHost = options.virtualHost;
    this.shard = options.shard;
    this.keepsTransient = options.keepsTransient ?? false;
    this.holdsBack = options.expiryOf !== undefined;
    this.#host = host;
    this.#turns = turns;
    this.#tracing = turns.tracing;
    this.#clock = clock;
    this.#totals = options.meter?.totals ?? new MessageCounts();
    this.#waitTime = options.meter?.waitTime ?? new Latency();
    this.#settings = options.settings;
    this.mayRefuse = refusesPublishers(options.settings);
    this.#backlog = new Backlog({
      ...{ clock, shard: options.shard, lanes: options.lanes, stateLogId: options.stateLogId },
      stragglerSpan: options.stragglerSpan,
      onChange: () => turns.touch(this),
      onRollBack: (lane, nextOffset) => this.#out.lose(lane.index, nextOffset),
      onLost: () => this.#appendAgain(),
      onRead: () => this.#expiration.arm(),
      onTrouble: (error, what) => host.onTrouble(error, `queue '${this.name}': ${what}`),
    });
    this.#consumers = new Consumers(
      this,
      () => turns.pumpLater(this),
      () => {
        this.touch();
        host.expired(this, 'unused');
      },
    );
    this.#expiration = new Expiration({
      clock,
      backlog: this.#backlog,
      expiryOf: options.expiryOf,
      messageTtlMs: () => this.#settings.messageTtlMs,
      load: (lane, offset) => this.#load(lane, offset),
      leave: (lane, offset, message) => this.#leave(lane, offset, message, 'expired'),
    });
    this.#idleWatch = new IdleWatch(
      clock,
      () => this.#settings.expiresMs,
      () => this.#consumers.size > 0,
      () => host.expired(this, 'idle'),
    );
    this.#consumers.singleActive = options.settings.singleActiveConsumer;
    this.touch();
  }

  /** A queue over new logs: there is nothing to read. */
  static create(options: QueueOptions): Queue {
    return new Queue(options);
  }

  /** A queue over logs that may have something in them. Rejects with `storage-damaged` when they cannot be read. */
  static async open(options: QueueOptions): Promise<Queue> {
    const queue = new Queue(options);
    const needsBytes = options.settings.maxLengthBytes !== undefined;
    await queue.#backlog.restore(needsBytes, (...message) => queue.#expiration.see(...message));
    queue.#expiration.arm();
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
    return this.#backlog.readyCount;
  }

  /** Bytes of their bodies; after a crash an upper bound, until the queue was empty once. */
  get readyBytes(): number {
    return this.#backlog.readyBytes;
  }

  /** Messages that are out. */
  get unacknowledgedCount(): number {
    return this.#out.count;
  }

  get consumerCount(): number {
    return this.#consumers.size;
  }

  /** All logs of the queue, by id. */
  get logIds(): readonly string[] {
    return this.#backlog.logIds;
  }

  /** Its messages where they lie, for people: nothing that is looked at is delivered, or counts as use of the queue. */
  get messages(): QueueMessages {
    return new QueueMessages({
      name: this.name,
      lanes: this.#backlog.lanes,
      deleted: () => this.#deleted,
      takeOut: (lane, offset, bytes) => {
        if (this.#tracing.on) this.#tracing.removed({ queue: this, lane: lane.index, offset });
        this.#backlog.move(lane, offset, bytes, true);
        this.#backlog.readyBytesChanged(-bytes);
        this.#backlog.changed();
      },
    });
  }

  /** Those of its messages that expire by themselves, earliest first, also such that are done with by now. */
  expiring(...args: Parameters<Expiration['inOrder']>): void {
    this.#expiration.inOrder(...args);
  }

  /** Shows the message that is next, as far as it is in memory. */
  glance<Result>(visit: (message: MessageBytes) => Result): Result | undefined {
    const lane = this.#backlog.firstLane();
    return lane?.read(lane.reader, lane.peek()) === true ? visit(lane.reader.message) : undefined;
  }

  /** Whether it would take a message of so many bytes now, as far as publishers are refused at all. */
  hasRoomFor(bytes: number): boolean {
    const [count, inAll] = [this.readyCount + this.pendingCount, this.readyBytes + this.pendingBytes];
    return !this.mayRefuse || hasRoom(this.#settings, count, inAll, bytes);
  }

  configure(settings: QueueSettings): void {
    this.#settings = settings;
    this.mayRefuse = refusesPublishers(settings);
    this.#consumers.singleActive = settings.singleActiveConsumer;
    this.touch();
    this.#expiration.arm();
    if (this.#isOver) this.#turns.pumpLater(this);
  }

  /** Begins to deliver. Throws `access-refused` when there is an exclusive consumer, or this one wants to be and there are others. */
  subscribe(options: ConsumerOptions): Consumer {
    this.touch();
    return this.#consumers.add(options);
  }

  /**
   * Takes the next message out of the queue, if there is one; the bytes are handed to `visit` and valid during that call only. `takes` says, for
   * the counts, that nobody will acknowledge it, though it may have to go back.
   */
  async get(
    noAck: boolean,
    visit: (delivery: Delivery, message: MessageBytes) => void,
    takes = noAck,
    participant?: Participant,
  ): Promise<boolean> {
    this.touch();
    this.catchUp();
    for (;;) {
      const lane = this.#backlog.firstLane();
      if (lane === undefined || this.#deleted) {
        this.counts.gotEmpty++;
        this.#totals.gotEmpty++;
        return false;
      }
      const offset = lane.peek();
      if (!lane.read(lane.reader, offset)) {
        await lane.reader.load(offset);
        continue;
      }
      if (this.#expiration.isExpired(lane.reader.message, lane.reader.timestamp, this.#clock.now())) {
        this.#leave(lane, offset, lane.reader.message, 'expired');
        continue;
      }
      const kind = takes ? 'gotNoAck' : 'got';
      this.counts[kind]++;
      this.#totals[kind]++;
      this.#giveOut(lane, offset, { noAck, deliver: visit, tag: '', participant });
      return true;
    }
  }

  /** Drops all messages that are ready; answers how many there were. */
  purge(): number {
    this.catchUp();
    this.#expiration.clear();
    if (this.#tracing.on) this.#tracing.purged(this);
    return this.#backlog.purge();
  }

  /** What was published before this call is in the queue, with its consumers, or dropped, as if the turn had ended. */
  catchUp(): void {
    this.#turns.flush();
    this.pump();
  }

  /** Somebody declared it again, or asked for it: it is in use, and does not expire yet. */
  touch(): void {
    this.#idleWatch.touch();
  }

  /** Called by `Delivery`; `told` when its consumer said so, and did not only take it. */
  acknowledge(delivery: Delivery, told: boolean): void {
    const lane = this.#settle(delivery);
    if (lane === undefined) return;
    if (told) {
      this.counts.acknowledged++;
      this.#totals.acknowledged++;
    }
    if (delivery.isTraced) this.#tracing.acknowledged(delivery);
    lane.done(delivery.offset);
    this.#backlog.changed();
  }

  /** Called by `Delivery`. */
  requeue(delivery: Delivery, failed: boolean): void {
    const lane = this.#settle(delivery);
    if (lane === undefined) return;
    this.counts.requeued++;
    this.#totals.requeued++;
    const count = delivery.deliveryCount + (failed ? 1 : 0);
    if (delivery.isTraced) this.#tracing.requeued(delivery, count, failed);
    const { deliveryLimit } = this.#settings;
    if (deliveryLimit !== undefined && count > deliveryLimit) {
      this.#leaveFromOut(lane, delivery, 'delivery_limit');
      return;
    }
    lane.putBack(delivery.offset, count);
    this.#backlog.readyBytesChanged(delivery.bytes);
    if (deliveryLimit !== undefined && failed) this.#backlog.returned(lane, delivery.offset, count);
    this.#expiration.returned(lane, delivery.offset, delivery.expiresAt);
    this.#turns.pumpLater(this);
  }

  /** Called by `Delivery`. */
  reject(delivery: Delivery): void {
    const lane = this.#settle(delivery);
    if (lane === undefined) return;
    this.counts.rejected++;
    this.#totals.rejected++;
    if (delivery.isTraced) this.#tracing.rejected(delivery);
    this.#leaveFromOut(lane, delivery, 'rejected');
  }

  /** The queue is deleted: consumers are told, and nothing comes of what is out. Its logs are its owner's to delete. */
  delete(): void {
    if (this.#deleted) return;
    this.#deleted = true;
    this.#stop();
    this.#consumers.cancelAll();
  }

  // What follows is for the turns alone.

  /** The log for messages of a priority. */
  logFor(priority: number): Log {
    return this.#backlog.laneFor(priority).log;
  }

  /** Which of its lanes a log is. */
  laneOf(log: Log): number {
    return this.#backlog.laneOf(log);
  }

  get hasPriorities(): boolean {
    return this.#backlog.lanes.length > 1;
  }

  /** Whether it is full, what this turn brought included. Deals with a message that it refuses. */
  refuses(message: MessageBytes): boolean {
    const { overflow, deadLetterExchange } = this.#settings;
    if (this.hasRoomFor(message.bodyLength)) return false;
    if (overflow === 'reject-publish-dlx' && deadLetterExchange !== undefined)
      this.#host.deadLetter(this, message, 'maxlen');
    return true;
  }

  /** So many messages were appended. */
  appended(count: number, bodyBytes: number, hasTransient: boolean): void {
    this.counts.published += count;
    this.counts.bytesIn += bodyBytes;
    if (hasTransient && !this.keepsTransient) this.#backlog.nowTransient();
    this.openBatch = undefined;
    this.pendingCount = 0;
    this.pendingBytes = 0;
    this.#backlog.readyBytesChanged(bodyBytes);
    if (this.#settings.messageTtlMs !== undefined) this.#expiration.arm();
  }

  /** A message with an expiration of its own is published: that there is one lasts with it. */
  nowExpiring(): void {
    this.#backlog.nowExpiring();
  }

  /** It was appended to one of the logs. */
  appendedExpiring(log: Log, offset: number, at: number): void {
    this.#expiration.add(this.#backlog.laneOf(log), offset, at);
  }

  /** Adds what has to be appended for what was done with messages in this turn. Answers what `moved` is to be told when that is durable. */
  commit(entries: Entry[], now: number): readonly Move[] | undefined {
    return this.#deleted ? undefined : this.#backlog.commit(entries, now);
  }

  /** What left the queue with dead letters is safe. */
  moved(moves: readonly Move[]): void {
    this.#backlog.moved(moves);
  }

  /** Delivers what there is to those who can take it. */
  pump(): void {
    if (this.#deleted || this.#loading) return;
    if (this.#consumers.size > 0) {
      const now = this.#clock.now();
      for (let budget = BUDGET; ; budget--) {
        const lane = this.#backlog.firstLane();
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
    for (const lane of this.#backlog.lanes) lane.freshFrom = lane.log.nextOffset;
    this.#enforceLimits();
  }

  /** What makes the state last over a stop; nothing may be done with the queue afterwards. */
  closing(entries: Entry[]): void {
    if (!this.#deleted) this.#backlog.closing(entries, this.#clock.now());
    this.#stop();
  }

  /** Answers false when the message has to be loaded first. */
  #deliver(lane: Lane, consumer: QueueConsumer, now: number): boolean {
    const offset = lane.peek();
    if (!lane.read(lane.reader, offset)) {
      this.#load(lane, offset);
      return false;
    }
    const { message, timestamp } = lane.reader;
    if (offset < lane.freshFrom && this.#expiration.isExpired(message, timestamp, now))
      this.#leave(lane, offset, message, 'expired');
    else {
      if (consumer.options.noAck) {
        this.counts.deliveredNoAck++;
        this.#totals.deliveredNoAck++;
      } else {
        this.counts.delivered++;
        this.#totals.delivered++;
      }
      // Of one that came back, that is not known.
      if (offset >= lane.cursor) this.#waitTime.observe(now - timestamp);
      this.#giveOut(lane, offset, consumer.options);
    }
    return true;
  }

  #giveOut(
    lane: Lane,
    offset: number,
    receiver: Pick<ConsumerOptions, 'noAck' | 'deliver' | 'tag' | 'participant'>,
  ): void {
    const { noAck } = receiver;
    const { message, timestamp } = lane.reader;
    const bytes = message.bodyLength;
    const count = lane.counts.size > 0 ? (lane.counts.get(offset) ?? 0) : 0;
    const expiresAt = this.#expiration.expiryOf(message, timestamp);
    const at = { lane: lane.index, offset, bytes, timestamp, expiresAt };
    const delivery = new Delivery(this, at, count, lane.isRedelivered(offset), this.#out.generation);
    if (delivery.redelivered) {
      this.counts.redelivered++;
      this.#totals.redelivered++;
    }
    this.counts.bytesOut += bytes;
    this.#totals.bytesOut += bytes;
    lane.take(offset);
    this.#backlog.readyBytesChanged(-bytes);
    this.#backlog.touched();
    if (noAck) {
      delivery.open = false;
      lane.done(offset);
      this.#backlog.changed();
    } else this.#out.add();
    if (this.#tracing.on) this.#tracing.delivered(delivery, message, receiver.participant, receiver.tag, noAck);
    receiver.deliver(delivery, message);
  }

  /** A message that waits leaves the queue, not by an acknowledgement. */
  #leave(lane: Lane, offset: number, message: MessageBytes, reason: DeadLetterReason): void {
    const bytes = message.bodyLength;
    this.#countLoss(reason);
    const from = this.#traceLeaving(lane, offset, message, reason);
    if (this.#settings.deadLetterExchange === undefined) lane.drop(offset);
    else {
      this.#host.deadLetter(this, message, reason, from);
      this.#backlog.move(lane, offset, bytes, true);
    }
    this.#backlog.readyBytesChanged(-bytes);
    this.#backlog.changed();
  }

  /** A message that was out leaves the queue, not by an acknowledgement. */
  #leaveFromOut(lane: Lane, delivery: Delivery, reason: DeadLetterReason): void {
    const { offset, bytes } = delivery;
    this.#countLoss(reason);
    if (this.#settings.deadLetterExchange === undefined) {
      if (delivery.tracedFor !== undefined) this.#tracing.left(delivery, undefined, reason, false);
      lane.done(offset);
      this.#backlog.changed();
      return;
    }
    this.#backlog.withMessage(lane, offset, (message) => {
      this.#host.deadLetter(this, message, reason, this.#traceLeaving(lane, offset, message, reason));
      this.#backlog.move(lane, offset, bytes, false);
      this.#backlog.changed();
    });
  }

  /** Answers where the message was, for the trace of its dead letter. */
  #traceLeaving(
    { index: lane }: Lane,
    offset: number,
    message: MessageBytes,
    reason: DeadLetterReason,
  ): TracedAt | undefined {
    if (!this.#tracing.on) return undefined;
    const at = { queue: this, lane, offset };
    this.#tracing.left(at, message, reason, this.#settings.deadLetterExchange !== undefined);
    return at;
  }

  #countLoss(reason: DeadLetterReason): void {
    for (const counts of [this.counts, this.#totals]) {
      if (reason === 'expired') counts.expired++;
      else if (reason === 'maxlen') counts.overflowed++;
      if (this.#settings.deadLetterExchange !== undefined) counts.deadLettered++;
    }
  }

  /** Over its limits, the queue drops the messages that would be next. */
  #enforceLimits(): void {
    for (let budget = BUDGET; this.#isOver; budget--) {
      const lane = this.#backlog.firstLane();
      if (lane === undefined) return;
      if (budget === 0) {
        this.#turns.pumpLater(this);
        return;
      }
      const offset = lane.peek();
      if (!lane.read(lane.reader, offset)) {
        this.#load(lane, offset);
        return;
      }
      this.#leave(lane, offset, lane.reader.message, 'maxlen');
    }
  }

  get #isOver(): boolean {
    return isOver(this.#settings, this.readyCount, this.readyBytes);
  }

  /** Answers the lane of a delivery that can be settled. */
  #settle(delivery: Delivery): Lane | undefined {
    if (!delivery.open) return undefined;
    delivery.open = false;
    if (this.#deleted) return undefined;
    return this.#out.settle(delivery) ? this.#backlog.lanes[delivery.lane] : undefined;
  }

  /** Whoever asked, all that may have waited for it go on afterwards. */
  #load(lane: Lane, offset: number): void {
    if (this.#loading) return;
    this.#loading = true;
    const goOn = () => {
      if (this.#deleted) return;
      this.#expiration.arm();
      this.pump();
    };
    lane.reader.load(offset).then(
      () => {
        this.#loading = false;
        goOn();
      },
      (error: unknown) => {
        this.#loading = false;
        if (this.#deleted) return;
        this.#host.onTrouble(toBrokerError(error), `queue '${this.name}' waits: a message cannot be read`);
        this.#clock.setTimer(RETRY_MS, goOn);
      },
    );
  }

  /** What was done with messages was lost in an append that failed: it is worth another, also when nothing else comes. */
  #appendAgain(): void {
    if (this.#retry !== undefined || this.#backlog.closed) return;
    this.#retry = this.#clock.setTimer(RETRY_MS, () => {
      this.#retry = undefined;
      const watched = this.#backlog.expiring ? this.#clock.now() : undefined;
      this.#backlog.putBackMoves((lane, offset) => this.#expiration.returned(lane, offset, watched));
      this.#turns.pumpLater(this);
    });
  }

  #stop(): void {
    this.#backlog.closed = true;
    this.#retry?.cancel();
    this.#expiration.stop();
    this.#idleWatch.stop();
  }
}
