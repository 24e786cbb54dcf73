import type { MessageBytes, Turns, VirtualHost } from '../../../broker/index.ts';
import type { Clock, Random } from '../../../environment/environment.ts';
import type { Consumers } from '../consumers.ts';
import type { Permissions } from '../permissions.ts';
import type { Publishing } from '../publishing.ts';
import type { ReplyChannels } from '../reply-to.ts';

/** Everything that a method on a channel may use. */
export interface ChannelContext {
  readonly virtualHost: VirtualHost;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly random: Random;
  readonly permissions: Permissions;
  readonly replies: ReplyChannels;
  readonly consumers: Consumers;
  readonly publishing: Publishing;
  /** The connection, by identity: exclusive queues are its own. */
  readonly owner: object;
  /** As negotiated. */
  readonly frameMax: number;
  readonly maxConsumers: number;
  /** The channel is no more: what still comes for it goes back. */
  readonly closed: boolean;
  /** The name of the queue that was declared last; empty before. */
  lastQueue: string;
  /** The queue that a method means: with an empty name, the one declared last. */
  queueNamed(name: string): string;
  /** Takes direct replies, or no longer. */
  replyTag: string | undefined;
  /** Sends a message that was asked for. */
  got(deliveryTag: number, redelivered: boolean, message: MessageBytes, messageCount: number): void;
  reply(message: MessageBytes): void;
}
