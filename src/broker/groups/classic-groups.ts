import { BrokerError } from '../../errors.ts';
import { CONSUMERS, type ConsumerMembership } from './consumer/index.ts';
import { ClassicGroup } from './group.ts';
import type { JoinRequest, JoinResult } from './membership.ts';
import { checkRoom, notInGroup } from './refusals.ts';
import type { GroupsState, Membership } from './state.ts';
import type { GroupSurroundings } from './surroundings.ts';

/** The groups of the classic protocol of which there is more to know than what is durable: members, or rebalances under way. */
export class ClassicGroups {
  readonly #surroundings: GroupSurroundings;
  readonly #state: () => GroupsState;
  readonly #live = new Map<string, ClassicGroup>();
  #ended = false;

  constructor(surroundings: Omit<GroupSurroundings, 'onRest'>, state: () => GroupsState) {
    this.#surroundings = { ...surroundings, onRest: (group) => this.#forget(group) };
    this.#state = state;
    for (const [groupId, { membership }] of state().groups) {
      if (membership !== null && membership.members.length > 0) this.#open(groupId);
    }
  }

  [Symbol.iterator](): IterableIterator<ClassicGroup> {
    return this.#live.values();
  }

  get(groupId: string): ClassicGroup | undefined {
    return this.#live.get(groupId);
  }

  has(groupId: string): boolean {
    return this.#live.has(groupId);
  }

  /** The group if it has members, or is about to. */
  occupied(groupId: string): ClassicGroup | undefined {
    const live = this.#live.get(groupId);
    return live?.state === 'Empty' ? undefined : live;
  }

  /** Ends a group: whoever waits is refused with the error. */
  end(group: ClassicGroup, error: BrokerError): void {
    group.end(error);
    this.#forget(group);
  }

  /** Throws `unknown-member` when there is none of it. */
  withMembers(groupId: string): ClassicGroup {
    const group = this.#live.get(groupId);
    if (group === undefined) throw notInGroup(groupId);
    return group;
  }

  async join(request: JoinRequest): Promise<JoinResult> {
    const { groupId, memberId } = request;
    const group = memberId === '' ? this.#toJoin(groupId) : this.withMembers(groupId);
    try {
      return await group.join(request);
    } finally {
      // Whom it refused, it need not be there for.
      if (group.atRest) this.#forget(group);
    }
  }

  /** A group that is to be one of another protocol ends here. Answers with how to have it again, should nothing come of that. */
  take(groupId: string): () => void {
    const group = this.#live.get(groupId);
    if (group === undefined) return () => {};
    const empty = group.state === 'Empty';
    const left = group.snapshot();
    // Who waits for a rebalance is in the next one, which is the other protocol's.
    const rejoin = new BrokerError('rebalance-in-progress', `group ${groupId} changes its protocol; join it again`);
    this.end(group, empty ? notInGroup(groupId) : rejoin);
    return () => {
      if (!empty) this.begin(groupId, left);
    };
  }

  /** A group of the other protocol goes on as one of this. */
  begin(groupId: string, membership: Membership): void {
    if (!this.#ended) this.#live.set(groupId, new ClassicGroup(groupId, this.#surroundings, membership));
  }

  endAll(error: BrokerError): void {
    this.#ended = true;
    for (const group of this.#live.values()) group.end(error);
    this.#live.clear();
  }

  /** The group; a new one when there was none. Throws `limit-exceeded`. */
  #toJoin(groupId: string): ClassicGroup {
    const live = this.#live.get(groupId);
    if (live !== undefined) return live;
    const { maxGroups } = this.#surroundings.settings;
    checkRoom(groupId, this.#live, maxGroups);
    checkRoom(groupId, this.#state().groups, maxGroups);
    return this.#open(groupId);
  }

  #forget(group: ClassicGroup): void {
    if (this.#live.get(group.groupId) === group) this.#live.delete(group.groupId);
  }

  /** Goes on where the group was left. */
  #open(groupId: string): ClassicGroup {
    const stored = this.#state().groups.get(groupId);
    const membership = stored?.membership ?? (stored?.consumer ? afterConsumers(stored.consumer) : null);
    const group = new ClassicGroup(groupId, this.#surroundings, membership);
    this.#live.set(groupId, group);
    return group;
  }
}

/** The generations of the classic protocol go on after the epochs of the other. */
function afterConsumers({ epoch, since }: ConsumerMembership): Membership {
  return { generation: epoch, protocolType: CONSUMERS, protocolName: null, leader: null, since, members: [] };
}
