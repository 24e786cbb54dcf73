import {
  type Broker,
  type FieldTable,
  type Participant,
  Permissions,
  type Principal,
  type User,
  type VirtualHost,
} from '../../broker/index.ts';
import { Channel, type ChannelHost } from './channel.ts';
import type { OutputBuffer } from './codec/index.ts';
import { AmqpError } from './errors.ts';
import type { Opened } from './handshake.ts';
import type { AmqpLimits } from './limits.ts';
import type { ReplyChannels } from './reply-to.ts';
import { hasCapability } from './server-properties.ts';
import type { SocketOutput } from './socket-output.ts';

/** Bodies of the largest size that may be under way on the channels of one connection. */
const BODIES_UNDER_WAY = 4;

export interface SessionOptions {
  readonly broker: Broker;
  readonly replies: ReplyChannels;
  readonly limits: AmqpLimits;
  readonly opened: Opened;
  readonly clientProperties: FieldTable;
  readonly participant: Participant;
  readonly output: SocketOutput;
  /** Something went wrong on a channel after what asked for it was handled. */
  failed(error: unknown, channel: Channel): void;
  /** `deferredBytes` has changed. */
  deferredChanged(): void;
}

/** What a connection is once it is open: a user in a virtual host, and channels. Exclusive queues belong to it. */
export class Session implements ChannelHost {
  readonly broker: Broker;
  readonly virtualHost: VirtualHost;
  readonly user: User;
  readonly permissions: Permissions;
  readonly principal: Principal;
  readonly participant: Participant;
  readonly replies: ReplyChannels;
  readonly limits: AmqpLimits;
  readonly output: OutputBuffer;
  readonly cancelNotify: boolean;
  readonly toldWhenBlocked: boolean;
  /** Something was published since somebody set this to false. */
  hasPublished = false;
  /** Bytes of frames that wait for operations before them. */
  deferredBytes = 0;

  readonly #options: SessionOptions;
  readonly #socketOutput: SocketOutput;
  readonly #channels = new Map<number, Channel>();
  /** Frames of one channel come in rows. */
  #last: Channel | undefined;
  readonly #operations = new Set<Promise<void>>();
  /** Bytes of bodies that are being put together, on all channels. */
  #gathered = 0;

  constructor(options: SessionOptions) {
    const { broker, replies, limits, opened, clientProperties, output, participant } = options;
    this.#options = options;
    this.broker = broker;
    this.virtualHost = opened.virtualHost;
    this.user = opened.user;
    this.principal = opened.principal;
    this.permissions = new Permissions(opened.user, opened.virtualHost.name);
    this.participant = participant;
    this.replies = replies;
    this.limits = limits;
    this.#socketOutput = output;
    this.output = output.buffer;
    this.cancelNotify = hasCapability(clientProperties, 'consumer_cancel_notify');
    this.toldWhenBlocked = hasCapability(clientProperties, 'connection.blocked');
  }

  /** Nothing is under way. */
  get idle(): boolean {
    if (this.#operations.size > 0) return false;
    for (const channel of this.#channels.values()) if (!channel.idle) return false;
    return true;
  }

  get channels(): Iterable<Channel> {
    return this.#channels.values();
  }

  /** The channel of a frame; one that is not open yet when there is none. Throws `NOT_ALLOWED` beyond the limit. */
  channel(number: number): Channel {
    const last = this.#last;
    if (last !== undefined && last.number === number) return last;
    const channel = this.#channels.get(number) ?? this.#create(number);
    this.#last = channel;
    return channel;
  }

  /** Whatever was published by now is answered, or will never be. */
  async confirmed(): Promise<void> {
    const { turns } = this.broker;
    while ([...this.#channels.values()].some(({ publishing }) => publishing.unconfirmed > 0))
      await new Promise<void>((resolve) => turns.current.wait({ turnSettled: () => resolve() }));
  }

  /** Closes all channels: nothing comes or goes on them any more. */
  abandon(): void {
    for (const channel of this.#channels.values()) channel.abandon();
    this.broker.meters.churn.channelsClosed += this.#channels.size;
    this.#channels.clear();
    this.#last = undefined;
  }

  /** Likewise; resolves when what was under way is done, and the exclusive queues are gone. */
  async end(): Promise<void> {
    this.abandon();
    while (this.#operations.size > 0) await Promise.all(this.#operations);
    await this.virtualHost.ownerGone(this);
  }

  // What channels ask of their connection.

  get congested(): boolean {
    return this.#socketOutput.congested;
  }

  get saturated(): boolean {
    return this.#socketOutput.saturated;
  }

  onRelieved(callback: () => void): void {
    this.#socketOutput.onRelieved(callback);
  }

  wrote(): void {
    this.#socketOutput.wrote();
  }

  published(): void {
    this.hasPublished = true;
  }

  gathered(bytes: number): void {
    this.#gathered += bytes;
    const most = this.limits.maxMessageBytes * BODIES_UNDER_WAY;
    if (this.#gathered > most && bytes > 0)
      throw new AmqpError('RESOURCE_ERROR', `bodies under way on all channels are larger than ${most} bytes`);
  }

  deferred(bytes: number): void {
    this.deferredBytes += bytes;
    this.#options.deferredChanged();
  }

  track(operation: Promise<void>): void {
    this.#operations.add(operation);
    void operation.finally(() => this.#operations.delete(operation));
  }

  failed(channel: Channel, error: unknown): void {
    this.#options.failed(error, channel);
  }

  channelClosed(channel: Channel): void {
    if (this.#channels.delete(channel.number)) this.broker.meters.churn.channelsClosed++;
    if (this.#last === channel) this.#last = undefined;
  }

  #create(number: number): Channel {
    const { channelMax } = this.#options.opened;
    if (this.#channels.size >= channelMax)
      throw new AmqpError(
        'NOT_ALLOWED',
        `number of channels opened (${this.#channels.size}) has reached the negotiated channel_max (${channelMax})`,
      );
    const channel = new Channel(number, this);
    this.#channels.set(number, channel);
    this.broker.meters.churn.channelsOpened++;
    return channel;
  }
}
