import { type Assignment, assignmentBytes, NO_PARTITIONS } from '../consumer/assignment.ts';
import type { TopicSize } from '../consumer/membership.ts';

/** A member of a share group, as it is kept. */
export interface ShareMember {
  readonly memberId: string;
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** Sorted, each once. */
  readonly topicNames: readonly string[];
  /** That of the target that it has come to. */
  readonly epoch: number;
  /** The member may not have heard of its epoch yet: then it comes with this one. */
  readonly previousEpoch: number;
  readonly assigned: Assignment;
}

/** What a heartbeat, or the end of a member, changes of a group; as it is kept. */
export interface ShareGroupChange {
  readonly at: number;
  readonly epoch: number;
  readonly assignmentEpoch: number;
  /** Null for no change. */
  readonly topics: readonly TopicSize[] | null;
  readonly gone: readonly string[];
  /** Members that are new or changed. */
  readonly members: readonly ShareMember[];
  /** Targets that are new or changed. */
  readonly targets: readonly (readonly [memberId: string, target: Assignment])[];
}

/** What is durable of a share group's members. Changed by `apply` only. */
export class ShareMembership {
  /** Grows with everything that calls for another target. */
  epoch = 0;
  /** The epoch that the targets are of. */
  assignmentEpoch = 0;
  /** When it got its last member, or lost it, by the broker's clock. */
  since = 0;
  topics: readonly TopicSize[] = [];
  readonly members = new Map<string, ShareMember>();
  readonly targets = new Map<string, Assignment>();
  /** Bytes, about, of names and assignments. */
  bytes = 0;

  get(memberId: string): ShareMember | undefined {
    return this.members.get(memberId);
  }

  target(memberId: string): Assignment {
    return this.targets.get(memberId) ?? NO_PARTITIONS;
  }

  apply({ at, epoch, assignmentEpoch, topics, gone, members, targets }: ShareGroupChange): void {
    const before = this.members.size;
    this.epoch = epoch;
    this.assignmentEpoch = assignmentEpoch;
    this.topics = topics ?? this.topics;
    for (const memberId of gone) {
      this.#count(this.members.get(memberId), -1);
      this.members.delete(memberId);
      this.#aim(memberId, NO_PARTITIONS);
    }
    for (const member of members) {
      this.#count(this.members.get(member.memberId), -1);
      this.#count(member, 1);
      this.members.set(member.memberId, member);
    }
    for (const [memberId, target] of targets) this.#aim(memberId, target);
    if ((before === 0) !== (this.members.size === 0)) this.since = at;
  }

  toSnapshot(): ShareGroupChange {
    const { epoch, assignmentEpoch, since: at, topics } = this;
    return {
      ...{ at, epoch, assignmentEpoch, topics, gone: [] },
      members: [...this.members.values()],
      targets: [...this.targets],
    };
  }

  static fromSnapshot(saved: ShareGroupChange): ShareMembership {
    const membership = new ShareMembership();
    membership.apply(saved);
    membership.since = saved.at;
    return membership;
  }

  #count(member: ShareMember | undefined, by: 1 | -1): void {
    if (member !== undefined) this.bytes += by * shareMemberBytes(member);
  }

  #aim(memberId: string, target: Assignment): void {
    this.bytes += assignmentBytes(target) - assignmentBytes(this.target(memberId));
    if (target.length === 0) this.targets.delete(memberId);
    else this.targets.set(memberId, target);
  }
}

export function shareMemberBytes({ topicNames, assigned, ...member }: ShareMember): number {
  const named =
    member.memberId.length + member.clientId.length + member.clientHost.length + (member.rackId?.length ?? 0);
  return topicNames.reduce((sum, name) => sum + name.length, named) + assignmentBytes(assigned);
}
