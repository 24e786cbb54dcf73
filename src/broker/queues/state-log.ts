import { BrokerError } from '../../errors.ts';
import { batchesIn, decodeRecords, encodeBatch, VarintReader } from '../../records/index.ts';
import type { Entry, Log } from '../../storage/index.ts';
import { encodeNumbers, pushRanges, readRanges } from '../delivery/offset-codec.ts';
import type { KeptMessage, LaneNews } from './lane.ts';

/*
 * What a queue remembers besides its messages: acknowledgements above the beginning of a lane's log, and delivery counts.
 * Acknowledgements in order need no entry here: there the log's beginning moves. Every event is the value of a record, a list of varints:
 *
 *   event     => 1 lane count {from - end of the one before, length}*     acknowledged
 *              | 2 lane count {offset - the one before, delivery count}*  returned, and so often delivered
 *              | 3                                                        all before is void: a snapshot follows
 *              | 4 count {cursor}* ready bytes                            closed in order, with these cursors
 *              | 5                                                        in use again after that
 *              | 6                                                        has had messages with an expiration of their own
 *              | 9                                                        has had messages that are not to outlive a restart
 *              | 7 lane offset timestamp {length}x3 address properties body   copied out of the log, which does not wait for it
 *              | 8 lane offset                                            done with, of those copied
 */

const ACKNOWLEDGED = 1;
const RETURNED = 2;
const SNAPSHOT = 3;
const CLOSED = 4;
const OPENED = 5;
const EXPIRING = 6;
const KEPT = 7;
const KEPT_DONE = 8;
const TRANSIENT = 9;

/** Events are put together in a snapshot when so many bytes came since the last one, or four times as many as that had. */
const SNAPSHOT_EVERY_BYTES = 64 * 1024;
const READ_BYTES = 1024 * 1024;

/** One event, and what it says. */
export interface StateVisitor {
  acknowledged(lane: number, from: number, to: number): void;
  returned(lane: number, offset: number, count: number): void;
  reset(): void;
  closed(cursors: readonly number[], readyBytes: number): void;
  opened(): void;
  expiring(): void;
  transient(): void;
  kept(lane: number, offset: number, message: KeptMessage): void;
  keptDone(lane: number, offset: number): void;
}

/** Everything that a snapshot holds. */
export interface QueueSnapshot {
  readonly acknowledged: Iterable<LaneNews>;
  readonly returned: Iterable<{ readonly lane: number; readonly counts: ReadonlyMap<number, number> }>;
  readonly expiring: boolean;
  readonly transient: boolean;
  readonly kept: Iterable<{ readonly lane: number; readonly messages: ReadonlyMap<number, KeptMessage> }>;
}

export class StateLog {
  readonly log: Log;
  /** Something of it was lost when an append failed: only a snapshot mends that. */
  torn = false;
  #bytes = 0;
  #snapshotBytes = 0;
  readonly #events: Buffer[] = [];

  constructor(log: Log, onLost: () => void) {
    this.log = log;
    log.onRollBack = () => {
      this.torn = true;
      onLost();
    };
  }

  acknowledged(news: LaneNews): void {
    this.#events.push(encodeRanges(news));
  }

  returned(lane: number, counts: ReadonlyMap<number, number>): void {
    this.#events.push(encodeCounts(lane, counts));
  }

  opened(): void {
    this.#events.push(Buffer.of(OPENED));
  }

  expiring(): void {
    this.#events.push(Buffer.of(EXPIRING));
  }

  transient(): void {
    this.#events.push(Buffer.of(TRANSIENT));
  }

  kept(lane: number, offset: number, message: KeptMessage): void {
    this.#events.push(encodeKept(lane, offset, message));
  }

  keptDone(lane: number, offset: number): void {
    this.#events.push(encodeNumbers([KEPT_DONE, lane, offset]));
  }

  closed(cursors: readonly number[], readyBytes: number): void {
    this.#events.push(encodeNumbers([CLOSED, cursors.length, ...cursors, readyBytes]));
  }

  /** Adds the events of this turn, or a snapshot instead when it is time for one. */
  commit(entries: Entry[], now: number, snapshot: () => QueueSnapshot): void {
    if (this.torn || this.#bytes > Math.max(SNAPSHOT_EVERY_BYTES, 4 * this.#snapshotBytes)) {
      this.#putSnapshot(entries, now, snapshot());
      return;
    }
    if (this.#events.length === 0) return;
    this.#bytes += this.#put(entries, now, this.#events);
    this.#events.length = 0;
  }

  /** Reads all events from the beginning. */
  async replay(visitor: StateVisitor): Promise<void> {
    for (let offset = this.log.startOffset; offset < this.log.nextOffset; ) {
      const { chunks } = await this.log.read(offset, READ_BYTES);
      for (const batch of batchesIn(Buffer.concat(chunks))) {
        for (const record of decodeRecords(batch.bytes))
          if (record.offset >= offset && record.value !== null) decode(this.log.id, Buffer.from(record.value), visitor);
        offset = batch.lastOffset + 1;
        this.#bytes += batch.size;
      }
    }
  }

  #putSnapshot(
    entries: Entry[],
    now: number,
    { acknowledged, returned, expiring, transient, kept }: QueueSnapshot,
  ): void {
    // Events that wait are those of a closing queue, or are in the snapshot.
    const waiting = this.#events.filter((event) => event[0] === CLOSED || event[0] === OPENED);
    const events: Buffer[] = [
      Buffer.of(SNAPSHOT),
      ...(expiring ? [Buffer.of(EXPIRING)] : []),
      ...(transient ? [Buffer.of(TRANSIENT)] : []),
    ];
    for (const news of acknowledged) if (news.ranges.length > 0) events.push(encodeRanges(news));
    for (const { lane, counts } of returned) if (counts.size > 0) events.push(encodeCounts(lane, counts));
    for (const { lane, messages } of kept)
      for (const [offset, message] of messages) events.push(encodeKept(lane, offset, message));
    const before = this.log.nextOffset;
    this.#snapshotBytes = this.#put(entries, now, [...events, ...waiting]);
    entries.push({ log: this.log, before });
    this.#bytes = 0;
    this.#events.length = 0;
    this.torn = false;
  }

  #put(entries: Entry[], timestamp: number, events: readonly Buffer[]): number {
    const batch = encodeBatch({ records: events.map((value) => ({ timestamp, key: null, value })) });
    entries.push({ log: this.log, batch });
    return batch.length;
  }
}

function encodeRanges({ lane, ranges }: LaneNews): Buffer {
  const numbers = [ACKNOWLEDGED, lane];
  pushRanges(numbers, ranges);
  return encodeNumbers(numbers);
}

function encodeCounts(lane: number, counts: ReadonlyMap<number, number>): Buffer {
  const numbers = [RETURNED, lane, counts.size];
  let last = 0;
  for (const [offset, count] of [...counts].sort(([a], [b]) => a - b)) {
    numbers.push(offset - last, count);
    last = offset;
  }
  return encodeNumbers(numbers);
}

function encodeKept(lane: number, offset: number, { timestamp, address, properties, body }: KeptMessage): Buffer {
  const head = encodeNumbers([KEPT, lane, offset, timestamp, address.length, properties.length, body.length]);
  return Buffer.concat([head, address, properties, body]);
}

function decode(logId: string, bytes: Buffer, visitor: StateVisitor): void {
  const reader = new VarintReader(bytes, 1, bytes.length);
  switch (bytes[0]) {
    case ACKNOWLEDGED: {
      const lane = reader.varlong();
      readRanges(reader, (from, to) => visitor.acknowledged(lane, from, to));
      return;
    }
    case RETURNED: {
      const lane = reader.varlong();
      let offset = 0;
      for (let count = reader.varlong(); count > 0; count--) {
        offset += reader.varlong();
        visitor.returned(lane, offset, reader.varlong());
      }
      return;
    }
    case SNAPSHOT:
      visitor.reset();
      return;
    case CLOSED: {
      const cursors = Array.from({ length: reader.varlong() }, () => reader.varlong());
      visitor.closed(cursors, reader.varlong());
      return;
    }
    case OPENED:
      visitor.opened();
      return;
    case EXPIRING:
      visitor.expiring();
      return;
    case TRANSIENT:
      visitor.transient();
      return;
    case KEPT: {
      const [lane, offset, timestamp] = [reader.varlong(), reader.varlong(), reader.varlong()];
      const [addressBytes, propertiesBytes, bodyBytes] = [reader.varlong(), reader.varlong(), reader.varlong()];
      const propertiesAt = reader.at + addressBytes;
      const bodyAt = propertiesAt + propertiesBytes;
      const address = bytes.subarray(reader.at, propertiesAt);
      const properties = bytes.subarray(propertiesAt, bodyAt);
      visitor.kept(lane, offset, { timestamp, address, properties, body: bytes.subarray(bodyAt, bodyAt + bodyBytes) });
      return;
    }
    case KEPT_DONE:
      visitor.keptDone(reader.varlong(), reader.varlong());
      return;
    default:
      throw new BrokerError('storage-damaged', `queue state log ${logId}: unknown event ${bytes[0]}; restore a backup`);
  }
}
