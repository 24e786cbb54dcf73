import { method } from '../method-schema.ts';

/** Class 85: RabbitMQ's own. */
export const confirm = {
  'confirm.select': method(85, 10, { noWait: 'bit' }),
  'confirm.select-ok': method(85, 11, {}),
} as const;
