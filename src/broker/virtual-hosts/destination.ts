import type { MessageBytes } from '../messages/index.ts';
import type { Queue } from '../queues/queue.ts';
import type { StreamReaderOptions } from '../streams/stream-reader.ts';
import type { Tracing } from '../traces/tracing.ts';

/** A stream as it stands in a virtual host under a queue's name: messages that are published to it become records. */
export interface StreamQueue {
  readonly name: string;
  readonly virtualHost: string;
  /** Records that are there. */
  readonly messageCount: number;
  readonly consumerCount: number;
  /** Reads it for somebody: nothing that is read leaves it. */
  subscribe(options: StreamReaderOptions): { wake(): void; cancel(): void };
  /** Takes a message of the turn that is under way; `commit` follows at its end. `trace` is what its trace goes by, 0 for none. */
  collect(message: MessageBytes, now: number, trace?: number): void;
  /** Appends what was collected. Resolves when it is as safe as it asks to be. */
  commit(tracing?: Tracing): Promise<void>;
}

/** What a route leads to. */
export type Destination = Queue | StreamQueue;
