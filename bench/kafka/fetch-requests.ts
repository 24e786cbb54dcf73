import { fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { encodeRequest } from '../../src/protocols/kafka/codec/frames.ts';

/** The last that names topics rather than numbering them; Kafka has it since 2.7. */
export const FETCH_VERSION = 12;
const CORRELATION_ID = 8;
const MAX_WAIT_MS = 500;
/** Stands in a request for the offset of partition 0, so that its place can be found; no offset is that large. */
const OFFSET_MARK = 2 ** 52;

/** Where a client stands in a partition. */
export interface FetchPosition {
  readonly partition: number;
  offset: number;
}

export interface FetchRequestsOptions {
  readonly topic: string;
  readonly fetchBytes: number;
  /** Their offsets are read when a request is made. */
  readonly positions: readonly FetchPosition[];
}

/** Makes the requests of one connection that fetches. The bytes hold until the next one is made. */
export interface FetchRequests {
  next(correlationId: number): Buffer;
  /** A request was answered, with this session. */
  answered(sessionId: number): void;
}

/** Requests that name all partitions each time: made once, with the offsets written over. */
export class FullFetchRequests implements FetchRequests {
  readonly #request: Buffer;
  readonly #places: readonly { readonly position: FetchPosition; readonly at: number }[];

  constructor(options: FetchRequestsOptions) {
    const { positions } = options;
    const marked = positions.map(({ partition }) => ({ partition, offset: OFFSET_MARK + partition }));
    this.#request = encode(0, options, marked, {});
    this.#places = positions.map((position) => ({ position, at: this.#placeOf(OFFSET_MARK + position.partition) }));
  }

  next(correlationId: number): Buffer {
    this.#request.writeInt32BE(correlationId, CORRELATION_ID);
    for (const { position, at } of this.#places) this.#request.writeBigInt64BE(BigInt(position.offset), at);
    return this.#request;
  }

  answered(): void {}

  #placeOf(mark: number): number {
    const pattern = Buffer.alloc(8);
    pattern.writeBigInt64BE(BigInt(mark));
    const at = this.#request.indexOf(pattern);
    if (at < 0 || this.#request.indexOf(pattern, at + 1) >= 0)
      throw new Error('the offset is not to be found in the request');
    return at;
  }
}

/** Requests of a session: after the first, they name only the partitions whose offset is another than it was. */
export class SessionFetchRequests implements FetchRequests {
  readonly #options: FetchRequestsOptions;
  /** What the broker was told, in the order of the positions. */
  readonly #told: (number | undefined)[] = [];
  #sessionId = 0;
  #sessionEpoch = 0;

  constructor(options: FetchRequestsOptions) {
    this.#options = options;
  }

  next(correlationId: number): Buffer {
    const { positions } = this.#options;
    const changed = positions.filter(({ offset }, index) => offset !== this.#told[index]);
    for (const [index, { offset }] of positions.entries()) this.#told[index] = offset;
    return encode(correlationId, this.#options, changed, {
      sessionId: this.#sessionId,
      sessionEpoch: this.#sessionEpoch,
    });
  }

  answered(sessionId: number): void {
    if (sessionId === 0) throw new Error('the broker gives no fetch session: use --no-sessions');
    this.#sessionId = sessionId;
    this.#sessionEpoch++;
  }
}

function encode(
  correlationId: number,
  { topic, fetchBytes }: FetchRequestsOptions,
  positions: readonly FetchPosition[],
  session: { readonly sessionId?: number; readonly sessionEpoch?: number },
): Buffer {
  const partitions = positions.map(({ partition, offset }) => ({
    partition,
    fetchOffset: offset,
    partitionMaxBytes: fetchBytes,
  }));
  return Buffer.concat(
    encodeRequest(fetch, FETCH_VERSION, correlationId, 'sluice-bench', {
      maxWaitMs: MAX_WAIT_MS,
      minBytes: 1,
      maxBytes: fetchBytes,
      topics: partitions.length === 0 ? [] : [{ topic, partitions }],
      ...session,
    }),
  );
}
