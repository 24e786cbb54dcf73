import type { Socket } from 'node:net';
import { decodeProperties, encodeProperties, type Properties, tableOf } from '../broker/index.ts';
import { BrokerError, type ErrorCode } from '../errors.ts';
import {
  BASIC_CLASS,
  CONTENT_HEADER_BYTES,
  decodeMethod,
  encodeMethod,
  FRAME_OVERHEAD,
  FrameParser,
  type Method,
  type MethodInput,
  type MethodName,
  PROTOCOL_HEADER,
} from '../protocols/amqp/codec/index.ts';
import { connected, connectionError, type SocketOptions } from './socket.ts';

export interface AmqpClientOptions extends SocketOptions {
  readonly user?: string;
  readonly password?: string;
  readonly virtualHost?: string;
  /** How the list of connections is to name this client. */
  readonly name?: string;
  readonly onMessage?: (message: AmqpMessage) => void;
  /** Of publishes, from 1 on, once confirms are on. */
  readonly onConfirm?: (tag: number, multiple: boolean, taken: boolean) => void;
  /** The connection is lost, whatever the reason: nothing more comes. */
  readonly onLost?: (error: BrokerError) => void;
}

/** As it was delivered. */
export interface AmqpMessage {
  readonly consumerTag: string;
  readonly deliveryTag: number;
  readonly redelivered: boolean;
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  /** Decoded when they are asked for. */
  readonly properties: Properties;
}

export interface AmqpPublication {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  readonly properties?: Properties;
}

const CHANNEL = 1;
const CONNECT_MS = 30_000;
const FRAME_MAX = 131_072;
const FRAME = { method: 1, header: 2, body: 3, end: 0xce } as const;
const FRAME_HEAD_BYTES = 7;
const TWO_32 = 2 ** 32;

/** By the codes that the broker closes with. */
const CLOSE_CODES: Readonly<Record<number, ErrorCode>> = {
  403: 'access-refused',
  404: 'not-found',
  405: 'resource-locked',
  406: 'precondition-failed',
  530: 'not-allowed',
};

interface Waiting {
  readonly name: MethodName;
  resolve(method: Method): void;
  reject(error: BrokerError): void;
}

type Delivery = Omit<AmqpMessage, 'body' | 'properties'>;

/**
 * One connection to a broker that speaks AMQP 0-9-1, with one channel. What is sent within one turn of the event loop goes out at once.
 * Everything rejects with a `BrokerError`; an error of the channel ends the connection too.
 */
export class AmqpClient {
  readonly #options: AmqpClientOptions;
  readonly #socket: Socket;
  readonly #address: string;
  readonly #parser: FrameParser;
  readonly #waiting: Waiting[] = [];
  #frameMax = FRAME_MAX;
  #lost: BrokerError | undefined;
  #corked = false;
  #delivery: Delivery | undefined;
  #properties: Buffer = Buffer.alloc(0);
  #bodySize = 0;
  #body: Buffer[] = [];
  #bodyLength = 0;

  private constructor(socket: Socket, address: string, options: AmqpClientOptions) {
    this.#options = options;
    this.#socket = socket;
    this.#address = address;
    this.#parser = new FrameParser(
      {
        protocolHeader: () => {},
        method: (_channel, buffer, start, end) => this.#method(decodeMethod(buffer, start, end)),
        header: (_channel, buffer, start, end) => this.#header(buffer, start, end),
        body: (_channel, buffer, start, end) => this.#bodyPart(buffer.subarray(start, end)),
        heartbeat: () => {},
      },
      'frames',
    );
    socket.setTimeout(0);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(connectionError(address, error)));
    socket.on('close', () =>
      this.#fail(new BrokerError('closed', `${address} closed the connection; its log may say why`)),
    );
  }

  static async connect(options: AmqpClientOptions): Promise<AmqpClient> {
    const address = `${options.host}:${options.port}`;
    const client = new AmqpClient(await connected(options, CONNECT_MS, address), address, options);
    try {
      await client.#open();
      return client;
    } catch (error) {
      client.#socket.destroy();
      throw error;
    }
  }

  /** Sends a method on the channel, and resolves with the one that answers it. Answers come in the order of the calls. */
  async call<Answer extends MethodName, Asked extends MethodName>(
    name: Asked,
    fields: MethodInput<Asked>,
    answer: Answer,
  ): Promise<Method<Answer>> {
    return this.#exchange(CHANNEL, name, fields, answer);
  }

  publish({ exchange, routingKey, body, properties = {} }: AmqpPublication): void {
    const bytes = encodeProperties(properties);
    const header = Buffer.allocUnsafe(CONTENT_HEADER_BYTES + bytes.length);
    header.writeUInt16BE(BASIC_CLASS, 0);
    header.writeUInt16BE(0, 2);
    header.writeUInt32BE(Math.floor(body.length / TWO_32), 4);
    header.writeUInt32BE(body.length % TWO_32, 8);
    bytes.copy(header, CONTENT_HEADER_BYTES);
    this.#cork();
    this.#frame(FRAME.method, CHANNEL, encodeMethod('basic.publish', { exchange, routingKey }));
    this.#frame(FRAME.header, CHANNEL, header);
    const most = this.#frameMax - FRAME_OVERHEAD;
    for (let at = 0; at < body.length; at += most) this.#frame(FRAME.body, CHANNEL, body.subarray(at, at + most));
  }

  acknowledge(deliveryTag: number, multiple = false): void {
    this.#send(CHANNEL, 'basic.ack', { deliveryTag, multiple });
  }

  reject(deliveryTag: number, requeue: boolean): void {
    this.#send(CHANNEL, 'basic.reject', { deliveryTag, requeue });
  }

  /** Bytes that wait to be sent: a publisher that gives heed to it does not fill the memory. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Resolves when what was written has gone to the system. */
  async drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#socket.off('drain', done).off('close', done);
        resolve();
      };
      this.#socket.on('drain', done).on('close', done);
    });
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    if (this.#lost !== undefined) return;
    const goodbye = { replyCode: 200, replyText: 'goodbye', classId: 0, methodId: 0 };
    // Whoever is gone already needs no goodbye.
    await this.#exchange(0, 'connection.close', goodbye, 'connection.close-ok').catch(() => {});
    this.#lost ??= new BrokerError('closed', 'this client was closed');
    this.#socket.destroy();
  }

  async #open(): Promise<void> {
    const { user = 'guest', password = 'guest', virtualHost = '/', name } = this.#options;
    const started = this.#wait('connection.start');
    this.#socket.write(PROTOCOL_HEADER);
    await started;
    const shown = { product: 'sluice', ...(name !== undefined && { connection_name: name }) };
    const clientProperties = tableOf(shown);
    const response = Buffer.from(`\0${user}\0${password}`);
    const startOk = { clientProperties, mechanism: 'PLAIN', response, locale: 'en_US' };
    const { frameMax, channelMax } = await this.#exchange(0, 'connection.start-ok', startOk, 'connection.tune').catch(
      (error: unknown) => {
        throw new BrokerError('not-authorized', `${this.#address} did not let '${user}' in over AMQP`, {
          cause: error,
        });
      },
    );
    if (frameMax > 0) this.#frameMax = Math.min(frameMax, FRAME_MAX);
    this.#parser.frameMax = this.#frameMax;
    this.#send(0, 'connection.tune-ok', { channelMax, frameMax: this.#frameMax, heartbeat: 0 });
    await this.#exchange(0, 'connection.open', { virtualHost }, 'connection.open-ok');
    await this.#exchange(CHANNEL, 'channel.open', {}, 'channel.open-ok');
  }

  #exchange<Answer extends MethodName, Asked extends MethodName>(
    channel: number,
    name: Asked,
    fields: MethodInput<Asked>,
    answer: Answer,
  ): Promise<Method<Answer>> {
    const answered = this.#wait(answer);
    this.#send(channel, name, fields);
    return answered;
  }

  #wait<Answer extends MethodName>(name: Answer): Promise<Method<Answer>> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      // It is resolved with a method of that name only.
      this.#waiting.push({ name, resolve: (method) => resolve(method as Method<Answer>), reject });
    });
  }

  #send<Name extends MethodName>(channel: number, name: Name, fields: MethodInput<Name>): void {
    this.#cork();
    this.#frame(FRAME.method, channel, encodeMethod(name, fields));
  }

  /** Until the end of this turn. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    setImmediate(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #frame(type: number, channel: number, payload: Buffer): void {
    const head = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
    head[0] = type;
    head.writeUInt16BE(channel, 1);
    head.writeUInt32BE(payload.length, 3);
    this.#socket.write(head);
    this.#socket.write(payload);
    this.#socket.write(FRAME_END);
  }

  #receive(chunk: Buffer): void {
    try {
      this.#parser.push(chunk);
    } catch (error) {
      const what = `what answers at ${this.#address} does not speak AMQP 0-9-1`;
      this.#fail(error instanceof BrokerError ? error : new BrokerError('corrupt-message', what, { cause: error }));
    }
  }

  #method(method: Method): void {
    switch (method.name) {
      case 'basic.deliver': {
        const { consumerTag, deliveryTag, redelivered, exchange, routingKey } = method;
        this.#delivery = { consumerTag, deliveryTag, redelivered, exchange, routingKey };
        break;
      }
      case 'basic.ack':
      case 'basic.nack':
        this.#options.onConfirm?.(method.deliveryTag, method.multiple, method.name === 'basic.ack');
        break;
      case 'connection.close':
      case 'channel.close': {
        const { replyCode, replyText } = method;
        this.#fail(new BrokerError(CLOSE_CODES[replyCode] ?? 'closed', `${this.#address}: ${replyText}`));
        break;
      }
      case 'connection.blocked':
      case 'connection.unblocked':
      case 'basic.cancel':
        break;
      default:
        this.#answered(method);
    }
  }

  #answered(method: Method): void {
    const waiting = this.#waiting.shift();
    const due = waiting?.name ?? 'nothing';
    if (waiting === undefined || due !== method.name)
      throw new BrokerError('corrupt-message', `${this.#address} sent ${method.name} where ${due} was due`);
    waiting.resolve(method);
  }

  #header(buffer: Buffer, start: number, end: number): void {
    this.#bodySize = buffer.readUInt32BE(start + 4) * TWO_32 + buffer.readUInt32BE(start + 8);
    this.#properties = buffer.subarray(start + CONTENT_HEADER_BYTES, end);
    this.#body = [];
    this.#bodyLength = 0;
    if (this.#bodySize === 0) this.#complete();
  }

  #bodyPart(part: Buffer): void {
    this.#body.push(part);
    this.#bodyLength += part.length;
    if (this.#bodyLength >= this.#bodySize) this.#complete();
  }

  #complete(): void {
    const delivery = this.#delivery;
    this.#delivery = undefined;
    // What comes back unroutable is not asked for.
    if (delivery === undefined) return;
    const [only = Buffer.alloc(0)] = this.#body;
    const properties = this.#properties;
    this.#options.onMessage?.({
      ...delivery,
      body: this.#body.length > 1 ? Buffer.concat(this.#body) : only,
      get properties() {
        return decodeProperties(properties, 0, properties.length);
      },
    });
  }

  /** The first reason counts. */
  #fail(error: BrokerError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#socket.destroy();
    this.#options.onLost?.(error);
  }
}

const FRAME_END = Buffer.of(FRAME.end);
