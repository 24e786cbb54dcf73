import type { MessageBytes } from '../messages/message-bytes.ts';
import type { Participant } from '../traces/place.ts';
import type { Delivery } from './delivery.ts';
import type { Queue } from './queue.ts';

/** One consumer of a queue, as its protocol sees to it. */
export interface ConsumerOptions {
  /** What its protocol calls it; only for people. */
  readonly tag: string;
  /** Who it is, for traces. */
  readonly participant?: Participant | undefined;
  /** Messages count as acknowledged as soon as they are delivered. */
  readonly noAck: boolean;
  /** Nobody else may consume. */
  readonly exclusive: boolean;
  /** Consumers of a higher priority are served first as long as they can take messages. */
  readonly priority: number;
  /** Whether it can take one more message now: asked before each. When that becomes true again, call `Consumer.wake`. */
  canTake(): boolean;
  /** Gives it a message. The delivery is to be acknowledged, requeued or rejected once (not with `noAck`); the bytes are valid during the call only. */
  deliver(delivery: Delivery, message: MessageBytes): void;
  /** The queue is gone, or cannot serve it any more: nothing will come. Not called after `Consumer.cancel`. */
  cancelled(): void;
  /** It has become (or is no longer) the one that a single-active-consumer queue delivers to. */
  activated?(active: boolean): void;
}

/** One consumer that a queue delivers to. */
export interface Consumer {
  readonly options: ConsumerOptions;
  readonly queue: Queue;
  /** On a single-active-consumer queue, whether it is the one. */
  readonly active: boolean;
  /** It can take messages again. */
  wake(): void;
  /** Nothing more is delivered; what is out stays out until it is settled. */
  cancel(): void;
}
