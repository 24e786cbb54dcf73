import type { Clock } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import type { EventLog } from '../event-log.ts';
import type { ClassicGroups } from './classic-groups.ts';
import type { ConsumerGroupChange, ConsumerGroupOrigin, ConsumerMembership, Translation } from './consumer/index.ts';
import { toConsumers } from './consumer/index.ts';
import type { GroupSettings } from './settings.ts';
import type { GroupEvent, GroupsState, Membership } from './state.ts';

export interface MigrationOptions {
  readonly clock: Clock;
  readonly log: EventLog<GroupsState, GroupEvent>;
  readonly settings: GroupSettings;
  readonly classic: ClassicGroups;
  readonly translation: Translation;
}

/**
 * How groups with members go from one protocol to the other: with one event, so that there is no moment at which a group is
 * neither or both.
 */
export class Migration {
  readonly #options: MigrationOptions;

  constructor(options: MigrationOptions) {
    this.#options = options;
  }

  /** What is durable of a group of KIP-848; undefined when it is none, or is about to be a classic group. */
  membership(groupId: string): ConsumerMembership | undefined {
    const { log, classic } = this.#options;
    if (classic.occupied(groupId) !== undefined) return undefined;
    return log.state.groups.get(groupId)?.consumer ?? undefined;
  }

  /** Throws `not-found` for a classic group with members that cannot become one of KIP-848. */
  origin(groupId: string): ConsumerGroupOrigin {
    const { log, classic, settings, translation, clock } = this.#options;
    const group = classic.occupied(groupId);
    if (group === undefined) {
      return { epoch: log.state.groups.get(groupId)?.membership?.generation ?? 0, conversion: null };
    }
    const { consumerMigrationPolicy: policy, maxMembers } = settings;
    const left = group.snapshot();
    const allowed = (policy === 'bidirectional' || policy === 'upgrade') && left.members.length <= maxMembers;
    const conversion = allowed ? toConsumers(left, translation, clock.now()) : null;
    if (conversion === null) {
      throw new BrokerError(
        'not-found',
        `Group ${groupId} is not a consumer group: it has members of the classic protocol.`,
      );
    }
    return { epoch: left.generation, conversion: conversion.members.length === 0 ? null : conversion };
  }

  async store(groupId: string, changes: readonly ConsumerGroupChange[]): Promise<void> {
    const { log, classic } = this.#options;
    const restore = classic.take(groupId);
    try {
      await log.append(changes.map((change) => ({ type: 'consumer-group-changed', groupId, change })));
    } catch (error) {
      restore();
      throw error;
    }
  }

  async storeClassic(groupId: string, membership: Membership): Promise<void> {
    const { log, classic } = this.#options;
    await log.append([{ type: 'membership-stored', groupId, membership }]);
    classic.begin(groupId, membership);
  }
}
