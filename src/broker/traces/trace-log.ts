import type { Clock, Timer } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';
import { batchesIn, encodeBatch, recordsIn } from '../../records/index.ts';
import type { Log, Shard } from '../../storage/index.ts';
import { RecentIndex } from './recent-index.ts';
import { TraceWriter } from './trace-writer.ts';

/** The same in every data directory: internal logs have fixed ids. */
const TRACES_LOG_ID = '00000000-0000-4000-8000-000000000010';

/** Events wait so long for others before they are appended, unless there are so many bytes of them. */
const GATHER_MS = 100;
const GATHER_BYTES = 64 * 1024;
/** Of events that cannot be appended, because the storage does not keep up: beyond, they are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Segments, so many of which make up what is kept. */
const SEGMENTS = 8;
const MIN_SEGMENT_BYTES = 1024 * 1024;
/** Between two looks at what is to go. */
const RETENTION_MS = 10_000;

export interface TraceLogOptions {
  readonly shard: Shard;
  readonly clock: Clock;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** What is kept of events: `bytes` at most, but for the piece that is being written, and for so long. */
export interface TraceRetention {
  readonly bytes: number;
  readonly ms: number;
}

/** One gathering of events, and where it stands. */
export interface Gathering {
  readonly offset: number;
  readonly bytes: Buffer;
}

/**
 * The internal log of traces. Events are gathered and appended a few times a second, with nobody waiting for them; what came in the last
 * moments before a crash is lost. One log for the broker, in its first shard: a message's way leads through all shards, and here it is in order.
 */
export class TraceLog {
  readonly writer = new TraceWriter();
  readonly #options: TraceLogOptions;
  readonly #log: Log;
  #retention: TraceRetention;
  /** There once something is recorded. */
  #index: RecentIndex | undefined;
  #timer: Timer | undefined;
  #trimmedAt = 0;
  /** Since the last event about it. */
  #dropped = 0;
  events = 0;
  dropped = 0;

  constructor(options: TraceLogOptions, retention: TraceRetention) {
    this.#options = options;
    this.#log = options.shard.log(TRACES_LOG_ID);
    this.#retention = retention;
  }

  /** Where gatherings begin and end. */
  get startOffset(): number {
    return this.#log.startOffset;
  }

  get nextOffset(): number {
    return this.#log.nextOffset;
  }

  get sizeBytes(): number {
    return this.#log.sizeBytes;
  }

  get index(): RecentIndex | undefined {
    return this.#index;
  }

  set retention(retention: TraceRetention) {
    this.#retention = retention;
    this.#log.segmentLimits = {
      bytes: Math.max(MIN_SEGMENT_BYTES, Math.floor(retention.bytes / SEGMENTS)),
      ms: Math.max(1, Math.floor(retention.ms / SEGMENTS)),
    };
  }

  /** Whether one more event can be written; what cannot is counted. */
  admits(): boolean {
    if (this.writer.bytes < MAX_WAITING_BYTES) return true;
    this.#drop(1);
    return false;
  }

  /** There is something to be found under this hash in the gathering that is being made. */
  indexed(hash: number): void {
    this.#index ??= new RecentIndex(this.#log.nextOffset);
    this.#index.add(hash, this.#log.nextOffset);
  }

  /** An event was written. */
  written(): void {
    this.events++;
    if (this.writer.bytes >= GATHER_BYTES) this.flush();
    else this.#timer ??= this.#options.clock.setTimer(GATHER_MS, () => this.#due());
  }

  /** Appends what was gathered, if the storage takes it now. */
  flush(): void {
    const { writer } = this;
    const { shard, clock } = this.#options;
    if (writer.bytes === 0 || shard.closed !== undefined || shard.full || shard.overloaded) return;
    const now = clock.now();
    if (this.#dropped > 0) {
      writer.begin('dropped', now);
      writer.number(this.#dropped);
      writer.end();
      this.#dropped = 0;
    }
    const { count } = writer;
    const batch = encodeBatch({ records: [{ timestamp: now, key: null, value: writer.take() }] });
    try {
      shard.append([{ log: this.#log, batch }], 'memory').settled.catch(() => this.#drop(count));
    } catch (error) {
      this.#drop(count);
      this.#options.onTrouble(toBrokerError(error), 'events of traces were lost');
    }
    if (now - this.#trimmedAt >= RETENTION_MS || now < this.#trimmedAt) this.retain();
  }

  /** Lets go of what is too old, or too much. */
  retain(): void {
    const { shard, clock } = this.#options;
    this.#trimmedAt = clock.now();
    const { bytes, ms } = this.#retention;
    const before = this.#log.retentionOffset(this.#trimmedAt, bytes, ms);
    if (before > this.#log.startOffset) shard.append([{ log: this.#log, before }], 'memory').settled.catch(() => {});
  }

  /** The gatherings from an offset on, up to about so many bytes; none at the end. Those that were let go meanwhile are passed over. */
  async read(offset: number, maxBytes: number): Promise<readonly Gathering[]> {
    const from = Math.max(offset, this.#log.startOffset);
    if (from >= this.#log.nextOffset) return [];
    const { chunks } = await this.#log.read(from, maxBytes, 'appended');
    const gatherings: Gathering[] = [];
    for (const chunk of chunks)
      for (const batch of batchesIn(chunk))
        for (const { offset: at, value } of recordsIn(batch.bytes))
          if (at >= from && value !== null) gatherings.push({ offset: at, bytes: value });
    return gatherings;
  }

  /** The first gathering that may have events of this time or later. */
  async offsetAt(time: number): Promise<number> {
    const batch = await this.#log.batchForTimestamp(time);
    if (batch === undefined) return this.#log.nextOffset;
    for (const { offset } of recordsIn(batch)) return Math.max(offset, this.#log.startOffset);
    return this.#log.startOffset;
  }

  async loadObject(name: string): Promise<Buffer | undefined> {
    return await this.#options.shard.loadObject(this.#log, name);
  }

  async saveObject(name: string, bytes: Buffer): Promise<void> {
    await this.#options.shard.saveObject(this.#log, name, [bytes]);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.flush();
  }

  #due(): void {
    this.#timer = undefined;
    this.flush();
    // The storage did not take it: again, later.
    if (this.writer.bytes > 0) this.#timer = this.#options.clock.setTimer(GATHER_MS, () => this.#due());
  }

  #drop(count: number): void {
    this.#dropped += count;
    this.dropped += count;
  }
}
