import type { Clock } from '../../../environment/environment.ts';
import { BrokerError, type ErrorCode, toBrokerError } from '../../../errors.ts';
import type { GroupConfig } from '../../configs/index.ts';
import type { GroupLoad } from '../load.ts';
import type { LeaveResult, LeavingMember } from '../membership.ts';
import type { GroupSettings } from '../settings.ts';
import type { Membership } from '../state.ts';
import { ClassicMembers, NO_CONSUMERS } from './classic-members.ts';
import { type Translation, toClassic, usesClassic } from './conversion.ts';
import { type ConsumerHeartbeat, type ConsumerHeartbeatResult, JOINS, LEAVES, LEAVES_FOR_NOW } from './heartbeat.ts';
import { type Identity, identify, memberOf, unknownMember } from './identity.ts';
import { type ClassicTraits, type ConsumerGroupChange, type ConsumerMember, ConsumerMembership } from './membership.ts';
import type { Subscribed, Subscriptions } from './subscriptions.ts';
import { departure, heartbeat, removal, type Said, type Transition } from './transition.ts';
import { type Failure, Watches } from './watches.ts';

/** What a group needs of its surroundings. */
export interface ConsumerGroupSurroundings {
  readonly clock: Clock;
  readonly settings: GroupSettings;
  /** What its members are told now, and held to. */
  readonly timesOf: (groupId: string) => Pick<GroupConfig, 'consumerSessionTimeoutMs' | 'consumerHeartbeatIntervalMs'>;
  /** Of all groups, this one among them. */
  readonly load: GroupLoad;
  readonly subscriptions: Subscriptions;
  readonly translation: Translation;
  readonly newMemberId: () => string;
  /** What is durable of the group; undefined for nothing, and for a group of the classic protocol with members. */
  readonly membership: (groupId: string) => ConsumerMembership | undefined;
  /** What a group begins with that has no membership. Throws `not-found` for a classic group whose members have to stay by themselves. */
  readonly origin: (groupId: string) => ConsumerGroupOrigin;
  /** Makes changes durable, together, and part of the membership. A classic group of that name is none any more. */
  readonly store: (groupId: string, changes: readonly ConsumerGroupChange[]) => Promise<void>;
  /** Makes a classic group of it, durably. */
  readonly storeClassic: (groupId: string, membership: Membership) => Promise<void>;
  /** Nothing is left of the group but what is durable. */
  readonly onRest: (group: ConsumerGroup) => void;
  readonly onWarn: (message: string, error: BrokerError) => void;
}

export interface ConsumerGroupOrigin {
  /** The epoch that it goes on from. */
  readonly epoch: number;
  /** What makes it of the members of a classic group; null when there are none. */
  readonly conversion: ConsumerGroupChange | null;
}

/**
 * A consumer group (KIP-848): each member says with its heartbeats what it consumes and what it has, and is told what to have.
 * Everything that is asked of the group is done one after the other, each time from what is durable; what is not are the
 * timers. Follows Kafka's GroupMetadataManager and ConsumerGroup.
 */
export class ConsumerGroup {
  readonly groupId: string;
  readonly classic: ClassicMembers;
  readonly #surroundings: ConsumerGroupSurroundings;
  readonly #watches: Watches;
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
    const { clock, settings, translation, newMemberId } = surroundings;
    this.groupId = groupId;
    this.#surroundings = surroundings;
    this.#watches = new Watches(clock, (failure) => this.#fence(failure));
    this.classic = new ClassicMembers({
      ...{ groupId, settings, translation, newMemberId, watches: this.#watches },
      membership: () => this.#membership,
      next: (act) => this.#next(act),
      checkRoom: (group, who, said) => this.#checkRoom(group, who, said),
      advance: async (group, who, said) => (await this.#advance(group, who, said)).member,
      downgrade: (group, replaced, by) => this.#downgrade(group, [replaced.memberId], { member: replaced, by }),
    });
    // Nobody could be heard while the broker was down: everybody has a whole session from now, and time to give back.
    for (const member of this.#membership?.members.values() ?? []) this.#keep(member);
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
  remove(leaving: readonly LeavingMember[]): Promise<LeaveResult[] | typeof NO_CONSUMERS> {
    return this.#next(async () => {
      const group = this.#membership;
      if (group === undefined || group.members.size === 0) return NO_CONSUMERS;
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
      if (gone.size > 0) await this.#dismiss(group, [...gone]);
      return results;
    });
  }

  /** Does something else while no member does anything. */
  meanwhile<T>(act: () => Promise<T>): Promise<T> {
    return this.#next(act);
  }

  /**
   * Throws `unknown-member`, `stale-member-epoch`, or `illegal-generation` for a member of the classic protocol, unless there is
   * this member in this epoch; `unsupported` for a client that cannot tell one.
   */
  checkMember(memberId: string, memberEpoch: number, knowsEpochs = true): void {
    const member = this.#membership?.get(memberId);
    if (member === undefined) throw unknownMember(memberId || 'Who asks');
    const classic = usesClassic(member);
    if (!knowsEpochs && !classic)
      throw new BrokerError('unsupported', 'Members of consumer groups use OffsetCommit version 9.');
    if (member.epoch === memberEpoch) return;
    const code = classic ? 'illegal-generation' : 'stale-member-epoch';
    throw new BrokerError(code, `The member's epoch is ${member.epoch}, not ${memberEpoch}.`);
  }

  /** As `checkMember`, for who asks for offsets: a member of the classic protocol need not say in which generation it is. */
  checkReader(memberId: string, memberEpoch: number): void {
    const member = this.#membership?.get(memberId);
    if (memberEpoch < 0 && member !== undefined && usesClassic(member)) return;
    this.checkMember(memberId, memberEpoch);
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
    this.#watches.clear();
    this.#count();
  }

  get #times() {
    return this.#surroundings.timesOf(this.groupId);
  }

  get #membership(): ConsumerMembership | undefined {
    return this.#surroundings.membership(this.groupId);
  }

  // Members come, stay and go

  async #beat(request: ConsumerHeartbeat, memberId: string): Promise<ConsumerHeartbeatResult> {
    const founded = this.#membership ?? this.#found(request);
    const { group, conversion } =
      founded instanceof ConsumerMembership ? { group: founded, conversion: null } : founded;
    const known = group.get(memberId);
    const who = identify(group, request, memberId);
    this.#checkRoom(group, who, request);
    if (request.topicRegex !== null && known?.topicRegex !== request.topicRegex) {
      this.#surroundings.subscriptions.check(request.topicRegex);
    }
    const transition = await this.#advance(group, who, request, conversion);
    return answer(request, transition, this.#times.consumerHeartbeatIntervalMs);
  }

  /** What a member says becomes durable, and with it what makes the group, if it is yet to be. */
  async #advance(
    group: ConsumerMembership,
    who: Identity,
    said: Said,
    conversion: ConsumerGroupChange | null = null,
  ): Promise<Transition> {
    const { clock, subscriptions, load } = this.#surroundings;
    const { version } = subscriptions.topics;
    const transition = heartbeat(group, {
      ...{ said, who },
      now: clock.now(),
      refreshed: version !== this.#version,
      resolved: this.#subscribed,
      resolve: (members) => subscriptions.resolve(members),
    });
    load.checkMetadata(transition.growth);
    // It is alive, whatever comes of making that durable.
    this.#watches.alive(who.memberId, this.#sessionOf(transition.member));
    const changes = [conversion, transition.change].filter((change) => change !== null);
    if (changes.length > 0) await this.#store(changes);
    if (transition.subscribed !== undefined && !this.#ended) {
      this.#subscribed = transition.subscribed;
      this.#count();
      if (transition.subscribed.complete) this.#version = version;
    }
    return transition;
  }

  #leave({ memberId, instanceId, memberEpoch }: ConsumerHeartbeat): Promise<ConsumerHeartbeatResult> {
    return this.#next(async () => {
      const group = this.#membership ?? new ConsumerMembership();
      const member = memberOf(group, memberId, instanceId);
      if (memberEpoch === LEAVES_FOR_NOW) await this.#store([departure(group, member, this.#surroundings.clock.now())]);
      else await this.#dismiss(group, [memberId]);
      const heartbeatIntervalMs = this.#times.consumerHeartbeatIntervalMs;
      return { memberId, memberEpoch, heartbeatIntervalMs, assignment: null };
    });
  }

  /** Removes a member that failed, unless it turns out to be fine when it is its turn. */
  #fence({ memberId, holds, again }: Failure): void {
    this.#next(async () => {
      const group = this.#membership;
      if (group?.get(memberId) !== undefined && holds()) await this.#dismiss(group, [memberId]);
    }).catch((error: unknown) => {
      if (this.#ended) return;
      this.#surroundings.onWarn(`member ${memberId} of group ${this.groupId} was not removed`, toBrokerError(error));
      again(this.#times.consumerSessionTimeoutMs);
    });
  }

  async #dismiss(group: ConsumerMembership, gone: readonly string[]): Promise<void> {
    if (group.members.size > gone.length && (await this.#downgrade(group, gone))) return;
    await this.#store([removal(group, gone, this.#surroundings.clock.now())]);
  }

  /** Makes it a classic group if only members of that protocol are left. */
  async #downgrade(
    group: ConsumerMembership,
    gone: readonly string[],
    replaced?: { readonly member: ConsumerMember; readonly by: ClassicTraits },
  ): Promise<boolean> {
    const { settings, translation, clock } = this.#surroundings;
    const { consumerMigrationPolicy: policy } = settings;
    if (policy !== 'bidirectional' && policy !== 'downgrade') return false;
    if (replaced !== undefined && usesClassic(replaced.member)) return false;
    const rest = [...group.members.values()].filter(({ memberId }) => !gone.includes(memberId));
    if (!rest.every(usesClassic)) return false;
    await this.#surroundings.storeClassic(this.groupId, toClassic(group, rest, replaced, translation, clock.now()));
    this.#watches.clear();
    this.#subscribed = undefined;
    this.#version = -1;
    this.#count();
    return true;
  }

  /** The group before its first member of this protocol. */
  #found({ memberEpoch, memberId }: ConsumerHeartbeat) {
    const { epoch, conversion } = this.#surroundings.origin(this.groupId);
    if (memberEpoch !== JOINS) throw unknownMember(memberId);
    const group = new ConsumerMembership();
    if (conversion === null) group.epoch = group.assignmentEpoch = epoch;
    else group.apply(conversion);
    return { group, conversion };
  }

  /** Throws when there is no room for one more member, or for what it says. */
  #checkRoom(group: ConsumerMembership, { known, replaced }: Identity, { topicNames, topicRegex }: Said): void {
    const { settings, load } = this.#surroundings;
    if (known === undefined && replaced === undefined) {
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

  async #store(changes: readonly ConsumerGroupChange[]): Promise<void> {
    await this.#surroundings.store(this.groupId, changes);
    if (this.#ended) return;
    for (const { gone, members } of changes) {
      for (const memberId of gone) if (this.#membership?.get(memberId) === undefined) this.#watches.drop(memberId);
      for (const member of members) this.#keep(member);
    }
    this.#count();
  }

  #keep(member: ConsumerMember): void {
    this.#watches.keep(member, this.#sessionOf(member));
  }

  #sessionOf({ classic }: ConsumerMember): number {
    return classic?.sessionTimeoutMs ?? this.#times.consumerSessionTimeoutMs;
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
