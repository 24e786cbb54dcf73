import { LoadSocket, type LoadSocketOptions } from '../load-socket.ts';
import { FrameScanner } from './frame-scanner.ts';
import {
  BODY_FRAME,
  HEADER_FRAME,
  long,
  longString,
  METHOD,
  METHOD_FRAME,
  methodFrame,
  octet,
  PROTOCOL_HEADER,
  short,
  shortString,
  table,
} from './frames.ts';

/** The only channel that a connection has: benches want more connections, not more channels. */
export const CHANNEL = 1;
const MAX_FRAME_BYTES = 131_072;
const OPEN_MS = 60_000;
const ZERO = 48;
/** In a header frame: after class and weight. */
const BODY_SIZE = 4;
const METHOD_BYTES = 4;

export interface Delivered {
  /** The number that is the consumer's tag. */
  consumer: number;
  deliveryTag: number;
  redelivered: boolean;
  /** Of the whole body. */
  size: number;
}

export interface AmqpConnectionOptions extends Omit<LoadSocketOptions, 'onBytes'> {
  /**
   * A message came, or the first frame of a large one; its body is `bytes` from `start` to before `end`. All of it holds
   * until the callback returns.
   */
  readonly onMessage?: (delivered: Readonly<Delivered>, bytes: Buffer, start: number, end: number) => void;
  readonly onConfirm?: (deliveryTag: number, multiple: boolean) => void;
  /** Something came, and is handed on next. */
  readonly onBeforeRead?: () => void;
  /** What came with one read of the socket has all been handed on. */
  readonly onRead?: () => void;
}

interface Expected {
  readonly method: number;
  readonly resolve: (fields: Buffer) => void;
}

/** A connection to an AMQP broker, with a channel open on it, that measures without being in the way. */
export class AmqpConnection {
  frameMax = MAX_FRAME_BYTES;
  readonly #options: AmqpConnectionOptions;
  readonly #scanner: FrameScanner;
  #socket: LoadSocket | undefined;
  readonly #expected: Expected[] = [];
  readonly #delivered: Delivered = { consumer: 0, deliveryTag: 0, redelivered: false, size: 0 };
  /** Whether a body frame is a message's first. */
  #first = false;

  private constructor(options: AmqpConnectionOptions) {
    this.#options = options;
    this.#scanner = new FrameScanner((type, _channel, bytes, start, end) => this.#frame(type, bytes, start, end));
  }

  static async open(options: AmqpConnectionOptions): Promise<AmqpConnection> {
    const { promise: lost, reject } = Promise.withResolvers<never>();
    let open = false;
    const connection = new AmqpConnection({
      ...options,
      onLost: (error) => (open ? options.onLost(error) : reject(error)),
    });
    const timeout = setTimeout(
      () => reject(new Error(`the broker opened no connection within ${OPEN_MS} ms`)),
      OPEN_MS,
    );
    try {
      await Promise.race([connection.#open(), lost]);
    } catch (error) {
      connection.end();
      throw error;
    } finally {
      clearTimeout(timeout);
    }
    open = true;
    return connection;
  }

  /** Sends a method on the channel and resolves with its answer's fields; answers come in the order of the calls. */
  call(method: number, answer: number, ...fields: readonly Buffer[]): Promise<Buffer> {
    const answered = this.#answer(answer);
    this.send(methodFrame(CHANNEL, method, ...fields));
    return answered;
  }

  /** The bytes are not to change until they were sent; the callback says so. */
  send(bytes: Uint8Array, sent?: () => void): void {
    this.#socket?.send(bytes, sent);
  }

  end(): void {
    this.#socket?.end();
  }

  async #open(): Promise<void> {
    this.#socket = await LoadSocket.open({
      ...this.#options,
      onBytes: (bytes, length) => {
        this.#options.onBeforeRead?.();
        this.#scanner.push(bytes, length);
        this.#options.onRead?.();
      },
    });
    const start = this.#answer(METHOD.connectionStart);
    this.send(PROTOCOL_HEADER);
    await start;
    const tune = this.#answer(METHOD.connectionTune);
    const credentials = longString('\0guest\0guest');
    const startOk = [table({ product: 'sluice-bench' }), shortString('PLAIN'), credentials, shortString('en_US')];
    this.send(methodFrame(0, METHOD.connectionStartOk, ...startOk));
    const limits = await tune;
    const frameMax = limits.readUInt32BE(2);
    if (frameMax > 0) this.frameMax = Math.min(frameMax, MAX_FRAME_BYTES);
    const heartbeat = short(0);
    this.send(methodFrame(0, METHOD.connectionTuneOk, short(CHANNEL), long(this.frameMax), heartbeat));
    const opened = this.#answer(METHOD.connectionOpenOk);
    this.send(methodFrame(0, METHOD.connectionOpen, shortString('/'), shortString(''), octet(0)));
    await opened;
    await this.call(METHOD.channelOpen, METHOD.channelOpenOk, shortString(''));
  }

  #answer(method: number): Promise<Buffer> {
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    this.#expected.push({ method, resolve });
    return promise;
  }

  #frame(type: number, bytes: Buffer, start: number, end: number): void {
    if (type === METHOD_FRAME) this.#method(bytes.readUInt32BE(start), bytes, start + METHOD_BYTES, end);
    else if (type === HEADER_FRAME) {
      this.#delivered.size = longLongAt(bytes, start + BODY_SIZE);
      this.#first = true;
    } else if (type === BODY_FRAME && this.#first) {
      this.#first = false;
      this.#options.onMessage?.(this.#delivered, bytes, start, end);
    }
  }

  #method(method: number, bytes: Buffer, start: number, end: number): void {
    const delivered = this.#delivered;
    switch (method) {
      case METHOD.basicDeliver: {
        const tagEnd = start + 1 + (bytes[start] ?? 0);
        let consumer = 0;
        for (let at = start + 1; at < tagEnd; at++) consumer = consumer * 10 + (bytes[at] ?? 0) - ZERO;
        delivered.consumer = consumer;
        delivered.deliveryTag = longLongAt(bytes, tagEnd);
        delivered.redelivered = bytes[tagEnd + 8] !== 0;
        return;
      }
      case METHOD.basicAck:
        this.#options.onConfirm?.(longLongAt(bytes, start), bytes[start + 8] !== 0);
        return;
      case METHOD.basicNack:
        throw new Error(`the broker did not take message ${longLongAt(bytes, start)}`);
      case METHOD.connectionClose:
      case METHOD.channelClose: {
        const text = bytes.toString('utf8', start + 3, start + 3 + (bytes[start + 2] ?? 0));
        throw new Error(`the broker closed with ${bytes.readUInt16BE(start)}: ${text}`);
      }
      default: {
        const expected = this.#expected.shift();
        if (expected?.method !== method)
          throw new Error(`method ${nameOf(method)} came where ${nameOf(expected?.method)} was expected`);
        expected.resolve(Buffer.from(bytes.subarray(start, end)));
      }
    }
  }
}

/** Delivery tags and sizes that benches see are far below 2⁵³. */
function longLongAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
}

function nameOf(method: number | undefined): string {
  if (method === undefined) return 'nothing';
  return `${method >>> 16}.${method & 0xffff}`;
}
