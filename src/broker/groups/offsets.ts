import type { ErrorCode } from '../../errors.ts';

/** One topic of a request or an answer. The id tells a topic from another that had its name before. */
export interface TopicPartitions<Partition> {
  readonly topic: string;
  /** UUID */
  readonly topicId: string;
  readonly partitions: readonly Partition[];
}

export interface OffsetToCommit {
  readonly partition: number;
  readonly offset: number;
  /** Of the last record consumed; -1 when the consumer does not say. */
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

export interface CommitRequest {
  readonly groupId: string;
  /** Of a group whose members have epochs (KIP-848), the member's. Negative for a consumer that is in no generation: it assigns partitions itself, or is an administrator. */
  readonly generation: number;
  /** Empty for such a consumer. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** False for a client that cannot be a member with an epoch (OffsetCommit before version 9). */
  readonly knowsEpochs?: boolean;
  /** Milliseconds to keep the offsets whatever the group does (OffsetCommit up to version 4); by default as the settings say. */
  readonly retentionMs?: number | null;
  readonly topics: readonly TopicPartitions<OffsetToCommit>[];
}

/** Offsets that take effect with a transaction, which was found to be open and the group to be part of it. */
export interface TransactionalCommitRequest extends CommitRequest {
  readonly producerId: number;
}

export interface PartitionResult {
  readonly partition: number;
  readonly error: ErrorCode | null;
}

export interface FetchOffsetsRequest {
  readonly groupId: string;
  /** Null for all that the group has. A topic that does not exist has the id null, and no offsets. */
  readonly topics:
    | readonly { readonly topic: string; readonly topicId: string | null; readonly partitions: readonly number[] }[]
    | null;
  /** Rather a refusal (`unstable-offset`) than an offset that an open transaction is about to change. */
  readonly requireStable: boolean;
  /** Heeded by groups whose members have epochs (KIP-848); of a classic group anyone may read. */
  readonly memberId?: string | null;
  readonly memberEpoch?: number;
}

export interface FetchedTopic {
  readonly topic: string;
  readonly topicId: string | null;
  readonly partitions: readonly FetchedOffset[];
}

export interface FetchedOffset {
  readonly partition: number;
  /** -1 when nothing is committed. */
  readonly offset: number;
  /** -1 when it was not told. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly error: ErrorCode | null;
}

export interface DeleteOffsetsRequest {
  readonly groupId: string;
  readonly topics: readonly TopicPartitions<number>[];
}
