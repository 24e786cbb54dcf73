import { fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { decodeResponse, encodeRequest } from '../../src/protocols/kafka/codec/frames.ts';
import { BATCH_HEADER_BYTES, baseOffset, batchSize, lastOffset } from '../../src/records/index.ts';
import type { Histogram } from '../histogram.ts';
import type { BatchTemplate } from './batch-template.ts';
import { LoadConnection } from './load-connection.ts';

/** The last that names topics rather than numbering them; Kafka has it since 2.7. */
export const FETCH_VERSION = 12;
const CORRELATION_ID = 8;
const MAX_WAIT_MS = 500;
/** Stands in a request for the offset of partition 0, so that its place can be found; no offset is that large. */
const OFFSET_MARK = 2 ** 52;
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
  readonly onBatch?: (partition: number) => void;
  readonly onConsumed?: () => void;
  /** Where the time from a fetch to its whole answer goes. */
  readonly latency?: Histogram;
  readonly onFailed: (error: Error) => void;
}

interface Position {
  readonly range: ConsumedRange;
  /** Where the offset is in the request. */
  readonly at: number;
  offset: number;
}

/**
 * One connection that fetches, one request at a time as consumers do, from the start of its ranges to their end and then
 * from the start again, and sees to it that every batch is the one that belongs there.
 */
export class ConsumeLoad {
  records = 0;
  bytes = 0;
  readonly #options: ConsumeLoadOptions;
  readonly #request: Buffer;
  readonly #positions: ReadonlyMap<number, Position>;
  #connection: LoadConnection | undefined;
  #correlationId = 0;
  #sentAt = 0;
  #batches = 0;
  #stopping = false;

  private constructor(options: ConsumeLoadOptions) {
    this.#options = options;
    this.#request = encodeFetch(options);
    this.#positions = new Map(
      options.ranges.map((range) => {
        const at = placeOf(this.#request, OFFSET_MARK + range.template.partition);
        return [range.template.partition, { range, at, offset: range.start }];
      }),
    );
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
    const request = this.#request;
    request.writeInt32BE(this.#correlationId, CORRELATION_ID);
    for (const { at, offset } of this.#positions.values()) request.writeBigInt64BE(BigInt(offset), at);
    this.#sentAt = performance.now();
    this.#connection?.send(request);
  }

  #answered(frame: Buffer): void {
    const now = performance.now();
    const { correlationId, body } = decodeResponse(fetch, FETCH_VERSION, frame);
    if (correlationId !== this.#correlationId || body.errorCode !== 0)
      throw new Error(`fetch ${this.#correlationId} was answered as ${correlationId}, error ${body.errorCode}`);
    this.#correlationId = (this.#correlationId + 1) & 0x7fffffff;
    for (const { partitionIndex, errorCode, records } of body.responses.flatMap(({ partitions }) => partitions)) {
      const position = this.#positions.get(partitionIndex);
      if (position === undefined || errorCode !== 0)
        throw new Error(`fetch from partition ${partitionIndex} was answered with error ${errorCode}`);
      if (records !== null) this.#walk(position, records);
    }
    this.#options.latency?.record(now - this.#sentAt);
    if ([...this.#positions.values()].every(({ range, offset }) => offset >= range.end)) this.#rewind();
    this.#options.onConsumed?.();
    this.#send();
  }

  #rewind(): void {
    for (const position of this.#positions.values()) position.offset = position.range.start;
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
      at += size;
      this.records += template.records;
      this.bytes += size;
      this.#options.onBatch?.(partition);
    }
    if (at === 0 && records.length > 0 && position.offset < end)
      throw new Error(
        `partition ${partition}: ${records.length} bytes at offset ${position.offset} hold no whole batch`,
      );
  }
}

function encodeFetch({ topic, ranges, fetchBytes }: ConsumeLoadOptions): Buffer {
  const partitions = ranges.map(({ template: { partition } }) => ({
    partition,
    fetchOffset: OFFSET_MARK + partition,
    partitionMaxBytes: fetchBytes,
  }));
  return Buffer.concat(
    encodeRequest(fetch, FETCH_VERSION, 0, 'sluice-bench', {
      maxWaitMs: MAX_WAIT_MS,
      minBytes: 1,
      maxBytes: fetchBytes,
      topics: [{ topic, partitions }],
    }),
  );
}

function placeOf(request: Buffer, mark: number): number {
  const pattern = Buffer.alloc(8);
  pattern.writeBigInt64BE(BigInt(mark));
  const at = request.indexOf(pattern);
  if (at < 0 || request.indexOf(pattern, at + 1) >= 0) throw new Error('the offset is not to be found in the request');
  return at;
}
