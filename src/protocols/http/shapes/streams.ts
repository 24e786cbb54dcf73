/** Types of what is answered about streams (`/api/streams…`). */

export interface StreamSummary {
  readonly name: string;
  /** UUID. */
  readonly id: string;
  readonly partitions: number;
  /** Offsets between the beginning and the end of all partitions: fewer records where compaction or transactions left holes. */
  readonly records: number;
  readonly bytes: number;
  /** `delete`, `compact`, or both with a comma. */
  readonly cleanup_policy: string;
  /** -1 for no limit. */
  readonly retention_ms: number;
  /** Of each partition; -1 for no limit. */
  readonly retention_bytes: number;
  /** The broker's own: it is not written to, changed or deleted. */
  readonly internal: boolean;
}

export interface PartitionSummary {
  readonly partition: number;
  readonly start_offset: number;
  /** What comes before is durable, and shown to readers. */
  readonly high_watermark: number;
  /** What comes before is in no open transaction. */
  readonly last_stable_offset: number;
  readonly records: number;
  readonly bytes: number;
  /** Sealed ones. */
  readonly segments: number;
  readonly leader_epoch: number;
  /** Idempotent producers that it remembers. */
  readonly producers: number;
  readonly open_transactions: number;
}

export interface PartitionProducer {
  readonly partition: number;
  readonly producer_id: number;
  readonly producer_epoch: number;
  /** -1 for none. */
  readonly last_sequence: number;
  /** Milliseconds since the epoch. */
  readonly last_timestamp: number;
  readonly coordinator_epoch: number;
  /** Of its open transaction; -1 for none. */
  readonly transaction_start_offset: number;
}

export interface ConfigEntry {
  readonly name: string;
  /** What counts. */
  readonly value: string;
  /** What counts where the stream does not say otherwise. */
  readonly default: string;
  /** Who set the value: for the stream, for all of the broker, or nobody. */
  readonly source: 'stream' | 'broker' | 'default';
  readonly type: string;
  readonly description: string;
  /** False for what is kept and shown, and has no effect here. */
  readonly in_force: boolean;
}

/** Some bytes, as far as they are shown. */
export interface Payload {
  /** `json` is text that JSON can be read from; `binary` is not text. */
  readonly format: 'json' | 'text' | 'binary';
  /** Text, or base64 where it is binary. */
  readonly data: string;
  /** Of all of it. */
  readonly bytes: number;
  /** There is more than is shown. */
  readonly truncated: boolean;
}

export interface ShownHeader {
  readonly name: string;
  readonly value: Payload | null;
}

export interface ShownRecord {
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch; -1 for none. */
  readonly timestamp: number;
  /** Whose clock that is. */
  readonly timestamp_type: 'create-time' | 'log-append-time';
  readonly key: Payload | null;
  /** Null for a tombstone. */
  readonly value: Payload | null;
  readonly headers: readonly ShownHeader[];
  /** Of key, value and headers. */
  readonly bytes: number;
  readonly compression: string;
  readonly leader_epoch: number;
  /** Of an idempotent producer; null for none. */
  readonly producer: { readonly id: number; readonly epoch: number; readonly sequence: number } | null;
  /** What became of its transaction; `none` when it is in none. */
  readonly transaction: 'none' | 'open' | 'committed' | 'aborted';
  /** What a control record says; null for one of a user. */
  readonly control: { readonly type: 'commit' | 'abort' | 'other'; readonly coordinator_epoch: number | null } | null;
  /** How it was published to an exchange; null for one that was not. */
  readonly message: {
    readonly exchange: string;
    readonly routing_key: string;
    readonly properties: Readonly<Record<string, unknown>>;
  } | null;
}

export interface RecordPage {
  readonly items: readonly ShownRecord[];
  /** Where the next page begins. At the end of a stream it is where there will be something once it grows. */
  readonly cursor: string;
  /** Whether the next page may have something now. */
  readonly more: boolean;
  /** What was looked at for this page. */
  readonly scanned: { readonly records: number; readonly bytes: number };
}

/** What a slow reader of a live tail is told. */
export interface Skipped {
  readonly records: number;
}

export interface Produced {
  readonly partition: number;
  readonly offset: number;
}

export interface NotProduced {
  readonly error: string;
  readonly reason: string;
}

export interface ProduceAnswer {
  /** In the order of the messages. */
  readonly results: readonly (Produced | NotProduced)[];
  readonly failed: number;
}

export interface Published {
  /** Whether any queue or stream got it. */
  readonly routed: boolean;
}

export interface PublishAnswer {
  /** In the order of the messages. */
  readonly results: readonly (Published | NotProduced)[];
  readonly failed: number;
}
