import type { BrokerError } from '../../errors.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { Route } from '../routing/route.ts';
import type { Destination } from '../virtual-hosts/destination.ts';

/** Is told how a turn ended: with an error, nothing that was published in it is safe. */
export interface TurnWaiter {
  turnSettled(turn: Turn, error: BrokerError | undefined): void;
}

/** What came of publishing one message; `refused` when a queue that is full did not take it. */
export type Published = 'taken' | 'refused';

/**
 * What all connections do to queues in one turn of the event loop: appended at once, atomically for each shard, at the end of
 * the turn. Messages of one turn to the same queues share a record batch; acknowledgements are one entry for each queue.
 */
export interface Turn {
  /** Milliseconds since the epoch, the same for the whole turn. */
  readonly now: number;
  /** Copies the message to all targets of the route. In call order for each target. Throws `message-too-large`, `storage-full`. */
  publish(route: Route<Destination>, message: MessageBytes): Published;
  /** Calls back once, when everything published in this turn is as safe as it asks to be. Waiters are told in the order of their turns. */
  wait(waiter: TurnWaiter): void;
}

/** The turns of a broker, one after the other. */
export interface Turns {
  /** The turn that is under way; begun when there is none, and ended by itself. */
  readonly current: Turn;
  /** The storage does not keep up: who publishes should not be read from until `onDrained` calls back. */
  readonly overloaded: boolean;
  onDrained(callback: () => void): void;
  /** Nothing is waiting to be appended or to be durable. */
  readonly idle: boolean;
}
