import type { Payload } from './streams.ts';

/** Types of what is answered about messages in queues (`/api/queues/:vhost/:queue/messages…`, `…/move`) and their transfers (`/api/transfers…`). */

/** Who has a message that is out. */
export interface MessageHolder {
  /** Name of the connection, and number of the channel. */
  readonly connection: string;
  readonly channel: number;
  readonly user: string | null;
  /** Null for one that was got without consuming. */
  readonly consumer_tag: string | null;
}

export interface QueuedMessage {
  /** Tells it from every other of the queue, as long as it is there. */
  readonly id: string;
  readonly state: 'ready' | 'unacknowledged';
  /** Where it is out with, as far as that is known. */
  readonly holder: MessageHolder | null;
  /** Of the queue's lanes, by priority; of a stream, the partition. */
  readonly part: number;
  readonly offset: number;
  /** When it came to the queue: milliseconds since the epoch. */
  readonly published_at: number;
  readonly exchange: string;
  readonly routing_key: string;
  readonly redelivered: boolean;
  readonly delivery_count: number;
  /** In RabbitMQ's words. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly payload: Payload | null;
}

export interface MessagePage<Message = QueuedMessage> {
  readonly items: readonly Message[];
  /** Ask with this as `cursor` for what follows; null at the end. */
  readonly next: string | null;
  /** Messages that were looked at for this page, also such that the filter left out. */
  readonly looked_at: number;
  /** In the queue now. */
  readonly ready: number;
  readonly unacknowledged: number;
}

export type TransferSkip = 'unacknowledged' | 'gone' | 'unroutable' | 'refused' | 'no-trail' | 'no-source' | 'no-copy';

/** Messages that are moved, or dead letters that are brought back, for somebody. */
export interface ShownTransfer {
  readonly id: string;
  readonly kind: 'move' | 'redrive';
  readonly vhost: string;
  readonly source: string;
  /** For people. */
  readonly destination: string;
  readonly user: string;
  readonly state: 'running' | 'done' | 'stopped' | 'failed';
  /** Nothing is moved: only what would be is counted. */
  readonly dry_run: boolean;
  /** Messages a second; null for as fast as it goes. */
  readonly rate: number | null;
  /** That it will look at; null where that is not known before. */
  readonly total: number | null;
  readonly looked_at: number;
  readonly matched: number;
  readonly moved: number;
  /** Moved, but somebody got them from where they were as well. */
  readonly copied: number;
  readonly skipped: Readonly<Partial<Record<TransferSkip, number>>>;
  /** Messages by the queue that they went to, or would. */
  readonly targets: Readonly<Record<string, number>>;
  readonly other_targets: number;
  readonly error: string | null;
  /** Milliseconds since the epoch. */
  readonly started_at: number;
  readonly finished_at: number | null;
}
