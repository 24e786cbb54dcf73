import { BrokerError } from '../../errors.ts';
import {
  BATCH_HEADER_BYTES,
  baseOffset,
  baseTimestamp,
  batchSize,
  lastOffsetDelta,
  VarintReader,
} from '../../records/index.ts';
import type { Log } from '../../storage/index.ts';
import { MessageBytes } from '../messages/message-bytes.ts';
import type { KeptMessage } from './lane.ts';

const NOTHING: Buffer = Buffer.alloc(0);
/** How much of a segment is read at a time. */
const READ_BYTES = 512 * 1024;

/**
 * Reads a queue's messages from its log by offset; cheap when offsets ascend. What is in memory is there at once, durable
 * or not; what is in segments is loaded first, in large pieces.
 */
export class MessageReader {
  /** The message read last; valid until the next is. */
  readonly message = new MessageBytes();
  /** When it was published: milliseconds since the epoch. */
  timestamp = 0;

  readonly #log: Log;
  /** Whole batches read from segments, and from where. */
  #chunk = NOTHING;
  /** The current batch: where it lies, and its first and last offset. */
  #varints = new VarintReader(NOTHING, 0, 0);
  #batchStart = 0;
  #batchEnd = 0;
  #first = 0;
  #last = -1;
  #baseTimestamp = 0;
  /** The offset of the record that `#varints` stands at. */
  #next = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Reads the message at the offset, which must be there. Answers false when it has to be loaded first. */
  read(offset: number): boolean {
    if (!this.#seekBatch(offset)) return false;
    if (offset < this.#next) this.#rewind();
    while (this.#next < offset) this.#skip();
    this.#parse();
    return true;
  }

  /** Makes a message that is not in the log the one read last. */
  show({ timestamp, address, properties, body }: KeptMessage): void {
    const { message } = this;
    this.timestamp = timestamp;
    message.address = address;
    message.addressStart = 0;
    message.addressEnd = address.length;
    message.properties = properties;
    message.propertiesStart = 0;
    message.propertiesEnd = properties.length;
    message.body = body;
    message.bodyStart = 0;
    message.bodyEnd = body.length;
  }

  /** Loads what `read` lacked. Rejects with the storage's error. */
  async load(offset: number): Promise<void> {
    const { chunks } = await this.#log.read(offset, READ_BYTES, 'appended');
    this.#chunk = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    this.forget();
  }

  /** The log was rolled back: batches are not what they were. */
  forget(): void {
    this.#first = 0;
    this.#last = -1;
  }

  /** Lets go of buffers. */
  release(): void {
    this.forget();
    this.#chunk = NOTHING;
    this.#varints = new VarintReader(NOTHING, 0, 0);
  }

  #seekBatch(offset: number): boolean {
    if (offset >= this.#first && offset <= this.#last) return true;
    const batch = this.#log.batchInMemory(offset);
    if (batch !== undefined) {
      this.#chunk = NOTHING;
      this.#enter(batch.bytes, 0, batch.baseOffset);
      return true;
    }
    const chunk = this.#chunk;
    // Batches of a segment are whole and stamped with their own offsets.
    let at = this.#last >= 0 && offset > this.#last && this.#varints.buffer === chunk ? this.#batchEnd : 0;
    for (; at < chunk.length; at += batchSize(chunk, at)) {
      const base = baseOffset(chunk, at);
      if (offset < base) return false;
      if (offset > base + lastOffsetDelta(chunk, at)) continue;
      this.#enter(chunk, at, base);
      return true;
    }
    return false;
  }

  #enter(buffer: Buffer, start: number, first: number): void {
    this.#batchStart = start;
    this.#batchEnd = start + batchSize(buffer, start);
    this.#varints = new VarintReader(buffer, start + BATCH_HEADER_BYTES, this.#batchEnd);
    this.#first = first;
    this.#last = first + lastOffsetDelta(buffer, start);
    this.#baseTimestamp = baseTimestamp(buffer, start);
    this.#next = first;
  }

  #rewind(): void {
    this.#varints.at = this.#batchStart + BATCH_HEADER_BYTES;
    this.#next = this.#first;
  }

  #skip(): void {
    const length = this.#varints.varint();
    this.#varints.at += length;
    this.#next++;
  }

  #parse(): void {
    const { message } = this;
    const varints = this.#varints;
    const end = varints.varint() + varints.at;
    varints.at++; // attributes
    this.timestamp = this.#baseTimestamp + varints.varint();
    varints.varint(); // offset
    varints.at++; // no key
    const bodyBytes = varints.varint();
    message.body = varints.buffer;
    message.bodyStart = varints.at;
    varints.at += bodyBytes;
    message.bodyEnd = varints.at;
    varints.at += 2; // one header, no key
    varints.varint();
    const address = varints.at;
    if (end > varints.end || address >= end) throw damaged(this.#log.id, this.#next);
    const routingKey = address + 1 + varints.byte();
    // A position beyond the end makes the next check fail.
    const properties = routingKey + 1 + (varints.buffer[routingKey] ?? end);
    if (properties > end) throw damaged(this.#log.id, this.#next);
    message.address = varints.buffer;
    message.addressStart = address;
    message.addressEnd = properties;
    message.properties = varints.buffer;
    message.propertiesStart = properties;
    message.propertiesEnd = end;
    varints.at = end;
    this.#next++;
  }
}

function damaged(logId: string, offset: number): BrokerError {
  return new BrokerError('storage-damaged', `queue log ${logId}: the message at offset ${offset} cannot be read`);
}
