import { join } from 'node:path';
import type { Environment, Timer } from '../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import type { CommitLog, CommitLogListener, CommitLogTail, Position } from '../commit-log.ts';
import { type FileHeader, fileName, SALT_BYTES, startOfName, UNFINISHED_SUFFIX } from './file-header.ts';
import { FRAME_HEADER_BYTES, MAX_GROUP_BYTES } from './group-frame.ts';
import { LogFile } from './log-file.ts';
import { LogTail } from './log-tail.ts';
import { damaged, type RecoveredFile, type RecoveredGroup, readFileHeader, recoverFile } from './recovery.ts';
import { type Group, WriteBatch } from './write-batch.ts';

/**
 * When written bytes are forced to the device.
 *
 * - `always`: before anything is called durable.
 * - `intervalMs`: that often. What is written is called durable at once: a power loss takes what was appended since the
 *   last sync, the end of the process takes nothing.
 * - `os`: when the system likes (and when a file is full, and at `close`). What is written is called durable at once.
 *
 * With the latter two a sync that fails takes nothing back that was called durable. If it was lost on the device, the
 * next recovery finds it damaged.
 */
export type Flush = 'always' | 'os' | { readonly intervalMs: number };

export interface DiskCommitLogOptions {
  readonly environment: Pick<Environment, 'clock' | 'files' | 'random'>;
  /** The directory of this log's files and no others. Made when missing; to be locked by whoever owns the shard. */
  readonly directory: string;
  /** Bytes from which on a file is full and the next one begun. 64 MiB unless told; at most 1 GiB. */
  readonly fileBytes?: number;
  /** Bytes that go out in one write, so that those who wait for it do not wait long. 8 MiB unless told. */
  readonly maxWriteBytes?: number;
  /** `always` unless told. */
  readonly flush?: Flush;
  /** See `CommitLog`; none unless told. */
  readonly keepBytes?: number;
  /** The log's UUID, when its files must be those of a certain log; otherwise the first writer chooses one. */
  readonly id?: string;
}

const DEFAULT_FILE_BYTES = 64 * 1024 * 1024;
const MAX_FILE_BYTES = 2 ** 30;
const DEFAULT_MAX_WRITE_BYTES = 8 * 1024 * 1024;
const BLOCK_BYTES = 1024 * 1024;
/** After a full device or a file that could not be made, appends are refused for so long without trying again. */
const RETRY_MS = 500;

/**
 * One sequential write-ahead log in files of a directory. Whatever was appended while the last write was under way goes
 * out in one write and one sync: a thousand groups cost one flush.
 *
 * A file whose write or sync failed is never written or relied on again: the log goes on in a new file from what was
 * durable. A file's content therefore counts only up to where the next file starts. Each writer begins a file of its own
 * too, with what its predecessor wrote but did not prove to be durable.
 */
export class DiskCommitLog implements CommitLog {
  readonly usage = { writes: 0, writtenBytes: 0, flushes: 0, flushMs: 0 };
  readonly #environment: DiskCommitLogOptions['environment'];
  readonly #directory: string;
  readonly #fileBytes: number;
  readonly #flush: Flush;
  readonly #batch: WriteBatch;
  #id: string | undefined;
  #state: 'new' | 'opened' | 'ready' | 'closed' = 'new';
  #listener!: CommitLogListener; // Set by `open`, before which nothing is accepted.
  #epoch = 0;
  /** Starts of the files there are, oldest first. */
  #starts: Position[] = [];
  /** A file that is no longer needed, kept to be written over. Like all unfinished files it goes at the next start. */
  #spare: string | undefined;
  /** What is being written to; undefined after a failure, until the next append. */
  #file: LogFile | undefined;
  /** Groups appended and not written, oldest first. */
  #queue: Group[] = [];
  #pendingBytes = 0;
  /** The end of the last group appended, announced as durable, and known to be on the device. */
  #end: Position = 0;
  #durable: Position = 0;
  #synced: Position = 0;
  #running: Promise<void> | undefined;
  #truncating: Promise<void> = Promise.resolve();
  /** What was asked to go; tails may keep it. */
  #unneeded: Position = 0;
  readonly #tails = new Set<LogTail>();
  keepBytes: number;
  /** The oldest file has lost its name, which the directory may not have been told for good. */
  #oldestGone = false;
  #syncWaiters: { readonly upTo: Position; readonly settle: (error?: BrokerError) => void }[] = [];
  #closing: Promise<void> | undefined;
  #syncTimer: Timer | undefined;
  #syncDue = false;
  #refusal: { readonly error: BrokerError; readonly until: number } | undefined;

  constructor(options: DiskCommitLogOptions) {
    this.#environment = options.environment;
    this.#directory = options.directory;
    this.#fileBytes = options.fileBytes ?? DEFAULT_FILE_BYTES;
    if (!(this.#fileBytes > 0 && this.#fileBytes <= MAX_FILE_BYTES)) {
      throw new BrokerError(
        'invalid-configuration',
        `a commit log's file takes 1 to ${MAX_FILE_BYTES} bytes, not ${this.#fileBytes}`,
      );
    }
    this.#flush = options.flush ?? 'always';
    this.keepBytes = options.keepBytes ?? 0;
    this.#id = options.id;
    this.#batch = new WriteBatch(options.maxWriteBytes ?? DEFAULT_MAX_WRITE_BYTES, BLOCK_BYTES);
  }

  async open(listener: CommitLogListener): Promise<number> {
    if (this.#state !== 'new') throw new BrokerError('internal', 'a commit log is opened once');
    const { files, random } = this.#environment;
    this.#listener = listener;
    await files.makeDirectory(this.#directory);
    for (const name of await files.list(this.#directory)) {
      const start = startOfName(name);
      if (start !== undefined) this.#starts.push(start);
      else if (name.endsWith(UNFINISHED_SUFFIX)) await files.remove(join(this.#directory, name));
    }
    this.#starts.sort((a, b) => a - b);
    const newest = this.#starts.at(-1);
    const header = newest === undefined ? undefined : await this.#readHeader(newest);
    this.#id ??= header?.log ?? random.uuid();
    this.#epoch = (header?.epoch ?? 0) + 1;
    this.#state = 'opened';
    return this.#epoch;
  }

  async replay(from: Position, visit: (group: Buffer, end: Position) => void): Promise<Position> {
    if (this.#state !== 'opened')
      throw new BrokerError('internal', 'a commit log is replayed once, after it was opened');
    this.#checkCoverage(from);
    let end = from;
    let last: RecoveredFile = { end: from, durable: from };
    let unproven: RecoveredGroup[] = [];
    let epoch = 0;
    for (const [i, start] of this.#starts.entries()) {
      const next = this.#starts[i + 1];
      if (next !== undefined && next <= from) continue;
      const header = await this.#readHeader(start);
      if (header.epoch < epoch)
        throw damaged(this.#path(start), 0, `is of epoch ${header.epoch}, and the file before it of ${epoch}`);
      epoch = header.epoch;
      unproven = [];
      last = await recoverFile(this.#environment.files, this.#directory, header, next, (group) => {
        unproven.push(group);
        if (group.end <= from) return;
        visit(group.payload, group.end);
        end = group.end;
      });
    }
    if (last.end < from) throw this.#missing(`it ends at position ${last.end}, and is needed from ${from} on`);
    await this.#begin(
      last.durable,
      unproven.filter((group) => group.end > last.durable),
      last.end,
    );
    this.#state = 'ready';
    return end;
  }

  append(chunks: readonly Uint8Array[], byteLength: number): Position {
    if (this.#state !== 'ready') throw new BrokerError('closed', 'append to a commit log that is not open');
    if (byteLength > MAX_GROUP_BYTES) {
      throw new BrokerError(
        'message-too-large',
        `a group of ${byteLength} bytes exceeds ${MAX_GROUP_BYTES}: append it in several`,
      );
    }
    checkLength(chunks, byteLength);
    this.#end += FRAME_HEADER_BYTES + byteLength;
    this.#pendingBytes += byteLength;
    this.#queue.push({ chunks, byteLength, end: this.#end });
    this.#start();
    return this.#end;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** A file that was removed while it is open can be written and synced as before, and is gone all the same. */
  async check(): Promise<void> {
    const newest = this.#starts.at(-1);
    if (this.#state !== 'ready' || newest === undefined) return;
    const names = await this.#environment.files.list(this.#directory);
    // Unless it went because it was not needed any more.
    if (names.includes(fileName(newest)) || this.#starts.at(-1) !== newest) return;
    throw new BrokerError(
      'storage-damaged',
      `${this.#path(newest)} was taken away while it was written to: stop the broker, see to the directory, and restore it from a copy`,
    );
  }

  async sync(): Promise<void> {
    const upTo = this.#durable;
    if (this.#synced >= upTo) return;
    this.#syncDue = true;
    this.#start();
    await new Promise<void>((resolve, reject) => {
      this.#syncWaiters.push({ upTo, settle: (error) => (error === undefined ? resolve() : reject(error)) });
    });
  }

  #syncedTo(position: Position): void {
    this.#synced = position;
    if (this.#syncWaiters.length === 0) return;
    const reached = this.#syncWaiters.filter(({ upTo }) => upTo <= position);
    this.#syncWaiters = this.#syncWaiters.filter(({ upTo }) => upTo > position);
    for (const { settle } of reached) settle();
  }

  truncate(upTo: Position): Promise<void> {
    this.#unneeded = Math.max(this.#unneeded, upTo);
    const truncated = this.#truncating.then(() => this.#removeFiles());
    this.#truncating = truncated.catch(() => {});
    return truncated;
  }

  tail(from: Position): CommitLogTail {
    const oldest = this.#starts[0] ?? 0;
    if (from < oldest || from > this.#durable)
      throw new BrokerError(
        'offset-out-of-range',
        `the log goes from position ${oldest} to ${this.#durable}, and not to ${from}`,
      );
    const tail = new LogTail({
      files: this.#environment.files,
      directory: this.#directory,
      from,
      starts: () => this.#starts,
      onMoved: () => {
        // What fails is tried again with the next files that are no longer needed.
        if (this.#state === 'ready') this.truncate(this.#unneeded).catch(() => {});
      },
      onReleased: () => this.#tails.delete(tail),
    });
    this.#tails.add(tail);
    return tail;
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    const wasReady = this.#state === 'ready';
    this.#state = 'closed';
    this.#syncTimer?.cancel();
    await this.#running;
    await this.#truncating;
    const file = this.#file;
    if (!file) return;
    try {
      await this.#sync();
      // Without it the next writer takes the log for one that was not closed: nothing is lost by that.
      if (wasReady) await file.writeClosed().catch(() => {});
    } finally {
      this.#file = undefined;
      await file.close();
    }
  }

  /** Gathers what is appended in this turn of the event loop, and writes until there is nothing left. */
  #start(): void {
    if (this.#running) return;
    this.#running = Promise.resolve().then(() => this.#run());
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 || this.#syncDue) {
      if (this.#queue.length > 0) await this.#writeSome();
      else await this.#try(() => this.#sync());
    }
    // In the same turn as the last look at the queue, or an append in between would start nothing.
    this.#running = undefined;
  }

  /** Does something with the device, or else fails what is pending. Listeners are called outside: their errors are not the device's. */
  async #try(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      await this.#fail(toBrokerError(error));
      return false;
    }
  }

  async #writeSome(): Promise<void> {
    if (!this.#hasRoom() && !(await this.#try(() => this.#nextFile()))) return;
    const file = this.#file as LogFile; // There is one, with room.
    const batch = this.#batch;
    batch.clear();
    let end = this.#durable;
    let taken = 0;
    for (const group of this.#queue) {
      if (!batch.add(group, file, this.#synced)) break;
      end = group.end;
      taken++;
    }
    batch.finish();
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken);
    if (!(await this.#try(() => file.write(batch)))) return;
    this.usage.writes++;
    this.usage.writtenBytes += batch.byteLength;
    this.#listener.written(end);
    if (this.#flush === 'always' || this.#syncDue) {
      if (!(await this.#try(() => this.#syncFile(file)))) return;
      this.#syncedTo(end);
      this.#syncDue = false;
    } else {
      this.#syncLater();
    }
    this.#durable = end;
    this.#pendingBytes -= batch.payloadBytes;
    this.#listener.durable(end);
  }

  #hasRoom(): boolean {
    return this.#file !== undefined && this.#file.size < this.#fileBytes;
  }

  async #nextFile(): Promise<void> {
    const { clock, files } = this.#environment;
    if (this.#refusal && clock.monotonic() < this.#refusal.until) {
      // A look at the device gives the event loop a turn: those who append again whenever they fail must not starve it.
      await files.freeBytes(this.#directory).catch(() => 0);
      throw this.#refusal.error;
    }
    try {
      await this.#sync();
      await this.#file?.close();
      this.#file = undefined;
      await this.#begin(this.#durable, [], this.#durable);
      this.#refusal = undefined;
    } catch (error) {
      this.#refuse(toBrokerError(error));
      throw error;
    }
  }

  async #sync(): Promise<void> {
    this.#syncDue = false;
    if (this.#synced === this.#durable || !this.#file) return;
    await this.#syncFile(this.#file);
    this.#syncedTo(this.#durable);
  }

  async #syncFile(file: LogFile): Promise<void> {
    const { clock } = this.#environment;
    const begun = clock.monotonic();
    await file.sync();
    this.usage.flushes++;
    this.usage.flushMs += clock.monotonic() - begun;
  }

  #syncLater(): void {
    if (typeof this.#flush === 'string' || this.#syncTimer || this.#state === 'closed') return;
    this.#syncTimer = this.#environment.clock.setTimer(this.#flush.intervalMs, () => {
      this.#syncTimer = undefined;
      this.#syncDue = true;
      this.#start();
    });
  }

  /** Begins a file at `start`, with groups that are there already and end at `end`; the log goes on from there. */
  async #begin(start: Position, groups: readonly RecoveredGroup[], end: Position): Promise<void> {
    const { files, random } = this.#environment;
    const header = { start, epoch: this.#epoch, carriedUpTo: end, log: this.#id as string }; // Set by `open`.
    const salt = random.bytes(SALT_BYTES);
    const spare = this.#spare === undefined ? {} : { spare: this.#spare };
    this.#spare = undefined;
    const fill = (file: LogFile) => this.#carry(groups, file, start);
    this.#file = await LogFile.create(files, this.#directory, header, salt, { ...spare, fill });
    if (this.#starts.at(-1) !== start) this.#starts.push(start);
    this.#end = Math.max(this.#end, end);
    this.#durable = end;
    this.#synced = end;
  }

  async #carry(groups: readonly RecoveredGroup[], file: LogFile, durable: Position): Promise<void> {
    const batch = this.#batch;
    batch.clear();
    for (const { payload, end } of groups) {
      const group = { chunks: [payload], byteLength: payload.length, end };
      if (batch.add(group, file, durable)) continue;
      batch.finish();
      await file.write(batch);
      batch.clear();
      batch.add(group, file, durable);
    }
    batch.finish();
    await file.write(batch);
  }

  async #fail(error: BrokerError): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#syncDue = false;
    // A refusal that is only repeated is not prolonged by that: who appends all the time would never be let in.
    if (error.code === 'storage-full' && error !== this.#refusal?.error) this.#refuse(error);
    await file?.abandon(this.#durable);
    // Also what was appended until now: its positions lie behind the lost ones.
    this.#queue = [];
    this.#pendingBytes = 0;
    this.#end = this.#durable;
    // There is no more to be done for what was called durable before it was synced.
    this.#synced = this.#durable;
    for (const { settle } of this.#syncWaiters.splice(0)) settle(error);
    this.#listener.failed(error);
  }

  #refuse(error: BrokerError): void {
    this.#refusal = { error, until: this.#environment.clock.monotonic() + RETRY_MS };
  }

  /** Removes files that nobody needs, oldest first and one by one: a crash in between leaves no gap. */
  async #removeFiles(): Promise<void> {
    const { files } = this.#environment;
    const isNeeded = (end: Position) =>
      end > this.#unneeded ||
      this.#durable - end < this.keepBytes ||
      [...this.#tails].some(({ keptFrom }) => keptFrom < end);
    for (let next = this.#starts[1]; next !== undefined && !isNeeded(next); next = this.#starts[1]) {
      const oldest = this.#path(this.#starts[0] as Position); // There is a first one, as there is a second one.
      if (this.#oldestGone) {
        // Only the directory's sync is left to do: it failed the last time.
      } else if (this.#spare === undefined) {
        const spare = `${oldest}.spare${UNFINISHED_SUFFIX}`;
        await files.rename(oldest, spare);
        this.#spare = spare;
      } else {
        await files.remove(oldest);
      }
      this.#oldestGone = true;
      await files.syncDirectory(this.#directory);
      this.#oldestGone = false;
      this.#starts.shift();
    }
  }

  async #readHeader(start: Position): Promise<FileHeader> {
    const header = await readFileHeader(this.#environment.files, this.#directory, start);
    if (this.#id !== undefined && header.log !== this.#id) {
      throw damaged(this.#path(start), 0, `belongs to log ${header.log}, and not to ${this.#id}`);
    }
    return header;
  }

  /** What is asked for must not begin before the oldest file; 0 asks for what there is. */
  #checkCoverage(from: Position): void {
    const oldest = this.#starts[0];
    if (from === 0 || (oldest !== undefined && oldest <= from)) return;
    throw this.#missing(
      `it is needed from position ${from} on, and ${oldest === undefined ? 'has no file' : `begins at ${oldest}`}`,
    );
  }

  #missing(what: string): BrokerError {
    return new BrokerError(
      'storage-damaged',
      `files of the log in ${this.#directory} are missing: ${what}. Restore the directory from a copy, or see what 'sluice repair' can save`,
    );
  }

  #path(start: Position): string {
    return join(this.#directory, fileName(start));
  }
}

function checkLength(chunks: readonly Uint8Array[], byteLength: number): void {
  let sum = 0;
  for (const chunk of chunks) sum += chunk.length;
  if (sum !== byteLength)
    throw new BrokerError('internal', `a group of ${sum} bytes was appended as one of ${byteLength}`);
}
