import { type Assignment, assignmentBytes, NO_PARTITIONS } from './assignment.ts';

/** What else is known of a member that uses the classic protocol. */
export interface ClassicTraits {
  readonly sessionTimeoutMs: number;
  /** The best liked first: it is told that this was chosen. */
  readonly protocols: readonly {
    readonly name: string;
    /** In base64. */
    readonly metadata: string;
  }[];
}

/** A member of a consumer group, as it is kept. */
export interface ConsumerMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  /** Sorted, each once. */
  readonly topicNames: readonly string[];
  /** Empty for none. */
  readonly topicRegex: string;
  /** Null for whatever the others want. */
  readonly assignor: string | null;
  /** That of the target that it has come to; -2 for a static member that has left for now. */
  readonly epoch: number;
  /** The member may not have heard of its epoch yet: then it comes with this one. */
  readonly previousEpoch: number;
  /**
   * - `stable`: it has what its epoch's target says;
   * - `revoking`: it has been asked to give partitions back, and keeps its epoch until it has;
   * - `waiting`: it waits for partitions that others have not given back.
   */
  readonly state: 'stable' | 'revoking' | 'waiting';
  readonly assigned: Assignment;
  /** Partitions that nobody else may have before the member says that it has them no more. */
  readonly revoking: Assignment;
  /** Left out for a member that uses the protocol of KIP-848. */
  readonly classic?: ClassicTraits;
}

/** Partitions of a topic that some member subscribed to, as they were when the target was made. */
export type TopicSize = readonly [topicId: string, partitions: number];

/** What a heartbeat, or the end of a member, changes of a group; as it is kept. */
export interface ConsumerGroupChange {
  readonly at: number;
  readonly epoch: number;
  readonly assignmentEpoch: number;
  /** Null for no change. */
  readonly topics: readonly TopicSize[] | null;
  /** Ids of members that are none any more; before the others, as an id may come again. */
  readonly gone: readonly string[];
  /** Members that are new or changed. */
  readonly members: readonly ConsumerMember[];
  /** Targets that are new or changed. */
  readonly targets: readonly (readonly [memberId: string, target: Assignment])[];
}

/** What is durable of a consumer group but for its offsets. Changed by `apply` only. */
export class ConsumerMembership {
  /** Grows with everything that calls for another target. */
  epoch = 0;
  /** The epoch that the targets are of. */
  assignmentEpoch = 0;
  /** When it got its last member, or lost it, by the broker's clock. */
  since = 0;
  topics: readonly TopicSize[] = [];
  readonly members = new Map<string, ConsumerMember>();
  readonly targets = new Map<string, Assignment>();
  /** Bytes, about, of names and assignments. */
  bytes = 0;
  /** Member ids by instance id. */
  readonly #static = new Map<string, string>();
  /** Who has a partition, or is to give it back: member ids by topic id and partition. */
  readonly #owners = new Map<string, Map<number, string>>();

  get(memberId: string): ConsumerMember | undefined {
    return this.members.get(memberId);
  }

  byInstance(instanceId: string): ConsumerMember | undefined {
    return this.members.get(this.#static.get(instanceId) ?? '');
  }

  target(memberId: string): Assignment {
    return this.targets.get(memberId) ?? NO_PARTITIONS;
  }

  owner(topicId: string, partition: number): string | undefined {
    return this.#owners.get(topicId)?.get(partition);
  }

  apply({ at, epoch, assignmentEpoch, topics, gone, members, targets }: ConsumerGroupChange): void {
    const before = this.members.size;
    this.epoch = epoch;
    this.assignmentEpoch = assignmentEpoch;
    this.topics = topics ?? this.topics;
    for (const memberId of gone) {
      this.#remove(memberId);
      this.#aim(memberId, NO_PARTITIONS);
    }
    for (const member of members) {
      this.#remove(member.memberId, member);
      this.members.set(member.memberId, member);
      if (member.instanceId !== null) this.#static.set(member.instanceId, member.memberId);
      this.bytes += memberBytes(member);
      this.#own(member.assigned, member.memberId);
      this.#own(member.revoking, member.memberId);
    }
    for (const [memberId, target] of targets) this.#aim(memberId, target);
    if ((before === 0) !== (this.members.size === 0)) this.since = at;
  }

  toSnapshot(): SavedConsumerMembership {
    const { epoch, assignmentEpoch, since: at, topics } = this;
    return {
      at,
      epoch,
      assignmentEpoch,
      topics,
      gone: [],
      members: [...this.members.values()],
      targets: [...this.targets],
    };
  }

  static fromSnapshot(saved: SavedConsumerMembership): ConsumerMembership {
    const membership = new ConsumerMembership();
    membership.apply(saved);
    membership.since = saved.at;
    return membership;
  }

  /** Keeps the member's place among the others when it is about to be set anew. */
  #remove(memberId: string, successor?: ConsumerMember): void {
    const member = this.members.get(memberId);
    if (member === undefined) return;
    this.bytes -= memberBytes(member);
    this.#disown(member.assigned, memberId);
    this.#disown(member.revoking, memberId);
    if (member.instanceId !== null) this.#static.delete(member.instanceId);
    if (successor === undefined) this.members.delete(memberId);
  }

  #aim(memberId: string, target: Assignment): void {
    this.bytes += assignmentBytes(target) - assignmentBytes(this.target(memberId));
    if (target.length === 0) this.targets.delete(memberId);
    else this.targets.set(memberId, target);
  }

  #own(assignment: Assignment, memberId: string): void {
    for (const { topicId, partitions } of assignment) {
      let owners = this.#owners.get(topicId);
      if (owners === undefined) {
        owners = new Map();
        this.#owners.set(topicId, owners);
      }
      for (const partition of partitions) owners.set(partition, memberId);
    }
  }

  #disown(assignment: Assignment, memberId: string): void {
    for (const { topicId, partitions } of assignment) {
      const owners = this.#owners.get(topicId);
      if (owners === undefined) continue;
      for (const partition of partitions) {
        if (owners.get(partition) === memberId) owners.delete(partition);
      }
      if (owners.size === 0) this.#owners.delete(topicId);
    }
  }
}

export type SavedConsumerMembership = ConsumerGroupChange;

export function memberBytes({
  memberId,
  clientId,
  clientHost,
  topicNames,
  topicRegex,
  ...member
}: ConsumerMember): number {
  let length = memberId.length + clientId.length + clientHost.length + topicRegex.length;
  length += (member.instanceId?.length ?? 0) + (member.rackId?.length ?? 0);
  for (const name of topicNames) length += name.length;
  for (const { name, metadata } of member.classic?.protocols ?? []) length += name.length + metadata.length;
  return length + assignmentBytes(member.assigned) + assignmentBytes(member.revoking);
}

export function sameTraits(a: ClassicTraits | undefined, b: ClassicTraits | undefined): boolean {
  if (a === b) return true;
  return (
    a?.sessionTimeoutMs === b?.sessionTimeoutMs &&
    a?.protocols.length === b?.protocols.length &&
    (a?.protocols ?? []).every(({ name, metadata }, i) => {
      const other = b?.protocols[i];
      return other?.name === name && other.metadata === metadata;
    })
  );
}
