export type { Consumer, ConsumerOptions } from './consumer.ts';
export { Delivery } from './delivery.ts';
export { Queue } from './queue.ts';
export type { DeadLetterReason, QueueHost, QueueOptions } from './queue-options.ts';
export { DEFAULT_QUEUE_SETTINGS, type QueueSettings } from './settings.ts';
export type { Published, Turn, Turns, TurnWaiter } from './turn.ts';
export { BrokerTurns } from './turns.ts';
