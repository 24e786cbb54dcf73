import type { Log } from './log.ts';
import type { MemoryBatch } from './memory-table.ts';

type CachedLog = Pick<Log, 'evict' | 'startOffset'>;

/** The newest batches of a log that a round has left in memory. */
interface Tail {
  readonly log: CachedLog;
  /** They are before this offset. */
  readonly upTo: number;
  readonly bytes: number;
}

/**
 * What is in segments and still in memory, for readers near the end of their log. Of what a round of the flusher writes, each log keeps the newest, as
 * much as its part of the round allows: a reader that is a little behind finds it in memory, whichever of many logs it reads.
 */
export class TailCache {
  readonly #maxBytes: number;
  /** In the order in which they were flushed: evicted from the front. */
  #tails: Tail[] = [];
  #bytes = 0;
  /** How much of what the round writes may stay. */
  #share = 1;
  /** Bytes that those before had left. */
  #credit = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A round begins that writes so many bytes: what is older makes room for them. */
  beginRound(bytes: number): void {
    this.#share = bytes <= this.#maxBytes ? 1 : this.#maxBytes / bytes;
    this.#credit = 0;
    this.#evictDownTo(Math.max(this.#maxBytes - bytes, 0));
  }

  /** A log's batches went to segments, up to an offset. */
  flushed(log: CachedLog, batches: readonly MemoryBatch[], upTo: number): void {
    const { startOffset } = log;
    for (const batch of batches) if (batch.lastOffset >= startOffset) this.#credit += batch.bytes.length * this.#share;
    let bytes = 0;
    let kept = batches.length;
    for (let batch = batches[kept - 1]; batch !== undefined && batch.lastOffset >= startOffset; ) {
      if (bytes + batch.bytes.length > this.#credit) break;
      bytes += batch.bytes.length;
      batch = batches[--kept - 1];
    }
    this.#credit -= bytes;
    const oldest = batches[kept];
    if (kept > 0) log.evict(oldest?.baseOffset ?? upTo);
    if (oldest === undefined) return;
    this.#tails.push({ log, upTo, bytes });
    this.#bytes += bytes;
    // More may have come since the round began.
    this.#evictDownTo(this.#maxBytes);
  }

  #evictDownTo(maxBytes: number): void {
    let evicted = 0;
    while (this.#bytes > maxBytes) {
      const tail = this.#tails[evicted++];
      if (tail === undefined) break;
      tail.log.evict(tail.upTo);
      this.#bytes -= tail.bytes;
    }
    this.#tails = this.#tails.slice(evicted);
  }
}
