import { BrokerError } from '../../../errors.ts';
import { type Assignment, assignmentBytes, equal, NO_PARTITIONS, sameSet } from './assignment.ts';
import { ASSIGNORS, elect } from './assignors.ts';
import { type ConsumerHeartbeat, LEAVES_FOR_NOW } from './heartbeat.ts';
import type { Identity } from './identity.ts';
import {
  type ClassicTraits,
  type ConsumerGroupChange,
  type ConsumerMember,
  type ConsumerMembership,
  memberBytes,
  sameTraits,
} from './membership.ts';
import { reconciled } from './reconciliation.ts';
import type { Subscribed } from './subscriptions.ts';

// What a heartbeat makes of a group, or a join of the classic protocol: worked out as a whole from what is durable, then made
// durable as a whole.

/** What a member says of itself. */
export interface Said extends Omit<ConsumerHeartbeat, 'groupId' | 'memberId' | 'memberEpoch'> {
  /** Said by a member of the classic protocol only. */
  readonly classic?: ClassicTraits;
}

export interface Beat {
  readonly said: Said;
  readonly who: Identity;
  readonly now: number;
  /** There may be other topics than when members' subscriptions were last looked at. */
  readonly refreshed: boolean;
  readonly resolve: (members: readonly ConsumerMember[]) => Subscribed;
  /** What members consumed when the target was made; undefined when nobody remembers. */
  readonly resolved: Subscribed | undefined;
}

export interface Transition {
  /** Null when everything is as it was. */
  readonly change: ConsumerGroupChange | null;
  readonly member: ConsumerMember;
  /** The member as it was; undefined for a new one. */
  readonly before: ConsumerMember | undefined;
  /** What members consume, if that was looked at. */
  readonly subscribed: Subscribed | undefined;
  /** Bytes, about, that the group takes more. */
  readonly growth: number;
}

/** A heartbeat of a member that joins or stays. */
export function heartbeat(group: ConsumerMembership, beat: Beat): Transition {
  const { said, now } = beat;
  const { known, replaced, memberId } = beat.who;
  const before = replaced === undefined ? known : successor(replaced, memberId);
  const updated = update(before, memberId, said);
  // Only for what is rare: a group may have many members, and they come all the time.
  const members = () => {
    const others = [...group.members.values()].filter((each) => each !== known && each !== replaced);
    return [...others, updated];
  };

  let { epoch, topics } = { epoch: group.epoch, topics: group.topics };
  const resubscribed =
    before === undefined ||
    before.topicRegex !== updated.topicRegex ||
    !sameNames(before.topicNames, updated.topicNames) ||
    (before.assignor !== updated.assignor && elect(wishes(group.members.values())) !== elect(wishes(members())));
  let subscribed: Subscribed | undefined;
  if (resubscribed || beat.refreshed || epoch > group.assignmentEpoch) {
    subscribed = beat.resolve(members());
    const otherTopics = !sameSizes(subscribed.topics, group.topics);
    if (otherTopics) topics = subscribed.topics;
    if (resubscribed || otherTopics || !sameSubscribed(subscribed, beat.resolved, updated.memberId)) epoch++;
  }

  const aimed =
    epoch > group.assignmentEpoch && subscribed !== undefined ? aim(group, members(), subscribed, replaced) : undefined;
  const former = group.target(replaced?.memberId ?? updated.memberId);
  const target = aimed === undefined ? former : (aimed.get(updated.memberId) ?? NO_PARTITIONS);
  const targets = [...(aimed ?? [[updated.memberId, former] as const])].filter(
    // Of whom is replaced, the target goes with it.
    ([memberId, each]) =>
      replaced !== undefined && memberId === updated.memberId ? true : !equal(each, group.target(memberId)),
  );
  const member = reconciled(updated, {
    epoch,
    target,
    owned: said.owned,
    owner: (topicId, partition) => {
      const owner = group.owner(topicId, partition);
      return owner === replaced?.memberId ? updated.memberId : owner;
    },
  });

  const unchanged =
    member === known && epoch === group.epoch && epoch === group.assignmentEpoch && topics === group.topics;
  const growth =
    memberBytes(member) -
    (known === undefined ? 0 : memberBytes(known)) +
    targets.reduce((sum, [id, each]) => sum + assignmentBytes(each) - assignmentBytes(group.target(id)), 0) +
    (subscribed === undefined ? 0 : subscribed.bytes - (beat.resolved?.bytes ?? 0));
  return {
    member,
    before,
    subscribed,
    growth,
    change: unchanged
      ? null
      : {
          at: now,
          epoch,
          assignmentEpoch: epoch,
          topics: topics === group.topics ? null : topics,
          gone: replaced === undefined ? [] : [replaced.memberId],
          members: member === known ? [] : [member],
          targets,
        },
  };
}

/** Members that are gone. Whoever comes next makes the target without them. */
export function removal(group: ConsumerMembership, gone: readonly string[], at: number): ConsumerGroupChange {
  const empty = group.members.size === gone.length;
  const { epoch, assignmentEpoch } = group;
  return { at, epoch: epoch + 1, assignmentEpoch, topics: empty ? [] : null, gone, members: [], targets: [] };
}

/** A static member that has gone for now: all that it has is kept for it. */
export function departure(group: ConsumerMembership, member: ConsumerMember, at: number): ConsumerGroupChange {
  const { epoch, assignmentEpoch } = group;
  const left: ConsumerMember = { ...member, epoch: LEAVES_FOR_NOW, state: 'stable', revoking: NO_PARTITIONS };
  return { at, epoch, assignmentEpoch, topics: null, gone: [], members: [left], targets: [] };
}

/** A static member that comes again has what it had. */
function successor(member: ConsumerMember, memberId: string): ConsumerMember {
  return { ...member, memberId, epoch: 0, previousEpoch: 0, state: 'stable' };
}

function update(member: ConsumerMember | undefined, memberId: string, said: Said): ConsumerMember {
  const { instanceId, rackId, clientId, clientHost, rebalanceTimeoutMs, topicNames, topicRegex, assignor } = said;
  const updated: ConsumerMember = {
    memberId,
    instanceId: instanceId ?? member?.instanceId ?? null,
    rackId: rackId ?? member?.rackId ?? null,
    clientId,
    clientHost,
    rebalanceTimeoutMs: rebalanceTimeoutMs >= 0 ? rebalanceTimeoutMs : (member?.rebalanceTimeoutMs ?? 0),
    topicNames: topicNames === null ? (member?.topicNames ?? []) : [...new Set(topicNames)].sort(),
    topicRegex: topicRegex ?? member?.topicRegex ?? '',
    assignor: assignor ?? member?.assignor ?? null,
    epoch: member?.epoch ?? 0,
    previousEpoch: member?.previousEpoch ?? 0,
    state: member?.state ?? 'stable',
    assigned: member?.assigned ?? NO_PARTITIONS,
    revoking: member?.revoking ?? NO_PARTITIONS,
    ...(said.classic !== undefined && { classic: said.classic }),
  };
  return member !== undefined && sameFields(member, updated) ? member : updated;
}

function sameFields(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.topicRegex === b.topicRegex &&
    a.assignor === b.assignor &&
    sameNames(a.topicNames, b.topicNames) &&
    sameTraits(a.classic, b.classic)
  );
}

/** The members' targets anew. */
function aim(
  group: ConsumerMembership,
  members: readonly ConsumerMember[],
  { members: topicsOf, topics }: Subscribed,
  replaced: ConsumerMember | undefined,
): Map<string, Assignment> {
  // Who is no member yet has the place of the one that it replaces, if any.
  const former = (memberId: string) =>
    group.target(group.members.has(memberId) ? memberId : (replaced?.memberId ?? ''));
  const candidates = members.map(({ memberId, instanceId }) => ({
    memberId,
    instanceId,
    topics: topicsOf.get(memberId) ?? new Set<string>(),
    target: former(memberId),
  }));
  const assignor = ASSIGNORS.get(elect(wishes(members)));
  if (assignor === undefined) throw new BrokerError('internal', 'members want assignors that are checked');
  return assignor(candidates, new Map(topics));
}

function wishes(members: Iterable<ConsumerMember>): (string | null)[] {
  return Array.from(members, ({ assignor }) => assignor);
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((name, i) => name === b[i]));
}

function sameSizes(a: Subscribed['topics'], b: Subscribed['topics']): boolean {
  return a.length === b.length && a.every(([topicId, size], i) => b[i]?.[0] === topicId && b[i]?.[1] === size);
}

/** But for one member. What nobody remembers counts as the same. */
function sameSubscribed({ members: now }: Subscribed, before: Subscribed | undefined, except: string): boolean {
  if (before === undefined) return true;
  for (const [memberId, topics] of now) {
    const former = before.members.get(memberId);
    if (memberId !== except && former !== undefined && !sameSet(former, topics)) return false;
  }
  return true;
}
