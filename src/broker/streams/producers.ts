import { BrokerError } from '../../errors.ts';
import {
  baseSequence,
  batchesIn,
  decodeMarker,
  decodeRecords,
  isControl,
  isTransactional,
  lastOffsetDelta,
  maxTimestamp,
  producerEpoch,
  producerId,
  recordCount,
} from '../../records/index.ts';
import type { DerivedState, Log } from '../../storage/index.ts';
import { PartitionTransactions } from './partition-transactions.ts';
import { decodeSaved, encodeSaved, NOTHING_SAVED, type SavedProducer } from './saved-producers.ts';

/** A batch of an idempotent producer that is in the log. */
interface AppendedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly timestamp: number;
  /** Pending until the batch is durable. */
  readonly settled: Promise<void>;
}

interface Producer {
  epoch: number;
  /** Where the epoch was first seen: in a batch, or in the marker that ended the transaction before. */
  epochOffset: number;
  /** Of the coordinator that ended its last transaction; -1 when it never had one. */
  coordinatorEpoch: number;
  /** Oldest first: the last KEPT durable ones, and all that are not durable yet. */
  batches: AppendedBatch[];
  /** The sequence to come, when all batches of this epoch were lost. */
  nextSequence: number | undefined;
  /** When it last wrote, by the broker's clock: for expiry. */
  lastSeen: number;
}

/** A producer may have up to five requests in flight, so any of the last five batches may come again. */
const KEPT = 5;
const MAX_SEQUENCE = 0x7fff_ffff;
const DURABLE = Promise.resolve();

/** What a marker that may yet be lost changed. */
interface Marked {
  readonly producerId: number;
  readonly offset: number;
  readonly before: Producer | undefined;
}

/** What a partition tells about one of its producers. */
export interface ProducerDescription {
  readonly producerId: number;
  readonly epoch: number;
  /** -1 when it wrote nothing in this epoch. */
  readonly lastSequence: number;
  readonly lastTimestamp: number;
  readonly coordinatorEpoch: number;
  /** -1 when it has no transaction open. */
  readonly transactionStartOffset: number;
}

export interface ProducerLimits {
  /** Producers remembered per partition; the one longest silent is forgotten first. */
  readonly maxProducers: number;
  /** Milliseconds after which a silent producer is forgotten; Kafka's producer.id.expiration.ms. */
  readonly expirationMs: number;
}

export const DEFAULT_PRODUCER_LIMITS: ProducerLimits = { maxProducers: 100_000, expirationMs: 86_400_000 };

const READ_BYTES = 4 * 1024 * 1024;

/** The part of a log that this needs. */
export type ProducerLog = Pick<Log, 'startOffset' | 'flushedOffset' | 'highWatermark' | 'read'>;

/**
 * What a partition knows of the idempotent producers that wrote to it (KIP-98): epoch and last sequences, by which a batch
 * that comes again is answered and not appended again; and their transactions. Derived from the log; rolled back with it.
 */
export class Producers implements DerivedState {
  readonly #log: ProducerLog;
  readonly #limits: ProducerLimits;
  readonly transactions = new PartitionTransactions();
  readonly #producers = new Map<number, Producer>();
  /** In the order of the markers. */
  #marked: Marked[] = [];
  readonly #now: () => number;

  constructor(log: ProducerLog, now: () => number, limits: ProducerLimits = DEFAULT_PRODUCER_LIMITS) {
    this.#log = log;
    this.#now = now;
    this.#limits = limits;
  }

  get size(): number {
    return this.#producers.size;
  }

  /**
   * Looks whether a batch may be appended. Answers the batch that it repeats, when it does. Throws `producer-fenced` for an
   * older epoch, `out-of-order-sequence` for a gap, `invalid-transaction-state` for one outside of the producer's transaction.
   */
  check(
    batch: Buffer,
    epochPerTransaction = false,
  ): { readonly baseOffset: number; readonly settled: Promise<void> } | undefined {
    const producer = this.#producers.get(producerId(batch, 0));
    if (!isTransactional(batch, 0) && this.transactions.firstOffset(producerId(batch, 0)) !== undefined) {
      throw new BrokerError(
        'invalid-transaction-state',
        `producer ${producerId(batch, 0)} has a transaction open here, which this batch does not belong to`,
      );
    }
    // Of a producer that is not known (any more) every sequence is taken, as Kafka does: its records may have been deleted.
    const first = baseSequence(batch, 0);
    if (producer === undefined) {
      // But where an epoch is of one transaction, what comes first is the first: another batch was on its way before it.
      if (epochPerTransaction && first !== 0)
        throw new BrokerError('out-of-order-sequence', `a transaction begins with sequence 0, not ${first}`);
      return undefined;
    }
    const epoch = producerEpoch(batch, 0);
    if (epoch < producer.epoch) {
      throw new BrokerError(
        'producer-fenced',
        `producer ${producerId(batch, 0)} has epoch ${producer.epoch} by now, not ${epoch}`,
      );
    }
    if (epoch > producer.epoch) {
      if (first !== 0)
        throw new BrokerError('out-of-order-sequence', `a new epoch begins with sequence 0, not ${first}`);
      return undefined;
    }
    const last = advance(first, lastOffsetDelta(batch, 0));
    const repeated = producer.batches.find(
      ({ firstSequence, lastSequence }) => firstSequence === first && lastSequence === last,
    );
    if (repeated !== undefined) return repeated;
    const newest = producer.batches.at(-1);
    const next = newest === undefined ? producer.nextSequence : advance(newest.lastSequence, 1);
    if (next !== undefined && first !== next) {
      throw new BrokerError(
        'out-of-order-sequence',
        `sequence ${next} is next for producer ${producerId(batch, 0)}, not ${first}`,
      );
    }
    return undefined;
  }

  /** Takes note of a batch that was appended at this base offset. */
  appended(batch: Buffer, base: number, settled: Promise<void> = DURABLE): void {
    const id = producerId(batch, 0);
    if (id < 0) return;
    if (isControl(batch, 0)) {
      this.#marker(batch, base);
      return;
    }
    if (isTransactional(batch, 0)) this.transactions.appended(id, base);
    const epoch = producerEpoch(batch, 0);
    let producer = this.#producers.get(id);
    if (producer === undefined) {
      if (this.#producers.size >= this.#limits.maxProducers) this.#forgetOldest();
      producer = newProducer(epoch, base);
    } else {
      this.#producers.delete(id);
    }
    // Kept in the order in which they last wrote.
    this.#producers.set(id, producer);
    if (epoch !== producer.epoch) {
      producer.epoch = epoch;
      producer.epochOffset = base;
      producer.batches = [];
      producer.nextSequence = undefined;
    }
    producer.epochOffset = Math.min(producer.epochOffset, base);
    const first = baseSequence(batch, 0);
    producer.lastSeen = this.#now();
    producer.batches.push({
      firstSequence: first,
      lastSequence: advance(first, lastOffsetDelta(batch, 0)),
      baseOffset: base,
      lastOffset: base + lastOffsetDelta(batch, 0),
      timestamp: maxTimestamp(batch, 0),
      settled,
    });
    while (
      producer.batches.length > KEPT &&
      (producer.batches[KEPT]?.lastOffset ?? Number.POSITIVE_INFINITY) < this.#log.highWatermark
    ) {
      producer.batches.shift();
    }
  }

  /** The end of a transaction. Its epoch may be a new one: then what comes of the old one is refused. */
  #marker(batch: Buffer, offset: number): void {
    const marker = recordCount(batch, 0) === 0 ? undefined : firstMarker(batch, offset);
    if (marker === undefined) return;
    const id = producerId(batch, 0);
    const epoch = producerEpoch(batch, 0);
    const before = this.#producers.get(id);
    while ((this.#marked[0]?.offset ?? this.#log.highWatermark) < this.#log.highWatermark) this.#marked.shift();
    this.#marked.push({ producerId: id, offset, before });
    this.transactions.ended(id, offset, marker.outcome);
    const after =
      before === undefined ? newProducer(epoch, offset) : { ...before, batches: [...before.batches], epoch };
    if (before !== undefined && before.epoch !== epoch) {
      after.epochOffset = offset;
      after.batches = [];
      after.nextSequence = 0;
    }
    after.coordinatorEpoch = marker.coordinatorEpoch;
    after.lastSeen = this.#now();
    this.#producers.delete(id);
    this.#producers.set(id, after);
  }

  /** Says what is wrong with a marker before it is appended: `producer-fenced`, `coordinator-fenced`. */
  checkMarker(id: number, epoch: number, coordinatorEpoch: number): void {
    const producer = this.#producers.get(id);
    if (producer === undefined) return;
    if (epoch < producer.epoch)
      throw new BrokerError('producer-fenced', `producer ${id} has epoch ${producer.epoch} by now, not ${epoch}`);
    if (coordinatorEpoch < producer.coordinatorEpoch) {
      throw new BrokerError(
        'coordinator-fenced',
        `a coordinator of epoch ${producer.coordinatorEpoch} has ended a transaction of producer ${id}; ${coordinatorEpoch} is older`,
      );
    }
  }

  /** All that are known, for administrators. */
  describe(): ProducerDescription[] {
    return Array.from(this.#producers, ([id, { epoch, batches, lastSeen, coordinatorEpoch }]) => ({
      producerId: id,
      epoch,
      lastSequence: batches.at(-1)?.lastSequence ?? -1,
      lastTimestamp: batches.at(-1)?.timestamp ?? lastSeen,
      coordinatorEpoch,
      transactionStartOffset: this.transactions.firstOffset(id) ?? -1,
    }));
  }

  /** The epoch that a producer last had here. */
  epochOf(id: number): number | undefined {
    return this.#producers.get(id)?.epoch;
  }

  rollBack(nextOffset: number): void {
    this.transactions.rollBack(nextOffset);
    for (let last = this.#marked.at(-1); last !== undefined && last.offset >= nextOffset; last = this.#marked.at(-1)) {
      if (last.before === undefined) this.#producers.delete(last.producerId);
      else this.#producers.set(last.producerId, last.before);
      this.#marked.pop();
    }
    for (const producer of this.#producers.values()) {
      while ((producer.batches.at(-1)?.lastOffset ?? -1) >= nextOffset) {
        // A batch that followed may be on its way already: it must not get in ahead of this one's retry.
        producer.nextSequence = producer.batches.pop()?.firstSequence;
      }
    }
  }

  /**
   * Of each producer the last durable batch, or the marker that gave it its epoch: by their headers it is known what comes next when all this is
   * read again from the log.
   */
  retainedOffsets(): readonly number[] {
    const end = this.#log.highWatermark;
    const offsets: number[] = [];
    for (const { batches, epochOffset } of this.#producers.values()) {
      const last = batches.findLast(({ lastOffset }) => lastOffset < end)?.lastOffset ?? epochOffset;
      if (last < end) offsets.push(last);
    }
    return offsets;
  }

  forgetMarkers(offsets: readonly number[]): void {
    this.transactions.forget(offsets);
  }

  /** Forgets producers that have been silent for long and have no transaction open. */
  expire(): void {
    const oldest = this.#now() - this.#limits.expirationMs;
    for (const [id, producer] of this.#producers) {
      if (producer.lastSeen < oldest && this.transactions.firstOffset(id) === undefined) this.#producers.delete(id);
    }
    this.transactions.trim(this.#log.startOffset);
  }

  save(): Buffer | undefined {
    const end = this.#log.highWatermark;
    const producers: SavedProducer[] = [];
    const known = new Map(this.#producers);
    for (const { producerId: id, offset, before } of this.#marked.toReversed()) {
      if (offset < end) continue;
      if (before === undefined) known.delete(id);
      else known.set(id, before);
    }
    for (const [id, { epoch, epochOffset, coordinatorEpoch, batches, nextSequence, lastSeen }] of known) {
      const durable = batches.filter((batch) => batch.lastOffset < end).slice(-KEPT);
      // All that it wrote in this epoch may yet be lost.
      if (epochOffset >= end) continue;
      producers.push([
        id,
        epoch,
        lastSeen,
        durable.map((b) => [b.firstSequence, b.lastSequence, b.baseOffset, b.lastOffset, b.timestamp]),
        epochOffset,
        coordinatorEpoch,
        durable.length === 0 ? (batches[0]?.firstSequence ?? nextSequence ?? -1) : -1,
      ]);
    }
    return encodeSaved({ offset: end, producers, transactions: this.transactions.save(end) });
  }

  /**
   * What `save` gave, if anything, and then the batches that came after it: those in memory, and those that went to segments
   * before anybody was there to save this again.
   */
  async restore(bytes: Buffer | undefined): Promise<void> {
    let saved = decodeSaved(bytes);
    // The log may end before what was saved, when it was not synced before a power loss: then all is derived again.
    if (saved.offset > this.#log.highWatermark) saved = NOTHING_SAVED;
    for (const [id, epoch, lastSeen, batches, epochOffset, coordinatorEpoch, nextSequence] of saved.producers) {
      this.#producers.set(id, {
        epoch,
        lastSeen,
        epochOffset: epochOffset ?? batches[0]?.[2] ?? 0,
        coordinatorEpoch: coordinatorEpoch ?? -1,
        nextSequence: nextSequence === undefined || nextSequence < 0 ? undefined : nextSequence,
        batches: batches.map(([firstSequence, lastSequence, base, lastOffset, timestamp]) => ({
          firstSequence,
          lastSequence,
          baseOffset: base,
          lastOffset,
          timestamp,
          settled: DURABLE,
        })),
      });
    }
    if (saved.transactions !== undefined) this.transactions.restore(saved.transactions);
    this.transactions.trim(this.#log.startOffset);
    await this.#replay(Math.max(saved.offset, this.#log.startOffset));
  }

  async #replay(from: number): Promise<void> {
    const log = this.#log;
    for (let offset = from; offset < log.highWatermark; ) {
      try {
        const { chunks } = await log.read(offset, READ_BYTES);
        for (const { bytes, baseOffset, lastOffset } of batchesIn(Buffer.concat(chunks))) {
          // Also of the first batch when the log begins in its middle.
          this.appended(bytes, baseOffset);
          offset = lastOffset + 1;
        }
      } catch (error) {
        // A damaged segment is its readers' trouble: who wrote to it may be unknown here, which only means that it is not checked.
        if (!(error instanceof BrokerError) || offset >= log.flushedOffset) throw error;
        offset = log.flushedOffset;
      }
    }
  }

  #forgetOldest(): void {
    for (const id of this.#producers.keys()) {
      // What would be forgotten with it is that its transaction is open.
      if (this.transactions.firstOffset(id) !== undefined) continue;
      this.#producers.delete(id);
      return;
    }
  }
}

function newProducer(epoch: number, epochOffset: number): Producer {
  return { epoch, epochOffset, coordinatorEpoch: -1, batches: [], nextSequence: undefined, lastSeen: 0 };
}

/** Undefined for a control batch that ends no transaction. */
function firstMarker(batch: Buffer, offset: number) {
  try {
    for (const record of decodeRecords(batch)) return decodeMarker(record);
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    throw new BrokerError('storage-damaged', `the control batch at offset ${offset}: ${error.message}`, {
      cause: error,
    });
  }
  return undefined;
}

/** Sequences are 31 bits and begin again at 0. */
function advance(sequence: number, by: number): number {
  return (sequence + by) % (MAX_SEQUENCE + 1);
}
