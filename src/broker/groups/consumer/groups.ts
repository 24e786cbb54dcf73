import { BrokerError } from '../../../errors.ts';
import { ConsumerGroup, type ConsumerGroupSurroundings } from './group.ts';
import { type ConsumerHeartbeat, type ConsumerHeartbeatResult, JOINS } from './heartbeat.ts';
import { unknownMember } from './identity.ts';

/** The consumer groups (KIP-848) of a coordinator that have members, or are asked something. */
export class ConsumerGroups {
  readonly #surroundings: ConsumerGroupSurroundings;
  readonly #live = new Map<string, ConsumerGroup>();

  constructor(surroundings: Omit<ConsumerGroupSurroundings, 'onRest'>, groupIds: Iterable<string>) {
    this.#surroundings = { ...surroundings, onRest: (group) => this.#forget(group) };
    for (const groupId of groupIds) {
      if ((surroundings.membership(groupId)?.members.size ?? 0) > 0) this.#open(groupId);
    }
  }

  /** With members, or about to have some. */
  get size(): number {
    return this.#live.size;
  }

  get(groupId: string): ConsumerGroup | undefined {
    return this.#live.get(groupId);
  }

  /** Rejects with `not-found` for a group that nobody has joined. */
  async heartbeat(request: ConsumerHeartbeat): Promise<ConsumerHeartbeatResult> {
    const { groupId, memberEpoch, memberId } = request;
    const live = this.#live.get(groupId);
    if (live !== undefined) return await live.heartbeat(request);
    if (memberEpoch === JOINS) return await this.#open(groupId).heartbeat(request);
    if (this.#surroundings.membership(groupId) !== undefined) throw unknownMember(memberId);
    throw new BrokerError('not-found', `Group ${groupId} not found.`);
  }

  end(): void {
    for (const group of this.#live.values()) group.end();
    this.#live.clear();
  }

  #open(groupId: string): ConsumerGroup {
    const group = new ConsumerGroup(groupId, this.#surroundings);
    this.#live.set(groupId, group);
    return group;
  }

  #forget(group: ConsumerGroup): void {
    if (this.#live.get(group.groupId) === group) this.#live.delete(group.groupId);
    group.end();
  }
}
