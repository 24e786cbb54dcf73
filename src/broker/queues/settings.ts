/** What a queue does with its messages: made of the arguments it was declared with and of the policy that applies to it. */
export interface QueueSettings {
  /** Milliseconds that a message may wait; a message's own expiration counts when it is shorter. */
  readonly messageTtlMs: number | undefined;
  /** Milliseconds without consumers, declarations and gets, after which the queue goes. */
  readonly expiresMs: number | undefined;
  /** Most messages that may be ready. */
  readonly maxLength: number | undefined;
  /** Most bytes of bodies that may be ready. */
  readonly maxLengthBytes: number | undefined;
  readonly overflow: 'drop-head' | 'reject-publish' | 'reject-publish-dlx';
  readonly deadLetterExchange: string | undefined;
  /** Replaces the message's own. */
  readonly deadLetterRoutingKey: string | undefined;
  /** Priorities above count as this; 0 for a queue without. */
  readonly maxPriority: number;
  readonly singleActiveConsumer: boolean;
  /** Deliveries after which a message that is returned again is dead-lettered. */
  readonly deliveryLimit: number | undefined;
}

export const DEFAULT_QUEUE_SETTINGS: QueueSettings = {
  messageTtlMs: undefined,
  expiresMs: undefined,
  maxLength: undefined,
  maxLengthBytes: undefined,
  overflow: 'drop-head',
  deadLetterExchange: undefined,
  deadLetterRoutingKey: undefined,
  maxPriority: 0,
  singleActiveConsumer: false,
  deliveryLimit: undefined,
};
