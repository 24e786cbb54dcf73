import { BrokerError } from '../../errors.ts';
import type { CommitLog, CommitLogListener, Position } from '../commit-log.ts';

interface Group {
  readonly chunks: readonly Uint8Array[];
  readonly end: Position;
}

/** What outlives a writer of a `MemoryCommitLog`, as a directory outlives a process. */
export class CommitLogMemory {
  /** Durable groups, oldest first. */
  groups: Group[] = [];
  end: Position = 0;
  /** The epoch of the last writer that opened. */
  epoch = 0;
}

/** A commit log that lasts as long as its `CommitLogMemory`: for tests, and for a broker that keeps nothing. */
export class MemoryCommitLog implements CommitLog {
  readonly #memory: CommitLogMemory;
  #listener: CommitLogListener | undefined;
  #epoch = 0;
  #end: Position = 0;
  #pending: Group[] = [];
  #pendingBytes = 0;
  #closed = false;

  constructor(memory = new CommitLogMemory()) {
    this.#memory = memory;
  }

  async open(listener: CommitLogListener): Promise<number> {
    this.#listener = listener;
    this.#memory.epoch++;
    this.#epoch = this.#memory.epoch;
    this.#end = this.#memory.end;
    return this.#epoch;
  }

  async replay(from: Position, visit: (group: Buffer, end: Position) => void): Promise<Position> {
    let end = from;
    for (const group of this.#memory.groups) {
      if (group.end <= from) continue;
      visit(Buffer.concat(group.chunks), group.end);
      end = group.end;
    }
    this.#end = Math.max(end, this.#memory.end);
    return end;
  }

  append(chunks: readonly Uint8Array[], byteLength: number): Position {
    if (this.#closed || !this.#listener) throw new BrokerError('closed', 'append to a commit log that is not open');
    // One more than the bytes, so that an empty group has an end of its own.
    this.#end += byteLength + 1;
    this.#pendingBytes += byteLength;
    if (this.#pending.push({ chunks, end: this.#end }) === 1) queueMicrotask(() => this.#settle());
    return this.#end;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  async truncate(upTo: Position): Promise<void> {
    this.#memory.groups = this.#memory.groups.filter((group) => group.end > upTo);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#settle();
  }

  #settle(): void {
    if (this.#pending.length === 0 || !this.#listener) return;
    const settled = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    if (this.#memory.epoch !== this.#epoch) {
      this.#end = this.#memory.end;
      this.#listener.failed(
        new BrokerError('fenced', `another writer took the log over (epoch ${this.#memory.epoch})`),
      );
      return;
    }
    for (const group of settled) this.#memory.groups.push(group);
    this.#memory.end = this.#end;
    this.#listener.written(this.#end);
    this.#listener.durable(this.#end);
  }
}
