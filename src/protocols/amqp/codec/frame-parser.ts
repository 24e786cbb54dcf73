import { CodecError } from './codec-error.ts';
import {
  FRAME_BODY,
  FRAME_END,
  FRAME_HEAD_BYTES,
  FRAME_HEADER,
  FRAME_HEARTBEAT,
  FRAME_METHOD,
  INITIAL_FRAME_MAX,
  MIN_FRAME_MAX,
  PROTOCOL_HEADER,
} from './frames.ts';

/** What the first bytes of a connection ask for. */
export type AskedProtocol = 'amqp-0-9-1' | 'another amqp' | 'tls' | 'http' | 'unknown';

/** Is told of each frame. The bytes are payloads; the parser never writes to the buffers that they lie in again. */
export interface FrameSink {
  /** Once, before anything else. Of a peer that asks for another protocol nothing more is read. */
  protocolHeader(asked: AskedProtocol): void;
  method(channel: number, buffer: Buffer, start: number, end: number): void;
  header(channel: number, buffer: Buffer, start: number, end: number): void;
  body(channel: number, buffer: Buffer, start: number, end: number): void;
  heartbeat(): void;
}

const NOTHING = Buffer.alloc(0);
/** Memory for a frame that came in part is taken as its bytes come: so much at first, and twice as much when that is full. */
const FIRST_FRAME_BYTES = 256 * 1024;

/**
 * Cuts what comes from a socket into frames. A frame that lies in one chunk is not copied; one that does not is put together in
 * a buffer of its own, so that each of its bytes is copied once (up to 256 KiB; twice beyond).
 */
export class FrameParser {
  readonly #sink: FrameSink;
  #frameMax = INITIAL_FRAME_MAX;
  #expects: 'protocol header' | 'frames' | 'nothing';

  /** What is being read, and how far that has come. */
  #chunk: Buffer = NOTHING;
  #at = 0;
  /** Chunks that came while it was paused. */
  #waiting: Buffer[] = [];
  #paused = false;
  #running = false;

  /** The beginning of a frame (or the protocol header) that a chunk ended in. */
  readonly #head = Buffer.alloc(PROTOCOL_HEADER.length);
  #headLength = 0;

  /** Payload and end of the frame that is being put together. */
  #frame: Buffer | undefined;
  #frameLength = 0;
  #type = 0;
  #channel = 0;
  #size = 0;

  /** A server's parser begins with the client's protocol header, a client's with the first frame. */
  constructor(sink: FrameSink, begin: 'protocol header' | 'frames' = 'protocol header') {
    this.#sink = sink;
    this.#expects = begin;
  }

  /** Sets the greatest frame that is taken, with what it has besides its payload, once that is agreed on. */
  set frameMax(bytes: number) {
    if (!Number.isInteger(bytes) || bytes < MIN_FRAME_MAX)
      throw new CodecError('SYNTAX_ERROR', `frame_max is ${bytes}; it is ${MIN_FRAME_MAX} at least`);
    this.#frameMax = bytes;
  }

  get frameMax(): number {
    return this.#frameMax;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Takes bytes, and calls the sink for each frame that they complete. Throws a `CodecError` for what is no frame, after which
   * nothing more is read. What the sink throws comes through; `push` and `resume` go on behind the frame that it threw for.
   */
  push(chunk: Buffer): void {
    if (this.#expects === 'nothing' || chunk.length === 0) return;
    if (this.#at < this.#chunk.length || this.#waiting.length > 0 || this.#paused || this.#running)
      this.#waiting.push(chunk);
    else {
      this.#chunk = chunk;
      this.#at = 0;
    }
    if (!this.#paused && !this.#running) this.#run();
  }

  /** No more calls until `resume`; also from within one. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on with what has come in the meantime. */
  resume(): void {
    this.#paused = false;
    if (!this.#running) this.#run();
  }

  /** Reads nothing more, and lets go of what it has. */
  stop(): void {
    this.#expects = 'nothing';
    this.#chunk = NOTHING;
    this.#at = 0;
    this.#waiting = [];
    this.#frame = undefined;
  }

  #run(): void {
    this.#running = true;
    try {
      do {
        while (!this.#paused && this.#at < this.#chunk.length) this.#step();
        if (this.#at < this.#chunk.length) return;
        this.#chunk = this.#waiting.shift() ?? NOTHING;
        this.#at = 0;
      } while (this.#chunk.length > 0);
    } finally {
      this.#running = false;
    }
  }

  /** Takes one frame or as much as there is of one. */
  #step(): void {
    if (this.#frame !== undefined) this.#continueFrame();
    else if (this.#expects === 'protocol header') this.#protocolHeader();
    else if (this.#headLength > 0) this.#continueHead();
    else this.#next();
  }

  /** The way of nearly all frames: whole, and in one piece. */
  #next(): void {
    const chunk = this.#chunk;
    const at = this.#at;
    const start = at + FRAME_HEAD_BYTES;
    if (start > chunk.length) {
      this.#gatherHead(FRAME_HEAD_BYTES);
      return;
    }
    // Within the chunk, as was just seen; reading single bytes costs less than the checks of readUInt.
    const type = chunk[at]!;
    const channel = (chunk[at + 1]! << 8) | chunk[at + 2]!;
    const size = chunk[at + 3]! * 0x100_0000 + ((chunk[at + 4]! << 16) | (chunk[at + 5]! << 8) | chunk[at + 6]!);
    this.#checkHead(type, channel, size);
    const end = start + size;
    if (end < chunk.length) {
      this.#checkEnd(chunk[end]!);
      this.#at = end + 1;
      this.#dispatch(type, channel, chunk, start, end);
    } else {
      this.#at = start;
      this.#beginFrame(type, channel, size);
    }
  }

  #dispatch(type: number, channel: number, buffer: Buffer, start: number, end: number): void {
    if (type === FRAME_METHOD) this.#sink.method(channel, buffer, start, end);
    else if (type === FRAME_BODY) this.#sink.body(channel, buffer, start, end);
    else if (type === FRAME_HEADER) this.#sink.header(channel, buffer, start, end);
    else this.#sink.heartbeat();
  }

  #checkHead(type: number, channel: number, size: number): void {
    // As RabbitMQ: clients that count only the payload are let through.
    if (size > this.#frameMax)
      throw this.#failed('FRAME_ERROR', `a frame of ${size} bytes; the limit is ${this.#frameMax}`);
    if (type === FRAME_METHOD || type === FRAME_HEADER || type === FRAME_BODY) return;
    if (type !== FRAME_HEARTBEAT) throw this.#failed('FRAME_ERROR', `a frame of the unknown type ${type}`);
    if (size > 0) throw this.#failed('FRAME_ERROR', `a heartbeat of ${size} bytes`);
    if (channel !== 0) throw this.#failed('UNEXPECTED_FRAME', `a heartbeat on channel ${channel}`);
  }

  #checkEnd(octet: number): void {
    if (octet !== FRAME_END)
      throw this.#failed('FRAME_ERROR', `a frame that ends with ${octet}, not with ${FRAME_END}`);
  }

  /** Answers whether the head has so many bytes now. */
  #gatherHead(bytes: number): boolean {
    const end = Math.min(this.#at + bytes - this.#headLength, this.#chunk.length);
    this.#chunk.copy(this.#head, this.#headLength, this.#at, end);
    this.#headLength += end - this.#at;
    this.#at = end;
    return this.#headLength === bytes;
  }

  #continueHead(): void {
    if (!this.#gatherHead(FRAME_HEAD_BYTES)) return;
    this.#headLength = 0;
    const type = this.#head.readUInt8(0);
    const channel = this.#head.readUInt16BE(1);
    const size = this.#head.readUInt32BE(3);
    this.#checkHead(type, channel, size);
    this.#beginFrame(type, channel, size);
  }

  #beginFrame(type: number, channel: number, size: number): void {
    this.#type = type;
    this.#channel = channel;
    this.#size = size;
    this.#frame = Buffer.allocUnsafe(Math.min(size + 1, FIRST_FRAME_BYTES));
    this.#frameLength = 0;
    if (this.#at < this.#chunk.length) this.#continueFrame();
  }

  #continueFrame(): void {
    const end = Math.min(this.#at + this.#size + 1 - this.#frameLength, this.#chunk.length);
    const frame = this.#roomFor(this.#frameLength + end - this.#at);
    this.#chunk.copy(frame, this.#frameLength, this.#at, end);
    this.#frameLength += end - this.#at;
    this.#at = end;
    if (this.#frameLength <= this.#size) return;
    this.#frame = undefined;
    this.#checkEnd(frame.readUInt8(this.#size));
    this.#dispatch(this.#type, this.#channel, frame, 0, this.#size);
  }

  #roomFor(bytes: number): Buffer {
    const frame = this.#frame ?? NOTHING;
    if (bytes <= frame.length) return frame;
    const larger = Buffer.allocUnsafe(Math.min(this.#size + 1, Math.max(bytes, 2 * frame.length)));
    frame.copy(larger, 0, 0, this.#frameLength);
    this.#frame = larger;
    return larger;
  }

  #protocolHeader(): void {
    if (!this.#gatherHead(PROTOCOL_HEADER.length)) return;
    this.#headLength = 0;
    const asked = askedProtocol(this.#head);
    if (asked === 'amqp-0-9-1') this.#expects = 'frames';
    else this.stop();
    this.#sink.protocolHeader(asked);
  }

  #failed(...[reply, message]: ConstructorParameters<typeof CodecError>): CodecError {
    this.stop();
    return new CodecError(reply, message);
  }
}

/** The protocol header of 0-9, which differs by nothing that matters here. */
const HEADER_0_9 = Buffer.from([0x41, 0x4d, 0x51, 0x50, 1, 1, 0, 9]);
const TLS_HANDSHAKE = 0x16;
const SSL_3 = 0x03;

function askedProtocol(head: Buffer): AskedProtocol {
  if (head.equals(PROTOCOL_HEADER) || head.equals(HEADER_0_9)) return 'amqp-0-9-1';
  if (head.compare(PROTOCOL_HEADER, 0, 4, 0, 4) === 0) return 'another amqp';
  if (head[0] === TLS_HANDSHAKE && head[1] === SSL_3) return 'tls';
  return /^(GET|HEAD|POST|PUT|OPTIONS|PATCH|DELETE) /.test(head.toString('latin1')) ? 'http' : 'unknown';
}
