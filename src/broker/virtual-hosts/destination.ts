import type { MessageBytes } from '../messages/message-bytes.ts';
import type { Queue } from '../queues/queue.ts';

/** A stream as it stands in a virtual host under a queue's name: messages that are published to it become records. */
export interface StreamQueue {
  readonly name: string;
  readonly virtualHost: string;
  /** Takes a message of the turn that is under way; `commit` follows at its end. */
  collect(message: MessageBytes, now: number): void;
  /** Appends what was collected. Resolves when it is as safe as it asks to be. */
  commit(): Promise<void>;
}

/** What a route leads to. */
export type Destination = Queue | StreamQueue;
