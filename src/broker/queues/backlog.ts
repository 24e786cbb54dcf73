import type { Clock } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';
import type { Entry, Log, Shard } from '../../storage/index.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import { type KeptMessage, Lane } from './lane.ts';
import { MessageReader } from './message-reader.ts';
import { type Move, Moves } from './moves.ts';
import { SideReads, type Visit } from './side-reads.ts';
import { type QueueSnapshot, StateLog } from './state-log.ts';

export interface BacklogOptions {
  readonly shard: Shard;
  readonly clock: Clock;
  /** Log ids, one for each priority from 0 on. */
  readonly lanes: readonly string[];
  readonly stateLogId: string;
  readonly stragglerSpan?: number | undefined;
  /** There is something to append at the end of the turn. */
  readonly onChange: () => void;
  /** Batches from the offset on are gone: their append failed. */
  readonly onRollBack: (lane: Lane, nextOffset: number) => void;
  /** Something that had to last was lost in an append that failed: it is to be appended again, some time later. */
  readonly onLost: () => void;
  /** All that `withMessage` was asked for was read. */
  readonly onRead: () => void;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** The messages of a queue: which are there, in what order they go, and how all of that lasts. */
export class Backlog {
  readonly lanes: readonly Lane[];
  /** Whether it has, or had, messages with an expiration of their own. */
  expiring = false;
  /** Whether it has, or had, messages that are not to outlive a restart. */
  #transient = false;
  closed = false;
  readonly #options: BacklogOptions;
  readonly #state: StateLog;
  /** For messages out of order, by lane. */
  readonly #side: SideReads[];
  readonly #moves = new Moves();
  #readyBytes = 0;
  /** Messages that came back in this turn, with their counts, by lane. */
  readonly #returned = new Map<number, Map<number, number>>();
  /** It was closed in order, and nothing was done with it since. */
  #untouched = false;
  #keeping = false;
  /** With this floor, the first straggler is too large to be copied. */
  #tooLargeAt = -1;

  constructor(options: BacklogOptions) {
    const { shard, onRollBack } = options;
    this.#options = options;
    this.lanes = options.lanes.map((id, index) => {
      const lane = new Lane(index, shard.log(id), options.stragglerSpan);
      lane.log.onRollBack = (nextOffset) => {
        lane.rollBack(nextOffset);
        this.#side[index]?.rollBack(nextOffset);
        this.#forgetFrom(lane, nextOffset);
        this.#lost();
        onRollBack(lane, nextOffset);
      };
      return lane;
    });
    this.#side = this.lanes.map(
      (lane) =>
        new SideReads(lane, {
          clock: options.clock,
          closed: () => this.closed,
          onDone: () => options.onRead(),
          onTrouble: options.onTrouble,
        }),
    );
    this.#state = new StateLog(shard.log(options.stateLogId), () => this.#lost());
  }

  /** Messages that wait. */
  get readyCount(): number {
    let count = 0;
    for (const lane of this.lanes) count += lane.readyCount;
    return count;
  }

  /** Bytes of their bodies; after a crash an upper bound, until the queue was empty once. */
  get readyBytes(): number {
    return this.#readyBytes;
  }

  get logIds(): readonly string[] {
    return [...this.lanes.map(({ log }) => log.id), this.#state.log.id];
  }

  /** The log for messages of a priority. */
  laneFor(priority: number): Lane {
    // There is a lane for every priority up to the greatest.
    return this.lanes[Math.min(priority, this.lanes.length - 1)]!;
  }

  /** Which of the lanes the log is. */
  laneOf(log: Log): number {
    return this.lanes.findIndex((lane) => lane.log === log);
  }

  /** The lane that the next message comes from: the highest priority that has one. */
  firstLane(): Lane | undefined {
    for (let i = this.lanes.length - 1; i >= 0; i--) {
      const lane = this.lanes[i];
      if (lane !== undefined && lane.peek() >= 0) return lane;
    }
    this.#readyBytes = 0;
    return undefined;
  }

  /** Bodies of so many bytes wait more, or less. */
  readyBytesChanged(by: number): void {
    this.#readyBytes = Math.max(0, this.#readyBytes + by);
  }

  /** Something was done that has to last. */
  changed(): void {
    if (this.#untouched) {
      this.#untouched = false;
      this.#state.opened();
    }
    this.#options.onChange();
  }

  /** A message was given out: from now on nobody can say that it was not. */
  touched(): void {
    if (this.#untouched) this.changed();
  }

  nowTransient(): void {
    if (this.#transient) return;
    this.#transient = true;
    this.#state.transient();
    this.changed();
  }

  nowExpiring(): void {
    // What said so may have been lost.
    if (this.expiring && !this.#state.torn) return;
    if (!this.expiring) this.#state.expiring();
    this.expiring = true;
    this.changed();
  }

  /** A message that waits, or is out, leaves the queue with a dead letter in the turn under way. */
  move(lane: Lane, offset: number, bytes: number, waits: boolean): void {
    const count = lane.counts.get(offset) ?? 0;
    this.#moves.add({ lane, offset, bytes, count, kept: lane.kept.get(offset) });
    if (waits) lane.drop(offset);
    else lane.done(offset);
  }

  /** The append of a turn is safe, and the dead letters with it. */
  moved(moves: readonly Move[]): void {
    this.#moves.settled(moves);
  }

  /** After an append failed: puts back the messages whose dead letters were lost, and has the rest appended again. */
  putBackMoves(visit: (lane: Lane, offset: number) => void): void {
    for (const { move, waits } of this.#moves.takeLost()) {
      const { lane, offset, count, bytes } = move;
      if (!waits) {
        lane.putBack(offset, count);
        this.readyBytesChanged(bytes);
      }
      visit(lane, offset);
    }
    this.changed();
  }

  /** A message came back, and how often it did is to last. */
  returned(lane: Lane, offset: number, count: number): void {
    let counts = this.#returned.get(lane.index);
    if (counts === undefined) {
      counts = new Map();
      this.#returned.set(lane.index, counts);
    }
    counts.set(offset, count);
    this.changed();
  }

  purge(): number {
    let count = 0;
    for (const lane of this.lanes) count += lane.dropAll();
    this.#readyBytes = 0;
    this.changed();
    return count;
  }

  /** Reads a message that is not the next one, at once or when it was loaded; not at all once the queue is gone. */
  withMessage(lane: Lane, offset: number, visit: Visit): void {
    this.#side[lane.index]?.read(offset, visit);
  }

  /** Messages that `withMessage` was asked for wait to be loaded. */
  get reading(): boolean {
    return this.#side.some(({ busy }) => busy);
  }

  /** Adds what has to be appended for what was done with messages in this turn. Answers what `moved` is to be told when that is durable. */
  commit(entries: Entry[], now: number): readonly Move[] | undefined {
    for (const lane of this.lanes) {
      const news = lane.commit(entries);
      if (news !== undefined) this.#state.acknowledged(news);
      for (const offset of lane.takeKeptDone()) this.#state.keptDone(lane.index, offset);
    }
    for (const [lane, counts] of this.#returned) this.#state.returned(lane, counts);
    this.#returned.clear();
    this.#state.commit(entries, now, () => this.#snapshot());
    // For the next turn: what is copied and what is trimmed for it belong into one.
    for (const lane of this.lanes) this.#keepStragglers(lane);
    return this.#moves.commit();
  }

  /** What makes the state last over a stop; nothing may be done with it afterwards. */
  closing(entries: Entry[], now: number): void {
    this.closed = true;
    if (this.#untouched) return;
    // What was appended without waiting may have failed.
    for (const { log, acks } of this.lanes) {
      if (acks.floor > log.startOffset) entries.push({ log, before: acks.floor });
    }
    const cursors = this.lanes.map(({ cursor }) => cursor);
    this.#state.closed(cursors, this.#readyBytes);
    this.commit(entries, now);
  }

  /**
   * Finds out what is there. `needsBytes`: the bytes that wait are counted also after a crash. `visit` sees every message
   * that waits, when there may be some with expirations of their own. Those that are not to outlive a stop are dropped.
   */
  async restore(
    needsBytes: boolean,
    visit: (lane: Lane, offset: number, message: MessageBytes, timestamp: number) => void,
  ): Promise<void> {
    const clean = await this.#replay();
    this.#untouched = clean !== undefined;
    for (const lane of this.lanes) {
      for (const offset of lane.counts.keys())
        if (lane.acks.has(offset) && !lane.kept.has(offset)) lane.counts.delete(offset);
      lane.restored();
      // After a crash nobody knows what had been delivered.
      lane.redeliveredBelow = clean?.[lane.index] ?? lane.log.nextOffset;
    }
    if (clean === undefined) this.#readyBytes = this.lanes.reduce((bytes, { log }) => bytes + log.sizeBytes, 0);
    if (this.readyCount === 0) this.#readyBytes = 0;
    const counts = clean === undefined && needsBytes;
    if (this.readyCount === 0 || !(this.expiring || this.#transient || counts)) return;
    const bytes = await this.#scan(visit);
    if (counts) this.#readyBytes = bytes;
  }

  /** Answers the cursors, when it was closed in order. */
  async #replay(): Promise<readonly number[] | undefined> {
    let clean: readonly number[] | undefined;
    await this.#state.replay({
      acknowledged: (lane, from, to) => this.lanes[lane]?.acks.addRange(from, to),
      returned: (lane, offset, count) => this.lanes[lane]?.counts.set(offset, count),
      reset: () => {
        clean = undefined;
        this.expiring = false;
        this.#transient = false;
        for (const lane of this.lanes) for (const offset of [...lane.kept.keys()]) lane.unkeep(offset);
      },
      closed: (cursors, readyBytes) => {
        clean = cursors;
        this.#readyBytes = readyBytes;
      },
      opened: () => {
        clean = undefined;
      },
      expiring: () => {
        this.expiring = true;
      },
      transient: () => {
        this.#transient = true;
      },
      kept: (lane, offset, message) => this.lanes[lane]?.restoreKept(offset, message),
      keptDone: (lane, offset) => this.lanes[lane]?.unkeep(offset),
    });
    return clean;
  }

  /** Reads all that waits, for what nothing else remembers; answers the bytes of the bodies. */
  async #scan(visit: (lane: Lane, offset: number, message: MessageBytes, timestamp: number) => void): Promise<number> {
    let bytes = 0;
    for (const lane of this.lanes) {
      const { log, acks, kept } = lane;
      const reader = new MessageReader(log);
      const see = (offset: number) => {
        if (this.#transient && !reader.message.persistent) {
          this.#forget(lane, offset, reader.message);
          return;
        }
        bytes += reader.message.bodyLength;
        visit(lane, offset, reader.message, reader.timestamp);
      };
      for (const [offset, message] of kept) {
        reader.show(message);
        see(offset);
      }
      for (let offset = acks.firstOpen(0); offset < log.nextOffset; offset = acks.firstOpen(offset + 1)) {
        while (!reader.read(offset)) await reader.load(offset);
        see(offset);
      }
    }
    return bytes;
  }

  /** A message that was not to outlive the last stop. */
  #forget(lane: Lane, offset: number, message: MessageBytes): void {
    lane.drop(offset);
    this.readyBytesChanged(-message.bodyLength);
    this.changed();
  }

  #forgetFrom(lane: Lane, nextOffset: number): void {
    const counts = this.#returned.get(lane.index);
    for (const offset of counts?.keys() ?? []) if (offset >= nextOffset) counts?.delete(offset);
    this.#moves.rollBack(lane, nextOffset);
    if (this.readyCount === 0) this.#readyBytes = 0;
  }

  /** An append failed: what it said of messages is to be said again, and those whose dead letters were in it are there again. */
  #lost(): void {
    if (this.#moves.takeBack(({ bytes }) => this.readyBytesChanged(bytes))) this.#state.torn = true;
    this.#options.onLost();
  }

  #snapshot(): QueueSnapshot {
    return {
      acknowledged: this.lanes.map(({ index, acks }) => ({ lane: index, ranges: [...acks.ranges()].flat() })),
      returned: this.lanes.map(({ index, counts }) => ({ lane: index, counts })),
      expiring: this.expiring,
      transient: this.#transient,
      kept: this.lanes.map(({ index, kept }) => ({ lane: index, messages: kept })),
    };
  }

  /**
   * A message that stays out while thousands after it are done with would hold the space of them all: it is copied to the state
   * log, and the messages' own log goes on without it.
   */
  #keepStragglers(lane: Lane): void {
    if (this.#keeping || this.closed || this.#tooLargeAt === lane.acks.floor) return;
    const offsets = lane.stragglers();
    if (offsets.length === 0) return;
    this.#keeping = true;
    this.#keepAll(lane, offsets)
      .catch((error: unknown) => {
        if (!this.closed) this.#options.onTrouble(toBrokerError(error), 'more space is taken than needed');
      })
      .finally(() => {
        this.#keeping = false;
      });
  }

  async #keepAll(lane: Lane, offsets: readonly number[]): Promise<void> {
    const reader = new MessageReader(lane.log);
    for (const offset of offsets) {
      while (!lane.acks.has(offset) && !reader.read(offset)) await reader.load(offset);
      if (this.closed || lane.acks.has(offset)) continue;
      const kept = copyOf(reader);
      if (!lane.keep(offset, kept)) {
        this.#tooLargeAt = lane.acks.floor;
        return;
      }
      this.#state.kept(lane.index, offset, kept);
      this.changed();
    }
  }
}

function copyOf({ message, timestamp }: MessageReader): KeptMessage {
  return {
    timestamp,
    address: Buffer.from(message.address.subarray(message.addressStart, message.addressEnd)),
    properties: Buffer.from(message.properties.subarray(message.propertiesStart, message.propertiesEnd)),
    body: Buffer.from(message.body.subarray(message.bodyStart, message.bodyEnd)),
  };
}
