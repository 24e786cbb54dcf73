import type { StateMachine } from '../event-log.ts';
import { type ConsumerGroupChange, ConsumerMembership, type SavedConsumerMembership } from './consumer/membership.ts';
import type { MemberProtocol } from './membership.ts';
import type { OffsetToCommit, TopicPartitions } from './offsets.ts';
import {
  addPending,
  dropPending,
  type PendingOffsets,
  pendingFromJson,
  pendingLoad,
  pendingToJson,
  type SavedPending,
  supersede,
  takePending,
} from './pending-offsets.ts';
import { type ShareGroupChange, ShareMembership } from './share/membership.ts';

/** What is durable of consumer groups. Rebalances under way, sessions and who waits for what are not. */
export interface GroupsState {
  readonly groups: Map<string, StoredGroup>;
  /** What the groups' offsets come to, with those that are pending. */
  readonly committed: { offsets: number; metadataLength: number };
}

export interface StoredGroup {
  /** Null for a group that was only used to commit offsets. */
  membership: Membership | null;
  /** Of a group whose members use the protocol of KIP-848, or did last; such a group has no `membership`. */
  consumer: ConsumerMembership | null;
  /** Of a share group (KIP-932); such a group has neither of these two, and no offsets: where it stands is kept with the partitions. */
  share: ShareMembership | null;
  /** By topic id. */
  readonly offsets: Map<string, StoredTopic>;
  /** What transactions are to commit that are open. */
  readonly pending: PendingOffsets;
}

/** A generation, as it was when its members were given their assignments or the last of them had gone. */
export interface Membership {
  readonly generation: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leader: string | null;
  /** When the group came into this state, by the broker's clock. */
  readonly since: number;
  readonly members: readonly StoredMember[];
  /** There are partitions that none of the members has: they are to join again. Left out when that is not so. */
  readonly rebalanceDue?: boolean;
}

export interface StoredMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** All that it can do, not only what was chosen: a member that joins again after a restart is then seen to be unchanged. */
  readonly protocols: readonly MemberProtocol[];
  readonly assignment: Buffer;
}

export interface StoredTopic {
  readonly topic: string;
  readonly partitions: Map<number, StoredOffset>;
}

export interface StoredOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** When it was committed, by the broker's clock. */
  readonly timestamp: number;
  /** When it expires, if whoever committed it said so. */
  readonly expires: number | null;
}

export type GroupEvent =
  | { readonly type: 'membership-stored'; readonly groupId: string; readonly membership: Membership }
  | { readonly type: 'consumer-group-changed'; readonly groupId: string; readonly change: ConsumerGroupChange }
  | { readonly type: 'share-group-changed'; readonly groupId: string; readonly change: ShareGroupChange }
  | OffsetsCommitted
  | TransactionalOffsets
  | TransactionEnded
  | { readonly type: 'offsets-deleted'; readonly groupId: string; readonly topics: readonly DeletedOffsets[] }
  | { readonly type: 'offsets-expired'; readonly groupId: string; readonly topics: readonly ExpiredOffsets[] }
  /** Takes effect only if there are still neither members nor offsets. */
  | { readonly type: 'group-expired'; readonly groupId: string }
  | { readonly type: 'group-deleted'; readonly groupId: string }
  | { readonly type: 'topic-deleted'; readonly topicId: string };

export interface OffsetsCommitted {
  readonly type: 'offsets-committed';
  readonly groupId: string;
  readonly timestamp: number;
  readonly expires: number | null;
  readonly topics: readonly TopicPartitions<OffsetToCommit>[];
}

/** Offsets that a transaction is to commit. */
export interface TransactionalOffsets {
  readonly type: 'transactional-offsets';
  readonly groupId: string;
  readonly producerId: number;
  readonly timestamp: number;
  readonly topics: readonly TopicPartitions<OffsetToCommit>[];
}

/** What it was to commit for these groups is committed, or forgotten. */
export interface TransactionEnded {
  readonly type: 'transaction-ended';
  readonly producerId: number;
  readonly groupIds: readonly string[];
  readonly outcome: 'commit' | 'abort';
}

export interface DeletedOffsets {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export interface ExpiredOffsets {
  readonly topicId: string;
  /** With when they had been committed: an offset committed since, its event still on its way, is not to go. */
  readonly partitions: readonly { readonly partition: number; readonly timestamp: number }[];
}

export const groupsStateMachine: StateMachine<GroupsState, GroupEvent> = {
  initial: () => ({ groups: new Map(), committed: { offsets: 0, metadataLength: 0 } }),
  apply(state, event) {
    switch (event.type) {
      case 'membership-stored': {
        const group = groupIn(state, event.groupId);
        group.membership = event.membership;
        group.consumer = null;
        return;
      }
      case 'consumer-group-changed': {
        const group = groupIn(state, event.groupId);
        group.membership = null;
        group.consumer ??= new ConsumerMembership();
        group.consumer.apply(event.change);
        return;
      }
      case 'share-group-changed': {
        const group = groupIn(state, event.groupId);
        group.share ??= new ShareMembership();
        group.share.apply(event.change);
        return;
      }
      case 'offsets-committed':
        commit(state, groupIn(state, event.groupId), event);
        supersede(groupIn(state, event.groupId).pending, event.topics);
        return;
      case 'transactional-offsets':
        changePending(state, groupIn(state, event.groupId), (pending) =>
          addPending(pending, event.producerId, event.timestamp, event.topics),
        );
        return;
      case 'transaction-ended':
        for (const groupId of event.groupIds) endTransaction(state, groupId, event);
        return;
      case 'offsets-deleted':
        for (const { topicId, partitions } of event.topics) {
          for (const partition of partitions) {
            remove(state, event.groupId, topicId, partition);
            const group = state.groups.get(event.groupId);
            if (group !== undefined) changePending(state, group, (pending) => dropPending(pending, topicId, partition));
          }
        }
        return;
      case 'offsets-expired':
        for (const { topicId, partitions } of event.topics) {
          for (const { partition, timestamp } of partitions) {
            remove(state, event.groupId, topicId, partition, timestamp);
          }
        }
        return;
      case 'group-expired': {
        const group = state.groups.get(event.groupId);
        const members = (group?.membership?.members.length ?? 0) + (group?.consumer?.members.size ?? 0);
        if (group?.share === null && group.offsets.size === 0 && group.pending.size === 0 && members === 0) {
          state.groups.delete(event.groupId);
        }
        return;
      }
      case 'group-deleted':
        for (const topic of state.groups.get(event.groupId)?.offsets.values() ?? []) count(state, topic, -1);
        changePending(state, groupIn(state, event.groupId), (pending) => pending.clear());
        state.groups.delete(event.groupId);
        return;
      case 'topic-deleted':
        for (const group of state.groups.values()) {
          changePending(state, group, (pending) => dropPending(pending, event.topicId));
          const topic = group.offsets.get(event.topicId);
          if (topic === undefined) continue;
          count(state, topic, -1);
          group.offsets.delete(event.topicId);
        }
        return;
    }
  },
  toSnapshot: (state): Snapshot =>
    [...state.groups].map(([groupId, { membership, consumer, share, offsets, pending }]) => ({
      groupId,
      ...(consumer !== null && { consumer: consumer.toSnapshot() }),
      ...(share !== null && { share: share.toSnapshot() }),
      ...(pending.size > 0 && { pending: pendingToJson(pending) }),
      membership: membership && membershipToJson(membership),
      offsets: [...offsets].map(([topicId, { topic, partitions }]) => ({
        topicId,
        topic,
        partitions: [...partitions].map(([partition, stored]) => [
          partition,
          stored.offset,
          stored.leaderEpoch,
          stored.metadata,
          stored.timestamp,
          stored.expires,
        ]),
      })),
    })),
  fromSnapshot(data) {
    const state = groupsStateMachine.initial();
    for (const { groupId, membership, consumer, share, offsets, pending } of data as Snapshot) {
      const group: StoredGroup = {
        membership: membership && membershipFromJson(membership),
        offsets: new Map(),
        consumer: consumer === undefined ? null : ConsumerMembership.fromSnapshot(consumer),
        share: share === undefined ? null : ShareMembership.fromSnapshot(share),
        pending: new Map(),
      };
      changePending(state, group, (own) => {
        for (const [producerId, topics] of pendingFromJson(pending ?? [])) own.set(producerId, topics);
      });
      for (const { topicId, topic, partitions } of offsets) {
        const stored: StoredTopic = { topic, partitions: storedOffsets(partitions) };
        group.offsets.set(topicId, stored);
        count(state, stored, 1);
      }
      state.groups.set(groupId, group);
    }
    return state;
  },
};

type Snapshot = {
  readonly groupId: string;
  readonly membership: JsonMembership | null;
  readonly offsets: { readonly topicId: string; readonly topic: string; readonly partitions: SavedOffset[] }[];
  readonly consumer?: SavedConsumerMembership;
  readonly share?: ShareGroupChange;
  readonly pending?: SavedPending;
}[];

type SavedOffset = [
  partition: number,
  offset: number,
  leaderEpoch: number,
  metadata: string,
  timestamp: number,
  expires: number | null,
];

function storedOffsets(saved: readonly SavedOffset[]): Map<number, StoredOffset> {
  return new Map(
    saved.map(([partition, offset, leaderEpoch, metadata, timestamp, expires]) => [
      partition,
      { offset, leaderEpoch, metadata, timestamp, expires },
    ]),
  );
}

function groupIn(state: GroupsState, groupId: string): StoredGroup {
  let group = state.groups.get(groupId);
  if (group === undefined) {
    group = { membership: null, consumer: null, share: null, offsets: new Map(), pending: new Map() };
    state.groups.set(groupId, group);
  }
  return group;
}

/** Counts the offsets of a topic that has come, or gone. */
function count({ committed }: GroupsState, { partitions }: StoredTopic, by: 1 | -1): void {
  committed.offsets += by * partitions.size;
  for (const { metadata } of partitions.values()) committed.metadataLength += by * metadata.length;
}

/** Changes what is pending for a group, and counts it. */
function changePending(
  { committed }: GroupsState,
  { pending }: StoredGroup,
  change: (pending: PendingOffsets) => void,
): void {
  const before = pendingLoad(pending);
  change(pending);
  const after = pendingLoad(pending);
  committed.offsets += after.offsets - before.offsets;
  committed.metadataLength += after.metadataLength - before.metadataLength;
}

function endTransaction(state: GroupsState, groupId: string, { producerId, outcome }: TransactionEnded): void {
  const group = state.groups.get(groupId);
  if (group?.pending.has(producerId) !== true) return;
  changePending(state, group, (pending) => {
    const { timestamp, topics } = takePending(pending, producerId);
    if (outcome === 'abort') return;
    commit(state, group, { topics, timestamp, expires: null });
  });
}

function commit(
  { committed }: GroupsState,
  group: StoredGroup,
  { topics, timestamp, expires }: Pick<OffsetsCommitted, 'topics' | 'timestamp' | 'expires'>,
): void {
  for (const { topic, topicId, partitions } of topics) {
    let stored = group.offsets.get(topicId);
    if (stored === undefined) {
      stored = { topic, partitions: new Map() };
      group.offsets.set(topicId, stored);
    }
    for (const { partition, offset, leaderEpoch, metadata } of partitions) {
      const before = stored.partitions.get(partition);
      if (before === undefined) committed.offsets++;
      committed.metadataLength += (metadata?.length ?? 0) - (before?.metadata.length ?? 0);
      stored.partitions.set(partition, { offset, leaderEpoch, metadata: metadata ?? '', timestamp, expires });
    }
  }
}

/** With a time, only the offset that was committed then. */
function remove(state: GroupsState, groupId: string, topicId: string, partition: number, timestamp?: number): void {
  const group = state.groups.get(groupId);
  const topic = group?.offsets.get(topicId);
  const stored = topic?.partitions.get(partition);
  if (group === undefined || topic === undefined || stored === undefined) return;
  if (timestamp !== undefined && stored.timestamp !== timestamp) return;
  state.committed.offsets--;
  state.committed.metadataLength -= stored.metadata.length;
  topic.partitions.delete(partition);
  if (topic.partitions.size === 0) group.offsets.delete(topicId);
}

/** A `Membership` as JSON has it: bytes in base64. */
export type JsonMembership = Omit<Membership, 'members'> & { readonly members: readonly JsonMember[] };

type JsonMember = Omit<StoredMember, 'protocols' | 'assignment'> & {
  readonly protocols: readonly { readonly name: string; readonly metadata: string }[];
  readonly assignment: string;
};

export function membershipToJson(membership: Membership): JsonMembership {
  return {
    ...membership,
    members: membership.members.map((member) => ({
      ...member,
      protocols: member.protocols.map(({ name, metadata }) => ({ name, metadata: metadata.toString('base64') })),
      assignment: member.assignment.toString('base64'),
    })),
  };
}

export function membershipFromJson(json: JsonMembership): Membership {
  return {
    ...json,
    members: json.members.map((member) => ({
      ...member,
      protocols: member.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata, 'base64') })),
      assignment: Buffer.from(member.assignment, 'base64'),
    })),
  };
}
