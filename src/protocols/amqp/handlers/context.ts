import type { Broker, MessageBytes, Participant, Permissions, Principal, VirtualHost } from '../../../broker/index.ts';
import type { OutputBuffer } from '../codec/index.ts';
import type { Consumers } from '../consumers.ts';
import type { AmqpLimits } from '../limits.ts';
import type { Publishing } from '../publishing.ts';
import type { ReplyChannel, ReplyChannels } from '../reply-to.ts';

/** An open connection: who is connected, and to what. By identity, it is what exclusive queues belong to. */
export interface SessionContext {
  readonly broker: Broker;
  readonly virtualHost: VirtualHost;
  readonly permissions: Permissions;
  /** Who does what the connection does, for the audit log. */
  readonly principal: Principal;
  /** The same, for traces. */
  readonly participant: Participant;
  readonly replies: ReplyChannels;
  readonly limits: AmqpLimits;
  readonly output: OutputBuffer;
}

/** Everything that a method on a channel may use. */
export interface ChannelContext extends ReplyChannel {
  readonly session: SessionContext;
  readonly consumers: Consumers;
  readonly publishing: Publishing;
  /** The channel is no more: what still comes for it goes back. */
  readonly closed: boolean;
  /** The name of the queue that was declared last; empty before. */
  lastQueue: string;
  /** The tag under which it takes direct replies; undefined while it takes none. */
  replyTag: string | undefined;
  /** The queue that a method means: with an empty name, the one declared last. */
  queueNamed(name: string): string;
  /** Sends a message that was asked for. */
  got(deliveryTag: number, redelivered: boolean, message: MessageBytes, messageCount: number): void;
}
