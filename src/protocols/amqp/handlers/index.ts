import { audited } from '../audit.ts';
import type { Method, MethodInput, MethodName } from '../codec/index.ts';
import { AmqpError } from '../errors.ts';
import * as basic from './basic.ts';
import type { ChannelContext } from './context.ts';
import * as exchange from './exchange.ts';
import * as queue from './queue.ts';
import * as transaction from './transaction.ts';

/** A channel as the methods on it see it. */
export interface MethodChannel extends ChannelContext {
  send<N extends MethodName>(name: N, fields: MethodInput<N>): void;
}

/** Does what a method asks, and answers. What is thrown closes the channel or the connection; a promise holds back what follows on the channel. */
type Handler<N extends MethodName> = (channel: MethodChannel, method: Method<N>) => void | Promise<void>;

type Handlers = { readonly [N in MethodName]?: Handler<N> };

/** All but those that open and close channels. */
const HANDLERS: Handlers = {
  'access.request': (channel) => channel.send('access.request-ok', { ticket: 1 }),
  'channel.flow': (channel, { active }) => {
    channel.consumers.flowing = active;
    channel.send('channel.flow-ok', { active });
  },

  'exchange.declare': async (channel, method) => {
    await audited(channel, method, () => exchange.declareExchange(channel, method));
    if (!method.noWait) channel.send('exchange.declare-ok', {});
  },
  'exchange.delete': async (channel, method) => {
    await audited(channel, method, () => exchange.deleteExchange(channel, method));
    if (!method.noWait) channel.send('exchange.delete-ok', {});
  },
  'exchange.bind': async (channel, method) => {
    await audited(channel, method, () => exchange.bindExchange(channel, method));
    if (!method.noWait) channel.send('exchange.bind-ok', {});
  },
  'exchange.unbind': async (channel, method) => {
    await audited(channel, method, () => exchange.unbindExchange(channel, method));
    if (!method.noWait) channel.send('exchange.unbind-ok', {});
  },

  'queue.declare': async (channel, method) => {
    const counts = await audited(channel, method, () => queue.declareQueue(channel, method));
    if (!method.noWait) channel.send('queue.declare-ok', counts);
  },
  'queue.bind': async (channel, method) => {
    await audited(channel, method, () => queue.bindQueue(channel, method));
    if (!method.noWait) channel.send('queue.bind-ok', {});
  },
  'queue.unbind': async (channel, method) => {
    await audited(channel, method, () => queue.unbindQueue(channel, method));
    channel.send('queue.unbind-ok', {});
  },
  'queue.purge': (channel, method) => {
    const messageCount = audited(channel, method, () => queue.purgeQueue(channel, method));
    if (!method.noWait) channel.send('queue.purge-ok', { messageCount });
  },
  'queue.delete': async (channel, method) => {
    const messageCount = await audited(channel, method, () => queue.deleteQueue(channel, method));
    if (!method.noWait) channel.send('queue.delete-ok', { messageCount });
  },

  'basic.qos': (channel, method) => {
    basic.qos(channel, method);
    channel.send('basic.qos-ok', {});
  },
  'basic.consume': (channel, method) => {
    const consumerTag = basic.consume(channel, method);
    if (!method.noWait) channel.send('basic.consume-ok', { consumerTag });
  },
  'basic.cancel': (channel, method) => {
    basic.cancel(channel, method);
    if (!method.noWait) channel.send('basic.cancel-ok', { consumerTag: method.consumerTag });
  },
  // Of a consumer that the broker has cancelled: it knows.
  'basic.cancel-ok': () => {},
  'basic.get': async (channel, method) => {
    if (!(await basic.get(channel, method))) channel.send('basic.get-empty', {});
  },
  'basic.ack': (channel, { deliveryTag, multiple }) => basic.settle(channel, 'acknowledge', deliveryTag, multiple),
  'basic.nack': (channel, { deliveryTag, multiple, requeue }) =>
    basic.settle(channel, requeue ? 'requeue' : 'reject', deliveryTag, multiple),
  'basic.reject': (channel, { deliveryTag, requeue }) =>
    basic.settle(channel, requeue ? 'requeue' : 'reject', deliveryTag, false),
  'basic.recover': (channel, method) => {
    basic.recover(channel, method);
    channel.send('basic.recover-ok', {});
  },
  'basic.recover-async': (channel, method) => basic.recover(channel, method),

  'confirm.select': (channel, { noWait }) => {
    channel.publishing.selectConfirms();
    if (!noWait) channel.send('confirm.select-ok', {});
  },
  'tx.select': (channel) => {
    channel.publishing.selectTransactions();
    channel.send('tx.select-ok', {});
  },
  'tx.commit': async (channel) => {
    await transaction.commit(channel);
    channel.send('tx.commit-ok', {});
  },
  'tx.rollback': (channel) => {
    transaction.rollback(channel);
    channel.send('tx.rollback-ok', {});
  },
};

export function handleMethod(channel: MethodChannel, method: Method): void | Promise<void> {
  // The handler is that of the method's name: which one, the compiler cannot follow.
  const handler = HANDLERS[method.name] as Handler<MethodName> | undefined;
  if (handler === undefined) throw new AmqpError('COMMAND_INVALID', 'unimplemented method');
  return handler(channel, method);
}
