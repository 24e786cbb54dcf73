import type { MessageBytes } from '../../../broker/index.ts';
import {
  BASIC_CLASS,
  CONTENT_HEADER_BYTES,
  FRAME_BODY,
  FRAME_END,
  FRAME_HEAD_BYTES,
  FRAME_HEADER,
  FRAME_HEARTBEAT,
  FRAME_METHOD,
  FRAME_OVERHEAD,
  INITIAL_FRAME_MAX,
  PROTOCOL_HEADER,
} from './frames.ts';
import { methodSize, writeMethod } from './method-encoder.ts';
import { layoutOf, type MethodInput, type MethodName, methodId } from './methods.ts';
import { putByte, putBytes, putShort, putUInt32, putUInt64 } from './put.ts';

const PUBLISH = methodId('basic.publish');
const RETURN = methodId('basic.return');
const DELIVER = methodId('basic.deliver');
const GET_OK = methodId('basic.get-ok');
const ACK = methodId('basic.ack');
const NACK = methodId('basic.nack');
const REJECT = methodId('basic.reject');

const METHOD_ID_BYTES = 4;
const TAG_BYTES = 8;

/** Parts of bodies from this size are not copied. */
const REFERENCED_BYTES = 16 * 1024;
const MIN_BLOCK_BYTES = 1024;
const MAX_BLOCK_BYTES = 64 * 1024;

const NOTHING = Buffer.alloc(0);

/**
 * Frames that wait to be written to a socket. They are written one behind the other into blocks, which grow with the traffic;
 * no byte that was handed over is written again, so the socket may take its time.
 *
 * What messages are made of is copied as it stands, but for large bodies, which are handed over where they lie: that memory
 * must not be written again (nobody does: it is that of sockets' chunks and of record batches).
 */
export class OutputBuffer {
  /** Greatest frame that the peer takes. Bodies are split accordingly. */
  frameMax = INITIAL_FRAME_MAX;

  #block: Buffer = NOTHING;
  /** What of the block is written, and is not among the chunks yet. */
  #start = 0;
  #at = 0;
  #chunks: Buffer[] = [];
  /** Bytes of the chunks. */
  #chunkBytes = 0;
  /** Bytes that were handed over last. */
  #lastBytes = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#chunkBytes + this.#at - this.#start;
  }

  /** Hands over what waits, in order. */
  take(): Buffer[] {
    this.#cut();
    const chunks = this.#chunks;
    const bytes = this.#chunkBytes;
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#lastBytes = bytes;
    // A connection with little to say does not keep a large block.
    if (this.#block.length > MIN_BLOCK_BYTES && bytes < this.#block.length / 32) this.#setBlock(NOTHING);
    return chunks;
  }

  /** Any method; the content that may belong to it is not written. Throws a `CodecError` for a value that its field cannot carry. */
  method<N extends MethodName>(channel: number, name: N, fields: MethodInput<N>): void {
    const layout = layoutOf(name);
    const size = methodSize(layout, fields);
    this.#reserve(size + FRAME_OVERHEAD);
    const start = this.#frame(FRAME_METHOD, channel, size);
    // Throws before the position moves: half a frame is never sent.
    writeMethod(layout, fields, this.#block, start);
    this.#end(start + size);
  }

  /** A message for a consumer, whose tag is given as the short string it is written as. */
  deliver(
    channel: number,
    consumerTag: Buffer,
    deliveryTag: number,
    redelivered: boolean,
    message: MessageBytes,
  ): void {
    const size = METHOD_ID_BYTES + consumerTag.length + TAG_BYTES + 1 + message.addressEnd - message.addressStart;
    this.#reserveContent(size, message);
    const block = this.#block;
    let at = putUInt32(block, this.#frame(FRAME_METHOD, channel, size), DELIVER);
    at = putBytes(block, at, consumerTag, 0, consumerTag.length);
    at = putUInt64(block, at, deliveryTag);
    at = putByte(block, at, redelivered ? 1 : 0);
    at = putBytes(block, at, message.address, message.addressStart, message.addressEnd);
    this.#end(at);
    this.#content(channel, message);
  }

  /** A message for who asked for one. */
  getOk(channel: number, deliveryTag: number, redelivered: boolean, message: MessageBytes, messageCount: number): void {
    const size = METHOD_ID_BYTES + TAG_BYTES + 1 + message.addressEnd - message.addressStart + 4;
    this.#reserveContent(size, message);
    const block = this.#block;
    let at = putUInt32(block, this.#frame(FRAME_METHOD, channel, size), GET_OK);
    at = putUInt64(block, at, deliveryTag);
    at = putByte(block, at, redelivered ? 1 : 0);
    at = putBytes(block, at, message.address, message.addressStart, message.addressEnd);
    this.#end(putUInt32(block, at, messageCount));
    this.#content(channel, message);
  }

  /** A message for who published it. The text has 255 bytes at most, of ASCII. */
  return(channel: number, replyCode: number, replyText: string, message: MessageBytes): void {
    const size = METHOD_ID_BYTES + 2 + 1 + replyText.length + message.addressEnd - message.addressStart;
    this.#reserveContent(size, message);
    const block = this.#block;
    let at = putUInt32(block, this.#frame(FRAME_METHOD, channel, size), RETURN);
    at = putShort(block, at, replyCode);
    at = putByte(block, at, replyText.length);
    at += block.write(replyText, at, 'latin1');
    this.#end(putBytes(block, at, message.address, message.addressStart, message.addressEnd));
    this.#content(channel, message);
  }

  /** A client's message. */
  publish(channel: number, message: MessageBytes, mandatory = false): void {
    const size = METHOD_ID_BYTES + 2 + message.addressEnd - message.addressStart + 1;
    this.#reserveContent(size, message);
    const block = this.#block;
    let at = putUInt32(block, this.#frame(FRAME_METHOD, channel, size), PUBLISH);
    at = putShort(block, at, 0);
    at = putBytes(block, at, message.address, message.addressStart, message.addressEnd);
    this.#end(putByte(block, at, mandatory ? 1 : 0));
    this.#content(channel, message);
  }

  ack(channel: number, deliveryTag: number, multiple: boolean): void {
    this.#settle(channel, ACK, deliveryTag, multiple ? 1 : 0);
  }

  nack(channel: number, deliveryTag: number, multiple: boolean, requeue: boolean): void {
    this.#settle(channel, NACK, deliveryTag, (multiple ? 1 : 0) | (requeue ? 2 : 0));
  }

  reject(channel: number, deliveryTag: number, requeue: boolean): void {
    this.#settle(channel, REJECT, deliveryTag, requeue ? 1 : 0);
  }

  heartbeat(): void {
    this.#reserve(FRAME_OVERHEAD);
    this.#end(this.#frame(FRAME_HEARTBEAT, 0, 0));
  }

  /** What a client begins with, and what a server answers to one that speaks something else. */
  protocolHeader(): void {
    this.#reserve(PROTOCOL_HEADER.length);
    this.#at = putBytes(this.#block, this.#at, PROTOCOL_HEADER, 0, PROTOCOL_HEADER.length);
  }

  #settle(channel: number, id: number, deliveryTag: number, bits: number): void {
    const size = METHOD_ID_BYTES + TAG_BYTES + 1;
    this.#reserve(size + FRAME_OVERHEAD);
    const at = putUInt32(this.#block, this.#frame(FRAME_METHOD, channel, size), id);
    this.#end(putByte(this.#block, putUInt64(this.#block, at, deliveryTag), bits));
  }

  /** Makes room for a method frame, the header frame, and for the body when that is small. */
  #reserveContent(methodBytes: number, message: MessageBytes): void {
    const properties = message.propertiesEnd - message.propertiesStart;
    const body = message.bodyEnd - message.bodyStart;
    const copied = body < REFERENCED_BYTES ? body + FRAME_OVERHEAD : 0;
    this.#reserve(methodBytes + CONTENT_HEADER_BYTES + properties + 2 * FRAME_OVERHEAD + copied);
  }

  #content(channel: number, message: MessageBytes): void {
    const block = this.#block;
    const properties = message.propertiesEnd - message.propertiesStart;
    const body = message.bodyEnd - message.bodyStart;
    let at = this.#frame(FRAME_HEADER, channel, CONTENT_HEADER_BYTES + properties);
    at = putShort(block, at, BASIC_CLASS);
    at = putShort(block, at, 0);
    at = putUInt64(block, at, body);
    this.#end(putBytes(block, at, message.properties, message.propertiesStart, message.propertiesEnd));
    if (body === 0) return;
    if (body >= REFERENCED_BYTES || body > this.frameMax - FRAME_OVERHEAD) this.#largeBody(channel, message);
    else {
      at = this.#frame(FRAME_BODY, channel, body);
      this.#end(putBytes(block, at, message.body, message.bodyStart, message.bodyEnd));
    }
  }

  /** A body of several frames, or of parts that are worth not to be copied. */
  #largeBody(channel: number, { body, bodyStart, bodyEnd }: MessageBytes): void {
    const most = this.frameMax - FRAME_OVERHEAD;
    for (let from = bodyStart; from < bodyEnd; from += most) {
      const to = Math.min(from + most, bodyEnd);
      const referenced = to - from >= REFERENCED_BYTES;
      this.#reserve(FRAME_OVERHEAD + (referenced ? 0 : to - from));
      const at = this.#frame(FRAME_BODY, channel, to - from);
      if (!referenced) {
        this.#end(putBytes(this.#block, at, body, from, to));
        continue;
      }
      this.#at = at;
      this.#cut();
      this.#chunks.push(body.subarray(from, to));
      this.#chunkBytes += to - from;
      this.#end(at);
    }
  }

  /** Writes the head of a frame behind what is there. Answers where the payload begins; `#end` makes it count. */
  #frame(type: number, channel: number, size: number): number {
    const block = this.#block;
    const at = this.#at;
    block[at] = type;
    putShort(block, at + 1, channel);
    return putUInt32(block, at + FRAME_HEAD_BYTES - 4, size);
  }

  #end(at: number): void {
    this.#block[at] = FRAME_END;
    this.#at = at + 1;
  }

  #reserve(bytes: number): void {
    if (this.#block.length - this.#at < bytes) this.#grow(bytes);
  }

  #grow(bytes: number): void {
    this.#cut();
    // Room for as much again as came so far.
    const traffic = 2 * Math.max(this.#chunkBytes, this.#lastBytes);
    const usual = Math.min(Math.max(traffic, MIN_BLOCK_BYTES), MAX_BLOCK_BYTES);
    this.#setBlock(Buffer.allocUnsafe(Math.max(bytes, usual)));
  }

  #setBlock(block: Buffer): void {
    this.#block = block;
    this.#start = 0;
    this.#at = 0;
  }

  /** What of the block is written becomes a chunk. */
  #cut(): void {
    if (this.#at === this.#start) return;
    this.#chunks.push(this.#block.subarray(this.#start, this.#at));
    this.#chunkBytes += this.#at - this.#start;
    this.#start = this.#at;
  }
}
