import type { ConsumerShape } from './clients.ts';
import type { MessageStatsShape } from './statistics.ts';

/** Types of what is answered about queues, exchanges and bindings; RabbitMQ's shapes, as far as the console reads them. */

type Arguments = Readonly<Record<string, unknown>>;

export type QueueShape = {
  readonly name: string;
  readonly vhost: string;
  readonly type: 'classic' | 'quorum' | 'stream';
  readonly durable: boolean;
  readonly auto_delete: boolean;
  readonly exclusive: boolean;
  readonly arguments: Arguments;
  readonly state: string;
  readonly policy: string | null;
  readonly effective_policy_definition: Arguments;
  readonly consumers: number;
  readonly messages: number;
  readonly messages_ready: number;
  readonly messages_unacknowledged: number;
  readonly message_bytes_ready?: number;
  readonly message_stats?: MessageStatsShape;
};

export type QueueDetailsShape = QueueShape & {
  readonly consumer_details: readonly ConsumerShape[];
  readonly owner_pid_details?: { readonly name: string };
};

export type ExchangeShape = {
  /** Empty for the default exchange. */
  readonly name: string;
  readonly vhost: string;
  readonly type: string;
  readonly durable: boolean;
  readonly auto_delete: boolean;
  readonly internal: boolean;
  readonly arguments: Arguments;
  readonly policy?: string;
  readonly message_stats?: MessageStatsShape;
};

export type BindingShape = {
  /** Empty for the default exchange. */
  readonly source: string;
  readonly vhost: string;
  readonly destination: string;
  readonly destination_type: 'queue' | 'exchange';
  readonly routing_key: string;
  readonly arguments: Arguments;
  readonly properties_key: string;
};
