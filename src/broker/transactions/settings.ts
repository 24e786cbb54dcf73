/** Limits and times of transactions; Kafka's names are given where it has the setting. */
export interface TransactionSettings {
  /** transaction.max.timeout.ms: the longest time-out that a producer may ask for. */
  readonly maxTimeoutMs: number;
  /** transactional.id.expiration.ms: how long a transactional id is remembered that nobody uses. */
  readonly idExpirationMs: number;
  /** transaction.abort.timed.out.transaction.cleanup.interval.ms */
  readonly timeoutCheckMs: number;
  /** transaction.remove.expired.transaction.cleanup.interval.ms */
  readonly expirationCheckMs: number;
  /** When markers could not be written, they are tried again after this. */
  readonly markerRetryMs: number;
  /** Transactional ids of a coordinator. */
  readonly maxTransactionalIds: number;
  /** Partitions and groups of all open transactions of a coordinator. */
  readonly maxParticipants: number;
  /** UTF-16 units of a transactional id. */
  readonly maxIdLength: number;
}

export const DEFAULT_TRANSACTION_SETTINGS: TransactionSettings = {
  maxTimeoutMs: 900_000,
  idExpirationMs: 7 * 24 * 3_600_000,
  timeoutCheckMs: 1_000,
  expirationCheckMs: 3_600_000,
  markerRetryMs: 200,
  maxTransactionalIds: 100_000,
  maxParticipants: 1_000_000,
  maxIdLength: 1_024,
};
