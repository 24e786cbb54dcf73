import type { Clock } from '../../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../../errors.ts';
import type { GroupConfig } from '../../configs/index.ts';
import { JOINS, LEAVES } from '../consumer/heartbeat.ts';
import type { Subscriptions } from '../consumer/subscriptions.ts';
import { Deadline } from '../deadline.ts';
import type { GroupLoad } from '../load.ts';
import type { GroupListing } from '../membership.ts';
import { OneByOne } from '../one-by-one.ts';
import type { GroupSettings } from '../settings.ts';
import type { ShareGroupDescription, ShareHeartbeat, ShareHeartbeatResult } from './heartbeat.ts';
import { type ShareGroupChange, ShareMembership } from './membership.ts';
import { heartbeat, notAMember, removal } from './transition.ts';

/** What a share group needs of its surroundings. */
export interface ShareGroupSurroundings {
  readonly clock: Clock;
  readonly settings: GroupSettings;
  /** What its members are told now, and held to. */
  readonly timesOf: (groupId: string) => Pick<GroupConfig, 'shareSessionTimeoutMs' | 'shareHeartbeatIntervalMs'>;
  /** Of all groups, this one among them. */
  readonly load: GroupLoad;
  readonly subscriptions: Subscriptions;
  /** What is durable of the group's members; undefined when there is no such group. */
  readonly membership: (groupId: string) => ShareMembership | undefined;
  /** Throws when a group of another kind has come into being under this id. */
  readonly checkKind: (groupId: string) => void;
  /** Makes a change durable, and part of the membership. */
  readonly store: (groupId: string, change: ShareGroupChange) => Promise<void>;
  /** Nothing is left of the group but what is durable. */
  readonly onRest: (group: ShareGroup) => void;
  readonly onWarn: (message: string, error: BrokerError) => void;
}

/** A member's session: when the deadline passes without a heartbeat, the member has failed. */
interface Session {
  readonly deadline: Deadline;
  /** Grows with every heartbeat. */
  beats: number;
}

/**
 * The members of a share group (KIP-932): each says what it consumes, and is told which partitions to fetch. As in a consumer group, everything
 * that is asked is done one after the other, each time from what is durable; what is not are the timers. What has been
 * delivered to whom is not known here: that is kept with the partitions.
 */
export class ShareGroup {
  readonly groupId: string;
  readonly #surroundings: ShareGroupSurroundings;
  readonly #sessions = new Map<string, Session>();
  readonly #work = new OneByOne();
  /** The version of the topics when it was last looked at what members consume. */
  #version = -1;
  #ended = false;
  /** What counts of it among all groups. */
  #counted = { members: 0, bytes: 0 };

  constructor(groupId: string, surroundings: ShareGroupSurroundings) {
    this.groupId = groupId;
    this.#surroundings = surroundings;
    // Nobody could be heard while the broker was down: everybody has a whole session from now.
    for (const memberId of this.#membership?.members.keys() ?? []) this.#watch(memberId);
    this.#count();
  }

  get #membership(): ShareMembership | undefined {
    return this.#surroundings.membership(this.groupId);
  }

  get #times() {
    return this.#surroundings.timesOf(this.groupId);
  }

  heartbeat(request: ShareHeartbeat): Promise<ShareHeartbeatResult> {
    return this.#next(() => (request.memberEpoch === LEAVES ? this.#leave(request) : this.#beat(request)));
  }

  /**
   * Does something while the group has no members and nobody can join it. Rejects with `group-not-empty`, and with `not-found` when there
   * is no such group, unless it is to be made then.
   */
  whileEmpty<T>(act: () => Promise<T>, { create = false } = {}): Promise<T> {
    return this.#next(async () => {
      const group = this.#membership;
      if (group === undefined) {
        if (!create) throw noShareGroup(this.groupId);
        const at = this.#surroundings.clock.now();
        const none: ShareGroupChange = {
          ...{ at, epoch: 0, assignmentEpoch: 0, topics: null },
          ...{ gone: [], members: [], targets: [] },
        };
        await this.#surroundings.store(this.groupId, none);
      } else if (group.members.size > 0) {
        throw new BrokerError('group-not-empty', `group ${this.groupId} has members; stop them first`);
      }
      return await act();
    });
  }

  /** Ends the group here: nothing is done any more. */
  end(): void {
    this.#ended = true;
    for (const { deadline } of this.#sessions.values()) deadline.cancel();
    this.#sessions.clear();
    this.#count();
  }

  async #beat(request: ShareHeartbeat): Promise<ShareHeartbeatResult> {
    const { clock, subscriptions, load } = this.#surroundings;
    const { memberId, memberEpoch, topicNames } = request;
    const group = this.#membership ?? this.#found(request);
    this.#checkRoom(group, request);
    const { version } = subscriptions.topics;
    const { change, member, before, growth } = heartbeat(group, {
      ...{ request, now: clock.now(), refreshed: version !== this.#version },
      resolve: (members) => subscriptions.resolve(members),
    });
    load.checkMetadata(growth);
    // It is alive, whatever comes of making that durable.
    this.#alive(memberId);
    if (change !== null) await this.#store(change);
    this.#version = version;
    // The assignment is told to those who may not know it, and when it has changed.
    const tell = memberEpoch === JOINS || topicNames !== null || before?.assigned !== member.assigned;
    return {
      memberId,
      memberEpoch: member.epoch,
      heartbeatIntervalMs: this.#times.shareHeartbeatIntervalMs,
      assignment: tell ? member.assigned : null,
    };
  }

  async #leave({ memberId, memberEpoch }: ShareHeartbeat): Promise<ShareHeartbeatResult> {
    const group = this.#membership;
    if (group?.get(memberId) === undefined) throw notAMember(memberId);
    await this.#store(removal(group, memberId, this.#surroundings.clock.now()));
    return { memberId, memberEpoch, heartbeatIntervalMs: this.#times.shareHeartbeatIntervalMs, assignment: null };
  }

  /** The group before its first member. */
  #found({ memberEpoch }: ShareHeartbeat): ShareMembership {
    if (memberEpoch !== JOINS) throw noShareGroup(this.groupId);
    return new ShareMembership();
  }

  #checkRoom(group: ShareMembership, { memberId, topicNames }: ShareHeartbeat): void {
    const { settings, load } = this.#surroundings;
    if (group.get(memberId) === undefined) {
      if (group.members.size >= settings.maxShareMembers) {
        throw new BrokerError(
          'group-max-size',
          `share group ${this.groupId} has ${group.members.size} members already`,
        );
      }
      load.checkMember();
    }
    const length = (topicNames ?? []).reduce((sum, name) => sum + name.length, 0);
    if (length > settings.maxMemberMetadataBytes) {
      throw new BrokerError('limit-exceeded', `${length} characters of topics are too many for group ${this.groupId}`);
    }
  }

  #next<T>(act: () => Promise<T>): Promise<T> {
    return this.#work
      .run(() => {
        if (this.#ended) throw new BrokerError('closed', 'the coordinator of this group has closed; look for it again');
        this.#surroundings.checkKind(this.groupId);
        return act();
      })
      .finally(() => {
        const atRest = this.#work.pending === 0 && (this.#membership?.members.size ?? 0) === 0;
        if (atRest && !this.#ended) this.#surroundings.onRest(this);
      });
  }

  async #store(change: ShareGroupChange): Promise<void> {
    await this.#surroundings.store(this.groupId, change);
    if (this.#ended) return;
    for (const memberId of change.gone) {
      this.#sessions.get(memberId)?.deadline.cancel();
      this.#sessions.delete(memberId);
    }
    for (const { memberId } of change.members) this.#watch(memberId);
    this.#count();
  }

  #count(): void {
    const { load } = this.#surroundings;
    const group = this.#ended ? undefined : this.#membership;
    const counted = { members: group?.members.size ?? 0, bytes: group?.bytes ?? 0 };
    load.members += counted.members - this.#counted.members;
    load.metadataBytes += counted.bytes - this.#counted.bytes;
    this.#counted = counted;
  }

  // Time

  #watch(memberId: string): void {
    if (this.#sessions.has(memberId)) return;
    const session: Session = {
      deadline: new Deadline(this.#surroundings.clock, () => this.#sessionOver(memberId, session)),
      beats: 0,
    };
    session.deadline.set(this.#times.shareSessionTimeoutMs);
    this.#sessions.set(memberId, session);
  }

  #alive(memberId: string): void {
    const session = this.#sessions.get(memberId);
    if (session === undefined) return;
    session.beats++;
    session.deadline.set(this.#times.shareSessionTimeoutMs);
  }

  /** Removes a member that failed, unless it turns out to be fine when it is its turn. */
  #sessionOver(memberId: string, session: Session): void {
    const { beats } = session;
    const current = () => this.#sessions.get(memberId) === session;
    this.#next(async () => {
      const group = this.#membership;
      if (group === undefined || !current() || session.beats !== beats) return;
      await this.#store(removal(group, memberId, this.#surroundings.clock.now()));
    }).catch((error: unknown) => {
      if (this.#ended) return;
      this.#surroundings.onWarn(`member ${memberId} of group ${this.groupId} was not removed`, toBrokerError(error));
      // Tried again when as much time has passed.
      if (current()) session.deadline.set(this.#times.shareSessionTimeoutMs);
    });
  }
}

/** What anybody may know of a group, by what is durable of it. */
export function describeShareGroup(groupId: string, group: ShareMembership): ShareGroupDescription {
  return {
    groupId,
    state: stateOf(group),
    epoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignor: 'simple',
    members: Array.from(group.members.values(), ({ epoch, assigned, ...member }) => ({
      ...member,
      memberEpoch: epoch,
      assignment: assigned,
    })),
  };
}

export function listShareGroup(groupId: string, group: ShareMembership): GroupListing {
  return { groupId, protocolType: 'share', state: stateOf(group), type: 'share' };
}

export function noShareGroup(groupId: string): BrokerError {
  return new BrokerError('not-found', `Share group ${groupId} not found.`);
}

function stateOf({ members }: ShareMembership): ShareGroupDescription['state'] {
  return members.size === 0 ? 'Empty' : 'Stable';
}
