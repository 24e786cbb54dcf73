import type { Clock } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import type { EventLog } from '../event-log.ts';
import type {
  CommitRequest,
  DeleteOffsetsRequest,
  FetchedOffset,
  FetchedTopic,
  FetchOffsetsRequest,
  OffsetToCommit,
  PartitionResult,
  TopicPartitions,
  TransactionalCommitRequest,
} from './offsets.ts';
import { isPending } from './pending-offsets.ts';
import type { GroupSettings } from './settings.ts';
import type { GroupEvent, GroupsState, StoredTopic } from './state.ts';

/** What the groups of a coordinator have committed. Who may commit for a group is not asked here. */
export class CommittedOffsets {
  readonly #clock: Clock;
  readonly #log: EventLog<GroupsState, GroupEvent>;
  readonly #settings: GroupSettings;

  constructor(clock: Clock, log: EventLog<GroupsState, GroupEvent>, settings: GroupSettings) {
    this.#clock = clock;
    this.#log = log;
    this.#settings = settings;
  }

  /** Resolves when what could be committed is durable. */
  async commit(request: CommitRequest): Promise<TopicPartitions<PartitionResult>[]> {
    const { groupId, retentionMs } = request;
    const { accepted, results } = this.#acceptable(request);
    if (accepted.length > 0) {
      const timestamp = this.#clock.now();
      const expires = typeof retentionMs === 'number' && retentionMs >= 0 ? timestamp + retentionMs : null;
      await this.#log.append([{ type: 'offsets-committed', groupId, timestamp, expires, topics: accepted }]);
    }
    return results;
  }

  /** As `commit`, with the end of the producer's transaction. */
  async commitWithTransaction(request: TransactionalCommitRequest): Promise<TopicPartitions<PartitionResult>[]> {
    const { groupId, producerId } = request;
    const { accepted, results } = this.#acceptable(request);
    if (accepted.length > 0) {
      const timestamp = this.#clock.now();
      await this.#log.append([{ type: 'transactional-offsets', groupId, producerId, timestamp, topics: accepted }]);
    }
    return results;
  }

  /** Of a group that does not exist, no offset is committed. */
  fetch({ groupId, topics, requireStable }: FetchOffsetsRequest): FetchedTopic[] {
    const group = this.#log.state.groups.get(groupId);
    const offsets = group?.offsets;
    const one = (topicId: string | null, partition: number): FetchedOffset => {
      if (requireStable && group !== undefined && topicId !== null && isPending(group.pending, topicId, partition))
        return { ...fetched(undefined, partition), error: 'unstable-offset' };
      return fetched(topicId === null ? undefined : offsets?.get(topicId), partition);
    };
    if (topics === null) {
      return [...(offsets ?? [])].map(([topicId, stored]) => ({
        topic: stored.topic,
        topicId,
        partitions: [...stored.partitions.keys()].map((partition) => one(topicId, partition)),
      }));
    }
    return topics.map(({ topic, topicId, partitions }) => {
      return { topic, topicId, partitions: partitions.map((partition) => one(topicId, partition)) };
    });
  }

  /** `group-subscribed-to-topic` for a partition of a topic that the group consumes. */
  async delete(
    { groupId, topics }: DeleteOffsetsRequest,
    consumed: (topic: string) => boolean,
  ): Promise<TopicPartitions<PartitionResult>[]> {
    const deleted = topics.filter(({ topic }) => !consumed(topic));
    // Also what does not seem to be there: its commit may be on its way.
    if (deleted.length > 0) await this.#log.append([{ type: 'offsets-deleted', groupId, topics: deleted.map(bare) }]);
    return topics.map(({ topic, topicId, partitions }) => {
      const error = consumed(topic) ? 'group-subscribed-to-topic' : null;
      return { topic, topicId, partitions: partitions.map((partition) => ({ partition, error })) };
    });
  }

  async onTopicDeleted(topicId: string): Promise<void> {
    await this.#log.append([{ type: 'topic-deleted', topicId }]);
  }

  /** What of a request can be committed, and the answer for all of it. */
  #acceptable({ groupId, topics }: CommitRequest) {
    const results: TopicPartitions<PartitionResult>[] = [];
    const accepted: TopicPartitions<OffsetToCommit>[] = [];
    for (const { topic, topicId, partitions } of topics) {
      const good = partitions.filter(({ metadata }) => this.#metadataFits(metadata));
      if (good.length > 0) accepted.push({ topic, topicId, partitions: good });
      results.push({
        topic,
        topicId,
        partitions: partitions.map(({ partition, metadata }) => ({
          partition,
          error: this.#metadataFits(metadata) ? null : 'limit-exceeded',
        })),
      });
    }
    this.#checkRoom(groupId, accepted);
    return { accepted, results };
  }

  /** Throws `limit-exceeded` when these would be too many for all groups together. */
  #checkRoom(groupId: string, topics: readonly TopicPartitions<OffsetToCommit>[]): void {
    const { maxOffsets, maxTotalOffsetMetadataLength } = this.#settings;
    const { groups, committed } = this.#log.state;
    let offsets = committed.offsets;
    let metadataLength = committed.metadataLength;
    for (const { topicId, partitions } of topics) {
      const stored = groups.get(groupId)?.offsets.get(topicId)?.partitions;
      for (const { partition, metadata } of partitions) {
        const before = stored?.get(partition);
        if (before === undefined) offsets++;
        metadataLength += (metadata?.length ?? 0) - (before?.metadata.length ?? 0);
      }
    }
    // Whoever commits what it had committed before does not make it worse.
    const more = offsets > committed.offsets && offsets > maxOffsets;
    const longer = metadataLength > committed.metadataLength && metadataLength > maxTotalOffsetMetadataLength;
    if (more || longer)
      throw new BrokerError(
        'limit-exceeded',
        `all groups together have ${committed.offsets} committed offsets already`,
      );
  }

  #metadataFits(metadata: string | null): boolean {
    return metadata === null || metadata.length <= this.#settings.maxOffsetMetadataLength;
  }
}

function fetched(stored: StoredTopic | undefined, partition: number): FetchedOffset {
  const found = stored?.partitions.get(partition);
  if (found === undefined) return { partition, offset: -1, leaderEpoch: -1, metadata: '', error: null };
  const { offset, leaderEpoch, metadata } = found;
  return { partition, offset, leaderEpoch, metadata, error: null };
}

function bare({ topicId, partitions }: TopicPartitions<number>) {
  return { topicId, partitions };
}
