import { type BatchView, decodeMarker, decodeRecords, type TransactionOutcome } from '../../records/index.ts';

/** A producer's batches with offsets from `first` to before `marker` belong to a transaction that was aborted. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly first: number;
  readonly marker: number;
}

/** How a control batch says that a transaction ended; undefined when it says something else, 'empty' when compaction emptied it. */
export function outcomeOf(batch: BatchView): TransactionOutcome | 'empty' | undefined {
  const [record] = decodeRecords(batch.bytes);
  return record === undefined ? 'empty' : decodeMarker(record)?.outcome;
}

/** More than these are left to the next pass. */
const MAX_ABORTED = 100_000;

/**
 * Reads the headers of the part of a log that is to be cleaned, to learn how far that can go and what of it was aborted. It ends before the
 * first transaction that is open at its end: what comes before that is decided, and how, was seen.
 */
export class DirtyScan {
  readonly aborted: AbortedTransaction[] = [];
  /** All that the batches have. */
  records = 0;
  readonly #youngest: number;
  readonly #open = new Map<number, number>();
  #end: number;

  /** Batches that have a later timestamp than `youngest` are not to be cleaned yet, nor is what follows them. */
  constructor(from: number, youngest: number) {
    this.#end = from;
    this.#youngest = youngest;
  }

  /** Takes the next batch; false when it and what follows are left alone. */
  add(batch: BatchView): boolean {
    if (batch.maxTimestamp > this.#youngest || this.aborted.length >= MAX_ABORTED) return false;
    const { producerId, baseOffset } = batch;
    if (batch.isControl) {
      const outcome = outcomeOf(batch);
      const first = this.#open.get(producerId);
      if (outcome === 'abort' && first !== undefined) this.aborted.push({ producerId, first, marker: baseOffset });
      if (outcome === 'abort' || outcome === 'commit') this.#open.delete(producerId);
    } else if (batch.isTransactional && !this.#open.has(producerId)) {
      this.#open.set(producerId, baseOffset);
    }
    this.records += batch.recordCount;
    this.#end = batch.lastOffset + 1;
    return true;
  }

  /** Everything before this can be cleaned. */
  get end(): number {
    let end = this.#end;
    for (const first of this.#open.values()) end = Math.min(end, first);
    return end;
  }
}

/** The transactions of a log whose batches go by, in their order. */
export class PassingTransactions {
  readonly #aborted = new Map<number, AbortedTransaction[]>();
  /** Producers with batches that went by since their last marker. */
  readonly #seen = new Set<number>();

  constructor(aborted: readonly AbortedTransaction[]) {
    for (const transaction of aborted) {
      const others = this.#aborted.get(transaction.producerId);
      if (others === undefined) this.#aborted.set(transaction.producerId, [transaction]);
      else others.push(transaction);
    }
  }

  /** Whether the batch is data that nobody is to see, or a marker whose transaction has no batch left. */
  isOver(batch: BatchView): boolean {
    if (!batch.isControl) {
      if (!batch.isTransactional) return false;
      this.#seen.add(batch.producerId);
      return this.#isAborted(batch);
    }
    const outcome = outcomeOf(batch);
    if (outcome === 'empty') return true;
    return outcome !== undefined && !this.#seen.delete(batch.producerId);
  }

  #isAborted({ producerId, baseOffset }: BatchView): boolean {
    const transactions = this.#aborted.get(producerId);
    // Batches go by in order: transactions that ended before this one are of no use any more.
    while (transactions?.[0] !== undefined && transactions[0].marker < baseOffset) transactions.shift();
    return transactions?.[0] !== undefined && transactions[0].first <= baseOffset;
  }
}
