import { BrokerError } from '../../../errors.ts';
import { type Assignment, assignmentBytes, equal, NO_PARTITIONS } from '../consumer/assignment.ts';
import { JOINS } from '../consumer/heartbeat.ts';
import type { TopicSize } from '../consumer/membership.ts';
import type { Subscribed, Subscription } from '../consumer/subscriptions.ts';
import type { ShareHeartbeat } from './heartbeat.ts';
import { type ShareGroupChange, type ShareMember, type ShareMembership, shareMemberBytes } from './membership.ts';
import { simple } from './simple.ts';

// What a heartbeat makes of a share group: worked out as a whole from what is durable, then made durable as a whole. Nobody has to give a
// partition back before others get it, so a member has its target as soon as it comes.

export interface ShareBeat {
  readonly request: ShareHeartbeat;
  readonly now: number;
  /** There may be other topics than when members' subscriptions were last looked at. */
  readonly refreshed: boolean;
  readonly resolve: (members: readonly Subscription[]) => Subscribed;
}

export interface ShareTransition {
  /** Null when everything is as it was. */
  readonly change: ShareGroupChange | null;
  readonly member: ShareMember;
  /** The member as it was; undefined for a new one. */
  readonly before: ShareMember | undefined;
  /** Bytes, about, that the group takes more. */
  readonly growth: number;
}

/** A heartbeat of a member that joins or stays. Throws `unknown-member`, `fenced-member-epoch`. */
export function heartbeat(group: ShareMembership, { request, now, refreshed, resolve }: ShareBeat): ShareTransition {
  const before = identify(group, request);
  const updated = update(before, request);
  const resubscribed = before === undefined || before.topicNames !== updated.topicNames;
  let { epoch, topics } = { epoch: group.epoch, topics: group.topics };
  let aimed: ReadonlyMap<string, Assignment> | undefined;
  if (resubscribed || refreshed || epoch > group.assignmentEpoch) {
    const members = Array.from(group.members.values(), (each) => (each === before ? updated : each));
    if (before === undefined) members.push(updated);
    const subscribed = resolve(members.map(({ memberId, topicNames }) => ({ memberId, topicNames, topicRegex: '' })));
    const otherTopics = !sameSizes(subscribed.topics, topics);
    if (otherTopics) topics = subscribed.topics;
    if (resubscribed || otherTopics) epoch++;
    if (epoch > group.assignmentEpoch) aimed = aim(group, members, subscribed);
  }
  const { memberId } = request;
  const target = aimed?.get(memberId) ?? group.target(memberId);
  const targets = [...(aimed ?? [])].filter(([id, each]) => !equal(each, group.target(id)));
  const member =
    updated.epoch === epoch
      ? updated
      : { ...updated, epoch, previousEpoch: updated.epoch, assigned: same(updated.assigned, target) };
  const unchanged = member === before && epoch === group.epoch && topics === group.topics;
  return {
    ...{ member, before },
    growth:
      shareMemberBytes(member) -
      (before === undefined ? 0 : shareMemberBytes(before)) +
      targets.reduce((sum, [id, each]) => sum + assignmentBytes(each) - assignmentBytes(group.target(id)), 0),
    change: unchanged
      ? null
      : {
          ...{ at: now, epoch, assignmentEpoch: epoch, gone: [], targets },
          topics: topics === group.topics ? null : topics,
          members: member === before ? [] : [member],
        },
  };
}

/** A member that is gone. Whoever comes next makes the target without it. */
export function removal(group: ShareMembership, memberId: string, at: number): ShareGroupChange {
  const topics = group.members.size === 1 ? [] : null;
  const { epoch, assignmentEpoch } = group;
  return { at, epoch: epoch + 1, assignmentEpoch, topics, gone: [memberId], members: [], targets: [] };
}

export function notAMember(memberId: string): BrokerError {
  return new BrokerError('unknown-member', `${memberId} is not a member of the share group; join it.`);
}

/** Also the epoch before is good: the answer with the last one may have been lost. */
function identify(group: ShareMembership, { memberId, memberEpoch }: ShareHeartbeat): ShareMember | undefined {
  const member = group.get(memberId);
  if (memberEpoch === JOINS) return member;
  if (member === undefined) throw notAMember(memberId);
  if (memberEpoch === member.epoch || memberEpoch === member.previousEpoch) return member;
  throw new BrokerError(
    'fenced-member-epoch',
    `The member's epoch is ${member.epoch}, not ${memberEpoch}. It must give up all its partitions and join again.`,
  );
}

/** What stays the same stays the same object: that is how it is told from what has changed. */
function update(
  member: ShareMember | undefined,
  { memberId, rackId, clientId, clientHost, topicNames }: ShareHeartbeat,
): ShareMember {
  const names = topicNames === null ? undefined : [...new Set(topicNames)].sort();
  const updated: ShareMember = {
    ...{ memberId, clientId, clientHost },
    rackId: rackId ?? member?.rackId ?? null,
    topicNames:
      names === undefined || (member !== undefined && sameNames(names, member.topicNames))
        ? (member?.topicNames ?? [])
        : names,
    epoch: member?.epoch ?? 0,
    previousEpoch: member?.previousEpoch ?? 0,
    assigned: member?.assigned ?? NO_PARTITIONS,
  };
  return member !== undefined && sameFields(member, updated) ? member : updated;
}

function sameFields(a: ShareMember, b: ShareMember): boolean {
  return (
    a.rackId === b.rackId && a.clientId === b.clientId && a.clientHost === b.clientHost && a.topicNames === b.topicNames
  );
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

function sameSizes(a: readonly TopicSize[], b: readonly TopicSize[]): boolean {
  return a.length === b.length && a.every(([topicId, size], i) => b[i]?.[0] === topicId && b[i]?.[1] === size);
}

function same(before: Assignment, now: Assignment): Assignment {
  return equal(before, now) ? before : now;
}

/** The members' targets anew. */
function aim(
  group: ShareMembership,
  members: readonly ShareMember[],
  { members: topicsOf, topics }: Subscribed,
): ReadonlyMap<string, Assignment> {
  const candidates = members.map(({ memberId }) => ({
    memberId,
    topics: topicsOf.get(memberId) ?? new Set<string>(),
    target: group.target(memberId),
  }));
  return simple(candidates, new Map(topics));
}
