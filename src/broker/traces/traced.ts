import type { How, Outcome } from './event.ts';
import type { DeliverySpan } from './message-spans.ts';
import type { Participant, Place } from './place.ts';

/** A queue, as traces see it. */
export interface TracedQueue {
  readonly name: string;
  readonly virtualHost: string;
  readonly logIds: readonly string[];
  /** Messages leave it when they are due, and it has no consumers. */
  readonly holdsBack: boolean;
  /** What traces know it by; theirs. */
  tracePlace: Place | undefined;
}

/** A partition, as traces see it. */
export interface TracedPartition {
  readonly index: number;
  readonly log: { readonly id: string };
  tracePlace: Place | undefined;
}

/** A message that is out, as traces see it. */
export interface TracedDelivery {
  readonly queue: TracedQueue;
  readonly lane: number;
  readonly offset: number;
  readonly deliveryCount: number;
  readonly redelivered: boolean;
  /** Whom it was delivered to, when that is traced; theirs. */
  tracedFor: Participant | undefined;
  span: DeliverySpan | undefined;
}

/** A message in a queue. */
export interface TracedAt {
  readonly queue: TracedQueue;
  readonly lane: number;
  readonly offset: number;
}

/** How a message came to an exchange. */
export interface TracedPublish {
  readonly how: How;
  readonly outcome: Outcome;
  readonly by?: Participant | undefined;
  readonly virtualHost: string;
  /** Of a message that is held back: milliseconds since the epoch. */
  readonly dueAt?: number;
  /** Where it was before. */
  readonly from?: TracedAt | undefined;
}
