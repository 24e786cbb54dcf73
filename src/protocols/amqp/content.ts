import { MessageBytes } from '../../broker/index.ts';
import { AmqpError } from './errors.ts';

/** Class of all methods that have content. */
const BASIC = 60;
const BIT_MANDATORY = 1;
const BIT_IMMEDIATE = 2;
/** Class, weight and body size, before the properties. */
const HEADER_BYTES = 12;
/** Bodies larger than this are refused before they come. */
const MAX_BODY_BYTES = 512 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

/**
 * Puts together what `basic.publish` is made of: a method frame, a header frame and body frames. The parts of `message` stay where
 * they came in, but for a body of several frames, which is joined once.
 */
export class ContentAssembler {
  /** Whole when `header` or `body` has answered true; valid until the next publish begins. */
  readonly message = new MessageBytes();
  mandatory = false;
  immediate = false;

  #expects: 'method' | 'header' | 'body' = 'method';
  #chunks: Buffer[] = [];
  #missing = 0;

  /** The next frame has to be one of content. */
  get expectsContent(): boolean {
    return this.#expects !== 'method';
  }

  /** Takes the arguments of `basic.publish`: ticket:u16 exchange:shortstr routing-key:shortstr bits:u8. */
  publish(buffer: Buffer, start: number, end: number): void {
    const exchange = start + 2;
    const routingKey = exchange + 1 + (buffer[exchange] ?? 0);
    const bits = routingKey + 1 + (buffer[routingKey] ?? 0);
    if (bits >= end) throw new AmqpError('SYNTAX_ERROR', 'basic.publish is cut short');
    const { message } = this;
    message.address = buffer;
    message.addressStart = exchange;
    message.addressEnd = bits;
    // Within the frame, as was just seen.
    const flags = buffer[bits]!;
    this.mandatory = (flags & BIT_MANDATORY) !== 0;
    this.immediate = (flags & BIT_IMMEDIATE) !== 0;
    this.#expects = 'header';
  }

  /** Takes a content header. Answers whether that was all. The properties are not checked yet. */
  header(buffer: Buffer, start: number, end: number): boolean {
    if (this.#expects !== 'header') throw this.unexpected();
    if (end - start < HEADER_BYTES + 2) throw new AmqpError('FRAME_ERROR', 'a content header is cut short');
    const classId = buffer.readUInt16BE(start);
    if (classId !== BASIC)
      throw new AmqpError(
        'UNEXPECTED_FRAME',
        `expected content header for class ${BASIC}, got one for class ${classId} instead`,
      );
    const size = buffer.readUInt32BE(start + 4) * 0x1_0000_0000 + buffer.readUInt32BE(start + 8);
    if (size > MAX_BODY_BYTES)
      throw new AmqpError('FRAME_ERROR', `content body size ${size} exceeds maximum allowed size ${MAX_BODY_BYTES}`);
    const { message } = this;
    message.properties = buffer;
    message.propertiesStart = start + HEADER_BYTES;
    message.propertiesEnd = end;
    message.body = NOTHING;
    message.bodyStart = 0;
    message.bodyEnd = size;
    this.#missing = size;
    this.#expects = size === 0 ? 'method' : 'body';
    return size === 0;
  }

  /** The size of the body that was announced. */
  get bodySize(): number {
    return this.message.bodyEnd - this.message.bodyStart;
  }

  /** Takes a part of the body. Answers whether that was the last. */
  body(buffer: Buffer, start: number, end: number): boolean {
    if (this.#expects !== 'body') throw this.unexpected();
    const { message } = this;
    const length = end - start;
    if (length > this.#missing) throw new AmqpError('FRAME_ERROR', 'content body frame exceeds remaining content size');
    this.#missing -= length;
    if (this.#missing > 0) {
      this.#chunks.push(buffer.subarray(start, end));
      return false;
    }
    this.#expects = 'method';
    if (this.#chunks.length === 0) {
      message.body = buffer;
      message.bodyStart = start;
      message.bodyEnd = end;
      return true;
    }
    this.#chunks.push(buffer.subarray(start, end));
    message.body = Buffer.concat(this.#chunks, message.bodyEnd);
    this.#chunks = [];
    return true;
  }

  /** For a frame that does not come now. */
  unexpected(): AmqpError {
    const text = {
      method: 'expected method frame, got non method frame instead',
      header: `expected content header for class ${BASIC}, got non content header frame instead`,
      body: 'expected content body, got non content body frame instead',
    };
    return new AmqpError('UNEXPECTED_FRAME', text[this.#expects]);
  }

  /** Lets go of what the message lay in. */
  release(): void {
    const { message } = this;
    message.address = NOTHING;
    message.properties = NOTHING;
    message.body = NOTHING;
    this.#chunks = [];
  }
}
