import type { MessageBytes, VirtualHost } from '../../broker/index.ts';
import { ChannelMeter, PROTOCOL } from './channel-meter.ts';
import { ChannelOutput, type ConnectionOutput } from './channel-output.ts';
import { decodeMethod, type Method, type MethodInput, type MethodName, methodId } from './codec/index.ts';
import { Consumers, shortString } from './consumers.ts';
import { ContentAssembler } from './content.ts';
import { AmqpError, type Refusal } from './errors.ts';
import { FrameBacklog, type FrameKind } from './frame-backlog.ts';
import { settle } from './handlers/basic.ts';
import type { SessionContext } from './handlers/context.ts';
import { handleMethod, type MethodChannel } from './handlers/index.ts';
import { Publishing } from './publishing.ts';
import type { ReplyChannel } from './reply-to.ts';

const OPEN = methodId('channel.open');
const CLOSE = methodId('channel.close');
const CLOSE_OK = methodId('channel.close-ok');
const PUBLISH = methodId('basic.publish');
const ACK = methodId('basic.ack');
const METHOD_ID_BYTES = 4;
/** Of the payload: class and method, delivery tag, multiple. */
const ACK_BYTES = METHOD_ID_BYTES + 8 + 1;
const NO_METHOD = 0;

/** A connection as its channels see it. */
export interface ChannelHost extends SessionContext, ConnectionOutput {
  /** A message was published. */
  published(): void;
  /** So many bytes of bodies more (or fewer) are here of messages that are not whole. Throws `RESOURCE_ERROR` beyond the limit. */
  gathered(bytes: number): void;
  /** So many bytes more (or fewer) wait for operations before them. */
  deferred(bytes: number): void;
  /** An operation is under way that the connection does not end before. */
  track(operation: Promise<void>): void;
  /** Something that was not thrown while a frame was handled went wrong. */
  failed(channel: Channel, error: unknown): void;
  /** The channel is closed, on both sides: its number is free. */
  channelClosed(channel: Channel): void;
}

/** One channel of a connection: its frames, in order. */
export class Channel implements MethodChannel, ReplyChannel {
  readonly number: number;
  readonly session: ChannelHost;
  readonly consumers: Consumers;
  readonly publishing: Publishing;
  readonly meter: ChannelMeter;
  lastQueue = '';
  /** Class and method that are being handled, for when they fail. */
  current = NO_METHOD;

  readonly #output: ChannelOutput;
  readonly #content = new ContentAssembler();
  readonly #backlog: FrameBacklog;
  #state: 'starting' | 'open' | 'closing' | 'closed' = 'starting';
  /** A method is under way that what follows has to wait for. */
  #busy = false;
  /** Frames have to wait for that, or for others that do. */
  #behind = false;
  /** Bytes of the body that is being put together. */
  #gathered = 0;
  #replyTag: { readonly text: string; readonly bytes: Buffer } | undefined;
  readonly #resume = () => this.#goOn();

  constructor(number: number, session: ChannelHost) {
    this.number = number;
    this.session = session;
    const { limits } = session;
    this.meter = new ChannelMeter(session.broker.meters.protocol(PROTOCOL));
    this.#output = new ChannelOutput(number, session);
    this.#backlog = new FrameBacklog((bytes) => session.deferred(bytes));
    this.consumers = new Consumers(this.#output, limits.maxUnacknowledgedPerChannel, this.meter);
    this.publishing = new Publishing(session, this.#output, this.meter);
  }

  get virtualHost(): VirtualHost {
    return this.session.virtualHost;
  }

  get closed(): boolean {
    return this.#state !== 'open';
  }

  /** Nothing is under way, and every publish is answered. */
  get idle(): boolean {
    return !this.#behind && this.publishing.unconfirmed === 0;
  }

  get replyTag(): string | undefined {
    return this.#replyTag?.text;
  }

  set replyTag(text: string | undefined) {
    this.#replyTag = text === undefined ? undefined : { text, bytes: shortString(text) };
  }

  queueNamed(name: string): string {
    if (name !== '') return name;
    if (this.lastQueue === '') throw new AmqpError('NOT_FOUND', 'no previously declared queue');
    return this.lastQueue;
  }

  send<N extends MethodName>(name: N, fields: MethodInput<N>): void {
    this.#output.send(name, fields);
  }

  got(deliveryTag: number, redelivered: boolean, message: MessageBytes, messageCount: number): void {
    this.#output.got(deliveryTag, redelivered, message, messageCount);
  }

  /** A direct reply. It is not kept for a client that takes no more. */
  reply(message: MessageBytes): void {
    if (this.#replyTag === undefined || this.#output.saturated) return;
    this.#output.deliver(this.#replyTag.bytes, this.consumers.took(undefined), false, message);
  }

  // Frames that come. What these throw closes the channel or the connection.

  method(buffer: Buffer, start: number, end: number): void {
    if (this.#behind) this.#backlog.add('method', buffer, start, end);
    else this.#method(buffer, start, end);
  }

  header(buffer: Buffer, start: number, end: number): void {
    if (this.#behind) this.#backlog.add('header', buffer, start, end);
    else this.#header(buffer, start, end);
  }

  body(buffer: Buffer, start: number, end: number): void {
    if (this.#behind) this.#backlog.add('body', buffer, start, end);
    else this.#body(buffer, start, end);
  }

  /** Closes the channel for what was asked on it. */
  refuse({ code, text }: Refusal): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    const { current } = this;
    this.send('channel.close', {
      replyCode: code,
      replyText: text,
      classId: current >>> 16,
      methodId: current & 0xffff,
    });
    this.#release('closing');
  }

  /** The connection goes: nothing is sent any more. */
  abandon(): void {
    if (this.#state === 'closed') return;
    this.#backlog.clear();
    this.#release('closed');
  }

  #method(buffer: Buffer, start: number, end: number): void {
    const id = end - start < METHOD_ID_BYTES ? NO_METHOD : buffer.readUInt32BE(start);
    if (this.#state !== 'open') {
      this.#methodWhileNotOpen(id, buffer, start, end);
      return;
    }
    if (this.#content.expectsContent) throw this.#content.unexpected();
    this.current = id;
    if (id === PUBLISH) this.#content.publish(buffer, start + METHOD_ID_BYTES, end);
    else if (id === ACK && end - start === ACK_BYTES) {
      const tag = buffer.readUInt32BE(start + 4) * 0x1_0000_0000 + buffer.readUInt32BE(start + 8);
      settle(this, 'acknowledge', tag, ((buffer[start + 12] ?? 0) & 1) !== 0);
    } else this.#run(decodeMethod(buffer, start, end));
  }

  #header(buffer: Buffer, start: number, end: number): void {
    if (!this.#takesContent()) return;
    const whole = this.#content.header(buffer, start, end);
    this.publishing.checkSize(this.#content.bodySize);
    if (whole) this.#publish();
  }

  #body(buffer: Buffer, start: number, end: number): void {
    if (!this.#takesContent()) return;
    if (this.#content.body(buffer, start, end)) this.#publish();
    else this.#gather(end - start);
  }

  /** Frames of a message on a channel that is being closed are what was under way. */
  #takesContent(): boolean {
    if (this.#content.expectsContent) return this.#state === 'open';
    // No method is to blame.
    this.current = NO_METHOD;
    return this.#state !== 'closing' && this.#state !== 'closed';
  }

  #gather(bytes: number): void {
    this.#gathered += bytes;
    this.session.gathered(bytes);
  }

  #publish(): void {
    if (this.#gathered > 0) this.#gather(-this.#gathered);
    const content = this.#content;
    if (content.immediate) throw new AmqpError('NOT_IMPLEMENTED', 'immediate=true');
    try {
      this.publishing.publish(content.message, content.mandatory);
    } finally {
      content.release();
    }
    this.session.published();
  }

  #run(method: Method): void {
    if (method.name === 'channel.close') {
      this.send('channel.close-ok', {});
      this.#release('closed');
      this.session.channelClosed(this);
      return;
    }
    if (method.name === 'channel.open') throw new AmqpError('CHANNEL_ERROR', "second 'channel.open' seen");
    const done = handleMethod(this, method);
    if (done !== undefined) this.#wait(done);
  }

  #methodWhileNotOpen(id: number, buffer: Buffer, start: number, end: number): void {
    this.current = id;
    if (this.#state === 'starting') {
      if (id !== OPEN) throw new AmqpError('CHANNEL_ERROR', "expected 'channel.open'");
      decodeMethod(buffer, start, end);
      this.#state = 'open';
      this.send('channel.open-ok', {});
      return;
    }
    // Whatever was under way when the channel was closed is not looked at.
    if (id === CLOSE_OK) {
      this.#state = 'closed';
      this.session.channelClosed(this);
    } else if (id === CLOSE) {
      this.session.output.method(this.number, 'channel.close-ok', {});
      this.session.wrote();
    }
  }

  #wait(operation: Promise<void>): void {
    this.#busy = true;
    this.#behind = true;
    this.session.track(
      operation
        .catch((error: unknown) => {
          if (this.#state === 'open') this.session.failed(this, error);
        })
        .then(() => {
          this.#busy = false;
          this.#goOn();
        }),
    );
  }

  /** Goes on with the frames that had to wait. */
  #goOn(): void {
    this.#backlog.replay(
      () => !this.#busy && !this.#mustWait(),
      (kind, payload) => this.#handle(kind, payload),
    );
    this.#behind = this.#busy || !this.#backlog.empty;
  }

  /** A client that asks for more than it takes has to take first. */
  #mustWait(): boolean {
    if (this.#state !== 'open' || !this.#output.saturated) return false;
    this.#output.onRelieved(this.#resume);
    return true;
  }

  #handle(kind: FrameKind, payload: Buffer): void {
    try {
      if (kind === 'method') this.#method(payload, 0, payload.length);
      else if (kind === 'header') this.#header(payload, 0, payload.length);
      else this.#body(payload, 0, payload.length);
    } catch (error) {
      this.session.failed(this, error);
    }
  }

  /** Lets go of everything that the channel has in the broker. */
  #release(state: 'closing' | 'closed'): void {
    this.#state = state;
    this.#output.closed = true;
    const { transaction } = this.publishing;
    if (transaction !== undefined) {
      this.consumers.restore(transaction.settlements.flatMap(({ taken }) => taken));
      transaction.clear();
    }
    this.consumers.close();
    this.publishing.close();
    this.#content.release();
    if (this.#gathered > 0) this.#gather(-this.#gathered);
    this.#replyTag = undefined;
  }
}
