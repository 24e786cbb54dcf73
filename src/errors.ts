/**
 * What can go wrong, in the broker's own words. Each protocol has one table from these codes to its own numbers.
 * Codes are added here, never made up where they are thrown.
 */
export type ErrorCode =
  // What a client did wrong.
  | 'invalid-argument'
  | 'not-found'
  | 'already-exists'
  | 'offset-out-of-range'
  | 'invalid-record'
  | 'corrupt-message'
  | 'message-too-large'
  | 'unsupported'
  | 'unsupported-compression'
  | 'limit-exceeded'
  | 'not-authorized'
  | 'access-refused'
  | 'not-allowed'
  | 'precondition-failed'
  | 'resource-locked'
  | 'out-of-order-sequence'
  | 'producer-fenced'
  | 'invalid-timestamp'
  // Transactions.
  | 'invalid-transaction-state'
  | 'not-in-transaction'
  | 'concurrent-transactions'
  | 'unknown-producer-id'
  | 'invalid-transaction-timeout'
  | 'no-such-transaction'
  | 'coordinator-fenced'
  | 'unstable-offset'
  | 'invalid-configuration'
  // What happened to the broker.
  | 'storage-failed'
  | 'storage-full'
  | 'storage-damaged'
  | 'fenced'
  | 'closed'
  | 'internal'
  // Consumer groups.
  | 'unknown-member'
  | 'illegal-generation'
  | 'rebalance-in-progress'
  | 'inconsistent-group-protocol'
  | 'fenced-instance'
  | 'invalid-group'
  | 'invalid-session-timeout'
  | 'group-not-empty'
  | 'group-max-size'
  | 'group-subscribed-to-topic'
  | 'stale-member-epoch'
  | 'fenced-member-epoch'
  | 'unreleased-instance'
  | 'unsupported-assignor'
  | 'invalid-regular-expression'
  // Share groups.
  | 'invalid-record-state';

/** An error with a code that a protocol can map, and a message that says what to do about it. */
export class BrokerError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'BrokerError';
    this.code = code;
  }
}

/** The error itself when it is the broker's; otherwise an `internal` one that keeps it as its cause. */
export function toBrokerError(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new BrokerError('internal', message, { cause: error });
}
