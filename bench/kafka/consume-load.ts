import type { Histogram } from '../../src/cli/bench/histogram.ts';
import { fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { decodeResponse } from '../../src/protocols/kafka/codec/frames.ts';
import { BATCH_HEADER_BYTES, baseOffset, batchSize, lastOffset } from '../../src/records/index.ts';
import type { BatchTemplate } from './batch-template.ts';
import {
  FETCH_VERSION,
  type FetchPosition,
  type FetchRequests,
  FullFetchRequests,
  SessionFetchRequests,
} from './fetch-requests.ts';
import { LoadConnection } from './load-connection.ts';

/** Of so many batches one is compared byte by byte; of all others, the header. */
const COMPARE_EVERY = 16;
/** What the broker writes into a batch: offset, length, leader epoch; after them only magic and what the CRC covers. */
const BYTES_STAMPED = 16;

/** What is to be read of a partition. */
export interface ConsumedRange {
  readonly template: BatchTemplate;
  readonly start: number;
  /** Infinity to wait for more. */
  readonly end: number;
}

export interface ConsumeLoadOptions {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  readonly ranges: readonly ConsumedRange[];
  readonly fetchBytes: number;
  /** Whether fetches are of a session, or each names all partitions. */
  readonly fetchSessions: boolean;
  readonly onBatch?: (partition: number) => void;
  readonly onConsumed?: () => void;
  /** Where the time from a fetch to its whole answer goes. */
  readonly latency?: Histogram;
  readonly onFailed: (error: Error) => void;
}

interface Position extends FetchPosition {
  readonly range: ConsumedRange;
}

/**
 * One connection that fetches, one request at a time as consumers do, from the start of its ranges to their end and then
 * from the start again, and sees to it that every batch is the one that belongs there.
 */
export class ConsumeLoad {
  records = 0;
  bytes = 0;
  readonly #options: ConsumeLoadOptions;
  readonly #requests: FetchRequests;
  readonly #positions: ReadonlyMap<number, Position>;
  #connection: LoadConnection | undefined;
  #correlationId = 0;
  #sentAt = 0;
  #batches = 0;
  #stopping = false;
  /** Positions that have not come to the end of their range. */
  #unfinished: number;

  private constructor(options: ConsumeLoadOptions) {
    this.#options = options;
    const { topic, ranges, fetchBytes, fetchSessions } = options;
    const positions = ranges.map((range) => ({ range, partition: range.template.partition, offset: range.start }));
    this.#positions = new Map(positions.map((position) => [position.partition, position]));
    this.#unfinished = positions.length;
    const Requests = fetchSessions ? SessionFetchRequests : FullFetchRequests;
    this.#requests = new Requests({ topic, fetchBytes, positions });
  }

  static async open(options: ConsumeLoadOptions): Promise<ConsumeLoad> {
    const load = new ConsumeLoad(options);
    load.#connection = await LoadConnection.open({
      host: options.host,
      port: options.port,
      onFrame: (frame) => load.#answered(frame),
      onLost: options.onFailed,
    });
    return load;
  }

  start(): void {
    this.#send();
  }

  /** The offset that comes next; undefined of a partition that is another load's. */
  offset(partition: number): number | undefined {
    return this.#positions.get(partition)?.offset;
  }

  close(): void {
    this.#stopping = true;
    this.#connection?.end();
  }

  #send(): void {
    if (this.#stopping) return;
    const request = this.#requests.next(this.#correlationId);
    this.#sentAt = performance.now();
    this.#connection?.send(request);
  }

  #answered(frame: Buffer): void {
    const now = performance.now();
    const { correlationId, body } = decodeResponse(fetch, FETCH_VERSION, frame);
    if (correlationId !== this.#correlationId || body.errorCode !== 0)
      throw new Error(`fetch ${this.#correlationId} was answered as ${correlationId}, error ${body.errorCode}`);
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff;
    this.#requests.answered(body.sessionId);
    for (const { partitions } of body.responses) {
      for (const { partitionIndex, errorCode, records } of partitions) {
        const position = this.#positions.get(partitionIndex);
        if (position === undefined || errorCode !== 0)
          throw new Error(`fetch from partition ${partitionIndex} was answered with error ${errorCode}`);
        if (records !== null && records.length > 0) this.#walk(position, records);
      }
    }
    this.#options.latency?.record(now - this.#sentAt);
    if (this.#unfinished === 0) this.#rewind();
    this.#options.onConsumed?.();
    this.#send();
  }

  #rewind(): void {
    for (const position of this.#positions.values()) position.offset = position.range.start;
    this.#unfinished = this.#positions.size;
  }

  /** Whole batches one after the other; the last may be cut, as brokers may answer. */
  #walk(position: Position, records: Buffer): void {
    const { template, end } = position.range;
    const { partition } = template;
    let at = 0;
    while (records.length - at >= BATCH_HEADER_BYTES && position.offset < end) {
      const size = batchSize(records, at);
      if (size > records.length - at) break;
      const first = baseOffset(records, at);
      const last = lastOffset(records, at);
      if (first !== position.offset || last !== first + template.records - 1 || size !== template.bytes.length)
        throw new Error(
          `partition ${partition}: a batch of ${size} bytes, offsets ${first} to ${last}, came where offset ` +
            `${position.offset} and ${template.records} records in ${template.bytes.length} bytes belong`,
        );
      if (this.#batches++ % COMPARE_EVERY === 0) {
        const differs = template.bytes.compare(records, at + BYTES_STAMPED, at + size, BYTES_STAMPED) !== 0;
        if (differs) throw new Error(`partition ${partition}: the batch at offset ${first} is not as it was produced`);
      }
      position.offset = last + 1;
      if (position.offset >= end) this.#unfinished--;
      at += size;
      this.records += template.records;
      this.bytes += size;
      this.#options.onBatch?.(partition);
    }
    if (at === 0 && position.offset < end)
      throw new Error(
        `partition ${partition}: ${records.length} bytes at offset ${position.offset} hold no whole batch`,
      );
  }
}
