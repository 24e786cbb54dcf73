/** Types of what is answered about connections, channels and consumers; RabbitMQ's shapes. */
import type { DetailsShape, MessageStatsShape } from './statistics.ts';

export type ConnectionShape = {
  /** `PEER:PORT -> HOST:PORT`. */
  readonly name: string;
  readonly node: string;
  /** `AMQP 0-9-1`, `Kafka`. */
  readonly protocol: string;
  readonly type: 'network';
  /** `running`, `starting`, `blocked`, `closing`. */
  readonly state: string;
  readonly user?: string | undefined;
  /** Kafka's clients are in none. */
  readonly vhost?: string | undefined;
  readonly user_provided_name?: string;
  readonly client_properties: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch. */
  readonly connected_at: number;
  readonly host: string;
  readonly port: number;
  readonly peer_host: string;
  readonly peer_port: number;
  readonly ssl: boolean;
  readonly channel_max?: number;
  readonly frame_max?: number;
  /** Seconds between heartbeats. */
  readonly timeout?: number;
  readonly channels: number;
  /** Bytes since it was opened; this and what follows is left out with `disable_stats=true`. */
  readonly recv_oct?: number;
  readonly recv_oct_details?: DetailsShape;
  readonly send_oct?: number;
  readonly send_oct_details?: DetailsShape;
};

export type ChannelShape = {
  /** The connection's name, and the number in brackets. */
  readonly name: string;
  readonly number: number;
  readonly node: string;
  readonly user?: string | undefined;
  readonly vhost?: string | undefined;
  readonly state: string;
  readonly connection_details: { readonly name: string; readonly peer_host: string; readonly peer_port: number };
  readonly confirm: boolean;
  readonly transactional: boolean;
  readonly consumer_count: number;
  /** Of consumers to come. */
  readonly prefetch_count: number;
  /** Of the whole channel. */
  readonly global_prefetch_count: number;
  readonly messages_unacknowledged: number;
  readonly messages_unconfirmed: number;
  readonly messages_uncommitted: number;
  readonly acks_uncommitted: number;
  readonly message_stats?: MessageStatsShape;
};

export type ChannelDetailsShape = ChannelShape & { readonly consumer_details: readonly ConsumerShape[] };

export type ConsumerShape = {
  readonly consumer_tag: string;
  readonly queue: { readonly name: string; readonly vhost?: string | undefined };
  readonly channel_details: {
    readonly name: string;
    readonly number: number;
    readonly user?: string | undefined;
    readonly connection_name: string;
    readonly node: string;
    readonly peer_host: string;
    readonly peer_port: number;
  };
  readonly ack_required: boolean;
  readonly exclusive: boolean;
  readonly prefetch_count: number;
  /** False for one that waits for the single active consumer. */
  readonly active: boolean;
  readonly activity_status: 'up' | 'waiting';
  readonly arguments: Readonly<Record<string, unknown>>;
};
