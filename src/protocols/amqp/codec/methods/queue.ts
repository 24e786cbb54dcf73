import { method } from '../method-schema.ts';

/** Class 50. */
export const queue = {
  'queue.declare': method(50, 10, {
    ticket: 'unused short',
    queue: 'short string',
    passive: 'bit',
    durable: 'bit',
    exclusive: 'bit',
    autoDelete: 'bit',
    noWait: 'bit',
    arguments: 'table',
  }),
  'queue.declare-ok': method(50, 11, { queue: 'short string', messageCount: 'long', consumerCount: 'long' }),
  'queue.bind': method(50, 20, {
    ticket: 'unused short',
    queue: 'short string',
    exchange: 'short string',
    routingKey: 'short string',
    noWait: 'bit',
    arguments: 'table',
  }),
  'queue.bind-ok': method(50, 21, {}),
  'queue.purge': method(50, 30, { ticket: 'unused short', queue: 'short string', noWait: 'bit' }),
  'queue.purge-ok': method(50, 31, { messageCount: 'long' }),
  'queue.delete': method(50, 40, {
    ticket: 'unused short',
    queue: 'short string',
    ifUnused: 'bit',
    ifEmpty: 'bit',
    noWait: 'bit',
  }),
  'queue.delete-ok': method(50, 41, { messageCount: 'long' }),
  'queue.unbind': method(50, 50, {
    ticket: 'unused short',
    queue: 'short string',
    exchange: 'short string',
    routingKey: 'short string',
    arguments: 'table',
  }),
  'queue.unbind-ok': method(50, 51, {}),
} as const;
