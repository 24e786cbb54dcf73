import {
  type Delivery,
  erlangType,
  type FieldTable,
  integerOf,
  type MessageBytes,
  type QueueEntry,
} from '../../../broker/index.ts';
import type { ChannelConsumer, Settleable, Settlement, Subscription } from '../consumers.ts';
import { withDeliveryCount } from '../delivery-count.ts';
import { AmqpError } from '../errors.ts';
import { REPLY_TO } from '../reply-to.ts';
import { consumeStream, refuseForStream, STREAM_DELIVERY } from '../stream-consumer.ts';
import type { Outstanding } from '../unacknowledged.ts';
import type { ChannelContext } from './context.ts';

interface Qos {
  readonly prefetchSize: number;
  readonly prefetchCount: number;
  readonly global: boolean;
}

export function qos({ consumers }: ChannelContext, { prefetchSize, prefetchCount, global }: Qos): void {
  if (prefetchSize !== 0) throw new AmqpError('NOT_IMPLEMENTED', `prefetch_size!=0 (${prefetchSize})`);
  if (global) consumers.channelPrefetch = prefetchCount;
  else {
    consumers.prefetch = prefetchCount;
    // As RabbitMQ has it: the one takes the place of the other.
    consumers.channelPrefetch = 0;
  }
}

interface Consume {
  readonly queue: string;
  readonly consumerTag: string;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly arguments: FieldTable;
}

/** Answers the consumer tag. */
export function consume(channel: ChannelContext, args: Consume): string {
  const { consumers, session } = channel;
  const { permissions, virtualHost } = session;
  const name = channel.queueNamed(args.queue);
  if (consumers.has(args.consumerTag) || (args.consumerTag !== '' && args.consumerTag === channel.replyTag))
    throw new AmqpError('NOT_ALLOWED', `attempt to reuse consumer tag '${args.consumerTag}'`);
  const { maxConsumersPerChannel } = session.limits;
  if (consumers.size >= maxConsumersPerChannel)
    throw new AmqpError('NOT_ALLOWED', `reached maximum (${maxConsumersPerChannel}) of consumers per channel`);
  const tag = args.consumerTag === '' ? generatedTag(channel) : args.consumerTag;
  if (name === REPLY_TO) {
    consumeReplies(channel, tag, args.noAck);
    return tag;
  }
  permissions.check('read', 'queue', name);
  const entry = virtualHost.checkQueue(name, session);
  const { noAck, exclusive } = args;
  const priority = priorityOf(args.arguments, entry, virtualHost.name);
  const countsDeliveries = entry.type === 'quorum';
  const { prefetch } = consumers;
  const options = {
    tag,
    queue: name,
    arguments: args.arguments,
    noAck,
    exclusive,
    priority,
    prefetch,
    countsDeliveries,
    participant: session.participant,
  };
  consumers.add(options, (consumer) => {
    if (entry.kind === 'stream') return subscribeToStream(channel, entry.stream, consumer, args);
    const { queue } = entry;
    if (exclusive && queue.settings.singleActiveConsumer)
      throw new AmqpError('ACCESS_REFUSED', `queue '${name}' in vhost '${virtualHost.name}' in exclusive use`);
    return queue.subscribe(consumer);
  });
  return tag;
}

type StreamOf<Entry> = Entry extends { readonly stream: infer Stream } ? Stream : never;

function subscribeToStream(
  { consumers, session }: ChannelContext,
  queue: StreamOf<QueueEntry>,
  consumer: ChannelConsumer,
  { noAck, arguments: args }: Consume,
): Subscription {
  const delivery = { ...STREAM_DELIVERY, redelivered: false, deliveryCount: 0 };
  return consumeStream({
    queue,
    arguments: args,
    noAck,
    prefetch: consumers.prefetch,
    channelPrefetch: consumers.channelPrefetch > 0,
    frameMax: session.output.frameMax,
    now: session.broker.environment.clock.now(),
    canTake: () => consumer.canTake(),
    deliver: (message) => consumer.deliver(delivery, message),
    given: (partition, offset, end) => {
      const { tracing } = session.broker.turns;
      if (tracing.on) tracing.fetched(queue.stream.name, partition, offset, end, session.participant);
    },
    cancelled: () => consumer.cancelled(),
  });
}

function priorityOf(args: FieldTable, { name }: QueueEntry, virtualHost: string): number {
  const field = args.get('x-priority');
  if (field === undefined) return 0;
  const priority = integerOf(field);
  if (priority === undefined)
    throw new AmqpError(
      'PRECONDITION_FAILED',
      `invalid arg 'x-priority' for queue '${name}' in vhost '${virtualHost}': "expected integer, got ${erlangType(field)}"`,
    );
  return priority;
}

function generatedTag({ session }: ChannelContext): string {
  const { random } = session.broker.environment;
  return `amq.ctag-${random.bytes(16).toString('base64url')}`;
}

function consumeReplies(channel: ChannelContext, tag: string, noAck: boolean): void {
  if (!noAck) throw new AmqpError('PRECONDITION_FAILED', 'reply consumer cannot acknowledge');
  if (channel.replyTag !== undefined) throw new AmqpError('PRECONDITION_FAILED', 'reply consumer already set');
  channel.replyTag = tag;
  channel.publishing.replyKey = channel.session.replies.add(channel);
}

/** No error when there is no such consumer. */
export function cancel(channel: ChannelContext, { consumerTag }: { readonly consumerTag: string }): void {
  if (channel.consumers.cancel(consumerTag) || consumerTag !== channel.replyTag) return;
  channel.replyTag = undefined;
  if (channel.publishing.replyKey !== undefined) channel.session.replies.remove(channel.publishing.replyKey);
  channel.publishing.replyKey = undefined;
}

interface Get {
  readonly queue: string;
  readonly noAck: boolean;
}

/** Sends the message itself. Answers false when there is none. */
export async function get(channel: ChannelContext, args: Get): Promise<boolean> {
  const { consumers, session } = channel;
  const { permissions, virtualHost } = session;
  const name = channel.queueNamed(args.queue);
  permissions.check('read', 'queue', name);
  const entry = virtualHost.checkQueue(name, session);
  if (entry.kind === 'stream') return refuseForStream('basic.get', entry.stream);
  const { queue } = entry;
  if (entry.type === 'quorum' && queue.settings.singleActiveConsumer)
    throw new AmqpError(
      'RESOURCE_LOCKED',
      `cannot obtain access to locked queue '${name}' in vhost '${virtualHost.name}'. basic.get operations are not supported by quorum queues with single active consumer`,
    );
  const visit = (delivery: Delivery, message: MessageBytes) => {
    // While the message was read, the client went.
    if (channel.closed) {
      delivery.requeue(false);
      return;
    }
    const counted = entry.type === 'quorum' ? withDeliveryCount(message, delivery.deliveryCount) : message;
    channel.got(consumers.took(args.noAck ? undefined : delivery), delivery.redelivered, counted, queue.readyCount);
    consumers.meter.got(args.noAck, delivery.redelivered, message.bodyLength);
    if (args.noAck) delivery.taken();
  };
  const found = await queue.get(false, visit, args.noAck, session.participant);
  if (!found) consumers.meter.gotEmpty();
  return found;
}

/** Settles a delivery, or all up to it: at once, or with the transaction. */
export function settle(channel: ChannelContext, how: Settlement, deliveryTag: number, multiple: boolean): void {
  const { consumers, publishing } = channel;
  const { transaction } = publishing;
  if (transaction === undefined) {
    consumers[how](deliveryTag, multiple);
    return;
  }
  const taken: Outstanding<Settleable, ChannelConsumer | undefined>[] = [];
  consumers.take(deliveryTag, multiple, (delivery, consumer, tag) => taken.push({ tag, delivery, consumer }));
  transaction.settle(how, taken);
}

/** Everything that is out goes back. */
export function recover(channel: ChannelContext, { requeue }: { readonly requeue: boolean }): void {
  if (!requeue) throw new AmqpError('NOT_IMPLEMENTED', 'requeue=false');
  channel.consumers.requeue(0, true);
}
