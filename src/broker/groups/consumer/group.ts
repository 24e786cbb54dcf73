import type { Clock } from '../../../environment/environment.ts';
import { BrokerError, type ErrorCode, toBrokerError } from '../../../errors.ts';
import type { GroupConfig } from '../../configs/index.ts';
import { Deadline } from '../deadline.ts';
import type { GroupLoad } from '../load.ts';
import type { GroupListing, LeaveResult, LeavingMember } from '../membership.ts';
import type { GroupSettings } from '../settings.ts';
import { elect } from './assignors.ts';
import {
  type ConsumerGroupDescription,
  type ConsumerGroupState,
  type ConsumerHeartbeat,
  type ConsumerHeartbeatResult,
  JOINS,
  LEAVES,
  LEAVES_FOR_NOW,
} from './heartbeat.ts';
import { type ConsumerGroupChange, type ConsumerMember, ConsumerMembership } from './membership.ts';
import { isReconciled } from './reconciliation.ts';
import type { Subscribed, Subscriptions } from './subscriptions.ts';
import { departure, heartbeat, removal, staticMember, type Transition, unknownMember } from './transition.ts';

/** What a group needs of its surroundings. */
export interface ConsumerGroupSurroundings {
  readonly clock: Clock;
  readonly settings: GroupSettings;
  /** What its members are told now, and held to. */
  readonly timesOf: (groupId: string) => Pick<GroupConfig, 'consumerSessionTimeoutMs' | 'consumerHeartbeatIntervalMs'>;
  /** Of all groups, this one among them. */
  readonly load: GroupLoad;
  readonly subscriptions: Subscriptions;
  readonly newMemberId: () => string;
  /** What is durable of the group; undefined for nothing. */
  readonly membership: (groupId: string) => ConsumerMembership | undefined;
  /** The epoch that a group which is yet to be made goes on from. */
  readonly firstEpoch: (groupId: string) => number;
  /** Throws when a group of another kind has come into being under this id. */
  readonly checkKind: (groupId: string) => void;
  /** Makes a change durable, and part of the membership. */
  readonly store: (groupId: string, change: ConsumerGroupChange) => Promise<void>;
  /** Nothing is left of the group but what is durable. */
  readonly onRest: (group: ConsumerGroup) => void;
  readonly onWarn: (message: string, error: BrokerError) => void;
}

/** Timers of a member. */
interface Watch {
  /** When it passes without a heartbeat, the member has failed. */
  readonly session: Deadline;
  /** When it passes, the member has failed to give back partitions. */
  readonly revocation: Deadline;
  /** Grows with every heartbeat. */
  beats: number;
  /** The member epoch that the revocation is of. */
  revokes: number | undefined;
}

/**
 * A consumer group (KIP-848): each member says with its heartbeats what it consumes and what it has, and is told what to have.
 * Everything that is asked of the group is done one after the other, each time from what is durable; what is not are the
 * timers. Follows Kafka's GroupMetadataManager and ConsumerGroup.
 */
export class ConsumerGroup {
  readonly groupId: string;
  readonly #surroundings: ConsumerGroupSurroundings;
  readonly #watches = new Map<string, Watch>();
  #last: Promise<void> = Promise.resolve();
  /** Asked and not yet done. */
  #pending = 0;
  /** What members consumed when that was last looked at, and the version of the topics then. */
  #subscribed: Subscribed | undefined;
  #version = -1;
  #ended = false;
  /** What counts of it among all groups. */
  #counted = { members: 0, bytes: 0 };

  constructor(groupId: string, surroundings: ConsumerGroupSurroundings) {
    this.groupId = groupId;
    this.#surroundings = surroundings;
    // Nobody could be heard while the broker was down: everybody has a whole session from now, and time to give back.
    for (const member of this.#membership?.members.values() ?? []) this.#watch(member);
    this.#count();
  }

  get isEmpty(): boolean {
    return (this.#membership?.members.size ?? 0) === 0;
  }

  get atRest(): boolean {
    return this.#pending === 0 && this.isEmpty;
  }

  /** Resolves when everything that was asked by now is done. */
  async settled(): Promise<void> {
    while (this.#pending > 0) await this.#last;
  }

  heartbeat(request: ConsumerHeartbeat): Promise<ConsumerHeartbeatResult> {
    if (request.memberEpoch === LEAVES || request.memberEpoch === LEAVES_FOR_NOW) return this.#leave(request);
    const memberId = request.memberId === '' ? this.#surroundings.newMemberId() : request.memberId;
    return this.#next(() => this.#beat(request, memberId));
  }

  /** Removes members for good, as an administrator does; each is answered for itself. */
  remove(leaving: readonly LeavingMember[]): Promise<LeaveResult[]> {
    return this.#next(async () => {
      const group = this.#membership ?? new ConsumerMembership();
      const gone = new Set<string>();
      const results = leaving.map(({ memberId, groupInstanceId }) => {
        let error: ErrorCode | null = null;
        try {
          const id = memberId !== '' ? memberId : (group.byInstance(groupInstanceId ?? '')?.memberId ?? '');
          gone.add(memberOf(group, id, groupInstanceId).memberId);
        } catch (thrown) {
          error = toBrokerError(thrown).code;
        }
        return { memberId, groupInstanceId, error };
      });
      if (gone.size > 0) await this.#store(removal(group, [...gone], this.#surroundings.clock.now()));
      return results;
    });
  }

  /** Does something else while no member does anything. */
  meanwhile<T>(act: () => Promise<T>): Promise<T> {
    return this.#next(act);
  }

  /**
   * Throws `unknown-member` or `stale-member-epoch` unless there is this member in this epoch; `unsupported` for a client that
   * cannot tell one.
   */
  checkMember(memberId: string, memberEpoch: number | null): void {
    const member = this.#membership?.get(memberId);
    if (member === undefined) throw unknownMember(memberId || 'Who asks');
    if (memberEpoch === null)
      throw new BrokerError('unsupported', 'Members of consumer groups use OffsetCommit version 9.');
    if (member.epoch === memberEpoch) return;
    throw new BrokerError('stale-member-epoch', `The member's epoch is ${member.epoch}, not ${memberEpoch}.`);
  }

  /** Names of the topics that its members consume. */
  get subscribedTopics(): ReadonlySet<string> {
    const { subscriptions } = this.#surroundings;
    const { topics } = subscriptions.resolve(this.#membership?.members.values() ?? []);
    return new Set(topics.map(([topicId]) => subscriptions.topics.byId(topicId)?.name ?? ''));
  }

  /** Ends the group here: nothing is done any more. */
  end(): void {
    this.#ended = true;
    for (const memberId of [...this.#watches.keys()]) this.#unwatch(memberId);
    this.#count();
  }

  get #times() {
    return this.#surroundings.timesOf(this.groupId);
  }

  get #membership(): ConsumerMembership | undefined {
    return this.#surroundings.membership(this.groupId);
  }

  async #beat(request: ConsumerHeartbeat, memberId: string): Promise<ConsumerHeartbeatResult> {
    const { clock, subscriptions, load } = this.#surroundings;
    const group = this.#membership ?? this.#found(request);
    this.#checkRoom(group, memberId, request);
    if (request.topicRegex !== null && group.get(memberId)?.topicRegex !== request.topicRegex) {
      subscriptions.check(request.topicRegex);
    }
    const { version } = subscriptions.topics;
    const transition = heartbeat(group, {
      request,
      memberId,
      now: clock.now(),
      refreshed: version !== this.#version,
      resolved: this.#subscribed,
      resolve: (members) => subscriptions.resolve(members),
    });
    load.checkMetadata(transition.growth);
    // It is alive, whatever comes of making that durable.
    this.#alive(memberId);
    if (transition.change !== null) await this.#store(transition.change);
    if (transition.subscribed !== undefined && !this.#ended) {
      this.#subscribed = transition.subscribed;
      this.#count();
      if (transition.subscribed.complete) this.#version = version;
    }
    return answer(request, transition, this.#times.consumerHeartbeatIntervalMs);
  }

  #leave({ memberId, instanceId, memberEpoch }: ConsumerHeartbeat): Promise<ConsumerHeartbeatResult> {
    return this.#next(async () => {
      const { clock } = this.#surroundings;
      const group = this.#membership ?? new ConsumerMembership();
      const member = memberOf(group, memberId, instanceId);
      const forNow = memberEpoch === LEAVES_FOR_NOW;
      await this.#store(forNow ? departure(group, member, clock.now()) : removal(group, [memberId], clock.now()));
      const heartbeatIntervalMs = this.#times.consumerHeartbeatIntervalMs;
      return { memberId, memberEpoch, heartbeatIntervalMs, assignment: null };
    });
  }

  /** The group before its first member. */
  #found({ memberEpoch, memberId }: ConsumerHeartbeat): ConsumerMembership {
    if (memberEpoch !== JOINS) throw unknownMember(memberId);
    const group = new ConsumerMembership();
    group.epoch = group.assignmentEpoch = this.#surroundings.firstEpoch(this.groupId);
    return group;
  }

  #checkRoom(
    group: ConsumerMembership,
    memberId: string,
    { topicNames, topicRegex, instanceId }: ConsumerHeartbeat,
  ): void {
    const { settings, load } = this.#surroundings;
    const replaces = instanceId !== null && group.byInstance(instanceId) !== undefined;
    if (group.get(memberId) === undefined && !replaces) {
      if (group.members.size >= settings.maxMembers) {
        throw new BrokerError('group-max-size', `group ${this.groupId} has ${group.members.size} members already`);
      }
      load.checkMember();
    }
    const bytes = (topicNames ?? []).reduce((sum, name) => sum + name.length, topicRegex?.length ?? 0);
    if (bytes > settings.maxMemberMetadataBytes) {
      throw new BrokerError('limit-exceeded', `${bytes} characters of topics are too many for group ${this.groupId}`);
    }
  }

  // One after the other

  #next<T>(act: () => Promise<T>): Promise<T> {
    this.#pending++;
    const done = this.#last.then(async () => {
      try {
        if (this.#ended) throw new BrokerError('closed', 'the coordinator of this group has closed; look for it again');
        this.#surroundings.checkKind(this.groupId);
        return await act();
      } finally {
        this.#pending--;
        if (this.atRest && !this.#ended) this.#surroundings.onRest(this);
      }
    });
    this.#last = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  async #store(change: ConsumerGroupChange): Promise<void> {
    await this.#surroundings.store(this.groupId, change);
    if (this.#ended) return;
    for (const memberId of change.gone) if (this.#membership?.get(memberId) === undefined) this.#unwatch(memberId);
    for (const member of change.members) this.#watch(member);
    this.#count();
  }

  #count(): void {
    const { load } = this.#surroundings;
    const group = this.#ended ? undefined : this.#membership;
    const subscribedBytes = this.#ended ? 0 : (this.#subscribed?.bytes ?? 0);
    const counted = { members: group?.members.size ?? 0, bytes: (group?.bytes ?? 0) + subscribedBytes };
    load.members += counted.members - this.#counted.members;
    load.metadataBytes += counted.bytes - this.#counted.bytes;
    this.#counted = counted;
  }

  // Time

  #watch({ memberId, state, epoch, rebalanceTimeoutMs }: ConsumerMember): void {
    let watch = this.#watches.get(memberId);
    if (watch === undefined) {
      const { clock } = this.#surroundings;
      const made: Watch = {
        session: new Deadline(clock, () => this.#sessionOver(memberId, made)),
        revocation: new Deadline(clock, () => this.#revocationOver(memberId, made)),
        beats: 0,
        revokes: undefined,
      };
      made.session.set(this.#times.consumerSessionTimeoutMs);
      this.#watches.set(memberId, made);
      watch = made;
    }
    if (state !== 'revoking') {
      watch.revocation.cancel();
      watch.revokes = undefined;
    } else if (watch.revokes !== epoch) {
      watch.revocation.set(rebalanceTimeoutMs);
      watch.revokes = epoch;
    }
  }

  #unwatch(memberId: string): void {
    const watch = this.#watches.get(memberId);
    watch?.session.cancel();
    watch?.revocation.cancel();
    this.#watches.delete(memberId);
  }

  #alive(memberId: string): void {
    const watch = this.#watches.get(memberId);
    if (watch === undefined) return;
    watch.beats++;
    watch.session.set(this.#times.consumerSessionTimeoutMs);
  }

  #sessionOver(memberId: string, watch: Watch): void {
    const { beats } = watch;
    this.#fence(memberId, watch, () => watch.beats === beats);
  }

  #revocationOver(memberId: string, watch: Watch): void {
    const { revokes } = watch;
    this.#fence(memberId, watch, () => revokes !== undefined && watch.revokes === revokes);
  }

  /** Removes a member that failed, unless it turns out to be fine when it is its turn. */
  #fence(memberId: string, watch: Watch, failed: () => boolean): void {
    this.#next(async () => {
      const group = this.#membership;
      if (group?.get(memberId) === undefined || this.#watches.get(memberId) !== watch || !failed()) return;
      await this.#store(removal(group, [memberId], this.#surroundings.clock.now()));
    }).catch((error: unknown) => {
      if (this.#ended) return;
      this.#surroundings.onWarn(`member ${memberId} of group ${this.groupId} was not removed`, toBrokerError(error));
      // Tried again when as much time has passed.
      if (this.#watches.get(memberId) === watch) watch.session.set(this.#times.consumerSessionTimeoutMs);
    });
  }
}

/** What anybody may know of a group, by what is durable of it. */
export function describeConsumerGroup(groupId: string, group: ConsumerMembership): ConsumerGroupDescription {
  return {
    groupId,
    state: stateOf(group),
    epoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignor: elect([...group.members.values()].map(({ assignor }) => assignor)),
    members: Array.from(group.members.values(), ({ epoch, assigned, ...member }) => ({
      ...member,
      memberEpoch: epoch,
      assignment: assigned,
      target: group.target(member.memberId),
    })),
  };
}

export function listConsumerGroup(groupId: string, group: ConsumerMembership): GroupListing {
  return { groupId, protocolType: 'consumer', state: stateOf(group), type: 'consumer' };
}

function stateOf(group: ConsumerMembership): ConsumerGroupState {
  if (group.members.size === 0) return 'Empty';
  if (group.epoch > group.assignmentEpoch) return 'Assigning';
  for (const member of group.members.values()) if (!isReconciled(member, group.assignmentEpoch)) return 'Reconciling';
  return 'Stable';
}

function memberOf(group: ConsumerMembership, memberId: string, instanceId: string | null): ConsumerMember {
  if (instanceId !== null) return staticMember(group, instanceId, memberId);
  const member = group.get(memberId);
  if (member === undefined) throw unknownMember(memberId || 'Who asks');
  return member;
}

/** The assignment is told to those who say everything themselves (they may not know it), and when it has changed. */
function answer(
  { memberEpoch, rebalanceTimeoutMs, topicNames, topicRegex, owned }: ConsumerHeartbeat,
  { member, before }: Transition,
  heartbeatIntervalMs: number,
): ConsumerHeartbeatResult {
  const saysAll = rebalanceTimeoutMs !== -1 && (topicNames !== null || topicRegex !== null) && owned !== null;
  const tell = memberEpoch === JOINS || saysAll || before?.assigned !== member.assigned;
  const assignment = tell ? member.assigned : null;
  return { memberId: member.memberId, memberEpoch: member.epoch, heartbeatIntervalMs, assignment };
}
