import type { Clock } from '../../environment/environment.ts';
import { BrokerError, type ErrorCode, toBrokerError } from '../../errors.ts';
import { Deadline } from './deadline.ts';
import type { GroupLoad } from './load.ts';
import { Member, type MemberFields, NOTHING, protocolBytes } from './member.ts';
import type {
  GroupDescription,
  GroupListing,
  GroupState,
  Joined,
  JoinRequest,
  JoinResult,
  LeaveResult,
  LeavingMember,
  MemberIdentity,
  SyncRequest,
  SyncResult,
} from './membership.ts';
import { PendingMembers } from './pending-members.ts';
import { Roster, unknownMember } from './roster.ts';
import type { GroupSettings } from './settings.ts';
import type { Membership } from './state.ts';
import { Waiting } from './waiting.ts';

/** The protocol type of consumers; of other groups (Kafka Connect's workers, for one) it is not known what they read. */
export const CONSUMERS = 'consumer';

/** What a group needs of its surroundings. */
export interface GroupSurroundings {
  readonly clock: Clock;
  readonly settings: GroupSettings;
  /** Of all groups, this one among them. */
  readonly load: GroupLoad;
  /** A member id that nobody has had. */
  readonly newMemberId: (prefix: string) => string;
  /** Makes a generation durable. */
  readonly store: (groupId: string, membership: Membership) => Promise<void>;
  /** Topics named in a member's metadata; null when that cannot be told. */
  readonly subscribedTopics: (protocolType: string, metadata: Buffer) => readonly string[] | null;
  /** The group has come to rest: see `ClassicGroup.atRest`. */
  readonly onRest: (group: ClassicGroup) => void;
  readonly onWarn: (message: string, error: BrokerError) => void;
}

/**
 * A group of the classic protocol: members join, one of them is told to lead and assigns partitions to all, the others wait
 * for that with a sync. Follows Kafka's ClassicGroup and GroupMetadataManager.
 *
 *     Empty ─join→ PreparingRebalance ─all joined, or time is up→ CompletingRebalance ─the leader synced→ Stable
 *                   │    ↑ a member joins, leaves or fails                      │                            │
 *       all gone → Empty └───────────────────────────────────────────────────────┴────────────────────────────┘
 */
export class ClassicGroup {
  readonly groupId: string;
  readonly #surroundings: GroupSurroundings;
  #state: GroupState = 'Empty';
  #since: number;
  #generation = 0;
  #protocolType: string | null = null;
  #protocolName: string | null = null;
  readonly #members: Roster;
  readonly #pending: PendingMembers;
  /** Bytes of the assignments that count among those of all groups. */
  #assignedBytes = 0;
  readonly #joins = new Waiting<Joined>();
  readonly #syncs = new Waiting<SyncResult>();
  /** Members of this generation that have not asked for their assignment. */
  readonly #notSynced = new Set<Member>();
  /** How long members have to join again, or in an empty group to join at all. */
  readonly #joinPhase: Deadline;
  readonly #syncPhase: Deadline;
  /** The rebalance began in an empty group, and waits so many milliseconds more if members keep coming. */
  #initial: { newcomers: boolean; delayMs: number; leftMs: number } | undefined;
  /** The last generation whose assignments were given to `store`. */
  #storing = -1;
  /** That the group is empty is yet to be made durable. */
  #unsaved: Promise<void> | undefined;

  constructor(groupId: string, surroundings: GroupSurroundings, membership: Membership | null = null) {
    this.groupId = groupId;
    this.#surroundings = surroundings;
    this.#members = new Roster(surroundings.load);
    this.#pending = new PendingMembers(surroundings.clock, surroundings.load);
    this.#since = membership?.since ?? surroundings.clock.now();
    this.#joinPhase = new Deadline(surroundings.clock, () => this.#joinPhaseOver());
    this.#syncPhase = new Deadline(surroundings.clock, () => this.#syncPhaseOver());
    if (membership !== null) this.#restore(membership);
  }

  get state(): GroupState {
    return this.#state;
  }

  /** When it came into this state, by the clock. */
  get since(): number {
    return this.#since;
  }

  /** Null while nobody has joined it. */
  get protocolType(): string | null {
    return this.#protocolType;
  }

  /** Nothing is left of it but what is durable. */
  get atRest(): boolean {
    return this.#state === 'Empty' && this.#pending.size === 0 && this.#unsaved === undefined;
  }

  join(request: JoinRequest): JoinResult | Promise<Joined> {
    const { memberId, groupInstanceId } = request;
    const known = memberId !== '' ? this.#members.get(memberId) : this.#members.byInstance(groupInstanceId);
    if (!this.#hasRoomFor(known)) {
      this.#withdraw(memberId);
      throw new BrokerError('group-max-size', `group ${this.groupId} has ${this.#members.size} members already`);
    }
    const { protocolType, protocols } = request;
    if (!this.#members.votes.supports(protocols) || protocolType === '' || !this.#agreesOn(protocolType)) {
      throw new BrokerError('inconsistent-group-protocol', `group ${this.groupId} has no protocol in common with this`);
    }
    this.#checkMetadata(request);
    if (memberId !== '') return this.#joinAgain(request);
    return groupInstanceId === null ? this.#joinNew(request) : this.#joinStatic(request, groupInstanceId);
  }

  sync(request: SyncRequest): SyncResult | Promise<SyncResult> {
    const member = this.#memberOf(request);
    const { protocolType = null, protocolName = null } = request;
    if (differ(protocolType, this.#protocolType) || differ(protocolName, this.#protocolName)) {
      throw new BrokerError('inconsistent-group-protocol', `group ${this.groupId} chose ${this.#protocolName}`);
    }
    if (this.#state === 'PreparingRebalance') throw this.#rebalancing();
    const leads = this.#members.leads(member);
    if (leads) this.#checkAssignments(request);
    this.#notSynced.delete(member);
    if (this.#notSynced.size === 0) this.#syncPhase.cancel();
    if (this.#state === 'Stable') {
      member.alive();
      return this.#synced(member);
    }
    const answer = this.#syncs.wait(member);
    if (leads) this.#storeAssignments(request);
    return answer;
  }

  heartbeat(identity: MemberIdentity): void {
    this.#memberOf(identity).alive();
    if (this.#state === 'PreparingRebalance') throw this.#rebalancing();
  }

  /** Resolves when what came of it is durable. */
  async leave(members: readonly LeavingMember[]): Promise<LeaveResult[]> {
    const before = this.#members.size;
    const results = members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId,
      error: this.#leave(memberId, groupInstanceId),
    }));
    if (this.#state === 'PreparingRebalance' || this.#members.size < before) this.#rebalanceOrComplete();
    this.#restIfEmpty();
    await this.#unsaved;
    return results;
  }

  /** Whether whoever asks may commit offsets now. It counts as a sign of life. */
  checkCommit(identity: MemberIdentity): void {
    if (this.#state === 'Empty' && identity.generation < 0) return;
    // While there are members, whoever is none of them would get in their way.
    const member = this.#memberOf(identity);
    if (this.#state === 'CompletingRebalance') throw this.#rebalancing();
    member.alive();
  }

  /** As `checkCommit`; a producer that does not say for which member it commits is not refused for that (KIP-447). */
  checkTransactionalCommit(identity: MemberIdentity): void {
    if (identity.generation < 0 && identity.memberId === '' && identity.groupInstanceId === null) return;
    this.#memberOf(identity).alive();
  }

  /** Topics that its members consume; null when they do, but not which; undefined for members that are no consumers. */
  get subscribedTopics(): ReadonlySet<string> | null | undefined {
    if (this.#members.size === 0) return new Set();
    if (this.#protocolType !== CONSUMERS) return undefined;
    const topics = new Set<string>();
    for (const member of this.#members) {
      const subscribed = this.#surroundings.subscribedTopics(CONSUMERS, member.metadata(this.#protocolName));
      if (subscribed === null) return null;
      for (const topic of subscribed) topics.add(topic);
    }
    return topics;
  }

  describe(): GroupDescription {
    const stable = this.#state === 'Stable';
    return {
      groupId: this.groupId,
      state: this.#state,
      protocolType: this.#protocolType ?? '',
      protocolName: (stable ? this.#protocolName : null) ?? '',
      members: [...this.#members].map((member) =>
        member.describe(stable ? member.metadata(this.#protocolName) : NOTHING),
      ),
    };
  }

  list(): GroupListing {
    const { groupId, state } = this;
    return { groupId, protocolType: this.#protocolType ?? '', state, type: 'classic' };
  }

  /** Tries again to make durable that it is empty, if that failed before. */
  saveAgain(): void {
    if (this.#state === 'Empty' && this.#unsaved !== undefined) this.#saveEmpty();
  }

  /** Ends the group here. Whoever waits is refused with the error. */
  end(error: BrokerError): void {
    for (const member of this.#members) this.#remove(member, error);
    this.#pending.clear();
    this.#holdAssignments(0);
    this.#joinPhase.cancel();
    this.#syncPhase.cancel();
    this.#state = 'Dead';
  }

  // Joining

  #joinNew(request: JoinRequest): JoinResult | Promise<Joined> {
    this.#surroundings.load.checkMember();
    const memberId = this.#surroundings.newMemberId(request.clientId);
    if (!request.requireKnownMemberId) return this.#add(memberId, request);
    if (this.#pending.size >= this.#surroundings.settings.maxPendingMembers) {
      throw new BrokerError('group-max-size', `group ${this.groupId} waits for ${this.#pending.size} members to join`);
    }
    this.#pending.add(memberId, request.sessionTimeoutMs, () => {
      this.#completeJoinIfAllJoined();
      this.#restIfEmpty();
    });
    return { joined: false, memberId };
  }

  #joinStatic(request: JoinRequest, groupInstanceId: string): Promise<Joined> {
    const memberId = this.#surroundings.newMemberId(groupInstanceId);
    const replaced = this.#members.byInstance(groupInstanceId);
    if (replaced === undefined) this.#surroundings.load.checkMember();
    return replaced === undefined ? this.#add(memberId, request) : this.#replace(replaced, memberId, request);
  }

  #joinAgain(request: JoinRequest): Joined | Promise<Joined> {
    const { memberId, groupInstanceId, protocols } = request;
    if (this.#pending.has(memberId) && groupInstanceId === null) return this.#add(memberId, request);
    const member = this.#members.validate(memberId, groupInstanceId);
    const unchanged = member.hasProtocols(protocols);
    // A leader that joins again wants a rebalance: for a change that is not in its metadata, such as new partitions.
    const leads = this.#members.leads(member);
    if (unchanged && (this.#state === 'CompletingRebalance' || (this.#state === 'Stable' && !leads))) {
      member.alive();
      return this.#joined(member);
    }
    this.#update(member, request);
    const answer = this.#joins.wait(member);
    this.#rebalanceOrComplete();
    return answer;
  }

  #add(memberId: string, request: JoinRequest): Promise<Joined> {
    this.#pending.remove(memberId);
    if (this.#initial !== undefined) this.#initial.newcomers = true;
    if (this.#members.size === 0) this.#protocolType = request.protocolType;
    const member = this.#insert({ ...request, memberId, rebalanceTimeoutMs: rebalanceTimeout(request) });
    member.isNew = true;
    // It may have gone without a trace, and would hold up every rebalance from now on.
    member.session.set(this.#surroundings.settings.newMemberJoinTimeoutMs);
    const answer = this.#joins.wait(member);
    this.#rebalanceOrComplete();
    return answer;
  }

  /** A static member has begun anew, without its id: it takes the place, and the assignment, that it had before. */
  #replace(old: Member, memberId: string, request: JoinRequest): Promise<Joined> {
    const member = this.#succeed(old, { ...old.stored(), memberId });
    this.#update(member, request);
    const answer = this.#joins.wait(member);
    const keepsProtocol = this.#members.votes.elect(this.#members) === this.#protocolName;
    if (this.#state === 'Stable' && keepsProtocol) this.#storeReplaced(old, member, request.canSkipAssignment);
    // Also while the leader makes assignments: it may have been told the old id, and would assign to that.
    else this.#rebalanceOrComplete();
    return answer;
  }

  #storeReplaced(old: Member, member: Member, canSkipAssignment: boolean): void {
    const generation = this.#generation;
    const leads = this.#members.leads(member);
    const stillSo = () =>
      this.#state === 'Stable' &&
      this.#generation === generation &&
      this.#members.has(member) &&
      this.#joins.has(member);
    this.#store().then(
      () => {
        if (!stillSo()) return;
        const joined = this.#joined(member);
        if (leads && canSkipAssignment) this.#joins.answer(member, { ...joined, skipAssignment: true });
        // An older client that is told that it leads would assign anew, by what it knows alone; so it is told its old id.
        else this.#joins.answer(member, leads ? { ...joined, leader: old.memberId, members: [] } : joined);
        member.alive();
      },
      (error: unknown) => {
        if (!stillSo()) return;
        this.#joins.refuse(member, toBrokerError(error));
        this.#succeed(member, old.stored());
      },
    );
  }

  /** Puts a member in the place of another with the same instance id, which is fenced. */
  #succeed(old: Member, fields: MemberFields): Member {
    const led = this.#members.leads(old);
    const didSync = !this.#notSynced.has(old);
    this.#remove(old, new BrokerError('fenced-instance', `another member has the instance id of ${old.memberId}`));
    const member = this.#insert(fields);
    member.assignment = old.assignment;
    member.alive();
    if (led) this.#members.leader = member.memberId;
    if (!didSync) this.#notSynced.add(member);
    return member;
  }

  #insert(fields: MemberFields): Member {
    const { clock } = this.#surroundings;
    const member = new Member(fields, clock, () => this.#sessionOver(member));
    this.#members.add(member);
    return member;
  }

  #update(member: Member, request: JoinRequest): void {
    this.#members.votes.remove(member.protocols);
    member.protocols = request.protocols;
    this.#members.votes.add(member.protocols);
    member.sessionTimeoutMs = request.sessionTimeoutMs;
    member.rebalanceTimeoutMs = rebalanceTimeout(request);
  }

  // Rebalancing

  #rebalanceOrComplete(): void {
    if (this.#state === 'PreparingRebalance') {
      if (this.#initial === undefined) this.#completeJoinIfAllJoined();
    } else if (this.#state !== 'Empty' || this.#members.size > 0) {
      this.#prepareRebalance();
    }
  }

  #prepareRebalance(): void {
    if (this.#state === 'CompletingRebalance') this.#withholdAssignments(this.#rebalancing());
    this.#notSynced.clear();
    this.#syncPhase.cancel();
    const empty = this.#state === 'Empty';
    this.#enter('PreparingRebalance');
    if (empty) {
      const delayMs = this.#surroundings.settings.initialRebalanceDelayMs;
      this.#initial = { newcomers: false, delayMs, leftMs: Math.max(this.#members.rebalanceTimeoutMs - delayMs, 0) };
      this.#joinPhase.set(delayMs);
    } else if (!this.#allJoined) {
      this.#joinPhase.set(this.#members.rebalanceTimeoutMs);
    } else {
      this.#completeJoin();
    }
  }

  #joinPhaseOver(): void {
    const initial = this.#initial;
    if (initial?.newcomers && initial.leftMs > 0) {
      const delayMs = Math.min(this.#surroundings.settings.initialRebalanceDelayMs, initial.leftMs);
      this.#initial = { newcomers: false, delayMs, leftMs: Math.max(initial.leftMs - initial.delayMs, 0) };
      this.#joinPhase.set(delayMs);
    } else {
      this.#completeJoin();
    }
  }

  #completeJoinIfAllJoined(): void {
    if (this.#state === 'PreparingRebalance' && this.#allJoined) this.#completeJoin();
  }

  #completeJoin(): void {
    const late = [...this.#members].filter((member) => !this.#joins.has(member));
    // A static member may be starting again, and keeps its place until its session is over.
    for (const member of late) {
      if (member.groupInstanceId === null) this.#remove(member, unknownMember(member.memberId));
    }
    if (this.#members.size > 0 && !this.#members.elect((member) => this.#joins.has(member))) {
      this.#joinPhase.set(this.#members.rebalanceTimeoutMs);
      return;
    }
    this.#joinPhase.cancel();
    this.#initial = undefined;
    this.#generation++;
    if (this.#members.size === 0) {
      this.#protocolName = null;
      this.#holdAssignments(0);
      this.#enter('Empty');
      this.#saveEmpty();
      return;
    }
    this.#protocolName = this.#members.votes.elect(this.#members);
    this.#enter('CompletingRebalance');
    for (const member of this.#members) {
      this.#joins.answer(member, this.#joined(member));
      member.isNew = false;
      member.alive();
      this.#notSynced.add(member);
    }
    this.#syncPhase.set(this.#members.syncTimeoutMs);
  }

  /** Members that have not asked for their assignment in time have failed. */
  #syncPhaseOver(): void {
    if (this.#notSynced.size === 0) return;
    for (const member of [...this.#notSynced]) this.#remove(member, unknownMember(member.memberId));
    this.#prepareRebalance();
  }

  #storeAssignments({ assignments }: SyncRequest): void {
    const generation = this.#generation;
    // The leader asks again, not knowing that it was heard: what it said first holds.
    if (this.#storing === generation) return;
    this.#storing = generation;
    const given = new Map(assignments.map(({ memberId, assignment }) => [memberId, Buffer.from(assignment)]));
    // Another rebalance may have begun while this was under way: then nobody waits for it any more.
    const stillSo = () => this.#state === 'CompletingRebalance' && this.#generation === generation;
    this.#store(given).then(
      () => {
        if (!stillSo()) return;
        this.#enter('Stable');
        let bytes = 0;
        for (const member of this.#members) {
          member.assignment = given.get(member.memberId) ?? NOTHING;
          bytes += member.assignment.length;
          if (this.#syncs.answer(member, this.#synced(member))) member.alive();
        }
        this.#holdAssignments(bytes);
      },
      (error: unknown) => {
        if (!stillSo()) return;
        this.#withholdAssignments(toBrokerError(error));
        this.#prepareRebalance();
      },
    );
  }

  #withholdAssignments(error: BrokerError): void {
    this.#holdAssignments(0);
    for (const member of this.#members) {
      member.assignment = NOTHING;
      if (this.#syncs.refuse(member, error)) member.alive();
    }
  }

  #holdAssignments(bytes: number): void {
    this.#surroundings.load.metadataBytes += bytes - this.#assignedBytes;
    this.#assignedBytes = bytes;
  }

  // Leaving

  #leave(memberId: string, groupInstanceId: string | null): ErrorCode | null {
    if (this.#pending.remove(memberId)) return null;
    try {
      const id = memberId !== '' ? memberId : (this.#members.byInstance(groupInstanceId)?.memberId ?? '');
      const member = this.#members.validate(id, groupInstanceId);
      this.#remove(member, unknownMember(id));
      return null;
    } catch (error) {
      return toBrokerError(error).code;
    }
  }

  #sessionOver(member: Member): void {
    // Who waits for an answer has no way to say that it is alive; except that a new member may not wait for ever.
    if (!member.isNew && (this.#joins.has(member) || this.#syncs.has(member))) return;
    this.#remove(member, unknownMember(member.memberId));
    this.#afterRemoval();
  }

  /** Takes back a member, or an id given out, for which there is no room. */
  #withdraw(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member !== undefined) this.#remove(member, unknownMember(memberId));
    if (this.#pending.remove(memberId) || member !== undefined) this.#afterRemoval();
  }

  #afterRemoval(): void {
    if (this.#state === 'PreparingRebalance') this.#completeJoinIfAllJoined();
    else if (this.#state !== 'Empty') this.#prepareRebalance();
  }

  #remove(member: Member, error: BrokerError): void {
    this.#members.remove(member);
    this.#notSynced.delete(member);
    member.session.cancel();
    this.#joins.refuse(member, error);
    this.#syncs.refuse(member, error);
  }

  // Durability

  #saveEmpty(): void {
    const saved: Promise<void> = this.#store().then(
      () => {
        if (this.#unsaved !== saved) return;
        this.#unsaved = undefined;
        this.#restIfEmpty();
      },
      // Should the broker end now, the members that were last stored come back, and their sessions pass.
      (error: unknown) =>
        this.#surroundings.onWarn(`that group ${this.groupId} is empty was not stored`, toBrokerError(error)),
    );
    this.#unsaved = saved;
  }

  #store(assignments?: ReadonlyMap<string, Buffer>): Promise<void> {
    return this.#surroundings.store(this.groupId, {
      generation: this.#generation,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      leader: this.#members.leader,
      since: this.#since,
      members: this.#members.stored(assignments),
    });
  }

  #restore(membership: Membership): void {
    this.#generation = membership.generation;
    this.#protocolType = membership.protocolType;
    this.#protocolName = membership.protocolName;
    for (const stored of membership.members) {
      const member = this.#insert(stored);
      member.assignment = stored.assignment;
      // Nobody could be heard while the broker was down: everybody has a whole session from now.
      member.alive();
    }
    this.#holdAssignments(membership.members.reduce((bytes, { assignment }) => bytes + assignment.length, 0));
    this.#members.leader = membership.leader;
    if (this.#members.size > 0) this.#state = 'Stable';
  }

  #restIfEmpty(): void {
    if (this.atRest) this.#surroundings.onRest(this);
  }

  // Looking

  #enter(state: GroupState): void {
    this.#state = state;
    this.#since = this.#surroundings.clock.now();
  }

  get #allJoined(): boolean {
    return this.#members.size === this.#joins.size && this.#pending.size === 0;
  }

  #joined(member: Member): Joined {
    const leads = this.#members.leads(member);
    return {
      joined: true,
      memberId: member.memberId,
      generation: this.#generation,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      leader: this.#members.leader ?? '',
      skipAssignment: false,
      members: leads ? this.#members.forLeader(this.#protocolName) : [],
    };
  }

  #synced({ assignment }: Member): SyncResult {
    return { protocolType: this.#protocolType, protocolName: this.#protocolName, assignment };
  }

  #hasRoomFor(member: Member | undefined): boolean {
    const { maxMembers } = this.#surroundings.settings;
    if (this.#state === 'Empty') return true;
    if (this.#state !== 'PreparingRebalance') return member !== undefined || this.#members.size < maxMembers;
    // Members that have not joined again do not count yet: the last to come have to go if there are too many.
    return (member !== undefined && this.#joins.has(member)) || this.#joins.size < maxMembers;
  }

  #agreesOn(protocolType: string): boolean {
    return this.#members.size === 0 || this.#protocolType === protocolType;
  }

  #checkMetadata({ protocols, memberId }: JoinRequest): void {
    const { maxMemberMetadataBytes, maxGroupMetadataBytes, maxMemberProtocols } = this.#surroundings.settings;
    if (protocols.length > maxMemberProtocols)
      throw new BrokerError('limit-exceeded', `${protocols.length} protocols are too many for group ${this.groupId}`);
    const bytes = protocolBytes(protocols);
    const own = this.#members.get(memberId)?.metadataBytes ?? 0;
    if (bytes > maxMemberMetadataBytes || this.#members.votes.bytes - own + bytes > maxGroupMetadataBytes) {
      throw new BrokerError('limit-exceeded', `${bytes} bytes of metadata are too many for group ${this.groupId}`);
    }
    this.#surroundings.load.checkMetadata(bytes - own);
  }

  #checkAssignments({ assignments }: SyncRequest): void {
    const bytes = assignments.reduce((sum, { assignment }) => sum + assignment.length, 0);
    if (bytes > this.#surroundings.settings.maxGroupMetadataBytes) {
      throw new BrokerError('limit-exceeded', `${bytes} bytes of assignments are too many for group ${this.groupId}`);
    }
    this.#surroundings.load.checkMetadata(bytes - this.#assignedBytes);
  }

  /** The member that says that it is this, in this generation. */
  #memberOf({ memberId, groupInstanceId, generation }: MemberIdentity): Member {
    const member = this.#members.validate(memberId, groupInstanceId);
    if (generation === this.#generation) return member;
    throw new BrokerError('illegal-generation', `group ${this.groupId} is in generation ${this.#generation}`);
  }

  #rebalancing(): BrokerError {
    return new BrokerError('rebalance-in-progress', `group ${this.groupId} rebalances; join it again`);
  }
}

function rebalanceTimeout({ rebalanceTimeoutMs, sessionTimeoutMs }: JoinRequest): number {
  return rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs;
}

/** Whether both are told and are not the same. */
function differ(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a !== b;
}
