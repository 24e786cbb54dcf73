/** Types of what is answered to consumers over HTTP. */

import type { Payload, ShownRecord } from './streams.ts';

/** A message of a queue. */
export interface ConsumedMessage {
  /** By which it is settled; null where it is acknowledged by itself. */
  readonly token: string | null;
  readonly exchange: string;
  readonly routing_key: string;
  readonly redelivered: boolean;
  /** How often it came back before. */
  readonly delivery_count: number;
  /** Milliseconds since the epoch. */
  readonly published_at: number;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly value: Payload;
}

export interface ConsumedMessages {
  readonly messages: readonly ConsumedMessage[];
}

export interface Settled {
  /** Messages that were settled, or are locked for longer. */
  readonly settled: number;
  /** Tokens that there are not: their locks ran out, or they were settled before. */
  readonly unknown: readonly string[];
}

export interface ConsumedRecords {
  readonly items: readonly ShownRecord[];
  /** Where to go on. */
  readonly cursor: string;
  /** Whether there may be more already. */
  readonly more: boolean;
}
