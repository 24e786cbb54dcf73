import { BrokerError, toBrokerError } from '../../errors.ts';
import { Deadline } from './deadline.ts';
import { JoinPhase } from './join-phase.ts';
import { type Member, NOTHING } from './member.ts';
import type { GroupState, Joined, MemberAssignment, SyncResult } from './membership.ts';
import type { PendingMembers } from './pending-members.ts';
import { type Roster, unknownMember } from './roster.ts';
import type { Membership } from './state.ts';
import type { GroupSurroundings } from './surroundings.ts';
import { Waiting } from './waiting.ts';

/**
 * How a group of the classic protocol comes from one generation to the next. Follows Kafka's ClassicGroup and
 * GroupMetadataManager.
 *
 *     Empty ─join→ PreparingRebalance ─all joined, or time is up→ CompletingRebalance ─the leader synced→ Stable
 *                   │    ↑ a member joins, leaves or fails                      │                            │
 *       all gone → Empty └───────────────────────────────────────────────────────┴────────────────────────────┘
 */
export class Generations {
  readonly #groupId: string;
  readonly #surroundings: GroupSurroundings;
  readonly #members: Roster;
  readonly #pending: PendingMembers;
  readonly #onSaved: () => void;
  #state: GroupState = 'Empty';
  #since: number;
  #generation = 0;
  #protocolName: string | null = null;
  protocolType: string | null = null;
  /** Bytes of the assignments that count among those of all groups. */
  #assignedBytes = 0;
  readonly #joins = new Waiting<Joined>();
  readonly #syncs = new Waiting<SyncResult>();
  /** Members of this generation that have not asked for their assignment. */
  readonly #notSynced = new Set<Member>();
  readonly #joinPhase: JoinPhase;
  readonly #syncPhase: Deadline;
  /** The last generation whose assignments were given to `store`. */
  #storing = -1;
  /** That the group is empty is yet to be made durable. */
  #unsaved: Promise<void> | undefined;

  constructor(
    groupId: string,
    surroundings: GroupSurroundings,
    members: Roster,
    pending: PendingMembers,
    onSaved: () => void,
  ) {
    this.#groupId = groupId;
    this.#surroundings = surroundings;
    this.#members = members;
    this.#pending = pending;
    this.#onSaved = onSaved;
    this.#since = surroundings.clock.now();
    const { initialRebalanceDelayMs } = surroundings.settings;
    this.#joinPhase = new JoinPhase(surroundings.clock, initialRebalanceDelayMs, () => this.#completeJoin());
    this.#syncPhase = new Deadline(surroundings.clock, () => this.#syncPhaseOver());
  }

  get state(): GroupState {
    return this.#state;
  }

  /** When the group came into this state, by the clock. */
  get since(): number {
    return this.#since;
  }

  /** The number of the last one. */
  get current(): number {
    return this.#generation;
  }

  get protocolName(): string | null {
    return this.#protocolName;
  }

  /** Bytes of the members' assignments. */
  get assignedBytes(): number {
    return this.#assignedBytes;
  }

  /** That the group is empty is yet to be made durable: resolves when it is. */
  get unsaved(): Promise<void> | undefined {
    return this.#unsaved;
  }

  /** Members that have joined the next one. */
  get joinedSize(): number {
    return this.#joins.size;
  }

  hasJoined(member: Member): boolean {
    return this.#joins.has(member);
  }

  isWaiting(member: Member): boolean {
    return this.#joins.has(member) || this.#syncs.has(member);
  }

  /** A member joins the next generation. */
  join(member: Member): Promise<Joined> {
    if (member.isNew) this.#joinPhase.newcomer();
    const answer = this.#joins.wait(member);
    this.rebalanceOrComplete();
    return answer;
  }

  /** What a member is told that has joined this one. */
  joined(member: Member): Joined {
    const leads = this.#members.leads(member);
    return {
      joined: true,
      memberId: member.memberId,
      generation: this.#generation,
      protocolType: this.protocolType,
      protocolName: this.#protocolName,
      leader: this.#members.leader ?? '',
      skipAssignment: false,
      members: leads ? this.#members.forLeader(this.#protocolName) : [],
    };
  }

  /** A member asks for its assignment; the leader brings those of all. */
  sync(member: Member, assignments: readonly MemberAssignment[]): SyncResult | Promise<SyncResult> {
    this.#notSynced.delete(member);
    if (this.#notSynced.size === 0) this.#syncPhase.cancel();
    if (this.#state === 'Stable') {
      member.alive();
      return this.#synced(member);
    }
    const answer = this.#syncs.wait(member);
    if (this.#members.leads(member)) this.#storeAssignments(assignments);
    return answer;
  }

  /** Puts a member in the place of one that is fenced, with its assignment. */
  succeed(old: Member, successor: () => Member): Member {
    const led = this.#members.leads(old);
    const didSync = !this.#notSynced.has(old);
    this.remove(old, new BrokerError('fenced-instance', `another member has the instance id of ${old.memberId}`));
    const member = successor();
    member.assignment = old.assignment;
    member.alive();
    if (led) this.#members.leader = member.memberId;
    if (!didSync) this.#notSynced.add(member);
    return member;
  }

  /** Answers a member that took the place of another in a stable group, when that is durable; `withdraw` undoes it. */
  succeeded(old: Member, member: Member, canSkipAssignment: boolean, withdraw: () => void): Promise<Joined> {
    const answer = this.#joins.wait(member);
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
        const joined = this.joined(member);
        if (leads && canSkipAssignment) this.#joins.answer(member, { ...joined, skipAssignment: true });
        // An older client that is told that it leads would assign anew, by what it knows alone; so it is told its old id.
        else this.#joins.answer(member, leads ? { ...joined, leader: old.memberId, members: [] } : joined);
        member.alive();
      },
      (error: unknown) => {
        if (!stillSo()) return;
        this.#joins.refuse(member, toBrokerError(error));
        withdraw();
      },
    );
    return answer;
  }

  /** Who waits for an answer is refused with the error. */
  remove(member: Member, error: BrokerError): void {
    this.#members.remove(member);
    this.#notSynced.delete(member);
    member.session.cancel();
    this.#joins.refuse(member, error);
    this.#syncs.refuse(member, error);
  }

  /** A member has gone without a word to the others. */
  removed(): void {
    if (this.#state === 'PreparingRebalance') this.#completeIfAllJoined();
    else if (this.#state !== 'Empty') this.#prepare();
  }

  /** An id that was given out is not waited for any more. */
  forgotten(): void {
    if (this.#state === 'PreparingRebalance') this.#completeIfAllJoined();
  }

  rebalanceOrComplete(): void {
    if (this.#state === 'PreparingRebalance') {
      if (!this.#joinPhase.isInitial) this.#completeIfAllJoined();
    } else if (this.#state !== 'Empty' || this.#members.size > 0) {
      this.#prepare();
    }
  }

  /** Tries again to make durable that the group is empty, if that failed before. */
  saveAgain(): void {
    if (this.#state === 'Empty' && this.#unsaved !== undefined) this.#saveEmpty();
  }

  restore(membership: Membership): void {
    this.#since = membership.since;
    this.#generation = membership.generation;
    this.protocolType = membership.protocolType;
    for (const stored of membership.members) {
      const member = this.#members.insert(stored);
      member.assignment = stored.assignment;
      // Nobody could be heard while the broker was down: everybody has a whole session from now.
      member.alive();
    }
    this.#holdAssignments(membership.members.reduce((bytes, { assignment }) => bytes + assignment.length, 0));
    this.#members.leader = membership.leader;
    this.#protocolName = membership.protocolName ?? this.#members.votes.elect(this.#members);
    if (this.#members.size === 0) return;
    this.#state = 'Stable';
    if (membership.rebalanceDue === true) this.#prepare();
  }

  /** What it would be after a restart, were it durable as it is: without members that have not been in any generation. */
  snapshot(): Membership {
    const isNew = new Set(Array.from(this.#members, ({ memberId, isNew }) => (isNew ? memberId : '')));
    const members = this.#members.stored().filter(({ memberId }) => !isNew.has(memberId));
    return {
      generation: this.#generation,
      protocolType: this.protocolType,
      protocolName: this.#protocolName,
      leader: (members.find(({ memberId }) => memberId === this.#members.leader) ?? members[0])?.memberId ?? null,
      since: this.#since,
      members,
      rebalanceDue: this.#state !== 'Stable',
    };
  }

  /** Ends the group here. */
  end(error: BrokerError): void {
    for (const member of this.#members) this.remove(member, error);
    this.#holdAssignments(0);
    this.#joinPhase.end();
    this.#syncPhase.cancel();
    this.#state = 'Dead';
  }

  rebalancing(): BrokerError {
    return new BrokerError('rebalance-in-progress', `group ${this.#groupId} rebalances; join it again`);
  }

  // Joining

  #prepare(): void {
    if (this.#state === 'CompletingRebalance') this.#withholdAssignments(this.rebalancing());
    this.#notSynced.clear();
    this.#syncPhase.cancel();
    const empty = this.#state === 'Empty';
    this.#enter('PreparingRebalance');
    if (empty) this.#joinPhase.beginInitial(this.#members.rebalanceTimeoutMs);
    else if (!this.#allJoined) this.#joinPhase.begin(this.#members.rebalanceTimeoutMs);
    else this.#completeJoin();
  }

  get #allJoined(): boolean {
    return this.#members.size === this.#joins.size && this.#pending.size === 0;
  }

  #completeIfAllJoined(): void {
    if (this.#allJoined) this.#completeJoin();
  }

  #completeJoin(): void {
    const late = [...this.#members].filter((member) => !this.#joins.has(member));
    // A static member may be starting again, and keeps its place until its session is over.
    for (const member of late) {
      if (member.groupInstanceId === null) this.remove(member, unknownMember(member.memberId));
    }
    if (this.#members.size > 0 && !this.#members.elect((member) => this.#joins.has(member))) {
      this.#joinPhase.begin(this.#members.rebalanceTimeoutMs);
      return;
    }
    this.#joinPhase.end();
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
      this.#joins.answer(member, this.joined(member));
      member.isNew = false;
      member.alive();
      this.#notSynced.add(member);
    }
    this.#syncPhase.set(this.#members.syncTimeoutMs);
  }

  // Assigning

  /** Members that have not asked for their assignment in time have failed. */
  #syncPhaseOver(): void {
    if (this.#notSynced.size === 0) return;
    for (const member of [...this.#notSynced]) this.remove(member, unknownMember(member.memberId));
    this.#prepare();
  }

  #storeAssignments(assignments: readonly MemberAssignment[]): void {
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
        this.#prepare();
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

  #synced({ assignment }: Member): SyncResult {
    return { protocolType: this.protocolType, protocolName: this.#protocolName, assignment };
  }

  // Durability

  #saveEmpty(): void {
    const saved: Promise<void> = this.#store().then(
      () => {
        if (this.#unsaved !== saved) return;
        this.#unsaved = undefined;
        this.#onSaved();
      },
      // Should the broker end now, the members that were last stored come back, and their sessions pass.
      (error: unknown) =>
        this.#surroundings.onWarn(`that group ${this.#groupId} is empty was not stored`, toBrokerError(error)),
    );
    this.#unsaved = saved;
  }

  #store(assignments?: ReadonlyMap<string, Buffer>): Promise<void> {
    return this.#surroundings.store(this.#groupId, {
      generation: this.#generation,
      protocolType: this.protocolType,
      protocolName: this.#protocolName,
      leader: this.#members.leader,
      since: this.#since,
      members: this.#members.stored(assignments),
    });
  }

  #enter(state: GroupState): void {
    this.#state = state;
    this.#since = this.#surroundings.clock.now();
  }
}
