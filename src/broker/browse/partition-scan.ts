import { BrokerError } from '../../errors.ts';
import { type BatchView, batchesIn, recordsIn } from '../../records/index.ts';
import type { LogRead } from '../../storage/index.ts';
import type { Partition } from '../streams/partition.ts';
import { type BatchFacts, factsOf, type SeenRecord } from './seen-record.ts';
import type { Work } from './work.ts';

/** Of one read; whole batches, at least one. */
const READ_BYTES = 256 * 1024;
/** What a batch may decompress to. It is held in memory while its records are looked at. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;

/** What of a partition somebody wants to see. */
export interface ScanOptions {
  /** Leaves out what was aborted, and what it is not known of yet. */
  readonly committed: boolean;
  /** Shows transactions' markers and the like, too. */
  readonly control: boolean;
  /** Records for which it says no are passed over. */
  accepts(seen: SeenRecord): boolean;
}

/** Walks through one partition, one record after the other. */
export interface PartitionScan {
  readonly partition: Partition;
  /** What was given or passed over lies on the other side of it: here it would go on. */
  readonly position: number;
  /** The next record, if it was found already. */
  readonly head: SeenRecord | undefined;
  /** There is nothing more, for now. */
  readonly ended: boolean;
  /** Looks for the next record, for as long as there is work to be had; `head` is there afterwards if it was found. */
  fill(work: Work): Promise<void>;
  take(): void;
}

/** Up to where a partition is shown. */
export function visibleEnd({ log, lastStableOffset }: Partition, committed: boolean): number {
  return committed ? lastStableOffset : log.highWatermark;
}

/** From an offset on towards the end, which may grow meanwhile. */
export class ForwardScan implements PartitionScan {
  readonly partition: Partition;
  head: SeenRecord | undefined;
  #position: number;
  readonly #options: ScanOptions;
  readonly #end: () => number;
  #batches: Iterator<BatchView, void> | undefined;
  #records: Iterator<SeenRecord, void> | undefined;
  #batchEnd = 0;

  constructor(partition: Partition, position: number, end: () => number, options: ScanOptions) {
    this.partition = partition;
    this.#position = position;
    this.#end = end;
    this.#options = options;
  }

  get position(): number {
    return this.#position;
  }

  get ended(): boolean {
    return this.head === undefined && this.#position >= this.#end();
  }

  /** Passes over everything before an offset; answers how many offsets that were. */
  skipTo(offset: number): number {
    const skipped = Math.max(0, offset - this.#position);
    if (skipped > 0) this.rest();
    this.#position += skipped;
    return skipped;
  }

  /** Lets go of what was read and not given: it is read again when it is wanted. For who holds many scans, or holds them for long. */
  rest(): void {
    this.head = undefined;
    this.#records = undefined;
    this.#batches = undefined;
  }

  take(): void {
    if (this.head !== undefined) this.#position = this.head.record.offset + 1;
    this.head = undefined;
  }

  async fill(work: Work): Promise<void> {
    const from = this.#position;
    // However little may be looked at: it gets on, or it would be called for ever.
    while (this.head === undefined && !this.ended && (!work.spent || this.#position === from)) {
      if (work.isDue) await pause();
      const next = this.#records?.next();
      if (next !== undefined && !next.done) this.#look(next.value, work);
      else if (next !== undefined) {
        this.#records = undefined;
        // Compaction may have left nothing at its end.
        this.#position = Math.max(this.#position, this.#batchEnd);
      } else await this.#nextBatch(work);
    }
  }

  #look(seen: SeenRecord, work: Work): void {
    work.records++;
    const { offset } = seen.record;
    if (offset < this.#position) return;
    if (offset >= this.#end()) this.#stop();
    else if (this.#options.accepts(seen)) this.head = seen;
    else this.#position = offset + 1;
  }

  async #nextBatch(work: Work): Promise<void> {
    const batch = this.#batches?.next();
    if (batch === undefined || batch.done) {
      this.#batches = undefined;
      const read = await readFrom(this.partition, this.#position);
      this.#position = read.from;
      work.bytes += read.bytes.length;
      if (read.bytes.length > 0) this.#batches = batchesIn(read.bytes);
      else if (this.#position < this.#end()) this.#position = this.#end();
      return;
    }
    if (batch.value.baseOffset >= this.#end()) {
      this.#stop();
      return;
    }
    this.#batchEnd = batch.value.lastOffset + 1;
    if (this.#batchEnd <= this.#position) return;
    const facts = wanted(this.partition, batch.value, this.#options);
    if (facts === undefined) this.#position = this.#batchEnd;
    else this.#records = seenIn(this.partition, batch.value, facts, work);
  }

  /** What was read goes on behind the end: that is for later. */
  #stop(): void {
    this.rest();
    this.#position = Math.max(this.#position, this.#end());
  }
}

/** Offsets that are looked at in one piece, at first and at most. */
const FIRST_SPAN = 32;
const MAX_SPAN = 4096;
/** Bytes that one piece should come to. */
const SPAN_BYTES = 1024 * 1024;

/** From an offset back towards the beginning. */
export class BackwardScan implements PartitionScan {
  readonly partition: Partition;
  #position: number;
  readonly #options: ScanOptions;
  /** Found, and not given yet: the last one is the next. */
  #found: SeenRecord[] = [];
  /** What lies from here on was looked at. */
  #from: number;
  #span = FIRST_SPAN;

  constructor(partition: Partition, position: number, options: ScanOptions) {
    this.partition = partition;
    this.#position = position;
    this.#from = position;
    this.#options = options;
  }

  get position(): number {
    return this.#position;
  }

  get head(): SeenRecord | undefined {
    return this.#found.at(-1);
  }

  get ended(): boolean {
    return this.#found.length === 0 && this.#position <= this.partition.log.startOffset;
  }

  take(): void {
    const taken = this.#found.pop();
    if (taken === undefined) return;
    this.#position = this.#found.length === 0 ? this.#from : taken.record.offset;
  }

  async fill(work: Work): Promise<void> {
    while (this.#found.length === 0 && !work.spent && !this.ended) await this.#piece(work);
  }

  /** Always a whole piece: what is found in it is only of use when all that comes after it was looked at. */
  async #piece(work: Work): Promise<void> {
    const { startOffset } = this.partition.log;
    const end = this.#position;
    const from = Math.max(startOffset, end - this.#span);
    const found: SeenRecord[] = [];
    const before = work.bytes;
    let at = from;
    while (at < end) {
      const read = await readFrom(this.partition, at);
      work.bytes += read.bytes.length;
      at = read.from;
      if (read.bytes.length === 0) break;
      for (const batch of batchesIn(read.bytes)) {
        if (batch.baseOffset >= end) break;
        at = Math.max(at, batch.lastOffset + 1);
        const facts = wanted(this.partition, batch, this.#options);
        if (facts === undefined) continue;
        for (const seen of seenIn(this.partition, batch, facts, work)) {
          if (work.isDue) await pause();
          work.records++;
          const { offset } = seen.record;
          if (offset >= end) break;
          if (offset >= from && this.#options.accepts(seen)) found.push(seen);
        }
      }
    }
    this.#found = found;
    this.#from = from;
    if (found.length === 0) this.#position = from;
    const each = Math.max(1, (work.bytes - before) / Math.max(1, end - from));
    this.#span = Math.max(1, Math.min(MAX_SPAN, this.#span * 2, Math.floor(SPAN_BYTES / each)));
  }
}

/** Undefined when nobody wants to see what is in the batch. */
function wanted(partition: Partition, batch: BatchView, { committed, control }: ScanOptions): BatchFacts | undefined {
  if (batch.isControl && !control) return undefined;
  const facts = factsOf(partition, batch);
  return committed && facts.fate === 'aborted' ? undefined : facts;
}

function* seenIn(partition: Partition, batch: BatchView, facts: BatchFacts, work: Work): Generator<SeenRecord, void> {
  const records = recordsIn(batch.bytes, MAX_BATCH_BYTES, (bytes) => {
    if (facts.compression !== 'none') work.bytes += bytes;
  });
  for (const record of records) yield { partition: partition.index, record, batch: facts };
}

/** Whole batches from an offset on, or from where the log begins now. */
async function readFrom(partition: Partition, offset: number): Promise<{ from: number; bytes: Buffer }> {
  const { log } = partition;
  for (;;) {
    if (log.deleted) throw new BrokerError('not-found', 'the stream was deleted');
    const from = Math.min(Math.max(offset, log.startOffset), log.nextOffset);
    try {
      const { chunks, bytes }: LogRead = await partition.read(from, READ_BYTES);
      return { from, bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, bytes) };
    } catch (error) {
      // Trimmed meanwhile: it goes on from what is left.
      if (!(error instanceof BrokerError && error.code === 'offset-out-of-range')) throw error;
    }
  }
}

/** Lets others have their turn. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
