import { BrokerError } from '../../errors.ts';
import { type BatchView, batchesIn, type LogRecord, recordsIn } from '../../records/index.ts';
import type { LogRead } from '../../storage/index.ts';
import type { CommittedRead, Partition } from './partition.ts';

/** What a batch may decompress to. It is held in memory while its records go out. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;

/** Reads the committed records of one partition, one by one, from an offset on, and holds no more than one read and one batch of it. */
export class PartitionCursor {
  readonly partition: Partition;
  /** A read is under way: `take` gives nothing until it has come. */
  loading = false;
  /** Bytes, decompressed, of batches that were opened since this was set to 0: the work that was done. */
  opened = 0;
  readonly #readBytes: number;
  /** The next record to give has this offset or a larger one. */
  #offset: number;
  /** Where the batch that is open ends. */
  #batchEnd = 0;
  #batches: Iterator<BatchView, void> | undefined;
  #records: Iterator<LogRecord, void> | undefined;

  constructor(partition: Partition, offset: number, readBytes: number) {
    this.partition = partition;
    this.#offset = offset;
    this.#readBytes = readBytes;
  }

  /** The next record of those that were read; undefined when there is none: then `load` more. */
  take(): LogRecord | undefined {
    for (;;) {
      const record = this.#records?.next();
      if (record !== undefined && !record.done) {
        if (record.value.offset < this.#offset) continue;
        this.#offset = record.value.offset + 1;
        return record.value;
      }
      if (this.#records !== undefined) {
        this.#records = undefined;
        // Compaction may have left nothing at its end.
        this.#offset = Math.max(this.#offset, this.#batchEnd);
      }
      const batch = this.#batches?.next();
      if (batch === undefined || batch.done) {
        this.#batches = undefined;
        return undefined;
      }
      this.#open(batch.value);
    }
  }

  /** Reads on: answers whether something came, at once where it is in memory. */
  load(): boolean | Promise<boolean> {
    const { log } = this.partition;
    if (log.deleted) throw new BrokerError('not-found', `log ${log.id} was deleted`);
    // Retention has passed it; or what was appended before was lost.
    if (this.#offset < log.startOffset) this.#offset = log.startOffset;
    const from = Math.min(this.#offset, log.nextOffset);
    if (from >= this.partition.lastStableOffset) return false;
    const found = this.partition.readCommitted(from, this.#readBytes);
    return found instanceof Promise ? this.#loadLater(found) : this.#loaded(found.read);
  }

  async #loadLater(found: Promise<CommittedRead>): Promise<boolean> {
    try {
      return this.#loaded((await found).read);
    } catch (error) {
      // Trimmed meanwhile: it goes on from what is left.
      if (error instanceof BrokerError && error.code === 'offset-out-of-range') return this.load();
      throw error;
    }
  }

  #loaded({ chunks, bytes }: LogRead): boolean {
    const [first] = chunks;
    if (first === undefined) return false;
    this.#batches = batchesIn(chunks.length === 1 ? first : Buffer.concat(chunks, bytes));
    return true;
  }

  #open(batch: BatchView): void {
    this.#batchEnd = batch.lastOffset + 1;
    if (batch.isControl || this.partition.isAborted(batch)) {
      this.#offset = Math.max(this.#offset, this.#batchEnd);
      return;
    }
    if (this.#batchEnd <= this.#offset) return;
    this.opened += batch.size;
    this.#records = recordsIn(batch.bytes, MAX_BATCH_BYTES);
  }
}
