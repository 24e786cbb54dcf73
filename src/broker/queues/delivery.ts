import type { DeliverySpan } from '../traces/message-spans.ts';
import type { Participant } from '../traces/place.ts';
import type { Queue } from './queue.ts';

/**
 * A message that is out: locked for whoever it was delivered to until one of its three ends is called. A second call does
 * nothing, nor does one for a queue that is gone.
 */
export class Delivery {
  readonly queue: Queue;
  /** Which of the queue's lanes, by priority, and where in it. */
  readonly lane: number;
  readonly offset: number;
  /** Bytes of the body. */
  readonly bytes: number;
  /** When it was published: milliseconds since the epoch. */
  readonly timestamp: number;
  /** When it expires by itself, if it does: milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
  /** How often it came back before. */
  readonly deliveryCount: number;
  /** Whether it may have been delivered before. */
  readonly redelivered: boolean;
  /** The queue's when it went out: a message whose append failed afterwards is not there any more. */
  readonly generation: number;
  /** Still out. */
  open = true;
  /** Whom it went to, where that is traced. */
  tracedFor: Participant | undefined;
  /** The broker's span of it, where there is one. */
  span: DeliverySpan | undefined;

  constructor(
    queue: Queue,
    at: Pick<Delivery, 'lane' | 'offset' | 'bytes' | 'timestamp' | 'expiresAt'>,
    deliveryCount: number,
    redelivered: boolean,
    generation: number,
  ) {
    this.queue = queue;
    this.lane = at.lane;
    this.offset = at.offset;
    this.bytes = at.bytes;
    this.timestamp = at.timestamp;
    this.expiresAt = at.expiresAt;
    this.deliveryCount = deliveryCount;
    this.redelivered = redelivered;
    this.generation = generation;
  }

  /** Somebody wants to know what becomes of it. */
  get isTraced(): boolean {
    return this.tracedFor !== undefined || this.span !== undefined;
  }

  /** It was processed: it leaves the queue. */
  acknowledge(): void {
    this.queue.acknowledge(this, true);
  }

  /** It was handed to somebody who does not acknowledge: it leaves the queue. */
  taken(): void {
    this.queue.acknowledge(this, false);
  }

  /** It goes back to its place in the queue; `failed` counts the delivery towards the queue's delivery limit. */
  requeue(failed = true): void {
    this.queue.requeue(this, failed);
  }

  /** It was refused: it leaves the queue, for the dead-letter exchange where there is one. */
  reject(): void {
    this.queue.reject(this);
  }
}
