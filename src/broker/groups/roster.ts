import type { Clock } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import type { GroupLoad } from './load.ts';
import { Member, type MemberFields, NOTHING } from './member.ts';
import type { JoinedMember, JoinRequest } from './membership.ts';
import { ProtocolVotes } from './protocol-votes.ts';
import type { StoredMember } from './state.ts';

/** Who is in a group, which of them leads, and what they can do. */
export class Roster {
  readonly #members = new Map<string, Member>();
  /** Member ids by group instance id. */
  readonly #static = new Map<string, string>();
  readonly votes: ProtocolVotes;
  /** Member id; null while there is nobody. */
  leader: string | null = null;
  readonly #clock: Clock;
  readonly #onSessionPassed: (member: Member) => void;

  constructor(clock: Clock, load: GroupLoad, onSessionPassed: (member: Member) => void) {
    this.#clock = clock;
    this.#onSessionPassed = onSessionPassed;
    this.votes = new ProtocolVotes(load);
  }

  get size(): number {
    return this.#members.size;
  }

  [Symbol.iterator](): IterableIterator<Member> {
    return this.#members.values();
  }

  get(memberId: string): Member | undefined {
    return this.#members.get(memberId);
  }

  byInstance(groupInstanceId: string | null): Member | undefined {
    const memberId = groupInstanceId === null ? undefined : this.#static.get(groupInstanceId);
    return memberId === undefined ? undefined : this.#members.get(memberId);
  }

  has(member: Member): boolean {
    return this.#members.get(member.memberId) === member;
  }

  leads(member: Member): boolean {
    return member.memberId === this.leader;
  }

  /** A new member. Its session begins when it is said to be alive. */
  insert(fields: MemberFields): Member {
    const member = new Member(fields, this.#clock, this.#onSessionPassed);
    this.#members.set(member.memberId, member);
    if (member.groupInstanceId !== null) this.#static.set(member.groupInstanceId, member.memberId);
    this.votes.add(member.protocols);
    this.leader ??= member.memberId;
    return member;
  }

  /** What a member says of itself that joins again. */
  update(member: Member, request: JoinRequest): void {
    this.votes.remove(member.protocols);
    member.protocols = request.protocols;
    this.votes.add(member.protocols);
    member.sessionTimeoutMs = request.sessionTimeoutMs;
    member.rebalanceTimeoutMs = rebalanceTimeout(request);
  }

  remove(member: Member): void {
    this.#members.delete(member.memberId);
    if (member.groupInstanceId !== null) this.#static.delete(member.groupInstanceId);
    this.votes.remove(member.protocols);
    if (this.leads(member)) this.leader = this.#members.keys().next().value ?? null;
  }

  /** Sees that the leader is one of those who can lead; says whether there is one. */
  elect(canLead: (member: Member) => boolean): boolean {
    const leader = this.#members.get(this.leader ?? '');
    if (leader !== undefined && canLead(leader)) return true;
    for (const member of this) {
      if (!canLead(member)) continue;
      this.leader = member.memberId;
      return true;
    }
    return false;
  }

  /** The member that says that it is this; throws `unknown-member`, or `fenced-instance` when another took its place. */
  validate(memberId: string, groupInstanceId: string | null): Member {
    if (groupInstanceId !== null) {
      const current = this.#static.get(groupInstanceId);
      if (current === undefined) throw unknownMember(groupInstanceId);
      if (current !== memberId) throw new BrokerError('fenced-instance', `${groupInstanceId} is ${current} by now`);
    }
    const member = this.#members.get(memberId);
    if (member === undefined) throw unknownMember(memberId);
    return member;
  }

  /** How long a rebalance waits: for the most patient member. */
  get rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const { rebalanceTimeoutMs } of this) longest = Math.max(longest, rebalanceTimeoutMs);
    return longest;
  }

  /**
   * How long those who joined may take to ask for their assignments: a session at least, which joining gave them. A client may
   * ask for a rebalance time-out of 0, as kafkajs does for callers who say nothing.
   */
  get syncTimeoutMs(): number {
    let longest = 0;
    for (const { sessionTimeoutMs, rebalanceTimeoutMs } of this)
      longest = Math.max(longest, sessionTimeoutMs, rebalanceTimeoutMs);
    return longest;
  }

  /** With assignments, those instead of what the members have. */
  stored(assignments?: ReadonlyMap<string, Buffer>): StoredMember[] {
    return [...this].map((member) =>
      member.stored(assignments === undefined ? member.assignment : (assignments.get(member.memberId) ?? NOTHING)),
    );
  }

  /** What the leader is told. */
  forLeader(protocolName: string | null): JoinedMember[] {
    return [...this].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: member.metadata(protocolName),
    }));
  }
}

export function unknownMember(memberId: string): BrokerError {
  return new BrokerError('unknown-member', `${memberId || 'who asks'} is no member; join the group`);
}

/** How long a rebalance waits for who joins with this. */
export function rebalanceTimeout({ rebalanceTimeoutMs, sessionTimeoutMs }: JoinRequest): number {
  return rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs;
}
