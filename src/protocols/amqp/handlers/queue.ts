import { type FieldTable, type QueueEntry, stringOf } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { AmqpError } from '../errors.ts';
import { REPLY_TO, REPLY_TO_PREFIX } from '../reply-to.ts';
import { refuseForStream } from '../stream-consumer.ts';
import type { ChannelContext } from './context.ts';
import { refuseDefaultExchange, withoutLineBreaks } from './names.ts';

const DEAD_LETTER_EXCHANGE = 'x-dead-letter-exchange';
/** What permissions are asked for where the broker is to make up a name. */
const ANY_GENERATED_NAME = `amq.gen-${'A'.repeat(22)}`;

interface DeclareQueue {
  readonly queue: string;
  readonly passive: boolean;
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
  readonly arguments: FieldTable;
}

export interface QueueCounts {
  readonly queue: string;
  readonly messageCount: number;
  readonly consumerCount: number;
}

export async function declareQueue(channel: ChannelContext, args: DeclareQueue): Promise<QueueCounts> {
  const counts = await declared(channel, args);
  channel.lastQueue = counts.queue;
  return counts;
}

async function declared(channel: ChannelContext, args: DeclareQueue): Promise<QueueCounts> {
  const { virtualHost, permissions } = channel.session;
  const name = withoutLineBreaks(args.queue);
  if (name === REPLY_TO || name.startsWith(REPLY_TO_PREFIX)) return replyQueue(channel, name);
  if (args.passive) {
    permissions.checkAny('queue', name);
    const entry = virtualHost.checkQueue(name, channel.session);
    if (entry.kind === 'queue') entry.queue.touch();
    return countsOf(entry);
  }
  const asked = name === '' ? ANY_GENERATED_NAME : name;
  const isNew = virtualHost.queue(name) === undefined;
  permissions.checkMaking('queue', asked, isNew ? stringOf(args.arguments.get(DEAD_LETTER_EXCHANGE)) : undefined);
  const { durable, exclusive, autoDelete } = args;
  return countsOf(
    await virtualHost.declareQueue({
      name,
      durable,
      exclusive,
      autoDelete,
      arguments: args.arguments,
      owner: channel.session,
    }),
  );
}

function countsOf(entry: QueueEntry): QueueCounts {
  const { name: queue } = entry;
  if (entry.kind === 'stream') {
    const { messageCount, consumerCount } = entry.stream;
    return { queue, messageCount, consumerCount };
  }
  // What the client published before counts.
  entry.queue.catchUp();
  return { queue, messageCount: entry.queue.readyCount, consumerCount: entry.queue.consumerCount };
}

/** The pseudo-queue of direct replies is there, and a channel's own as long as that channel is. */
function replyQueue({ session: { replies, virtualHost } }: ChannelContext, name: string): QueueCounts {
  if (name !== REPLY_TO && replies.get(name, virtualHost) === undefined)
    throw new BrokerError('not-found', `no queue '${name}' in vhost '${virtualHost.name}'`);
  return { queue: name, messageCount: 0, consumerCount: 1 };
}

interface DeleteQueue {
  readonly queue: string;
  readonly ifUnused: boolean;
  readonly ifEmpty: boolean;
}

/** Answers how many messages were in it. */
export function deleteQueue(channel: ChannelContext, args: DeleteQueue): Promise<number> {
  const { virtualHost, permissions } = channel.session;
  const name = withoutLineBreaks(channel.queueNamed(args.queue));
  permissions.check('configure', 'queue', name);
  return virtualHost.deleteQueue(name, { owner: channel.session, ifUnused: args.ifUnused, ifEmpty: args.ifEmpty });
}

/** Answers how many messages were in it. */
export function purgeQueue(channel: ChannelContext, args: { readonly queue: string }): number {
  const { virtualHost, permissions } = channel.session;
  const name = channel.queueNamed(args.queue);
  permissions.check('read', 'queue', name);
  const entry = virtualHost.checkQueue(name, channel.session);
  if (entry.kind === 'stream') return refuseForStream('queue.purge', entry.stream);
  return entry.queue.purge();
}

interface BindQueue {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly arguments: FieldTable;
}

export function bindQueue(channel: ChannelContext, args: BindQueue): Promise<boolean> {
  const { queue, exchange, key } = checkedBinding(channel, args);
  return channel.virtualHost.bindQueue(queue, exchange, key, args.arguments, channel.session);
}

export function unbindQueue(channel: ChannelContext, args: BindQueue): Promise<boolean> {
  const { queue, exchange, key } = checkedBinding(channel, args);
  return channel.virtualHost.unbindQueue(queue, exchange, key, args.arguments, channel.session);
}

function checkedBinding(channel: ChannelContext, args: BindQueue) {
  const { virtualHost, permissions } = channel.session;
  const queue = withoutLineBreaks(channel.queueNamed(args.queue));
  // Without both, the key is the name of the queue declared last.
  const key = args.queue === '' && args.routingKey === '' ? queue : args.routingKey;
  const exchange = withoutLineBreaks(args.exchange);
  if (queue.startsWith(REPLY_TO_PREFIX))
    throw new AmqpError('ACCESS_REFUSED', 'cannot bind or unbind to a volatile (direct reply-to) queue');
  permissions.check('write', 'queue', queue);
  refuseDefaultExchange(exchange);
  permissions.check('read', 'exchange', exchange);
  const entry = virtualHost.exchange(exchange);
  if (entry !== undefined) permissions.checkTopic('read', entry, key);
  return { queue, exchange, key };
}
