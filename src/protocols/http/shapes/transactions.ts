/** Types of what is answered about transactions (`/api/transactions…`). */

export interface TransactionSummary {
  /** The transactional id. */
  readonly name: string;
  /** As Kafka's tools name it: `Ongoing`, `PrepareCommit`, `CompleteAbort`, `Empty`… */
  readonly state: string;
  readonly producer_id: number;
  readonly producer_epoch: number;
  readonly timeout_ms: number;
  /** Milliseconds since the epoch; null when none is open. */
  readonly started_at: number | null;
  /** For how many milliseconds it has been open; null when none is. */
  readonly age_ms: number | null;
  /** Milliseconds since the epoch. */
  readonly updated_at: number;
  readonly partitions: number;
  readonly groups: number;
}

export interface TransactionDetails extends TransactionSummary {
  readonly partition_details: readonly { readonly stream: string; readonly partitions: readonly number[] }[];
  /** Whose offsets it commits. */
  readonly group_details: readonly string[];
}
