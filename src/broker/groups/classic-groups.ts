import type { BrokerError } from '../../errors.ts';
import type { ConsumerMembership } from './consumer/index.ts';
import { ClassicGroup, CONSUMERS } from './group.ts';
import { checkRoom } from './refusals.ts';
import type { GroupsState, Membership } from './state.ts';
import type { GroupSurroundings } from './surroundings.ts';

/** The groups of the classic protocol of which there is more to know than what is durable: members, or rebalances under way. */
export class ClassicGroups {
  readonly #surroundings: GroupSurroundings;
  readonly #state: () => GroupsState;
  readonly #live = new Map<string, ClassicGroup>();

  constructor(surroundings: Omit<GroupSurroundings, 'onRest'>, state: () => GroupsState) {
    this.#surroundings = { ...surroundings, onRest: (group) => this.forget(group) };
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

  /** The group; a new one when there was none. Throws `limit-exceeded`. */
  toJoin(groupId: string): ClassicGroup {
    const live = this.#live.get(groupId);
    if (live !== undefined) return live;
    const { maxGroups } = this.#surroundings.settings;
    checkRoom(groupId, this.#live, maxGroups);
    checkRoom(groupId, this.#state().groups, maxGroups);
    return this.#open(groupId);
  }

  /** Ends a group: whoever waits is refused with the error. */
  end(group: ClassicGroup, error: BrokerError): void {
    group.end(error);
    this.forget(group);
  }

  endAll(error: BrokerError): void {
    for (const group of this.#live.values()) group.end(error);
    this.#live.clear();
  }

  forget(group: ClassicGroup): void {
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
