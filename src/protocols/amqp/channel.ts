import type { Broker, MessageBytes, Turns, VirtualHost } from '../../broker/index.ts';
import type { Clock, Random } from '../../environment/environment.ts';
import {
  decodeMethod,
  type Method,
  type MethodInput,
  type MethodName,
  methodId,
  type OutputBuffer,
} from './codec/index.ts';
import { Consumers, type DeliveryOutput, shortString } from './consumers.ts';
import { ContentAssembler } from './content.ts';
import { AmqpError, REPLIES, type Refusal } from './errors.ts';
import { settle } from './handlers/basic.ts';
import { handleMethod, type MethodChannel } from './handlers/index.ts';
import type { AmqpLimits } from './limits.ts';
import type { Permissions } from './permissions.ts';
import { Publishing, type PublishOutput } from './publishing.ts';
import type { ReplyChannel, ReplyChannels } from './reply-to.ts';

const PUBLISH = methodId('basic.publish');
const ACK = methodId('basic.ack');
const METHOD_ID_BYTES = 4;
/** Of the payload: class and method, delivery tag, multiple. */
const ACK_BYTES = METHOD_ID_BYTES + 8 + 1;
const NO_METHOD = 0;

/** What a frame that waits costs besides its payload. */
const DEFERRED_FRAME_BYTES = 64;

/** A connection as its channels see it. */
export interface ChannelHost {
  readonly broker: Broker;
  readonly virtualHost: VirtualHost;
  readonly permissions: Permissions;
  readonly replies: ReplyChannels;
  readonly limits: AmqpLimits;
  readonly output: OutputBuffer;
  /** The client understands `basic.cancel` from the broker. */
  readonly cancelNotify: boolean;
  /** So much waits to be written that consumers get nothing more. */
  readonly congested: boolean;
  /** So much that nothing more should be asked for. */
  readonly saturated: boolean;
  /** Calls back once, when it is not congested any more. */
  onRelieved(callback: () => void): void;
  /** Something was put in the output. */
  wrote(): void;
  /** A message was published. */
  published(): void;
  /** So many bytes more (or fewer) wait for operations before them. */
  deferred(bytes: number): void;
  /** An operation is under way that the connection does not end before. */
  track(operation: Promise<void>): void;
  /** Something that was not thrown while a frame was handled went wrong. */
  failed(channel: Channel, error: unknown): void;
  /** The channel is closed, on both sides: its number is free. */
  channelClosed(channel: Channel): void;
}

type FrameKind = 'method' | 'header' | 'body';

/** One channel of a connection: its frames, in order. */
export class Channel implements MethodChannel, ReplyChannel, PublishOutput, DeliveryOutput {
  readonly number: number;
  readonly consumers: Consumers;
  readonly publishing: Publishing;
  lastQueue = '';
  /** Class and method that are being handled, for when they fail. */
  current = NO_METHOD;

  readonly #host: ChannelHost;
  readonly #content = new ContentAssembler();
  #state: 'starting' | 'open' | 'closing' | 'closed' = 'starting';
  /** A method is under way that what follows has to wait for. */
  #busy = false;
  /** Frames have to wait for that, or for others that do. */
  #behind = false;
  #deferred: { readonly kind: FrameKind; readonly payload: Buffer }[] = [];
  #replyTag: { readonly text: string; readonly bytes: Buffer } | undefined;
  readonly #resume = () => this.#handleDeferred();

  constructor(number: number, host: ChannelHost) {
    this.number = number;
    this.#host = host;
    this.consumers = new Consumers(this);
    const { virtualHost, permissions, replies, limits, broker } = host;
    const { maxMessageBytes, maxTransactionBytes } = limits;
    this.publishing = new Publishing({
      virtualHost,
      permissions,
      replies,
      turns: broker.turns,
      output: this,
      maxMessageBytes,
      maxTransactionBytes,
    });
  }

  // What methods on the channel use.

  get virtualHost(): VirtualHost {
    return this.#host.virtualHost;
  }

  get turns(): Turns {
    return this.#host.broker.turns;
  }

  get clock(): Clock {
    return this.#host.broker.environment.clock;
  }

  get random(): Random {
    return this.#host.broker.environment.random;
  }

  get permissions(): Permissions {
    return this.#host.permissions;
  }

  get replies(): ReplyChannels {
    return this.#host.replies;
  }

  get owner(): object {
    return this.#host;
  }

  get frameMax(): number {
    return this.#host.output.frameMax;
  }

  get maxConsumers(): number {
    return this.#host.limits.maxConsumersPerChannel;
  }

  get closed(): boolean {
    return this.#state !== 'open';
  }

  /** Nothing is under way, and every publish is answered. */
  get idle(): boolean {
    return !this.#busy && this.#deferred.length === 0 && this.publishing.unconfirmed === 0;
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

  // Frames that come. What these throw closes the channel or the connection.

  method(buffer: Buffer, start: number, end: number): void {
    if (this.#behind) this.#defer('method', buffer, start, end);
    else this.#method(buffer, start, end);
  }

  header(buffer: Buffer, start: number, end: number): void {
    if (this.#behind) this.#defer('header', buffer, start, end);
    else this.#header(buffer, start, end);
  }

  body(buffer: Buffer, start: number, end: number): void {
    if (this.#behind) this.#defer('body', buffer, start, end);
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
    this.#state = 'closing';
    this.#release();
  }

  /** The connection goes: nothing is sent any more. */
  abandon(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#release();
  }

  // Frames that go.

  send<N extends MethodName>(name: N, fields: MethodInput<N>): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#host.output.method(this.number, name, fields);
    this.#host.wrote();
  }

  confirm(number: number, multiple: boolean): void {
    this.#host.output.ack(this.number, number, multiple);
    this.#host.wrote();
  }

  nack(number: number, multiple: boolean): void {
    this.#host.output.nack(this.number, number, multiple, false);
    this.#host.wrote();
  }

  returned(message: MessageBytes): void {
    this.#host.output.return(this.number, REPLIES.NO_ROUTE.code, 'NO_ROUTE', message);
    this.#host.wrote();
  }

  deliver(consumerTag: Buffer, deliveryTag: number, redelivered: boolean, message: MessageBytes): void {
    this.#host.output.deliver(this.number, consumerTag, deliveryTag, redelivered, message);
    this.#host.wrote();
  }

  got(deliveryTag: number, redelivered: boolean, message: MessageBytes, messageCount: number): void {
    this.#host.output.getOk(this.number, deliveryTag, redelivered, message, messageCount);
    this.#host.wrote();
  }

  /** A direct reply. It is not kept for a client that takes no more. */
  reply(message: MessageBytes): void {
    if (this.#replyTag === undefined || this.#host.saturated) return;
    this.deliver(this.#replyTag.bytes, this.consumers.took(undefined), false, message);
  }

  consumerCancelled(consumerTag: string): void {
    if (this.#host.cancelNotify) this.send('basic.cancel', { consumerTag, noWait: true });
  }

  get congested(): boolean {
    return this.#host.congested;
  }

  onRelieved(callback: () => void): void {
    this.#host.onRelieved(callback);
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
    if (this.#takesContent() && this.#content.body(buffer, start, end)) this.#publish();
  }

  /** Frames of a message on a channel that is being closed are what was under way. */
  #takesContent(): boolean {
    if (this.#content.expectsContent) return this.#state === 'open';
    // No method is to blame.
    this.current = NO_METHOD;
    return this.#state !== 'closing' && this.#state !== 'closed';
  }

  #publish(): void {
    const content = this.#content;
    if (content.immediate) throw new AmqpError('NOT_IMPLEMENTED', 'immediate=true');
    try {
      this.publishing.publish(content.message, content.mandatory);
    } finally {
      content.release();
    }
    this.#host.published();
  }

  #run(method: Method): void {
    if (method.name === 'channel.close') {
      this.#release();
      this.send('channel.close-ok', {});
      this.#state = 'closed';
      this.#host.channelClosed(this);
      return;
    }
    if (method.name === 'channel.open') throw new AmqpError('CHANNEL_ERROR', "second 'channel.open' seen");
    const done = handleMethod(this, method);
    if (done !== undefined) this.#wait(done);
  }

  #methodWhileNotOpen(id: number, buffer: Buffer, start: number, end: number): void {
    this.current = id;
    if (this.#state === 'starting') {
      if (id !== methodId('channel.open')) throw new AmqpError('CHANNEL_ERROR', "expected 'channel.open'");
      decodeMethod(buffer, start, end);
      this.#state = 'open';
      this.send('channel.open-ok', {});
      return;
    }
    // Whatever was under way when the channel was closed is not looked at.
    if (id === methodId('channel.close-ok')) {
      this.#state = 'closed';
      this.#host.channelClosed(this);
    } else if (id === methodId('channel.close')) {
      this.#host.output.method(this.number, 'channel.close-ok', {});
      this.#host.wrote();
    }
  }

  #wait(operation: Promise<void>): void {
    this.#busy = true;
    this.#behind = true;
    this.#host.track(
      operation.then(
        () => this.#finished(),
        (error: unknown) => {
          if (this.#state === 'open') this.#host.failed(this, error);
          this.#finished();
        },
      ),
    );
  }

  #finished(): void {
    this.#busy = false;
    this.#handleDeferred();
  }

  /** Frames' payloads are copied: they hold on to no chunk of the socket's. */
  #defer(kind: FrameKind, buffer: Buffer, start: number, end: number): void {
    const payload = Buffer.from(buffer.subarray(start, end));
    this.#deferred.push({ kind, payload });
    this.#host.deferred(payload.length + DEFERRED_FRAME_BYTES);
  }

  #handleDeferred(): void {
    const deferred = this.#deferred;
    let handled = 0;
    let bytes = 0;
    while (handled < deferred.length && !this.#busy) {
      if (this.#host.saturated && this.#state === 'open') {
        this.#host.onRelieved(this.#resume);
        break;
      }
      // Within the list.
      const { kind, payload } = deferred[handled++]!;
      bytes += payload.length + DEFERRED_FRAME_BYTES;
      try {
        if (kind === 'method') this.#method(payload, 0, payload.length);
        else if (kind === 'header') this.#header(payload, 0, payload.length);
        else this.#body(payload, 0, payload.length);
      } catch (error) {
        this.#host.failed(this, error);
      }
    }
    deferred.splice(0, handled);
    this.#behind = this.#busy || deferred.length > 0;
    if (bytes > 0) this.#host.deferred(-bytes);
  }

  /** Lets go of everything that the channel has in the broker. */
  #release(): void {
    const { transaction } = this.publishing;
    if (transaction !== undefined) {
      this.consumers.restore(transaction.settlements.flatMap(({ taken }) => taken));
      transaction.clear();
    }
    this.consumers.close();
    this.publishing.close();
    this.#content.release();
    this.replyTag = undefined;
  }
}
