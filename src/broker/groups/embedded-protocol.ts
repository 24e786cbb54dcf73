/** Partitions of a topic, as consumers of the classic protocol name them to each other. */
export interface NamedPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

/** What a consumer of the classic protocol says of itself in its metadata. */
export interface EmbeddedSubscription {
  /** In which its assignment is to be written. */
  readonly version: number;
  readonly topics: readonly string[];
  /** What it has, and does not give up before it is told to. */
  readonly owned: readonly NamedPartitions[];
  readonly rackId: string | null;
}

/** What consumers of the classic protocol tell each other (Kafka's ConsumerProtocol): bytes to whom does not need to know. */
export interface EmbeddedProtocol {
  /** Null for metadata that cannot be understood. */
  subscription(metadata: Buffer): EmbeddedSubscription | null;
  /** Null for one that cannot be understood. */
  assignment(bytes: Buffer): readonly NamedPartitions[] | null;
  encodeAssignment(assignment: readonly NamedPartitions[], version: number): Buffer;
}
