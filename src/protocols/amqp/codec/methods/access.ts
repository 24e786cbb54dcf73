import { method } from '../method-schema.ts';

/** Class 30: of AMQP 0-8; RabbitMQ still gives every client that asks the ticket 1. */
export const access = {
  'access.request': method(30, 10, {
    realm: 'short string',
    exclusive: 'bit',
    passive: 'bit',
    active: 'bit',
    write: 'bit',
    read: 'bit',
  }),
  'access.request-ok': method(30, 11, { ticket: 'short' }),
} as const;
