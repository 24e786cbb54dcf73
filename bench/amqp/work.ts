/** What an AMQP bench is to do. Bytes are those of messages' bodies. */
export interface AmqpWork {
  readonly messageBytes: number;
  readonly queueType: 'classic' | 'quorum';
  /** Where messages are published: to each queue by its name, or by one fanout exchange to all queues. */
  readonly exchange: 'default' | 'fanout';
  /** Delivery mode 2. */
  readonly persistent: boolean;
  /** Whether the broker confirms what it is published. */
  readonly confirms: boolean;
  /** Connections that publish, and as many that consume. */
  readonly connections: number;
  readonly queues: number;
  /** Messages of a publishing connection that wait to be confirmed or, without confirms, to be consumed. */
  readonly window: number;
  /** Unacknowledged messages that a consumer may have. */
  readonly prefetch: number;
  /** Every so many messages are acknowledged with one acknowledgement; 0: the broker is to take them as acknowledged. */
  readonly ackEvery: number;
  /** Length of the measured window. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** How long the broker is left alone before its memory counts as idle. */
  readonly idleSeconds: number;
  /** Ends the window earlier; is what a backlog holds. */
  readonly messages: number;
  /** Messages per second over all connections; Infinity for as many as go. */
  readonly rate: number;
}
