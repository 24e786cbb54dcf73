import type { FieldTable } from '../messages/index.ts';
import type { Queue } from '../queues/queue.ts';
import type { QueueOverStream } from '../streams/stream-queue.ts';
import type { Destination } from './destination.ts';
import type { Policy } from './policy.ts';

export type QueueType = 'classic' | 'quorum' | 'stream';

/** What a client asks for when it declares a queue. */
export interface QueueDeclaration {
  /** Empty: the broker makes one up. */
  readonly name: string;
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
  readonly arguments: FieldTable;
  /** The connection, by identity: the one that an exclusive queue belongs to and goes with. */
  readonly owner?: object | undefined;
}

interface QueueEntryBase {
  readonly name: string;
  readonly type: QueueType;
  /** Outlives a restart; an exclusive queue does not, whatever it was declared as. */
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
  /** As declared. */
  readonly arguments: FieldTable;
  /** The connection that has it for itself. */
  readonly owner: object | undefined;
  /** The one that applies. */
  readonly policy: Policy | undefined;
  /** What messages are routed to: the queue, or the stream. */
  readonly destination: Destination;
}

/** A queue, or a stream that stands under a queue's name, as it is known in its virtual host. */
export type QueueEntry =
  | (QueueEntryBase & { readonly kind: 'queue'; readonly queue: Queue })
  | (QueueEntryBase & { readonly kind: 'stream'; readonly stream: QueueOverStream });

export interface DeleteQueue {
  readonly owner?: object | undefined;
  /** Not when it has consumers. */
  readonly ifUnused?: boolean;
  /** Not when it has messages. */
  readonly ifEmpty?: boolean;
}
