import { BrokerError } from '../errors.ts';
import { consumerGroupDescribe } from '../protocols/kafka/codec/apis/consumer-group-describe.ts';
import { deleteGroups } from '../protocols/kafka/codec/apis/delete-groups.ts';
import { describeGroups } from '../protocols/kafka/codec/apis/describe-groups.ts';
import { listGroups as listGroupsApi } from '../protocols/kafka/codec/apis/list-groups.ts';
import { offsetCommit } from '../protocols/kafka/codec/apis/offset-commit.ts';
import { offsetFetch } from '../protocols/kafka/codec/apis/offset-fetch.ts';
import { decodeAssignment } from '../protocols/kafka/codec/consumer-protocol.ts';
import { KafkaError } from '../protocols/kafka/codec/error-codes.ts';
import type { KafkaClient } from './kafka-client.ts';
import { throwOnError } from './kafka-error.ts';
import type { Offsets } from './offsets.ts';

export interface GroupSummary {
  readonly name: string;
  /** As Kafka writes it: Empty, Stable, PreparingRebalance, …; empty when the broker does not tell. */
  readonly state: string;
  /** `classic` or `consumer` (KIP-848); empty when the broker does not tell. */
  readonly type: string;
}

export interface Group {
  readonly name: string;
  readonly type: 'classic' | 'consumer';
  readonly state: string;
  /** How partitions are shared out: range, cooperative-sticky, …; empty while nobody is there. */
  readonly assignor: string;
  readonly members: readonly GroupMember[];
}

export interface GroupMember {
  readonly id: string;
  /** Of a static member. */
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly host: string;
  readonly assignment: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
}

/** What a group has committed, by topic. */
export type CommittedOffsets = ReadonlyMap<string, Offsets>;

/** From this version on one request names several groups (KIP-709). */
const MANY_GROUPS_VERSION = 8;
/** The last version that names topics by their names. */
const LAST_NAMED_VERSION = 9;
/** States of a group that is not there. */
const DEAD = 'Dead';
const NOT_COMMITTED = -1;
/** Who commits for a group without being its member. */
const NO_GENERATION = -1;
const NO_MEMBER = '';

export async function listGroups(client: KafkaClient): Promise<GroupSummary[]> {
  const { errorCode, groups } = await client.request(listGroupsApi, {});
  throwOnError(errorCode, 'groups');
  return groups
    .map(({ groupId, groupState, groupType }) => ({ name: groupId, state: groupState, type: groupType }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Throws `not-found`. */
export async function describeGroup(client: KafkaClient, name: string): Promise<Group> {
  const group = (await describeConsumerGroup(client, name)) ?? (await describeClassicGroup(client, name));
  if (group !== undefined) return group;
  throw new BrokerError('not-found', `there is no group ${name}; see 'sluice group list'`);
}

/** A group of the protocol of KIP-848; undefined when it is none. */
async function describeConsumerGroup(client: KafkaClient, name: string): Promise<Group | undefined> {
  if (!client.supports(consumerGroupDescribe)) return undefined;
  const answer = await client.request(consumerGroupDescribe, { groupIds: [name], includeAuthorizedOperations: false });
  const [group] = answer.groups;
  if (group === undefined || group.errorCode === KafkaError.GROUP_ID_NOT_FOUND) return undefined;
  throwOnError(group.errorCode, `group ${name}`, group.errorMessage);
  return {
    name,
    type: 'consumer',
    state: group.groupState,
    assignor: group.assignorName,
    members: group.members.map((member) => ({
      id: member.memberId,
      instanceId: member.instanceId,
      clientId: member.clientId,
      host: member.clientHost,
      assignment: member.assignment.topicPartitions.map(({ topicName, partitions }) => ({
        topic: topicName,
        partitions,
      })),
    })),
  };
}

async function describeClassicGroup(client: KafkaClient, name: string): Promise<Group | undefined> {
  const { groups } = await client.request(describeGroups, { groups: [name] });
  const [group] = groups;
  if (group === undefined || group.errorCode === KafkaError.GROUP_ID_NOT_FOUND || group.groupState === DEAD) {
    return undefined;
  }
  throwOnError(group.errorCode, `group ${name}`, group.errorMessage);
  const isConsumer = group.protocolType === 'consumer';
  return {
    name,
    type: 'classic',
    state: group.groupState,
    assignor: group.protocolData,
    members: group.members.map((member) => ({
      id: member.memberId,
      instanceId: member.groupInstanceId,
      clientId: member.clientId,
      host: member.clientHost,
      // While the group rebalances there is none. Other protocols (Kafka Connect) write their own.
      assignment: isConsumer && member.memberAssignment.length > 0 ? assignmentOf(member.memberAssignment) : [],
    })),
  };
}

function assignmentOf(bytes: Buffer): GroupMember['assignment'] {
  return decodeAssignment(bytes).assignedPartitions;
}

export async function committedOffsets(client: KafkaClient, group: string): Promise<CommittedOffsets> {
  const topics = await fetchCommitted(client, group);
  const committed = new Map<string, Map<number, number>>();
  for (const { name, partitions } of topics) {
    const offsets = new Map<number, number>();
    for (const { partitionIndex, committedOffset, errorCode } of partitions) {
      throwOnError(errorCode, `group ${group}, ${name} partition ${partitionIndex}`);
      if (committedOffset !== NOT_COMMITTED) offsets.set(partitionIndex, committedOffset);
    }
    if (offsets.size > 0) committed.set(name, offsets);
  }
  return committed;
}

async function fetchCommitted(client: KafkaClient, group: string) {
  const many = client.supports(offsetFetch, MANY_GROUPS_VERSION);
  const body = many ? { groups: [{ groupId: group, topics: null }] } : { groupId: group, topics: null };
  const answer = await client.request(offsetFetch, body, { maxVersion: LAST_NAMED_VERSION });
  if (!many) {
    throwOnError(answer.errorCode, `group ${group}`);
    return answer.topics;
  }
  for (const { errorCode } of answer.groups) {
    // A group that nobody has heard of has committed nothing.
    if (errorCode !== KafkaError.GROUP_ID_NOT_FOUND) throwOnError(errorCode, `group ${group}`);
  }
  return answer.groups.flatMap(({ topics }) => topics);
}

/** Commits for a group without members; throws `group-not-empty` for one that has some. */
export async function commitOffsets(
  client: KafkaClient,
  group: string,
  topic: string,
  offsets: Offsets,
): Promise<void> {
  const partitions = [...offsets].map(([partitionIndex, committedOffset]) => ({
    partitionIndex,
    committedOffset,
    committedMetadata: '',
  }));
  const answer = await client.request(
    offsetCommit,
    {
      groupId: group,
      generationIdOrMemberEpoch: NO_GENERATION,
      memberId: NO_MEMBER,
      topics: [{ name: topic, partitions }],
    },
    { maxVersion: LAST_NAMED_VERSION },
  );
  for (const { partitionIndex, errorCode } of answer.topics.flatMap((each) => each.partitions)) {
    throwOnError(errorCode, `group ${group}, ${topic} partition ${partitionIndex}`);
  }
}

/** Deletes the groups; throws for the first that could not be, having deleted the others. */
export async function removeGroups(client: KafkaClient, names: readonly string[]): Promise<void> {
  const { results } = await client.request(deleteGroups, { groupsNames: names });
  for (const { groupId, errorCode } of results) throwOnError(errorCode, `group ${groupId}`);
}
