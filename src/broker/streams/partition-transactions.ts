import type { TransactionOutcome } from '../../records/index.ts';

/** A transaction whose records are in the log and do not count: what a reader of committed records is told to leave out. */
export interface AbortedTransaction {
  readonly producerId: number;
  /** Of its first record, and of the marker that ended it. */
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Transactions that ended after it began at this offset or later: where the search for them can stop. */
  readonly stableOffset: number;
}

/** A marker that was appended and may yet be lost. */
interface Ended {
  readonly producerId: number;
  readonly firstOffset: number;
  readonly markerOffset: number;
}

export interface SavedTransactions {
  readonly open: readonly [producerId: number, firstOffset: number][];
  readonly aborted: readonly AbortedTransaction[];
}

/** The transactions in one partition's log: which are open, and which were aborted. Derived from its batches and markers. */
export class PartitionTransactions {
  /** Where each open transaction began, by its producer; in the order of these offsets. */
  #open = new Map<number, number>();
  /** In the order of their markers. */
  #ended: Ended[] = [];
  /** In the order of their markers. */
  #aborted: AbortedTransaction[] = [];

  /** Where the producer's transaction began; undefined when it has none open. */
  firstOffset(producerId: number): number | undefined {
    return this.#open.get(producerId);
  }

  get open(): ReadonlyMap<number, number> {
    return this.#open;
  }

  get aborted(): readonly AbortedTransaction[] {
    return this.#aborted;
  }

  /** A transactional batch was appended at this offset. */
  appended(producerId: number, offset: number): void {
    if (!this.#open.has(producerId)) this.#open.set(producerId, offset);
  }

  /** A marker was appended at this offset. One that ends nothing, since nothing was written here, leaves no trace. */
  ended(producerId: number, markerOffset: number, outcome: TransactionOutcome): void {
    const firstOffset = this.#open.get(producerId);
    if (firstOffset === undefined) return;
    this.#open.delete(producerId);
    this.#ended.push({ producerId, firstOffset, markerOffset });
    if (outcome === 'commit') return;
    const stableOffset = this.#firstOpen() ?? markerOffset + 1;
    this.#aborted.push({ producerId, firstOffset, lastOffset: markerOffset, stableOffset });
  }

  /** What was appended from `nextOffset` on is gone: transactions that it ended are open again. */
  rollBack(nextOffset: number): void {
    const lost = this.#ended.filter(({ markerOffset }) => markerOffset >= nextOffset);
    this.#ended = this.#ended.filter(({ markerOffset }) => markerOffset < nextOffset);
    while ((this.#aborted.at(-1)?.lastOffset ?? -1) >= nextOffset) this.#aborted.pop();
    // Of a producer that ended two, the older one is the one that is open: of the newer one nothing is left.
    for (const { producerId, firstOffset } of lost.toReversed()) this.#open.set(producerId, firstOffset);
    this.#open = new Map([...this.#open].filter(([, first]) => first < nextOffset).sort(([, a], [, b]) => a - b));
  }

  /** The first record of which it is not durably known whether it counts; undefined when that is known of all. */
  firstUnstable(highWatermark: number): number | undefined {
    while ((this.#ended[0]?.markerOffset ?? highWatermark) < highWatermark) this.#ended.shift();
    let first = this.#firstOpen();
    for (const { firstOffset } of this.#ended) first = Math.min(first ?? firstOffset, firstOffset);
    return first;
  }

  /**
   * The aborted transactions that have records at or after `from` and before `to`, in the order in which they began: kafkajs takes them for that, and shows
   * what was aborted when they come in the order of their ends, as Kafka sends them.
   */
  abortedBetween(from: number, to: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = [];
    for (let i = this.#indexOf(from); i < this.#aborted.length; i++) {
      const transaction = this.#aborted[i];
      if (transaction === undefined) break;
      if (transaction.firstOffset < to) found.push(transaction);
      if (transaction.stableOffset >= to) break;
    }
    return found.sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Forgets aborted transactions that lie wholly before `startOffset`. */
  trim(startOffset: number): void {
    const gone = this.#indexOf(startOffset);
    if (gone > 0) this.#aborted = this.#aborted.slice(gone);
  }

  /** Forgets aborted transactions of which the log has neither records nor the marker, at these offsets, any more. */
  forget(markerOffsets: readonly number[]): void {
    const gone = new Set(markerOffsets);
    this.#aborted = this.#aborted.filter(({ lastOffset }) => !gone.has(lastOffset));
  }

  /** As it was at the high watermark. */
  save(highWatermark: number): SavedTransactions {
    const durable = new PartitionTransactions();
    durable.#open = new Map(this.#open);
    durable.#ended = this.#ended;
    durable.#aborted = [...this.#aborted];
    durable.rollBack(highWatermark);
    return { open: [...durable.#open], aborted: durable.#aborted };
  }

  restore({ open, aborted }: SavedTransactions): void {
    this.#open = new Map(open);
    this.#aborted = [...aborted];
  }

  #firstOpen(): number | undefined {
    const first = this.#open.values().next();
    return first.done ? undefined : first.value;
  }

  /** The first aborted transaction whose marker is at or after `offset`. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#aborted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#aborted[middle]?.lastOffset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
