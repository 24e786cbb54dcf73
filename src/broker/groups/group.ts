import { BrokerError, type ErrorCode, toBrokerError } from '../../errors.ts';
import { CONSUMERS } from './consumer/index.ts';
import { Generations } from './generations.ts';
import { type Member, NOTHING, protocolBytes } from './member.ts';
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
import { Roster, rebalanceTimeout, unknownMember } from './roster.ts';
import type { Membership } from './state.ts';
import type { GroupSurroundings } from './surroundings.ts';

/**
 * A group of the classic protocol: members join, one of them is told to lead and assigns partitions to all, the others wait
 * for that with a sync.
 */
export class ClassicGroup {
  readonly groupId: string;
  readonly #surroundings: GroupSurroundings;
  readonly #members: Roster;
  readonly #pending: PendingMembers;
  readonly #generations: Generations;

  constructor(groupId: string, surroundings: GroupSurroundings, membership: Membership | null = null) {
    const { clock, load } = surroundings;
    this.groupId = groupId;
    this.#surroundings = surroundings;
    this.#members = new Roster(clock, load, (member) => this.#sessionOver(member));
    this.#pending = new PendingMembers(clock, load);
    this.#generations = new Generations(groupId, surroundings, this.#members, this.#pending, () => this.#restIfEmpty());
    if (membership !== null) this.#generations.restore(membership);
  }

  get state(): GroupState {
    return this.#generations.state;
  }

  /** When it came into this state, by the clock. */
  get since(): number {
    return this.#generations.since;
  }

  /** Null while nobody has joined it. */
  get protocolType(): string | null {
    return this.#generations.protocolType;
  }

  /** Nothing is left of it but what is durable. */
  get atRest(): boolean {
    return this.state === 'Empty' && this.#pending.size === 0 && this.#generations.unsaved === undefined;
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
    const chosen = this.#generations.protocolName;
    if (differ(protocolType, this.protocolType) || differ(protocolName, chosen)) {
      throw new BrokerError('inconsistent-group-protocol', `group ${this.groupId} chose ${chosen}`);
    }
    if (this.state === 'PreparingRebalance') throw this.#generations.rebalancing();
    if (this.#members.leads(member)) this.#checkAssignments(request);
    return this.#generations.sync(member, request.assignments);
  }

  heartbeat(identity: MemberIdentity): void {
    this.#memberOf(identity).alive();
    if (this.state === 'PreparingRebalance') throw this.#generations.rebalancing();
  }

  /** Resolves when what came of it is durable. */
  async leave(members: readonly LeavingMember[]): Promise<LeaveResult[]> {
    const before = this.#members.size;
    const results = members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId,
      error: this.#leave(memberId, groupInstanceId),
    }));
    if (this.state === 'PreparingRebalance' || this.#members.size < before) this.#generations.rebalanceOrComplete();
    this.#restIfEmpty();
    await this.#generations.unsaved;
    return results;
  }

  /** Whether whoever asks may commit offsets now. It counts as a sign of life. */
  checkCommit(identity: MemberIdentity): void {
    if (this.state === 'Empty' && identity.generation < 0) return;
    // While there are members, whoever is none of them would get in their way.
    const member = this.#memberOf(identity);
    if (this.state === 'CompletingRebalance') throw this.#generations.rebalancing();
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
    if (this.protocolType !== CONSUMERS) return undefined;
    const topics = new Set<string>();
    for (const member of this.#members) {
      const metadata = member.metadata(this.#generations.protocolName);
      const subscription = this.#surroundings.embedded.subscription(metadata);
      if (subscription === null) return null;
      for (const topic of subscription.topics) topics.add(topic);
    }
    return topics;
  }

  describe(): GroupDescription {
    const chosen = this.state === 'Stable' ? this.#generations.protocolName : undefined;
    return {
      groupId: this.groupId,
      state: this.state,
      protocolType: this.protocolType ?? '',
      protocolName: chosen ?? '',
      members: [...this.#members].map((member) =>
        member.describe(chosen === undefined ? NOTHING : member.metadata(chosen)),
      ),
    };
  }

  list(): GroupListing {
    const { groupId, state } = this;
    return { groupId, protocolType: this.protocolType ?? '', state, type: 'classic' };
  }

  /** What it would be after a restart, were it durable as it is. */
  snapshot(): Membership {
    return this.#generations.snapshot();
  }

  /** Tries again to make durable that it is empty, if that failed before. */
  saveAgain(): void {
    this.#generations.saveAgain();
  }

  /** Ends the group here. Whoever waits is refused with the error. */
  end(error: BrokerError): void {
    this.#pending.clear();
    this.#generations.end(error);
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
      this.#generations.forgotten();
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
    if (unchanged && (this.state === 'CompletingRebalance' || (this.state === 'Stable' && !leads))) {
      member.alive();
      return this.#generations.joined(member);
    }
    this.#members.update(member, request);
    return this.#generations.join(member);
  }

  #add(memberId: string, request: JoinRequest): Promise<Joined> {
    this.#pending.remove(memberId);
    if (this.#members.size === 0) this.#generations.protocolType = request.protocolType;
    const fields = { ...request, memberId, rebalanceTimeoutMs: rebalanceTimeout(request) };
    const member = this.#members.insert(fields);
    member.isNew = true;
    // It may have gone without a trace, and would hold up every rebalance from now on.
    member.session.set(this.#surroundings.settings.newMemberJoinTimeoutMs);
    return this.#generations.join(member);
  }

  /** A static member has begun anew, without its id: it takes the place, and the assignment, that it had before. */
  #replace(old: Member, memberId: string, request: JoinRequest): Promise<Joined> {
    const generations = this.#generations;
    const member = generations.succeed(old, () => this.#members.insert({ ...old.stored(), memberId }));
    this.#members.update(member, request);
    const keepsProtocol = this.#members.votes.elect(this.#members) === generations.protocolName;
    if (this.state === 'Stable' && keepsProtocol) {
      return generations.succeeded(old, member, request.canSkipAssignment, () => {
        generations.succeed(member, () => this.#members.insert(old.stored()));
      });
    }
    // Also while the leader makes assignments: it may have been told the old id, and would assign to that.
    return generations.join(member);
  }

  // Leaving

  #leave(memberId: string, groupInstanceId: string | null): ErrorCode | null {
    if (this.#pending.remove(memberId)) return null;
    try {
      const id = memberId !== '' ? memberId : (this.#members.byInstance(groupInstanceId)?.memberId ?? '');
      const member = this.#members.validate(id, groupInstanceId);
      this.#generations.remove(member, unknownMember(id));
      return null;
    } catch (error) {
      return toBrokerError(error).code;
    }
  }

  #sessionOver(member: Member): void {
    // Who waits for an answer has no way to say that it is alive; except that a new member may not wait for ever.
    if (!member.isNew && this.#generations.isWaiting(member)) return;
    this.#generations.remove(member, unknownMember(member.memberId));
    this.#generations.removed();
  }

  /** Takes back a member, or an id given out, for which there is no room. */
  #withdraw(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member !== undefined) this.#generations.remove(member, unknownMember(memberId));
    if (this.#pending.remove(memberId) || member !== undefined) this.#generations.removed();
  }

  #restIfEmpty(): void {
    if (this.atRest) this.#surroundings.onRest(this);
  }

  // Checks

  #hasRoomFor(member: Member | undefined): boolean {
    const { maxMembers } = this.#surroundings.settings;
    if (this.state === 'Empty') return true;
    if (this.state !== 'PreparingRebalance') return member !== undefined || this.#members.size < maxMembers;
    // Members that have not joined again do not count yet: the last to come have to go if there are too many.
    return (member !== undefined && this.#generations.hasJoined(member)) || this.#generations.joinedSize < maxMembers;
  }

  #agreesOn(protocolType: string): boolean {
    return this.#members.size === 0 || this.protocolType === protocolType;
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
    this.#surroundings.load.checkMetadata(bytes - this.#generations.assignedBytes);
  }

  /** The member that says that it is this, in this generation. */
  #memberOf({ memberId, groupInstanceId, generation }: MemberIdentity): Member {
    const member = this.#members.validate(memberId, groupInstanceId);
    const { current } = this.#generations;
    if (generation === current) return member;
    throw new BrokerError('illegal-generation', `group ${this.groupId} is in generation ${current}`);
  }
}

/** Whether both are told and are not the same. */
function differ(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a !== b;
}
