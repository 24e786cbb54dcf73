import { method } from '../method-schema.ts';

const binding = {
  ticket: 'unused short',
  destination: 'short string',
  source: 'short string',
  routingKey: 'short string',
  noWait: 'bit',
  arguments: 'table',
} as const;

/** Class 40. RabbitMQ's own: bind, unbind, and what declare says of internal and auto-delete. 51 is no slip. */
export const exchange = {
  'exchange.declare': method(40, 10, {
    ticket: 'unused short',
    exchange: 'short string',
    type: 'short string',
    passive: 'bit',
    durable: 'bit',
    autoDelete: 'bit',
    internal: 'bit',
    noWait: 'bit',
    arguments: 'table',
  }),
  'exchange.declare-ok': method(40, 11, {}),
  'exchange.delete': method(40, 20, {
    ticket: 'unused short',
    exchange: 'short string',
    ifUnused: 'bit',
    noWait: 'bit',
  }),
  'exchange.delete-ok': method(40, 21, {}),
  'exchange.bind': method(40, 30, binding),
  'exchange.bind-ok': method(40, 31, {}),
  'exchange.unbind': method(40, 40, binding),
  'exchange.unbind-ok': method(40, 51, {}),
} as const;
