import type { BrokerError } from '../../errors.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { Route } from '../routing/route.ts';
import type { Tracing } from '../traces/tracing.ts';
import type { Destination } from '../virtual-hosts/destination.ts';
import type { Queue } from './queue.ts';

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
  /** By the clock's `monotonic`. */
  readonly begunAt: number;
  /**
   * Copies the message to all targets of the route. In call order for each target. Throws `storage-full`, unless the message only
   * moves: it leaves another queue in the same turn. `trace` is what its trace goes by, 0 for none.
   */
  publish(route: Route<Destination>, message: MessageBytes, moves?: boolean, trace?: number): Published;
  /** The same for queues that keep messages until a time: whatever their own expiration says, they expire `at` (milliseconds since the epoch). */
  publishUntil(route: Route<Destination>, message: MessageBytes, at: number, trace?: number): void;
  /**
   * Calls back once, when everything published in this turn is as safe as it asks to be; in no order among turns that do not
   * wait for the same storage.
   */
  wait(waiter: TurnWaiter): void;
}

/** The turns of a broker, one after the other. */
export interface Turns {
  /** Writes down what happens to messages. */
  readonly tracing: Tracing;
  /** The turn that is under way; begun when there is none, and ended by itself. */
  readonly current: Turn;
  /** Ends the turn that is under way now, so that its messages are in their queues. */
  flush(): void;
  /** The queue has something to append at the end of the turn. */
  touch(queue: Queue): void;
  /** The queue has something to deliver: it is asked to at the end of the turn. */
  pumpLater(queue: Queue): void;
  /** The storage does not keep up: who publishes should not be read from until `onDrained` calls back. */
  readonly overloaded: boolean;
  onDrained(callback: () => void): void;
  /** Nothing is waiting to be appended or to be durable. */
  readonly idle: boolean;
}
