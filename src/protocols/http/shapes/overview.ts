import type { DetailsShape, MessageStatsShape } from './statistics.ts';

/** Types of what is answered about the broker as a whole; RabbitMQ's shapes. */

/** `GET /api/overview`, as far as the console shows it. */
export interface OverviewShape {
  readonly product_name: string;
  readonly product_version: string;
  readonly rabbitmq_version: string;
  readonly cluster_name: string;
  readonly message_stats?: MessageStatsShape;
  readonly queue_totals?: {
    readonly messages: number;
    readonly messages_ready: number;
    readonly messages_unacknowledged: number;
    readonly messages_ready_details: DetailsShape;
    readonly messages_unacknowledged_details: DetailsShape;
  };
  readonly object_totals: {
    readonly connections: number;
    readonly channels: number;
    readonly consumers: number;
    readonly exchanges: number;
    readonly queues: number;
    /** For users who may watch the broker; so is what follows. */
    readonly streams?: number;
  };
  readonly churn_rates?: Readonly<Record<string, number | DetailsShape>>;
  readonly node?: string;
  readonly listeners?: readonly ListenerShape[];
}

export interface ListenerShape {
  readonly node: string;
  readonly protocol: string;
  readonly ip_address: string;
  readonly port: number;
}

/** One of `GET /api/nodes`, as far as the console shows it. */
export interface NodeShape {
  readonly name: string;
  /** `disc` or `ram`. */
  readonly type: string;
  readonly os_pid: string;
  /** Milliseconds. */
  readonly uptime: number;
  readonly mem_used: number;
  readonly mem_limit: number;
  readonly mem_alarm: boolean;
  readonly disk_free?: number;
  readonly disk_free_limit?: number;
  readonly disk_free_alarm: boolean;
  readonly db_dir?: string;
  readonly fd_used?: number;
  readonly sockets_used?: number;
  /** Milliseconds that a flush took, on average. */
  readonly io_sync_avg_time?: number;
}
