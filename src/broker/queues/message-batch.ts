import { BATCH_HEADER_BYTES, NONE, varintSize, writeHeader, writeVarint } from '../../records/index.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';

/*
 * Messages as a queue's log keeps them: record batches, version 2, not compressed.
 *
 *   record => length:varint attributes:0 timestampDelta:varint offsetDelta:varint
 *             key:null(1 byte) value:varint-length body  1 header: key '' (1 byte), value: varint-length address ++ properties
 *
 * The record's timestamp is the time of publishing.
 */

/** attributes, key, number of headers, length of the header's key. */
const FIXED_BYTES = 4;
const FIRST_BYTES = 2048;
/** Beyond, the next message begins another batch. */
const FULL_BYTES = 1024 * 1024;
/** Below, a loop beats a call. */
const LOOP_BYTES = 24;
/** A batch that is taken by reference may leave this much of its buffer unused. */
const SLACK_BYTES = 4096;

/** A record batch under construction. */
export class MessageBatch {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #at = BATCH_HEADER_BYTES;
  #count = 0;
  #baseTimestamp = 0;
  #lastTimestamp = 0;
  /** Bytes of the bodies. */
  bodyBytes = 0;
  /** Messages with an expiration of their own: their place in the batch, and when they expire (milliseconds since the epoch). */
  readonly expiring: { readonly index: number; readonly at: number }[] = [];
  /** Messages that are traced: their place in the batch, and what their trace goes by. */
  readonly traced: { readonly index: number; readonly trace: number }[] = [];
  /** There are messages in it that are not to outlive a restart. */
  hasTransient = false;
  /** Nothing is added any more: a later message to one of its queues went elsewhere. */
  sealed = false;

  get count(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#at >= FULL_BYTES;
  }

  /** Copies the message in. `now` is never less than for the message before. */
  add(message: MessageBytes, now: number): void {
    const { address, addressStart, addressEnd, properties, propertiesStart, propertiesEnd } = message;
    const { body, bodyStart, bodyEnd } = message;
    const addressBytes = addressEnd - addressStart;
    const headerBytes = addressBytes + propertiesEnd - propertiesStart;
    const bodyBytes = bodyEnd - bodyStart;
    if (this.#count === 0) this.#baseTimestamp = now;
    const timestampDelta = now - this.#baseTimestamp;
    const length =
      FIXED_BYTES +
      varintSize(timestampDelta) +
      varintSize(this.#count) +
      varintSize(bodyBytes) +
      bodyBytes +
      varintSize(headerBytes) +
      headerBytes;
    this.#reserve(length + 5);
    const buffer = this.#buffer;
    let at = writeVarint(buffer, length, this.#at);
    buffer[at++] = 0;
    at = writeVarint(buffer, timestampDelta, at);
    at = writeVarint(buffer, this.#count, at);
    buffer[at++] = 1; // -1: no key
    at = writeVarint(buffer, bodyBytes, at);
    at = copy(body, bodyStart, bodyEnd, buffer, at);
    buffer[at++] = 2; // 1 header
    buffer[at++] = 0; // with an empty key
    at = writeVarint(buffer, headerBytes, at);
    at = copy(address, addressStart, addressEnd, buffer, at);
    this.#at = copy(properties, propertiesStart, propertiesEnd, buffer, at);
    this.#count++;
    this.#lastTimestamp = now;
    this.bodyBytes += bodyBytes;
  }

  /** The batch. Nothing may be added any more. */
  finish(): Buffer {
    this.sealed = true;
    const size = this.#at;
    const buffer = this.#buffer;
    writeHeader(buffer, 0, {
      baseOffset: 0,
      size,
      partitionLeaderEpoch: NONE,
      compression: 'none',
      timestampType: 'create-time',
      transactional: false,
      control: false,
      deleteHorizon: false,
      lastOffsetDelta: this.#count - 1,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#lastTimestamp,
      producerId: NONE,
      producerEpoch: NONE,
      baseSequence: NONE,
      recordCount: this.#count,
    });
    const batch = buffer.subarray(0, size);
    // A large one is kept as it is, with all of its buffer.
    return buffer.length - size > Math.max(SLACK_BYTES, size >>> 2) && size > SLACK_BYTES ? Buffer.from(batch) : batch;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(
      Math.max(needed, Math.min(this.#buffer.length * 2, this.#buffer.length + FULL_BYTES)),
    );
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

function copy(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  const length = end - start;
  if (length <= LOOP_BYTES) {
    // Within both: the caller has made room.
    for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
  } else from.copy(to, at, start, end);
  return at + length;
}
