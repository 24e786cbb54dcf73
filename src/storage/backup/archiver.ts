import { join } from 'node:path';
import type { Clock, File, FileSystem, Timer } from '../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import type { CommitLog, CommitLogTail, Position } from '../commit-log.ts';
import type { Shard } from '../shard.ts';
import {
  ARCHIVE_HEADER_BYTES,
  archiveDirectory,
  archiveHeader,
  archiveName,
  archiveStarts,
  scanArchiveFile,
} from './archive.ts';
import { groupFrame, isMark, type MarkFrame, markFrame } from './group-frame.ts';

export interface ArchiverOptions {
  readonly files: FileSystem;
  readonly clock: Clock;
  /** The set's directory. */
  readonly directory: string;
  readonly shards: readonly Shard[];
  /** Between two looks at what has come. */
  readonly intervalMs: number;
  /** How much of a commit log may be kept from being dropped; with more the archive gets a gap. */
  readonly maxKeptBytes: number;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** How far a shard's archive is. */
export interface ArchiveStatus {
  readonly shardId: string;
  /** Everything that was durable then is archived; milliseconds since the epoch, undefined before the first time. */
  readonly archivedAt: number | undefined;
  /** Bytes of the commit log that are not archived yet. */
  readonly lagBytes: number;
  /** Why it does not get on. */
  readonly error: string | undefined;
}

const READ_BYTES = 1024 * 1024;
const FILE_BYTES = 64 * 1024 * 1024;
/** When it could not be written. */
const RETRY_MS = 5_000;
/** While nothing can be archived, times are kept to the second. */
const MAX_MARKS = 10_000;
const COARSE_MS = 1_000;

/** Copies what is appended to the shards' commit logs to an archive, always a little behind, with the times at which it was durable. */
export class Archiver {
  readonly #archives: readonly ShardArchive[];

  private constructor(archives: readonly ShardArchive[]) {
    this.#archives = archives;
  }

  static start(options: ArchiverOptions): Archiver {
    let last = 0;
    // The same for all shards, and never backwards, whatever the machine's clock does: what comes later has a later time.
    const now = (atLeast = 0) => {
      last = Math.max(last, atLeast, options.clock.now());
      return last;
    };
    return new Archiver(options.shards.map((shard) => new ShardArchive(shard, now, options)));
  }

  get status(): ArchiveStatus[] {
    return this.#archives.map((archive) => archive.status);
  }

  /** Archives what is durable by now. Rejects with what keeps it from that. */
  async catchUp(): Promise<void> {
    for (const archive of this.#archives) await archive.catchUp();
  }

  /** Archives what there is, if that can be done, and ends. */
  async close(): Promise<void> {
    for (const archive of this.#archives) await archive.close();
  }
}

/** The archive of one shard. */
class ShardArchive {
  readonly #shard: Shard;
  readonly #shardId: string;
  readonly #now: (atLeast?: number) => number;
  readonly #options: ArchiverOptions;
  /** What was durable at the start: of that, nobody knows since when. */
  readonly #foundAtStart: Position;
  #tail: CommitLogTail | undefined;
  #isResumed = false;
  /** That is written to; its first `#synced` bytes belong to what the tail need not keep. */
  #file: File | undefined;
  #synced = 0;
  #at = 0;
  /** When what was durable, oldest first; the first `#used` are written. */
  #marks: MarkFrame[] = [];
  #used = 0;
  #running: Promise<void> | undefined;
  #timer: Timer | undefined;
  #error: BrokerError | undefined;
  #archivedAt: number | undefined;
  #closed = false;

  constructor(shard: Shard, now: (atLeast?: number) => number, options: ArchiverOptions) {
    this.#shard = shard;
    this.#shardId = shard.copySource.flusher.shardId;
    this.#now = now;
    this.#options = options;
    this.#foundAtStart = shard.durable;
    shard.onDurable = (upTo) => this.#durable(upTo);
    this.#start();
  }

  get status(): ArchiveStatus {
    const from = this.#tail?.keptFrom ?? this.#shard.durable;
    return {
      shardId: this.#shardId,
      archivedAt: this.#archivedAt,
      lagBytes: Math.max(0, this.#shard.durable - from),
      error: this.#error?.message,
    };
  }

  async catchUp(): Promise<void> {
    await this.#running;
    this.#start();
    await this.#running;
    if (this.#error !== undefined) throw this.#error;
  }

  async close(): Promise<void> {
    // What keeps it from that was told already.
    await this.catchUp().catch(() => {});
    this.#closed = true;
    this.#shard.onDurable = undefined;
    this.#timer?.cancel();
    await this.#running;
    await this.#file?.close().catch(() => {});
    this.#tail?.release();
  }

  #durable(upTo: Position): void {
    const time = this.#now();
    const last = this.#marks.length - 1;
    const step = this.#marks.length < MAX_MARKS ? 1 : COARSE_MS;
    if (last >= this.#used && time - (this.#marks[last]?.time ?? 0) < step)
      this.#marks[last] = { position: upTo, time };
    else this.#marks.push({ position: upTo, time });
    const kept = this.#tail === undefined ? 0 : upTo - this.#tail.keptFrom;
    if (kept > this.#options.maxKeptBytes || (kept > 0 && this.#error !== undefined && this.#shard.full))
      this.#giveUp(kept);
    if (this.#timer === undefined) this.#start();
  }

  /** Lets the commit log go: the broker's own disk comes first. */
  #giveUp(kept: number): void {
    this.#tail?.release();
    this.#tail = undefined;
    const error = new BrokerError('limit-exceeded', `${kept} bytes of the commit log could not be archived in time`);
    this.#error = error;
    this.#options.onTrouble(error, 'the archive will have a gap: what lies in it can be restored from backups only');
  }

  #start(): void {
    if (this.#running !== undefined || this.#closed) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    let delayMs = this.#options.intervalMs;
    try {
      await this.#archive();
      this.#error = undefined;
    } catch (thrown) {
      const error = toBrokerError(thrown);
      if (this.#error?.message !== error.message)
        this.#options.onTrouble(error, 'the commit log is not archived; tried again later');
      this.#error = error;
      delayMs = RETRY_MS;
    }
    if (this.#closed) return;
    this.#timer = this.#options.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      if (this.#error !== undefined || this.#shard.durable > (this.#tail?.keptFrom ?? -1)) this.#start();
    });
  }

  async #archive(): Promise<void> {
    const upTo = this.#shard.durable;
    const at = this.#now();
    // A power loss must not take from the broker what the archive has of it.
    await this.#shard.copySource.commitLog.sync?.();
    const tail = this.#tail ?? (await this.#resume());
    try {
      this.#file ??= await this.#begin(tail.position);
      await this.#write(this.#marksUpTo(tail.position));
      while (tail.position < upTo) {
        const frames: Buffer[] = [];
        await tail.read(upTo, READ_BYTES, (group) => {
          frames.push(...groupFrame(group, this.#synced), ...this.#marksUpTo(group.end));
        });
        await this.#write(frames);
        if (this.#at >= FILE_BYTES) await this.#roll(tail);
      }
      await this.#settle(tail);
      this.#archivedAt = at;
    } catch (error) {
      await this.#file?.close().catch(() => {});
      this.#file = undefined;
      this.#used = 0;
      tail.rewind();
      throw error;
    }
  }

  /** The marks that are due behind a group which ends there. */
  #marksUpTo(end: Position): Buffer[] {
    const frames: Buffer[] = [];
    for (let mark = this.#marks[this.#used]; mark !== undefined && mark.position <= end; ) {
      frames.push(markFrame(mark));
      mark = this.#marks[++this.#used];
    }
    return frames;
  }

  async #write(frames: readonly Buffer[]): Promise<void> {
    if (frames.length === 0) return;
    await this.#file?.write(frames, this.#at);
    for (const { length } of frames) this.#at += length;
  }

  async #settle(tail: CommitLogTail): Promise<void> {
    if (this.#at > this.#synced) await this.#file?.sync();
    if (this.#tail !== tail) throw new BrokerError('limit-exceeded', 'the commit log was let go meanwhile');
    this.#synced = this.#at;
    this.#marks.splice(0, this.#used);
    this.#used = 0;
    tail.settle();
  }

  async #roll(tail: CommitLogTail): Promise<void> {
    await this.#settle(tail);
    await this.#file?.close();
    this.#file = undefined;
    this.#file = await this.#begin(tail.position);
  }

  /** Goes on where the archive ends, or begins anew where the commit log does not go back to there. */
  async #resume(): Promise<CommitLogTail> {
    const { files, directory, onTrouble } = this.#options;
    const { commitLog, flusher } = this.#shard.copySource;
    if (commitLog.tail === undefined)
      throw new BrokerError('unsupported', 'only a broker that keeps its data on a disk of its own can be archived');
    const starts = await archiveStarts(files, directory, this.#shardId);
    const newest = starts.pop();
    let tail: CommitLogTail | undefined;
    if (newest !== undefined) {
      await this.#makeDurable(newest);
      let marks: MarkFrame[] = [];
      const scan = async (start: Position) => {
        const found: MarkFrame[] = [];
        const scanned = await scanArchiveFile(files, directory, this.#shardId, start, (frame) => {
          if (isMark(frame)) found.push(frame);
          return true;
        });
        marks = [...found, ...marks];
        return scanned;
      };
      const { end, settled } = await scan(newest);
      // A crash may have come before the newest file had a mark.
      for (let start = starts.pop(); start !== undefined && marks.length === 0; start = starts.pop()) await scan(start);
      const lastTime = marks.at(-1)?.time;
      // Since when the rest is durable nobody knows: whoever wants what was acknowledged at some time after the last mark gets it.
      this.#found(
        this.#now(lastTime),
        lastTime,
        marks.filter(({ position }) => position > settled),
      );
      // What the former process wrote last may not be on the device, whatever a sync says now. Mostly the commit log has it still.
      tail = tailFrom(commitLog, settled) ?? tailFrom(commitLog, end);
      if (tail === undefined)
        onTrouble(
          new BrokerError(
            'offset-out-of-range',
            `the archive ends at position ${end}, and the commit log begins later`,
          ),
          'the archive has a gap; make a backup to go on from',
        );
    } else this.#found(this.#now());
    this.#tail = tail ?? commitLog.tail(flusher.flushedTo);
    // From now on the tail keeps what it needs.
    commitLog.keepBytes = 0;
    return this.#tail;
  }

  /** Takes note of what was there at the start, once; since when, is `known` of some of it. */
  #found(now: number, lastTime = now, known: readonly MarkFrame[] = []): void {
    if (this.#isResumed) return;
    this.#isResumed = true;
    const position = this.#foundAtStart;
    this.#marks.unshift(...known, { position, time: lastTime }, { position, time: this.#marks[0]?.time ?? now });
  }

  /** Of what a former process wrote some may still be in the system's memory. */
  async #makeDurable(start: Position): Promise<void> {
    const file = await this.#options.files.open(this.#pathOf(start), 'write');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Begins a file. One whose write or sync failed is never written again: it counts up to where the next one starts. */
  async #begin(start: Position): Promise<File> {
    const { files, directory } = this.#options;
    const path = this.#pathOf(start);
    await files.makeDirectory(join(directory, archiveDirectory(this.#shardId)));
    await files.remove(`${path}~`);
    const file = await files.open(`${path}~`, 'createNew');
    try {
      await file.write([archiveHeader(start, this.#shardId, this.#shard.epoch)], 0);
      await file.sync();
      await files.rename(`${path}~`, path);
      await files.syncDirectory(join(directory, archiveDirectory(this.#shardId)));
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    this.#synced = ARCHIVE_HEADER_BYTES;
    this.#at = ARCHIVE_HEADER_BYTES;
    return file;
  }

  #pathOf(start: Position): string {
    return join(this.#options.directory, archiveDirectory(this.#shardId), archiveName(start));
  }
}

/** Undefined when the log does not go back to there. */
function tailFrom(commitLog: CommitLog, position: Position): CommitLogTail | undefined {
  try {
    return commitLog.tail?.(position);
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'offset-out-of-range') return undefined;
    throw error;
  }
}
