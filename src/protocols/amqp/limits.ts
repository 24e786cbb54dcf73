/** How far one connection may go. */
export interface AmqpLimits {
  /** The largest body of a message, in bytes. */
  readonly maxMessageBytes: number;
  /** What is offered in `connection.tune`. */
  readonly maxFrameBytes: number;
  readonly maxChannels: number;
  readonly heartbeatSeconds: number;
  readonly maxConsumersPerChannel: number;
  readonly maxUnacknowledgedPerChannel: number;
  /** What a transaction may gather, in bytes. */
  readonly maxTransactionBytes: number;
}

/** A connection that is not open by then is closed. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** After `connection.close`, the longest that its answer is waited for. */
export const CLOSING_TIMEOUT_MS = 30_000;
/** Bytes that wait to be written, from which on consumers get nothing more. */
export const HIGH_WATER_BYTES = 1024 * 1024;
/** Likewise, from which on the connection is not read from: it asks for more than it takes. */
export const MAX_UNSENT_BYTES = 8 * 1024 * 1024;
/** Bytes of frames that wait for an operation before them, from which on the connection is not read from. */
export const MAX_DEFERRED_BYTES = 1024 * 1024;
