import { BrokerError } from '../../../errors.ts';
import type { EmbeddedProtocol, EmbeddedSubscription, NamedPartitions } from '../embedded-protocol.ts';
import type { Membership, StoredMember } from '../state.ts';
import { type Assignment, assignmentOf, equal, NO_PARTITIONS, union } from './assignment.ts';
import type { ClassicTraits, ConsumerGroupChange, ConsumerMember, ConsumerMembership } from './membership.ts';
import { isReconciled } from './reconciliation.ts';
import type { Topics } from './topics.ts';

// What a group of one protocol becomes in the other. Follows Kafka's ConsumerGroup.fromClassicGroup and
// ClassicGroup.fromConsumerGroup.

/** The protocol type of consumers; of other groups (Kafka Connect's workers, for one) it is not known what they read. */
export const CONSUMERS = 'consumer';

/** What is needed to read and write what members of the classic protocol say. */
export interface Translation {
  readonly embedded: EmbeddedProtocol;
  readonly topics: Topics;
}

interface Understood {
  readonly member: StoredMember;
  readonly subscription: EmbeddedSubscription;
  readonly assigned: Assignment;
}

/**
 * The change that makes a consumer group of a classic group, with its members in their generation; null when its members are
 * no consumers, or cannot be understood.
 */
export function toConsumers(
  { generation, protocolType, protocolName, members }: Membership,
  translation: Translation,
  at: number,
): ConsumerGroupChange | null {
  if (protocolType !== CONSUMERS) return null;
  const understood: Understood[] = [];
  const taken = new Set<string>();
  for (const member of members) {
    const subscription = subscriptionOf(member, protocolName, translation.embedded);
    const assignment = member.assignment.length === 0 ? [] : translation.embedded.assignment(member.assignment);
    if (subscription === null || assignment === null) return null;
    understood.push({ member, subscription, assigned: claim(assignment, taken, translation.topics) });
  }
  // What a member had when it joined it may have still, until it has learnt of its assignment.
  const converted = understood.map(({ member, subscription, assigned }) =>
    convert(member, generation, subscription, union(assigned, claim(subscription.owned, taken, translation.topics))),
  );
  return {
    at,
    epoch: generation,
    assignmentEpoch: generation,
    topics: [],
    gone: [],
    members: converted,
    targets: converted.map(({ memberId, assigned }) => [memberId, assigned]),
  };
}

/** A member of the classic protocol in a consumer group. */
export type ClassicMember = ConsumerMember & { readonly classic: ClassicTraits };

export function usesClassic(member: ConsumerMember): member is ClassicMember {
  return member.classic !== undefined;
}

/**
 * What a group is in the classic protocol when only these members are left. A rebalance is due then, as there are partitions
 * that nobody has; not if a static member's successor, which is yet to join, is to have what the member had.
 */
export function toClassic(
  group: ConsumerMembership,
  rest: readonly ClassicMember[],
  replaced: { readonly member: ConsumerMember; readonly by: ClassicTraits } | undefined,
  { embedded, topics }: Translation,
  since: number,
): Membership {
  const members = replaced === undefined ? rest : [...rest, { ...replaced.member, classic: replaced.by }];
  const settled =
    replaced !== undefined &&
    group.epoch === group.assignmentEpoch &&
    rest.every((member) => isReconciled(member, group.assignmentEpoch)) &&
    equal(replaced.member.assigned, group.target(replaced.member.memberId));
  return {
    generation: group.epoch,
    protocolType: CONSUMERS,
    protocolName: null,
    leader: members[0]?.memberId ?? null,
    since,
    members: members.map(({ memberId, instanceId, clientId, clientHost, rebalanceTimeoutMs, ...member }) => ({
      ...{ memberId, groupInstanceId: instanceId, clientId, clientHost, rebalanceTimeoutMs },
      sessionTimeoutMs: member.classic.sessionTimeoutMs,
      protocols: protocolsOf(member.classic),
      assignment: assignmentFor(member.classic, union(member.assigned, member.revoking), { embedded, topics }),
    })),
    ...(!settled && { rebalanceDue: true }),
  };
}

/** An assignment as a member of the classic protocol reads it. */
export function assignmentFor(classic: ClassicTraits, assigned: Assignment, { embedded, topics }: Translation): Buffer {
  const [first] = protocolsOf(classic);
  const subscription = first === undefined ? null : embedded.subscription(first.metadata);
  if (subscription === null) throw new BrokerError('internal', 'a member was let in whose metadata is not understood');
  // A topic that was deleted has no name any more.
  const named = assigned.flatMap(({ topicId, partitions }) => {
    const name = topics.byId(topicId)?.name;
    return name === undefined ? [] : [{ topic: name, partitions }];
  });
  return embedded.encodeAssignment(named, subscription.version);
}

/** The partitions of those that exist. */
export function idsOf(named: readonly NamedPartitions[], topics: Topics): Assignment {
  return assignmentOf(
    named.flatMap(({ topic, partitions }) => {
      const info = topics.byName(topic);
      if (info === undefined) return [];
      return [{ topicId: info.topicId, partitions: partitions.filter((partition) => partition < info.partitions) }];
    }),
  );
}

export function traitsOf({ sessionTimeoutMs, protocols }: Pick<StoredMember, keyof ClassicTraits>): ClassicTraits {
  return {
    sessionTimeoutMs,
    protocols: protocols.map(({ name, metadata }) => ({ name, metadata: metadata.toString('base64') })),
  };
}

function protocolsOf({ protocols }: ClassicTraits): StoredMember['protocols'] {
  return protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata, 'base64') }));
}

/** Before a group has chosen a protocol, or for a member that has not heard of it, the first says as much as any. */
function subscriptionOf({ protocols }: StoredMember, chosen: string | null, embedded: EmbeddedProtocol) {
  const { metadata } = protocols.find(({ name }) => name === chosen) ?? protocols[0] ?? {};
  return metadata === undefined ? null : embedded.subscription(metadata);
}

/** What of this nobody else has claimed. */
function claim(named: readonly NamedPartitions[], taken: Set<string>, topics: Topics): Assignment {
  const claimed = idsOf(named, topics).map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.filter((partition) => {
      const key = `${partition}/${topicId}`;
      return !taken.has(key) && taken.add(key);
    }),
  }));
  return assignmentOf(claimed);
}

function convert(
  member: StoredMember,
  generation: number,
  { topics, rackId }: EmbeddedSubscription,
  assigned: Assignment,
): ConsumerMember {
  const { memberId, groupInstanceId, clientId, clientHost, rebalanceTimeoutMs } = member;
  return {
    ...{ memberId, instanceId: groupInstanceId, rackId, clientId, clientHost, rebalanceTimeoutMs },
    topicNames: [...new Set(topics)].sort(),
    topicRegex: '',
    assignor: null,
    epoch: generation,
    previousEpoch: generation,
    state: 'stable',
    assigned,
    revoking: NO_PARTITIONS,
    classic: traitsOf(member),
  };
}
