import { BrokerError } from '../../../errors.ts';
import { protocolBytes } from '../member.ts';
import type { JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult } from '../membership.ts';
import { rebalanceTimeout } from '../roster.ts';
import type { GroupSettings } from '../settings.ts';
import { lookup, split } from './assignment.ts';
import {
  assignmentFor,
  type ClassicMember,
  CONSUMERS,
  idsOf,
  type Translation,
  traitsOf,
  usesClassic,
} from './conversion.ts';
import { type Identity, memberOf, unknownMember } from './identity.ts';
import type { ClassicTraits, ConsumerMember, ConsumerMembership } from './membership.ts';
import type { Said } from './transition.ts';
import type { Watches } from './watches.ts';

/** What the group does for its members of the classic protocol. */
export interface ClassicMembersSurroundings {
  readonly groupId: string;
  readonly settings: GroupSettings;
  readonly translation: Translation;
  readonly watches: Watches;
  readonly newMemberId: () => string;
  readonly membership: () => ConsumerMembership | undefined;
  /** Does this when everything that was asked before is done. */
  readonly next: <T>(act: () => Promise<T>) => Promise<T>;
  /** Throws when there is no room for one more member, or for what it says. */
  readonly checkRoom: (group: ConsumerMembership, who: Identity, said: Said) => void;
  /** Resolves with the member as it is when what it said is durable. */
  readonly advance: (group: ConsumerMembership, who: Identity, said: Said) => Promise<ConsumerMember>;
  /** Makes it a group of the classic protocol if this was the last member of the other; says whether it did. */
  readonly downgrade: (group: ConsumerMembership, replaced: ConsumerMember, by: ClassicTraits) => Promise<boolean>;
}

/** The group is not, or not any more, one of KIP-848 with members. */
export const NO_CONSUMERS = Symbol('no consumers');

/**
 * Members of a consumer group that use the classic protocol: they learn from heartbeats that they are to join again, say with
 * that what they have, and are assigned by the broker what others are told with heartbeats. Their generation is their member
 * epoch. Follows classicGroupJoinToConsumerGroup and its like of Kafka's GroupMetadataManager.
 */
export class ClassicMembers {
  readonly #group: ClassicMembersSurroundings;

  constructor(group: ClassicMembersSurroundings) {
    this.#group = group;
  }

  /** Rejects with `inconsistent-group-protocol`, `unknown-member`, `fenced-instance`, `group-max-size` or `limit-exceeded`. */
  join(request: JoinRequest): Promise<JoinResult | typeof NO_CONSUMERS> {
    return this.#turn(async (group) => {
      const { newMemberId, watches, checkRoom, advance, downgrade } = this.#group;
      const who = identify(group, request, newMemberId);
      const said = this.#said(group, request);
      checkRoom(group, who, said);
      if (request.memberId === '' && request.groupInstanceId === null && request.requireKnownMemberId) {
        // Nobody remembers the id: whoever comes with one that is not known is new.
        return { joined: false, memberId: who.memberId };
      }
      if (who.replaced !== undefined && (await downgrade(group, who.replaced, said.classic))) return NO_CONSUMERS;
      const member = await advance(group, who, said);
      watches.alive(member.memberId, request.sessionTimeoutMs);
      // A rebalance time-out may be 0, as kafkajs has it for callers who say nothing: a session was given with the join.
      watches.toSync(member, Math.max(member.rebalanceTimeoutMs, request.sessionTimeoutMs));
      return {
        joined: true,
        memberId: member.memberId,
        generation: member.epoch,
        protocolType: CONSUMERS,
        protocolName: protocolOf(said.classic),
        // Nobody leads: the broker assigns.
        leader: '',
        skipAssignment: false,
        members: [],
      };
    });
  }

  /** Rejects with `unknown-member`, `fenced-instance`, `illegal-generation`, `inconsistent-group-protocol` or `rebalance-in-progress`. */
  sync(request: SyncRequest): Promise<SyncResult | typeof NO_CONSUMERS> {
    return this.#turn(async (group) => {
      const { watches, translation } = this.#group;
      const member = classicMemberOf(group, request);
      const protocolName = protocolOf(member.classic);
      if (
        (request.protocolType ?? CONSUMERS) !== CONSUMERS ||
        (request.protocolName ?? protocolName) !== protocolName
      ) {
        throw this.#inconsistent();
      }
      // Who is to give back partitions has joined for that, and is told here what it may keep.
      if (group.epoch > member.epoch && member.state !== 'revoking') throw this.#rebalancing(member);
      watches.synced(member.memberId);
      watches.alive(member.memberId, member.classic.sessionTimeoutMs);
      const assignment = assignmentFor(member.classic, member.assigned, translation);
      return { protocolType: CONSUMERS, protocolName, assignment };
    });
  }

  /** Rejects with `unknown-member`, `fenced-instance`, `illegal-generation`, or with `rebalance-in-progress` to call it to join again. */
  heartbeat(identity: MemberIdentity): Promise<undefined | typeof NO_CONSUMERS> {
    return this.#turn(async (group) => {
      const member = classicMemberOf(group, identity);
      this.#group.watches.alive(member.memberId, member.classic.sessionTimeoutMs);
      if (isToJoin(group, member)) throw this.#rebalancing(member);
      return undefined;
    });
  }

  #turn<T>(act: (group: ConsumerMembership) => Promise<T | typeof NO_CONSUMERS>) {
    return this.#group.next(async () => {
      const group = this.#group.membership();
      return group === undefined || group.members.size === 0 ? NO_CONSUMERS : await act(group);
    });
  }

  #said(group: ConsumerMembership, request: JoinRequest): Said & { readonly classic: ClassicTraits } {
    const { groupInstanceId: instanceId, clientId, clientHost, protocolType, protocols } = request;
    const { translation, settings } = this.#group;
    const [first] = protocols;
    if (settings.consumerMigrationPolicy === 'disabled') throw this.#inconsistent();
    if (request.memberId.length > settings.maxIdLength) throw unknownMember('Who asks');
    if (protocolType !== CONSUMERS || first === undefined || !supports(group, protocols)) throw this.#inconsistent();
    const bytes = protocolBytes(protocols);
    if (protocols.length > settings.maxMemberProtocols || bytes > settings.maxMemberMetadataBytes) {
      const what = `${protocols.length} protocols with ${bytes} bytes of metadata`;
      throw new BrokerError('limit-exceeded', `${what} are too many for group ${this.#group.groupId}`);
    }
    // All of a member's protocols say the same of this.
    const subscription = translation.embedded.subscription(first.metadata);
    if (subscription === null) throw this.#inconsistent();
    return {
      ...{ instanceId, clientId, clientHost, rackId: subscription.rackId },
      rebalanceTimeoutMs: rebalanceTimeout(request),
      topicNames: subscription.topics,
      topicRegex: '',
      assignor: null,
      owned: idsOf(subscription.owned, translation.topics),
      classic: traitsOf(request),
    };
  }

  #rebalancing(member: ClassicMember): BrokerError {
    this.#group.watches.toJoin(member, Math.max(member.rebalanceTimeoutMs, member.classic.sessionTimeoutMs));
    return new BrokerError('rebalance-in-progress', `group ${this.#group.groupId} rebalances; join it again`);
  }

  #inconsistent(): BrokerError {
    return new BrokerError(
      'inconsistent-group-protocol',
      `group ${this.#group.groupId} has no protocol in common with this`,
    );
  }
}

function identify(
  group: ConsumerMembership,
  { memberId, groupInstanceId }: JoinRequest,
  newMemberId: () => string,
): Identity {
  if (memberId !== '') {
    const known = groupInstanceId === null ? group.get(memberId) : memberOf(group, memberId, groupInstanceId);
    return { memberId, ...(known !== undefined && { known }) };
  }
  const replaced = groupInstanceId === null ? undefined : group.byInstance(groupInstanceId);
  return { memberId: newMemberId(), ...(replaced !== undefined && { replaced }) };
}

function classicMemberOf(
  group: ConsumerMembership,
  { memberId, groupInstanceId, generation }: MemberIdentity,
): ClassicMember {
  const member = memberOf(group, memberId, groupInstanceId);
  if (!usesClassic(member)) throw unknownMember(memberId);
  if (member.epoch === generation) return member;
  throw new BrokerError('illegal-generation', `the member is in generation ${member.epoch}, not ${generation}`);
}

/** Whether one of these is a protocol of all that use the classic one. */
function supports(group: ConsumerMembership, protocols: JoinRequest['protocols']): boolean {
  const others = [...group.members.values()].flatMap(({ classic }) => classic ?? []);
  return protocols.some(({ name }) => others.every((other) => other.protocols.some((each) => each.name === name)));
}

/** The protocol that a member is told was chosen: they need not be the same, as nobody but the broker goes by them. */
function protocolOf({ protocols }: ClassicTraits): string {
  return protocols[0]?.name ?? '';
}

/** Whether there is something new for a member that it only learns of by joining again. */
function isToJoin(group: ConsumerMembership, member: ConsumerMember): boolean {
  if (member.epoch < group.epoch || member.state === 'revoking') return true;
  return member.state === 'waiting' && !waits(group, member);
}

/** Whether others have yet to give back something that it is to have. */
function waits(group: ConsumerMembership, { memberId, assigned }: ConsumerMember): boolean {
  const { no: missing } = split(group.target(memberId), lookup(assigned));
  return missing.some(({ topicId, partitions }) =>
    partitions.some((partition) => group.owner(topicId, partition) !== undefined),
  );
}
