import type { QueuedMessage } from './queue-messages.ts';

/** Types of what is answered about dead letters (`/api/dead-letters…`). */

export interface DeadLetterQueue {
  readonly vhost: string;
  readonly name: string;
  readonly type: 'classic' | 'quorum' | 'stream';
  /** Messages in it, whatever they are. */
  readonly messages: number;
  /** Of these, such that an earlier re-drive of all brought back: streams keep them. */
  readonly redriven: number;
  /** Of the first message: milliseconds since the epoch; null when there is none. */
  readonly oldest: number | null;
  /** How many of the first messages were looked at, and how these died. */
  readonly sampled: number;
  readonly reasons: Readonly<Record<string, number>>;
  /** Where they died. */
  readonly sources: Readonly<Record<string, number>>;
  /** Queues and share groups whose dead letters come here, as they are set now: some of them, and how many there are. */
  readonly dead_letters_of: readonly string[];
  readonly dead_letters_of_count: number;
}

export interface ShownDeath {
  readonly reason: string;
  readonly queue: string;
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly time: number | null;
  readonly exchange: string;
  readonly routing_keys: readonly string[];
}

export interface DeathPlace {
  readonly queue: string;
  readonly reason: string;
  readonly exchange: string;
}

/** Of a record that a share group gave up. */
export interface RecordOrigin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly group: string;
  readonly delivery_count: number;
  readonly message: string;
}

export interface DeadLetterMessage extends QueuedMessage {
  /** The latest first; empty for a message that is no dead letter. */
  readonly deaths: readonly ShownDeath[];
  readonly first_death: DeathPlace | null;
  readonly last_death: DeathPlace | null;
  readonly origin: RecordOrigin | null;
}
