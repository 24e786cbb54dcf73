import type { OffsetToCommit, TopicPartitions } from './offsets.ts';

/** An offset that takes effect when its transaction is committed. */
export interface PendingOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly timestamp: number;
  /** The group has committed another offset since, which stays. */
  superseded: boolean;
}

export interface PendingTopic {
  readonly topic: string;
  readonly partitions: Map<number, PendingOffset>;
}

/** What open transactions are to commit for one group: by producer, then by topic id. */
export type PendingOffsets = Map<number, Map<string, PendingTopic>>;

export function addPending(
  pending: PendingOffsets,
  producerId: number,
  timestamp: number,
  topics: readonly TopicPartitions<OffsetToCommit>[],
): void {
  let own = pending.get(producerId);
  if (own === undefined) {
    own = new Map();
    pending.set(producerId, own);
  }
  for (const { topic, topicId, partitions } of topics) {
    let stored = own.get(topicId);
    if (stored === undefined) {
      stored = { topic, partitions: new Map() };
      own.set(topicId, stored);
    }
    for (const { partition, offset, leaderEpoch, metadata } of partitions)
      stored.partitions.set(partition, {
        offset,
        leaderEpoch,
        metadata: metadata ?? '',
        timestamp,
        superseded: false,
      });
  }
}

/** Whether a transaction is open that may change the offset of this partition. */
export function isPending(pending: PendingOffsets, topicId: string, partition: number): boolean {
  if (pending.size === 0) return false;
  for (const topics of pending.values()) if (topics.get(topicId)?.partitions.has(partition) === true) return true;
  return false;
}

/** The group has committed these outside of any transaction. */
export function supersede(pending: PendingOffsets, topics: readonly TopicPartitions<OffsetToCommit>[]): void {
  for (const own of pending.values()) {
    for (const { topicId, partitions } of topics) {
      for (const { partition } of partitions) {
        const offset = own.get(topicId)?.partitions.get(partition);
        if (offset !== undefined) offset.superseded = true;
      }
    }
  }
}

/** Takes back what is pending for a partition, or for a whole topic. */
export function dropPending(pending: PendingOffsets, topicId: string, partition?: number): void {
  for (const [producerId, own] of pending) {
    const topic = own.get(topicId);
    if (topic === undefined) continue;
    if (partition !== undefined) topic.partitions.delete(partition);
    if (partition === undefined || topic.partitions.size === 0) own.delete(topicId);
    if (own.size === 0) pending.delete(producerId);
  }
}

/** Takes out what a transaction is to commit, in a form that can be committed. */
export function takePending(
  pending: PendingOffsets,
  producerId: number,
): { readonly timestamp: number; readonly topics: readonly TopicPartitions<OffsetToCommit>[] } {
  const own = pending.get(producerId);
  pending.delete(producerId);
  let timestamp = 0;
  const topics = Array.from(own ?? [], ([topicId, { topic, partitions }]) => ({
    topic,
    topicId,
    partitions: [...partitions].flatMap(([partition, stored]) => {
      timestamp = Math.max(timestamp, stored.timestamp);
      if (stored.superseded) return [];
      const { offset, leaderEpoch, metadata } = stored;
      return [{ partition, offset, leaderEpoch, metadata }];
    }),
  }));
  return { timestamp, topics: topics.filter(({ partitions }) => partitions.length > 0) };
}

/** How many offsets these are, for the limits, and how much there is beside them. */
export function pendingLoad(pending: PendingOffsets): { readonly offsets: number; readonly metadataLength: number } {
  let offsets = 0;
  let metadataLength = 0;
  for (const topics of pending.values()) {
    for (const { partitions } of topics.values()) {
      offsets += partitions.size;
      for (const { metadata } of partitions.values()) metadataLength += metadata.length;
    }
  }
  return { offsets, metadataLength };
}

export type SavedPending = readonly {
  readonly producerId: number;
  readonly topics: readonly {
    readonly topicId: string;
    readonly topic: string;
    readonly partitions: readonly [partition: number, offset: PendingOffset][];
  }[];
}[];

export function pendingToJson(pending: PendingOffsets): SavedPending {
  return Array.from(pending, ([producerId, topics]) => ({
    producerId,
    topics: Array.from(topics, ([topicId, { topic, partitions }]) => ({
      topicId,
      topic,
      partitions: [...partitions],
    })),
  }));
}

export function pendingFromJson(saved: SavedPending): PendingOffsets {
  return new Map(
    saved.map(({ producerId, topics }) => [
      producerId,
      new Map(topics.map(({ topicId, topic, partitions }) => [topicId, { topic, partitions: new Map(partitions) }])),
    ]),
  );
}
