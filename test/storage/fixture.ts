import type { Threads } from '../../src/environment/environment.ts';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { VirtualClock } from '../../src/environment/virtual-clock.ts';
import type { BrokerError } from '../../src/errors.ts';
import { type BatchContent, batchesIn, encodeBatch, recordsIn, verifyIntegrity } from '../../src/records/index.ts';
import { CommitLogMemory, MemoryCommitLog } from '../../src/storage/commit-log/memory.ts';
import type { CommitLog, CommitLogListener, Log, LogRead, Position, SegmentStore } from '../../src/storage/index.ts';
import { Shard, type ShardSettings } from '../../src/storage/index.ts';
import { MemorySegmentStore } from '../../src/storage/segment-store/memory.ts';

export const LOG_A = '00000000-0000-4000-8000-00000000000a';
export const LOG_B = '00000000-0000-4000-8000-00000000000b';
export const LOG_C = '00000000-0000-4000-8000-00000000000c';

/** A batch with one record for each value. */
export function batchOf(values: readonly (string | Buffer)[], content: Partial<BatchContent> = {}): Buffer {
  return encodeBatch({
    timestamp: 1000,
    ...content,
    records: values.map((value) => ({ key: null, value: Buffer.from(value) })),
  });
}

/** A commit log that does what the test says, when it says so. What is durable is replayed by the next one over the same groups. */
export class ManualCommitLog implements CommitLog {
  listener: CommitLogListener | undefined;
  readonly durable: { payload: Buffer; end: Position }[];
  pending: { payload: Buffer; end: Position }[] = [];
  pendingBytes = 0;
  truncatedTo = 0;
  closed = false;
  #end: Position;
  /** Thrown by the next append. */
  refusal: BrokerError | undefined;
  check?: () => Promise<void>;
  readonly #epoch: number;

  constructor(durable: { payload: Buffer; end: Position }[] = [], epoch = 1) {
    this.durable = durable;
    this.#end = durable.at(-1)?.end ?? 0;
    this.#epoch = epoch;
  }

  async open(listener: CommitLogListener): Promise<number> {
    this.listener = listener;
    return this.#epoch;
  }

  async replay(from: Position, visit: (group: Buffer, end: Position) => void): Promise<Position> {
    let last = from;
    for (const { payload, end } of this.durable) {
      if (end <= from) continue;
      visit(Buffer.from(payload), end);
      last = end;
    }
    return last;
  }

  append(chunks: readonly Uint8Array[], byteLength: number): Position {
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) throw refusal;
    this.#end += byteLength + 1;
    this.pendingBytes += byteLength;
    this.pending.push({ payload: Buffer.concat(chunks), end: this.#end });
    return this.#end;
  }

  written(count = this.pending.length): void {
    this.listener?.written(this.pending[count - 1]?.end ?? this.#end);
  }

  /** Makes the oldest `count` groups durable. */
  persist(count = this.pending.length): void {
    const groups = this.pending.splice(0, count);
    this.durable.push(...groups);
    for (const { payload } of groups) this.pendingBytes -= payload.length;
    const end = this.durable.at(-1)?.end ?? 0;
    this.listener?.written(end);
    this.listener?.durable(end);
  }

  fail(error: BrokerError): void {
    this.pending = [];
    this.pendingBytes = 0;
    this.#end = this.durable.at(-1)?.end ?? 0;
    this.listener?.failed(error);
  }

  async truncate(upTo: Position): Promise<void> {
    this.truncatedTo = upTo;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** A segment store that lets the test in before each operation: to fail it, or to do something meanwhile. */
export class HookedStore extends MemorySegmentStore {
  before: (operation: 'put' | 'get' | 'delete', name: string) => void | Promise<void> = () => {};

  override async put(name: string, chunks: readonly Uint8Array[]): Promise<void> {
    await this.before('put', name);
    return super.put(name, chunks);
  }

  override async get(name: string, offset: number, length: number): Promise<Buffer> {
    await this.before('get', name);
    return super.get(name, offset, length);
  }

  override async delete(name: string): Promise<void> {
    await this.before('delete', name);
    return super.delete(name);
  }
}

/** A shard's storage in memory, over which shards come and go as they do over a directory. */
export class ShardHome {
  readonly memory = new CommitLogMemory();
  readonly store = new HookedStore();
  readonly clock = new VirtualClock();
  readonly troubles: { error: BrokerError; what: string }[] = [];

  open(settings: Partial<ShardSettings> = {}, commitLog: CommitLog = new MemoryCommitLog(this.memory)): Promise<Shard> {
    return openShard(this, commitLog, this.store, settings);
  }
}

export function openShard(
  { clock, troubles }: Pick<ShardHome, 'clock' | 'troubles'>,
  commitLog: CommitLog,
  store: SegmentStore,
  settings: Partial<ShardSettings> = {},
  start?: Threads['start'],
): Promise<Shard> {
  return Shard.open({
    threads: start && { start },
    commitLog,
    store,
    clock,
    random: new SeededRandom(1),
    settings: { minFreeBytes: 0, ...settings },
    onTrouble: (error, what) => troubles.push({ error, what }),
  });
}

/** Appends one batch to one log, and waits until it is durable. Answers its base offset. */
export async function append(
  shard: Shard,
  log: Log,
  values: readonly (string | Buffer)[],
  content?: Partial<BatchContent>,
) {
  const { baseOffsets, settled } = shard.append([{ log, batch: batchOf(values, content) }]);
  await settled;
  return baseOffsets[0] ?? -1;
}

/** The records of what was read, as `offset:value`, having checked every batch's CRC. */
export function recordsOf({ chunks }: LogRead): string[] {
  const records: string[] = [];
  for (const batch of batchesIn(Buffer.concat(chunks))) {
    verifyIntegrity(batch.bytes, 0, batch.size);
    for (const { offset, value } of recordsIn(batch.bytes)) records.push(`${offset}:${value}`);
  }
  return records;
}

/** All of a log from `offset` on, read in pieces of `maxBytes`. */
export async function readAll(log: Log, offset = log.startOffset, maxBytes = 1024 * 1024): Promise<string[]> {
  const records: string[] = [];
  for (let at = offset; at < log.highWatermark; ) {
    const read = await log.read(at, maxBytes);
    const some = recordsOf(read);
    if (some.length === 0) throw new Error(`nothing to read at ${at}, with a high watermark of ${log.highWatermark}`);
    records.push(...some.filter((record) => Number.parseInt(record, 10) >= at));
    at = Number.parseInt(some.at(-1) ?? '', 10) + 1;
  }
  return records;
}
