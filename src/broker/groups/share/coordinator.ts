import { BrokerError } from '../../../errors.ts';
import type { EventLog } from '../../event-log.ts';
import type { GroupEvent, GroupsState } from '../state.ts';
import { describeShareGroup, type ShareGroupSurroundings } from './group.ts';
import { LiveShareGroups } from './groups.ts';
import type { ShareGroupDescription, ShareHeartbeat, ShareHeartbeatResult } from './heartbeat.ts';
import type { ShareMembership } from './membership.ts';

export interface ShareGroupCoordinatorOptions
  extends Pick<ShareGroupSurroundings, 'clock' | 'settings' | 'timesOf' | 'load' | 'subscriptions' | 'onWarn'> {
  readonly log: EventLog<GroupsState, GroupEvent>;
  /** Throws unless there can be a group of this id: it may be no id, or one too many. */
  readonly check: (groupId: string) => void;
  /** Whether there is a group of another kind, members or not. */
  readonly isOther: (groupId: string) => boolean;
  /** What is kept of a group's deliveries goes. */
  readonly forgetDeliveries: (groupId: string) => Promise<void>;
}

/** The share groups (KIP-932) of a shard. Methods reject with a `BrokerError`; what is answered is durable. */
export class ShareGroupCoordinator {
  readonly #options: ShareGroupCoordinatorOptions;
  readonly #groups: LiveShareGroups;

  constructor(options: ShareGroupCoordinatorOptions) {
    this.#options = options;
    const { log } = options;
    this.#groups = new LiveShareGroups(
      {
        ...options,
        membership: (groupId) => this.#membership(groupId),
        checkKind: (groupId) => this.#checkKind(groupId),
        store: (groupId, change) => log.append([{ type: 'share-group-changed', groupId, change }]),
      },
      log.state.groups.keys(),
    );
  }

  /** Whether there is such a group, with members or without. */
  has(groupId: string): boolean {
    return this.#groups.has(groupId) || this.#membership(groupId) !== undefined;
  }

  /**
   * A member joins, stays, or leaves. Resolves when what came of it is durable. Rejects with `unknown-member`, `fenced-member-epoch`,
   * `group-max-size`, `limit-exceeded`, or `not-found` for no such group, or one of another kind.
   */
  async heartbeat(request: ShareHeartbeat): Promise<ShareHeartbeatResult> {
    const { check, settings } = this.#options;
    check(request.groupId);
    return await this.#groups.heartbeat({ ...request, clientId: request.clientId.slice(0, settings.maxIdLength) });
  }

  /** Undefined for a group that does not exist, or is of another kind. */
  describe(groupId: string): ShareGroupDescription | undefined {
    const group = this.#membership(groupId);
    return group && describeShareGroup(groupId, group);
  }

  /**
   * Does something while the group has no members and nobody can join it. Rejects with `group-not-empty`, and with `not-found` when there is
   * no such group, unless it is to be made then.
   */
  async whileEmpty<T>(groupId: string, act: () => Promise<T>, options?: { create?: boolean }): Promise<T> {
    this.#options.check(groupId);
    return await this.#groups.whileEmpty(groupId, act, options);
  }

  /** Rejects as `whileEmpty`. */
  async delete(groupId: string): Promise<void> {
    const { forgetDeliveries, log } = this.#options;
    await this.whileEmpty(groupId, async () => {
      // In this order: a group that is made again has nothing of the former one.
      await forgetDeliveries(groupId);
      await log.append([{ type: 'group-deleted', groupId }]);
    });
  }

  end(): void {
    this.#groups.end();
  }

  #membership(groupId: string): ShareMembership | undefined {
    return this.#options.log.state.groups.get(groupId)?.share ?? undefined;
  }

  #checkKind(groupId: string): void {
    if (this.#options.isOther(groupId)) throw new BrokerError('not-found', `Group ${groupId} is not a share group.`);
  }
}
