import { BrokerError, toBrokerError } from '../errors.ts';
import { batchesIn, decodeRecords, encodeBatch, verifyIntegrity } from '../records/index.ts';
import type { Append, Entry, Log, Shard } from '../storage/index.ts';

/**
 * One way for every lasting fact of the broker: append an event to an internal log, apply it with a pure function once
 * it is durable, snapshot now and then, replay at start.
 */
export interface StateMachine<State, Event> {
  /** The state before any event. It is this machine's own to change in `apply`. */
  initial(): State;
  /** Changes the state by one event. Depends on nothing but its arguments and never fails: what an event says has happened. */
  apply(state: State, event: Event): void;
  /** The state as plain data (JSON), and back. */
  toSnapshot(state: State): unknown;
  fromSnapshot(snapshot: unknown): State;
}

export interface EventLog<State, Event> {
  /** What the durable events make. Read it at will; only `apply` changes it. */
  readonly state: State;
  /**
   * Appends events, atomically. Resolves when they are durable and applied; events are applied in the order of the calls.
   * Rejects with the storage's error, and then nothing of them was applied or will be.
   */
  append(events: readonly Event[]): Promise<void>;
  close(): Promise<void>;
}

export interface EventCodec<Event> {
  encode(event: Event): Buffer;
  decode(bytes: Buffer): Event;
}

/** Events as JSON: for what is rare enough that reading it by eye is worth more than its size. */
export function jsonCodec<Event>(): EventCodec<Event> {
  return {
    encode: (event) => Buffer.from(JSON.stringify(event)),
    decode: (bytes) => JSON.parse(bytes.toString()) as Event,
  };
}

export interface EventLogOptions<State, Event> {
  readonly shard: Shard;
  /** UUID of the internal log. */
  readonly logId: string;
  readonly machine: StateMachine<State, Event>;
  readonly codec: EventCodec<Event>;
  readonly now: () => number;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

interface Snapshot {
  /** The state is that before this offset. */
  readonly offset: number;
  readonly state: unknown;
}

const SNAPSHOT = 'snapshot';
/** A snapshot is taken when so many bytes of events came since the last one, or as many as that one had. */
const SNAPSHOT_EVERY_BYTES = 1024 * 1024;
const READ_BYTES = 4 * 1024 * 1024;

/** Events that are to be appended together with what belongs to others. */
export interface StagedEvents {
  readonly shard: Shard;
  readonly entry: Append;
  /** Applies the events, which are durable at this offset. */
  apply(baseOffset: number): void;
}

export interface AppendedTogether {
  /** As `Appended`, of the entries that came with the events. */
  readonly baseOffsets: readonly number[];
  /** Resolves when all is durable and the events are applied. */
  readonly settled: Promise<void>;
}

/**
 * Appends events of several logs, all of them in this shard, and other entries, atomically. Events are applied in the order of the calls
 * of this and of `append`. Throws as `Shard.append`.
 */
export function appendTogether(
  shard: Shard,
  staged: readonly StagedEvents[],
  entries: readonly Entry[] = [],
): AppendedTogether {
  const { baseOffsets, settled } = shard.append([...staged.map(({ entry }) => entry), ...entries]);
  const applied = settled.then(() => {
    for (const [i, events] of staged.entries()) events.apply(baseOffsets[i] ?? 0);
  });
  return { baseOffsets: baseOffsets.slice(staged.length), settled: applied };
}

/** An `EventLog` over a log of a shard. */
export class ShardEventLog<State, Event> implements EventLog<State, Event> {
  readonly #options: EventLogOptions<State, Event>;
  readonly #log: Log;
  #state: State;
  /** The offset after the last event applied. */
  #applied = 0;
  #bytesSinceSnapshot = 0;
  #snapshotBytes = 0;
  #snapshot: Promise<void> | undefined;

  private constructor(options: EventLogOptions<State, Event>) {
    this.#options = options;
    this.#log = options.shard.log(options.logId);
    this.#state = options.machine.initial();
  }

  static async open<State, Event>(options: EventLogOptions<State, Event>): Promise<ShardEventLog<State, Event>> {
    const eventLog = new ShardEventLog(options);
    await eventLog.#replay();
    return eventLog;
  }

  get state(): State {
    return this.#state;
  }

  get shard(): Shard {
    return this.#options.shard;
  }

  /** The offset that the next event will have. */
  get nextOffset(): number {
    return this.#log.nextOffset;
  }

  /** Told that events from an offset on, which were appended, are lost: before anybody who waits for them is. */
  set onLost(callback: (nextOffset: number) => void) {
    this.#log.onRollBack = callback;
  }

  async append(events: readonly Event[]): Promise<void> {
    if (events.length === 0) return;
    await appendTogether(this.#options.shard, [this.stage(events)]).settled;
  }

  stage(events: readonly Event[]): StagedEvents {
    const { shard, codec, now } = this.#options;
    const batch = encodeBatch({
      records: events.map((event) => ({ timestamp: now(), key: null, value: codec.encode(event) })),
    });
    return { shard, entry: { log: this.#log, batch }, apply: (offset) => this.#apply(events, offset, batch.length) };
  }

  #apply(events: readonly Event[], baseOffset: number, bytes: number): void {
    for (const event of events) this.#options.machine.apply(this.#state, event);
    this.#applied = baseOffset + events.length;
    this.#bytesSinceSnapshot += bytes;
    if (this.#bytesSinceSnapshot >= Math.max(SNAPSHOT_EVERY_BYTES, this.#snapshotBytes)) this.#takeSnapshot();
  }

  async close(): Promise<void> {
    await this.#snapshot;
  }

  async #replay(): Promise<void> {
    const { shard, machine, codec, logId } = this.#options;
    const bytes = await shard.loadObject(this.#log, SNAPSHOT);
    if (bytes !== undefined) {
      const snapshot = parseSnapshot(bytes, logId);
      this.#state = machine.fromSnapshot(snapshot.state);
      this.#applied = snapshot.offset;
      this.#snapshotBytes = bytes.length;
    }
    if (this.#log.startOffset > this.#applied) {
      throw new BrokerError(
        'storage-damaged',
        `internal log ${logId} begins at ${this.#log.startOffset}, its snapshot ends at ${this.#applied}; restore a backup`,
      );
    }
    if (this.#applied > this.#log.nextOffset) {
      // A log that is not synced at every append lost its end to a power loss, and the snapshot was ahead of it. The events to
      // come get the offsets of those that were lost: from now on the snapshot stands before them.
      this.#applied = this.#log.nextOffset;
      await shard.saveObject(this.#log, SNAPSHOT, [this.#serialize()]);
    }
    while (this.#applied < this.#log.highWatermark) {
      const { chunks } = await this.#log.read(this.#applied, READ_BYTES);
      for (const batch of batchesIn(Buffer.concat(chunks))) {
        verifyIntegrity(batch.bytes, 0, batch.size);
        for (const { offset, value } of decodeRecords(batch.bytes)) {
          if (offset >= this.#applied && value !== null) machine.apply(this.#state, codec.decode(value));
        }
        this.#applied = batch.lastOffset + 1;
        this.#bytesSinceSnapshot += batch.size;
      }
    }
  }

  #serialize(): Buffer {
    const snapshot: Snapshot = { offset: this.#applied, state: this.#options.machine.toSnapshot(this.#state) };
    return Buffer.from(JSON.stringify(snapshot));
  }

  /** Saves the state as it is now, then lets go of the events before it. */
  #takeSnapshot(): void {
    if (this.#snapshot !== undefined) return;
    const { shard, onTrouble } = this.#options;
    const offset = this.#applied;
    this.#bytesSinceSnapshot = 0;
    const save = async () => {
      const bytes = this.#serialize();
      this.#snapshotBytes = bytes.length;
      await shard.saveObject(this.#log, SNAPSHOT, [bytes]);
    };
    // Also a state that does not fit a string is the snapshot's trouble alone: what was appended is there.
    this.#snapshot = save()
      .then(() => shard.append([{ log: this.#log, before: offset, snapshot: true }]).settled)
      .catch((error: unknown) => onTrouble(toBrokerError(error), 'no snapshot was taken; tried again later'))
      .finally(() => {
        this.#snapshot = undefined;
      });
  }
}

function parseSnapshot(bytes: Buffer, logId: string): Snapshot {
  try {
    return JSON.parse(bytes.toString()) as Snapshot;
  } catch (error) {
    throw new BrokerError('storage-damaged', `the snapshot of internal log ${logId} cannot be read; restore a backup`, {
      cause: error,
    });
  }
}
