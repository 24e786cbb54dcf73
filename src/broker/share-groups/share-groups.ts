import type { SharePartition } from './share-partition.ts';

/** Where a group stands in a partition. */
export interface ShareGroupOffset {
  readonly streamId: string;
  readonly partition: number;
  readonly startOffset: number;
  /** Under which the record at the start offset was appended; -1 when unknown. */
  readonly leaderEpoch: number;
  /** Records that are not done with. */
  readonly lag: number;
}

export interface NewStartOffset {
  readonly streamId: string;
  readonly partition: number;
  readonly startOffset: number;
}

/** The delivery state of all share groups: kept with each partition, in its shard. Who is in a group is not known here. */
export interface ShareGroups {
  /**
   * Loads the state of a partition; makes it, where the group's `share.auto.offset.reset` says, when there is none. The same object for
   * as long as the state is there. Rejects with `not-found` for a stream or partition that does not exist, `limit-exceeded`.
   */
  partition(groupId: string, streamId: string, partition: number): Promise<SharePartition>;

  /** Groups that have state of any partition. */
  groupIds(): ReadonlySet<string>;

  /** Of all partitions that the group has state of. */
  offsets(groupId: string): readonly ShareGroupOffset[];

  /** Forgets all that was delivered: the group starts at these offsets. Of empty groups only, which the caller sees to. Resolves when durable. */
  alterOffsets(groupId: string, offsets: readonly NewStartOffset[]): Promise<void>;

  /** Forgets what the group has for these streams; the caller sees to it that the group is empty. */
  deleteOffsets(groupId: string, streamIds: readonly string[]): Promise<void>;

  /** All that the group has goes. */
  deleteGroup(groupId: string): Promise<void>;
}
