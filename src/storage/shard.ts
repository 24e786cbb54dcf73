import type { Clock, Random, Threads } from '../environment/environment.ts';
import { BrokerError } from '../errors.ts';
import { BATCH_HEADER_BYTES, baseOffset, batchSize, stampBaseOffset, stampLeaderEpoch } from '../records/index.ts';
import { Arena } from './arena.ts';
import type { CommitLog, CommitLogUsage, Durability, Position } from './commit-log.ts';
import { type Compacted, type CompactionOptions, Compactor } from './compaction/compactor.ts';
import {
  ENTRY_APPEND,
  ENTRY_DELETE,
  ENTRY_TRIM,
  entryHeaderLength,
  MAX_TARGETS,
  markSnapshotTrim,
  readEntryGroup,
  writeEntryHeader,
  writeTarget,
} from './entry-group.ts';
import { Flusher } from './flusher.ts';
import { InFlightAppends } from './in-flight.ts';
import { Log } from './log.ts';
import { loadManifest, saveManifest } from './manifest.ts';
import type { MemoryBatch } from './memory-table.ts';
import { SegmentReader } from './segment.ts';
import type { SegmentStore } from './segment-store.ts';
import { type CopySource, ShardSnapshot } from './shard-snapshot.ts';
import { StorageWatch } from './storage-watch.ts';

export interface ShardSettings {
  /** Bytes in memory that are in no segment yet, from which on they are written to segments. */
  readonly flushBytes: number;
  /** Bytes in no segment yet, from which on the shard asks its writers to wait. */
  readonly memoryTableBytes: number;
  /** Bytes of batches kept in memory after they went to segments, for readers near the tail. */
  readonly tailCacheBytes: number;
  /** Bytes that may wait for the commit log before the shard asks its writers to wait. */
  readonly pendingBytes: number;
  /** With less than this free in the segment store, `full` is set and writers are refused. */
  readonly minFreeBytes: number;
}

export const DEFAULT_SHARD_SETTINGS: ShardSettings = {
  flushBytes: 64 * 1024 * 1024,
  memoryTableBytes: 256 * 1024 * 1024,
  tailCacheBytes: 32 * 1024 * 1024,
  pendingBytes: 32 * 1024 * 1024,
  minFreeBytes: 64 * 1024 * 1024,
};

export interface ShardOptions {
  readonly commitLog: CommitLog;
  readonly store: SegmentStore;
  readonly clock: Clock;
  readonly random: Random;
  /** For compaction; without them it is done by the thread that does everything. */
  readonly threads?: Threads | undefined;
  readonly settings?: Partial<ShardSettings>;
  /** Told of what goes wrong in the background, with what the shard does about it. */
  readonly onTrouble?: (error: BrokerError, what: string) => void;
}

/** One record batch, and the log or logs that it goes to. Its base offset and leader epoch are stamped here. */
export interface Append {
  readonly log: Log | readonly Log[];
  /** Exactly one valid batch. The buffer belongs to the shard from now on. */
  readonly batch: Buffer;
}

/** A log's records before `before` are to go. */
export interface Trim {
  readonly log: Log;
  readonly before: number;
  /** A snapshot that was saved stands for them: whoever has an older one (a backup) needs them still. */
  readonly snapshot?: true;
}

export type Entry = Append | Trim;

export interface Appended {
  /** The base offset that each entry's batch got in the first of its logs; -1 for a trim. */
  readonly baseOffsets: readonly number[];
  /** Resolves when the entries are as safe as was asked; rejects when they are lost: then nothing of them is there. */
  readonly settled: Promise<void>;
}

export interface ShardUsage {
  readonly commitLog: CommitLogUsage;
  readonly segmentBytes: number;
  readonly unflushedBytes: number;
}

const SETTLED = Promise.resolve();
const NO_USAGE: CommitLogUsage = { writes: 0, writtenBytes: 0, flushes: 0, flushMs: 0 };
/** With this much or more in no segment yet, closing writes it to segments. */
const FLUSH_ON_CLOSE_BYTES = 4 * 1024 * 1024;
/** Unless it is less for each log: thousands of small files take longer to write than the next start to read them again. */
const FLUSH_ON_CLOSE_BYTES_PER_LOG = 32 * 1024;
/** Batches below this size are copied side by side; larger ones go to the commit log from where they are. */
const COPY_BYTES = 8 * 1024;

/**
 * The unit of ordering, durability and ownership: many logs, one writer, one commit log. Appends are atomic over all logs
 * of the shard, get their offsets at once and in call order, and are visible to readers when they are durable.
 */
export class Shard {
  readonly settings: ShardSettings;
  readonly #options: ShardOptions;
  readonly #commitLog: CommitLog;
  readonly #store: SegmentStore;
  readonly #reader: SegmentReader;
  readonly #logs = new Map<string, Log>();
  readonly #arena = new Arena();
  readonly #flusher: Flusher;
  readonly #compactor: Compactor;
  readonly #drained = new Set<() => void>();
  readonly #inFlight = new InFlightAppends();
  readonly #watch: StorageWatch;
  #epoch = 0;
  #unflushedBytes = 0;
  /** Written to segments since the start. */
  #segmentBytes = 0;
  #durable: Position = 0;
  #closed: BrokerError | undefined;
  /** Told whenever more is durable, before those who wait for that. */
  onDurable: ((upTo: Position) => void) | undefined;

  private constructor(options: ShardOptions) {
    this.#options = options;
    this.settings = { ...DEFAULT_SHARD_SETTINGS, ...options.settings };
    this.#commitLog = options.commitLog;
    this.#store = options.store;
    this.#reader = new SegmentReader(options.store);
    this.#flusher = new Flusher({
      store: options.store,
      clock: options.clock,
      commitLog: options.commitLog,
      reader: this.#reader,
      logs: this.#logs,
      tailCacheBytes: this.settings.tailCacheBytes,
      durablePosition: () => this.#durable,
      onFlushed: (bytes) => {
        this.#segmentBytes += bytes;
        this.#unflushedBytes -= bytes;
        this.#wakeWriters();
      },
      // What became durable meanwhile may be more than may wait, and perhaps nothing else comes that would set a flush off.
      onRoundEnd: () => this.#flushIfDue(),
      onTrouble: (error, what) => this.#trouble(error, what),
    });
    this.#compactor = new Compactor({
      store: options.store,
      clock: options.clock,
      reader: this.#reader,
      flusher: this.#flusher,
      threads: options.threads,
    });
    this.#watch = new StorageWatch({
      clock: options.clock,
      commitLog: options.commitLog,
      store: options.store,
      minFreeBytes: this.settings.minFreeBytes,
      onTrouble: (error, what) => this.#trouble(error, what),
      onGone: (error) => this.#failed(error),
    });
  }

  /** Opens the shard: fences its former writer, reads the manifest, replays the commit log. */
  static async open(options: ShardOptions): Promise<Shard> {
    const shard = new Shard(options);
    try {
      await shard.#recover();
    } catch (error) {
      // What keeps it from starting is what the caller has to know.
      await shard.close().catch(() => {});
      throw error;
    }
    return shard;
  }

  /** This writer's epoch: greater than that of every writer before it. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The device is (nearly) full, or refuses writes: who can wait should not append. Ends by itself when there is space. */
  get full(): boolean {
    return this.#watch.full;
  }

  /** More is appended than can be written: who appends much should wait for `onDrained`. */
  get overloaded(): boolean {
    return (
      this.#unflushedBytes >= this.settings.memoryTableBytes ||
      this.#commitLog.pendingBytes >= this.settings.pendingBytes
    );
  }

  /** Nothing appended is waiting to be durable. */
  get idle(): boolean {
    return this.#inFlight.length === 0;
  }

  /** What it has done to its devices since it was opened, and bytes that are in no segment yet. */
  get usage(): ShardUsage {
    const { usage = NO_USAGE } = this.#commitLog;
    return { commitLog: usage, segmentBytes: this.#segmentBytes, unflushedBytes: this.#unflushedBytes };
  }

  /** What was appended up to here is durable. */
  get durable(): Position {
    return this.#durable;
  }

  /** Why the shard takes no more appends, when it does not. */
  get closed(): BrokerError | undefined {
    return this.#closed;
  }

  /** The log with this id; new and empty when nothing was appended to it. */
  log(id: string): Log {
    let log = this.#logs.get(id);
    if (log === undefined) {
      log = new Log(id, this.#reader);
      this.#logs.set(id, log);
    }
    return log;
  }

  /**
   * Appends entries to their logs, atomically: after a crash all of them are there or none.
   * Offsets are given out before this returns. Throws, with nothing appended: `invalid-argument` and `message-too-large` for
   * what can never be appended, `not-found` for a log that was deleted.
   */
  append(entries: readonly Entry[], durability: Durability = 'durable'): Appended {
    if (this.#closed !== undefined) {
      // Of what was to be in memory only, nobody waits for the outcome.
      const settled = durability === 'memory' ? SETTLED : Promise.reject(this.#closed);
      return { baseOffsets: entries.map(() => -1), settled };
    }
    for (const entry of entries) checkEntry(entry);
    const chunks: Buffer[] = [];
    const logs: Log[] = [];
    const nextOffsets: number[] = [];
    const trims: Trim[] = [];
    const baseOffsets: number[] = [];
    const batches: MemoryBatch[] = [];
    let byteLength = 0;
    for (const entry of entries) {
      if ('before' in entry) {
        // Not what is appended later: that may be lost, when this is not.
        const trim = { log: entry.log, before: Math.min(entry.before, entry.log.nextOffset) };
        const header = this.#targetOnly(ENTRY_TRIM, trim.log, trim.before);
        if (entry.snapshot === true) markSnapshotTrim(header, 0);
        chunks.push(header);
        byteLength += header.length;
        trims.push(trim);
        baseOffsets.push(-1);
        continue;
      }
      const targets = targetsOf(entry);
      const shared = targets.length > 1;
      const { bytes, length } = this.#encodeAppend(targets, entry.batch, chunks);
      byteLength += length;
      for (const log of targets) {
        batches.push(log.appended(bytes, shared, this.#epoch));
        logs.push(log);
        nextOffsets.push(log.nextOffset);
        this.#unflushedBytes += bytes.length;
      }
      baseOffsets.push(baseOffset(bytes, 0));
    }
    const end = this.#handOver(chunks, byteLength, logs);
    for (const batch of batches) batch.position = end;
    return { baseOffsets, settled: this.#inFlight.push({ end, logs, nextOffsets, trims, deletes: [], durability }) };
  }

  /** Deletes a log for good: its id is never used again. Resolves when that is durable; its objects go in the background. */
  delete(log: Log): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (log.deleted) return SETTLED;
    log.deleting = true;
    const header = this.#targetOnly(ENTRY_DELETE, log, 0);
    const end = this.#commitLog.append([header], header.length);
    return this.#inFlight.push({ end, logs: [], nextOffsets: [], trims: [], deletes: [log], durability: 'durable' });
  }

  /** Calls back once, as soon as the shard is not overloaded any more; at the latest when it closes. */
  onDrained(callback: () => void): void {
    this.#drained.add(callback);
  }

  /** Saves a small object that belongs to a log (a snapshot); it goes when the log is deleted. */
  async saveObject(log: Log, name: string, chunks: readonly Uint8Array[]): Promise<void> {
    await this.#commitLog.sync?.();
    await this.#store.put(`${log.id}/${name}`, chunks);
  }

  async loadObject(log: Log, name: string): Promise<Buffer | undefined> {
    try {
      return await this.#store.get(`${log.id}/${name}`, 0, Number.MAX_SAFE_INTEGER);
    } catch (error) {
      if (error instanceof BrokerError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  /** Writes what is durable to segments now, and lets go of the commit log as far as possible. What fails is tried again later. */
  async flush(): Promise<void> {
    const upTo = this.#durable;
    await this.#flusher.flush();
    // That may have been a round that had begun before.
    if (this.#flusher.flushedTo < upTo) await this.#flusher.flush();
  }

  /**
   * Leaves of each key the last record, in what is in segments; one log at a time, in the background. Rejects with `storage-damaged` for a log of
   * which a segment cannot be read, with `not-found` for one that is deleted meanwhile, with `closed` when the shard closes.
   */
  compact(log: Log, options: CompactionOptions): Promise<Compacted> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return this.#compactor.compact(log, options);
  }

  /** What there is to copy. */
  get copySource(): CopySource {
    return { store: this.#store, commitLog: this.#commitLog, flusher: this.#flusher, logs: this.#logs };
  }

  /** What the shard is made of now, kept for who copies it. Throws `unsupported` where the storage is not one to be copied. */
  snapshot(): ShardSnapshot {
    return new ShardSnapshot(this.copySource);
  }

  /** Waits for what is under way, then lets go of the storage. */
  async close(): Promise<void> {
    if (this.#closed === undefined) this.#closed = new BrokerError('closed', 'the broker is shutting down');
    this.#watch.stop();
    this.#wakeWriters();
    await this.#compactor.close();
    // So that the next start has little to read again and to keep in memory.
    if (this.#isWorthFlushing) await this.#flusher.flush();
    await this.#flusher.close();
    await this.#commitLog.close();
    await this.#store.close();
  }

  get #isWorthFlushing(): boolean {
    if (this.#unflushedBytes < FLUSH_ON_CLOSE_BYTES) return false;
    let logs = 0;
    for (const log of this.#logs.values()) if (log.isFlushDue(this.#durable)) logs++;
    return this.#unflushedBytes >= logs * FLUSH_ON_CLOSE_BYTES_PER_LOG;
  }

  /** Stamps a batch for the first of its logs, and adds it with its entry header to the chunks. */
  #encodeAppend(targets: readonly Log[], batch: Buffer, chunks: Buffer[]): { bytes: Buffer; length: number } {
    const headerLength = entryHeaderLength(targets.length);
    const copied = headerLength + batch.length <= COPY_BYTES;
    const header = copied ? this.#arena.take(headerLength + batch.length) : Buffer.allocUnsafe(headerLength);
    let at = writeEntryHeader(header, 0, ENTRY_APPEND, targets.length, batch.length);
    for (const log of targets) at = writeTarget(header, at, log.idBytes, log.nextOffset);
    const bytes = copied ? header.subarray(at) : batch;
    if (copied) batch.copy(header, at);
    stampBaseOffset(bytes, 0, targets[0]?.nextOffset ?? 0);
    stampLeaderEpoch(bytes, 0, this.#epoch);
    chunks.push(header);
    if (!copied) chunks.push(batch);
    return { bytes, length: headerLength + batch.length };
  }

  /** Gives the group to the commit log; when that refuses it, the logs are as they were before. */
  #handOver(chunks: readonly Buffer[], byteLength: number, logs: readonly Log[]): Position {
    try {
      return this.#commitLog.append(chunks, byteLength);
    } catch (error) {
      for (const log of logs.toReversed()) this.#unflushedBytes -= log.takeBack();
      throw error;
    }
  }

  #targetOnly(kind: number, log: Log, offset: number): Buffer {
    const header = this.#arena.take(entryHeaderLength(1));
    writeTarget(header, writeEntryHeader(header, 0, kind, 1, 0), log.idBytes, offset);
    return header;
  }

  #durableUpTo(upTo: Position): void {
    this.#durable = upTo;
    this.onDurable?.(upTo);
    const changed = new Set<Log>();
    this.#inFlight.durable(upTo, ({ logs, nextOffsets, trims, deletes }) => {
      logs.forEach((log, i) => {
        log.advanceHighWatermark(nextOffsets[i] ?? 0);
        changed.add(log);
      });
      for (const { log, before } of trims) {
        this.#applyTrim(log, before);
        changed.add(log);
      }
      for (const log of deletes) this.#applyDelete(log);
    });
    for (const log of changed) log.wake();
    this.#flushIfDue();
    this.#wakeWriters();
  }

  /** All that is not durable is lost: take it back, newest first, and tell those who wait. */
  #failed(error: BrokerError): void {
    const { lost, reject } = this.#inFlight.takeLost();
    // Those that were only to be trimmed lose nothing, but who trimmed them has to know.
    const logs = new Set(lost.flatMap(({ logs, trims }) => [...logs, ...trims.map(({ log }) => log)]));
    for (const log of logs) this.#unflushedBytes -= log.rollBack();
    for (const log of lost.flatMap((append) => append.deletes)) log.deleting = false;
    if (error.code === 'fenced' || error.code === 'storage-damaged') {
      this.#closed = error;
      // The manifest is the next writer's by now.
      this.#flusher.stop();
    }
    this.#trouble(error, `${lost.length} appends were refused`);
    reject(error);
    this.#wakeWriters();
  }

  #applyTrim(log: Log, before: number): void {
    const { segments, unflushedBytes } = log.trimmed(before);
    this.#unflushedBytes -= unflushedBytes;
    this.#flusher.discardSegments(segments);
  }

  #applyDelete(log: Log): void {
    this.#unflushedBytes -= log.markDeleted();
    this.#logs.delete(log.id);
    this.#flusher.discard([`${log.id}/`]);
  }

  #flushIfDue(): void {
    if (this.#unflushedBytes >= this.settings.flushBytes && this.#flusher.flushedTo < this.#durable)
      void this.#flusher.flush();
  }

  #wakeWriters(): void {
    if (this.#drained.size === 0 || (this.overloaded && this.#closed === undefined)) return;
    const callbacks = [...this.#drained];
    this.#drained.clear();
    for (const callback of callbacks) callback();
  }

  #trouble(error: BrokerError, what: string): void {
    if (error.code === 'storage-full') this.#watch.full = true;
    this.#options.onTrouble?.(error, what);
  }

  async #recover(): Promise<void> {
    this.#epoch = await this.#commitLog.open({
      written: (upTo) => this.#inFlight.written(upTo),
      durable: (upTo) => this.#durableUpTo(upTo),
      failed: (error) => this.#failed(error),
    });
    // Not before the former writer is fenced: it may be writing another one.
    const manifest = await loadManifest(this.#store);
    for (const state of manifest?.logs ?? []) this.#logs.set(state.id, new Log(state.id, this.#reader, state));
    const holes = new Map<Log, BrokerError>();
    let groups = 0;
    const visit = (group: Buffer, end: Position) => {
      groups++;
      this.#replay(group, end, holes);
    };
    this.#durable = await this.#commitLog.replay(manifest?.replayFrom ?? 0, visit);
    for (const hole of holes.values()) throw hole;
    const shardId = manifest?.shardId ?? this.#options.random.uuid();
    if (manifest === undefined) {
      // A shard has one before its first append: where there are appends and no manifest, it was lost, and segments with it.
      if (groups > 0) throw manifestMissing();
      await saveManifest(this.#store, { shardId, replayFrom: this.#durable, logs: [], garbage: [] });
    }
    this.#flusher.restore(shardId, manifest?.garbage ?? [], manifest?.replayFrom ?? this.#durable);
    this.#flushIfDue();
    this.#watch.start();
  }

  /**
   * Does again what a group says. A manifest may be younger than the groups that are replayed on it: of a log that was deleted
   * in between it knows nothing, so that the log seems to lack its beginning until its deletion is replayed as well.
   */
  #replay(group: Buffer, end: Position, holes: Map<Log, BrokerError>): void {
    readEntryGroup(group, (kind, logId, offset, batch, shared) => {
      const log = kind === ENTRY_APPEND ? this.log(logId) : this.#logs.get(logId);
      if (log === undefined) return;
      if (kind === ENTRY_DELETE) {
        holes.delete(log);
        this.#applyDelete(log);
      } else if (!holes.has(log)) {
        if (kind === ENTRY_TRIM) this.#applyTrim(log, offset);
        else if (offset > log.nextOffset) holes.set(log, missing(log, offset));
        else if (log.replayed(batch, offset, shared, end)) this.#unflushedBytes += batch.length;
      }
    });
  }
}

function targetsOf(append: Append): readonly Log[] {
  return append.log instanceof Log ? [append.log] : append.log;
}

function manifestMissing(): BrokerError {
  return new BrokerError(
    'storage-damaged',
    "the manifest is missing, which says what there is beside the commit log; 'sluice repair' makes it again from the segments",
  );
}

function missing(log: Log, offset: number): BrokerError {
  return new BrokerError(
    'storage-damaged',
    `log ${log.id}: offsets ${log.nextOffset} to ${offset - 1} are missing; restore the data directory from a backup`,
  );
}

function checkEntry(entry: Entry): void {
  if ('before' in entry) {
    if (!Number.isSafeInteger(entry.before) || entry.before < 0)
      throw new BrokerError('invalid-argument', `a log cannot be trimmed to offset ${entry.before}`);
    checkLog(entry.log);
    return;
  }
  const targets = targetsOf(entry);
  if (targets.length === 0 || targets.length > MAX_TARGETS) {
    throw new BrokerError('invalid-argument', `a batch goes to 1 to ${MAX_TARGETS} logs, not ${targets.length}`);
  }
  if (targets.length > 1 && new Set(targets).size < targets.length)
    throw new BrokerError('invalid-argument', 'a batch goes to each of its logs once; append it twice');
  for (const log of targets) checkLog(log);
  if (entry.batch.length < BATCH_HEADER_BYTES || entry.batch.length !== batchSize(entry.batch, 0))
    throw new BrokerError('internal', 'an append takes exactly one batch');
}

function checkLog(log: Log): void {
  if (log.deleted || log.deleting) throw new BrokerError('not-found', `log ${log.id} was deleted`);
}
