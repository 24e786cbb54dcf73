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
  /** How often it was delivered before. */
  readonly deliveryCount: number;
  /** Whether it may have been delivered before. */
  readonly redelivered: boolean;
  /** Still out. */
  open = true;

  constructor(queue: Queue, lane: number, offset: number, bytes: number, deliveryCount: number, redelivered: boolean) {
    this.queue = queue;
    this.lane = lane;
    this.offset = offset;
    this.bytes = bytes;
    this.deliveryCount = deliveryCount;
    this.redelivered = redelivered;
  }

  /** It was processed: it leaves the queue. */
  acknowledge(): void {
    this.queue.acknowledge(this);
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
