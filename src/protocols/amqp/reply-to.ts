import type { MessageBytes, VirtualHost } from '../../broker/index.ts';
import type { Random } from '../../environment/environment.ts';

/** The pseudo-queue that a channel consumes its replies from, and that its requests name as where to reply. */
export const REPLY_TO = 'amq.rabbitmq.reply-to';
/** Begins the routing key that reaches one such channel. */
export const REPLY_TO_PREFIX = `${REPLY_TO}.`;

/** Enough that nobody guesses where another's replies go. */
const TOKEN_BYTES = 18;

/** A channel that takes replies. */
export interface ReplyChannel {
  /** Replies come from the same one only. */
  readonly virtualHost: VirtualHost;
  /** A reply for it; the bytes are valid during the call only. */
  reply(message: MessageBytes): void;
}

/** Where direct replies go: channels by the routing key that reaches each, on all listeners. */
export class ReplyChannels {
  readonly #random: Random;
  readonly #channels = new Map<string, ReplyChannel>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Answers the routing key. */
  add(channel: ReplyChannel): string {
    const key = `${REPLY_TO_PREFIX}${this.#random.bytes(TOKEN_BYTES).toString('base64url')}`;
    this.#channels.set(key, channel);
    return key;
  }

  remove(key: string): void {
    this.#channels.delete(key);
  }

  /** The channel that a routing key reaches in a virtual host. */
  get(key: string, virtualHost: VirtualHost): ReplyChannel | undefined {
    const channel = this.#channels.get(key);
    return channel?.virtualHost === virtualHost ? channel : undefined;
  }
}
