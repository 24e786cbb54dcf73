import { JOINS } from '../consumer/heartbeat.ts';
import { noShareGroup, ShareGroup, type ShareGroupSurroundings } from './group.ts';
import type { ShareHeartbeat, ShareHeartbeatResult } from './heartbeat.ts';
import { notAMember } from './transition.ts';

/** The share groups of a coordinator that have members, or are asked something. */
export class LiveShareGroups {
  readonly #surroundings: ShareGroupSurroundings;
  readonly #live = new Map<string, ShareGroup>();

  constructor(surroundings: Omit<ShareGroupSurroundings, 'onRest'>, groupIds: Iterable<string>) {
    this.#surroundings = { ...surroundings, onRest: (group) => this.#forget(group) };
    for (const groupId of groupIds) {
      if ((surroundings.membership(groupId)?.members.size ?? 0) > 0) this.#open(groupId);
    }
  }

  has(groupId: string): boolean {
    return this.#live.has(groupId);
  }

  /** Rejects with `not-found` for a group that nobody has joined. */
  async heartbeat(request: ShareHeartbeat): Promise<ShareHeartbeatResult> {
    const { groupId, memberEpoch, memberId } = request;
    const live = this.#live.get(groupId);
    if (live !== undefined) return await live.heartbeat(request);
    if (memberEpoch === JOINS) return await this.#open(groupId).heartbeat(request);
    throw this.#surroundings.membership(groupId) === undefined ? noShareGroup(groupId) : notAMember(memberId);
  }

  /** As `ShareGroup.whileEmpty`. */
  async whileEmpty<T>(groupId: string, act: () => Promise<T>, options?: { create?: boolean }): Promise<T> {
    return await (this.#live.get(groupId) ?? this.#open(groupId)).whileEmpty(act, options);
  }

  end(): void {
    for (const group of this.#live.values()) group.end();
    this.#live.clear();
  }

  #open(groupId: string): ShareGroup {
    const group = new ShareGroup(groupId, this.#surroundings);
    this.#live.set(groupId, group);
    return group;
  }

  #forget(group: ShareGroup): void {
    if (this.#live.get(group.groupId) === group) this.#live.delete(group.groupId);
    group.end();
  }
}
