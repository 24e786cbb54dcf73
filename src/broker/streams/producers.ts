import { BrokerError } from '../../errors.ts';
import {
  baseSequence,
  batchesIn,
  lastOffsetDelta,
  maxTimestamp,
  producerEpoch,
  producerId,
} from '../../records/index.ts';
import type { DerivedState, Log } from '../../storage/index.ts';

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
 * that comes again is answered and not appended again. Derived from the log; rolled back with it.
 */
export class Producers implements DerivedState {
  readonly #log: ProducerLog;
  readonly #limits: ProducerLimits;
  readonly #producers = new Map<number, Producer>();
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
   * older epoch, `out-of-order-sequence` for a gap.
   */
  check(batch: Buffer): { readonly baseOffset: number; readonly settled: Promise<void> } | undefined {
    const producer = this.#producers.get(producerId(batch, 0));
    // Of a producer that is not known (any more) every sequence is taken, as Kafka does: its records may have been deleted.
    if (producer === undefined) return undefined;
    const epoch = producerEpoch(batch, 0);
    const first = baseSequence(batch, 0);
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
    const epoch = producerEpoch(batch, 0);
    let producer = this.#producers.get(id);
    if (producer === undefined) {
      if (this.#producers.size >= this.#limits.maxProducers) this.#forgetOldest();
      producer = { epoch, batches: [], nextSequence: undefined, lastSeen: 0 };
    } else {
      this.#producers.delete(id);
    }
    // Kept in the order in which they last wrote.
    this.#producers.set(id, producer);
    if (epoch !== producer.epoch) {
      producer.epoch = epoch;
      producer.batches = [];
      producer.nextSequence = undefined;
    }
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

  rollBack(nextOffset: number): void {
    for (const producer of this.#producers.values()) {
      while ((producer.batches.at(-1)?.lastOffset ?? -1) >= nextOffset) {
        // A batch that followed may be on its way already: it must not get in ahead of this one's retry.
        producer.nextSequence = producer.batches.pop()?.firstSequence;
      }
    }
  }

  /** Forgets producers that have been silent for long. */
  expire(): void {
    const oldest = this.#now() - this.#limits.expirationMs;
    for (const [id, producer] of this.#producers) if (producer.lastSeen < oldest) this.#producers.delete(id);
  }

  save(): Buffer | undefined {
    const end = this.#log.highWatermark;
    const producers: SavedProducer[] = [];
    for (const [id, { epoch, batches, lastSeen }] of this.#producers) {
      const durable = batches.filter((batch) => batch.lastOffset < end).slice(-KEPT);
      if (durable.length === 0) continue;
      producers.push([
        id,
        epoch,
        lastSeen,
        durable.map((b) => [b.firstSequence, b.lastSequence, b.baseOffset, b.lastOffset, b.timestamp]),
      ]);
    }
    const saved: SavedProducers = { offset: end, producers };
    return Buffer.from(JSON.stringify(saved));
  }

  /**
   * What `save` gave, if anything, and then the batches that came after it: those in memory, and those that went to segments
   * before anybody was there to save this again.
   */
  async restore(bytes: Buffer | undefined): Promise<void> {
    const saved = parse(bytes);
    const end = this.#log.highWatermark;
    for (const [id, epoch, lastSeen, all] of saved.producers) {
      // The log may end before what was saved, when it was not synced before a power loss.
      const batches = all.filter(([, , , lastOffset]) => lastOffset < end);
      if (batches.length === 0) continue;
      this.#producers.set(id, {
        epoch,
        lastSeen,
        nextSequence: undefined,
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
    await this.#replay(Math.max(saved.offset, this.#log.startOffset));
  }

  async #replay(from: number): Promise<void> {
    const log = this.#log;
    for (let offset = from; offset < log.highWatermark; ) {
      try {
        const { chunks } = await log.read(offset, READ_BYTES);
        for (const { bytes, baseOffset, lastOffset } of batchesIn(Buffer.concat(chunks))) {
          if (baseOffset >= from) this.appended(bytes, baseOffset);
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
    const oldest = this.#producers.keys().next();
    if (!oldest.done) this.#producers.delete(oldest.value);
  }
}

type SavedProducer = [id: number, epoch: number, lastSeen: number, batches: [number, number, number, number, number][]];

interface SavedProducers {
  /** The state is that before this offset. */
  readonly offset: number;
  readonly producers: readonly SavedProducer[];
}

/** It is derived: when it cannot be read it is made again from the log. */
function parse(bytes: Buffer | undefined): SavedProducers {
  try {
    if (bytes !== undefined) return JSON.parse(bytes.toString()) as SavedProducers;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { offset: 0, producers: [] };
}

/** Sequences are 31 bits and begin again at 0. */
function advance(sequence: number, by: number): number {
  return (sequence + by) % (MAX_SEQUENCE + 1);
}
