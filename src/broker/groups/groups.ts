import type { Clock, Random } from '../../environment/environment.ts';
import type { BrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import type { LogPlace } from '../catalog/state.ts';
import { ShardEventLog } from '../event-log.ts';
import { GroupCoordinator, type GroupCoordinatorOptions } from './coordinator.ts';
import { groupEventCodec } from './event-codec.ts';
import type { GroupListing } from './membership.ts';
import type { GroupSettings } from './settings.ts';
import { type GroupEvent, type GroupsState, groupsStateMachine } from './state.ts';

export interface GroupsOptions {
  readonly shards: readonly Shard[];
  /** Where groups keep what they know. Their number decides where a group is found: it never changes. */
  readonly logs: readonly LogPlace[];
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: Partial<GroupSettings>;
  readonly subscribedTopics: GroupCoordinatorOptions['subscribedTopics'];
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

type Log = ShardEventLog<GroupsState, GroupEvent>;

/** All consumer groups of the broker: each belongs to one of several coordinators, by the hash of its id. */
export class Groups {
  readonly #coordinators: readonly { readonly coordinator: GroupCoordinator; readonly log: Log }[];

  private constructor(coordinators: readonly { coordinator: GroupCoordinator; log: Log }[]) {
    this.#coordinators = coordinators;
  }

  static async open(options: GroupsOptions): Promise<Groups> {
    const { clock, random, settings, subscribedTopics, onTrouble, shards } = options;
    const coordinators = options.logs.map(async ({ logId, shard: index }) => {
      const shard = shards[index];
      if (shard === undefined) throw new Error(`shard ${index} of the groups is not there`);
      const log: Log = await ShardEventLog.open({
        shard,
        logId,
        machine: groupsStateMachine,
        codec: groupEventCodec,
        now: () => clock.now(),
        onTrouble,
      });
      const onWarn = (message: string, error: BrokerError) => onTrouble(error, message);
      return { log, coordinator: new GroupCoordinator({ clock, random, log, settings, subscribedTopics, onWarn }) };
    });
    return new Groups(await Promise.all(coordinators));
  }

  coordinatorOf(groupId: string): GroupCoordinator {
    const found = this.#coordinators[hash(groupId) % this.#coordinators.length];
    if (found === undefined) throw new Error('a broker has at least one coordinator');
    return found.coordinator;
  }

  list(filter?: Parameters<GroupCoordinator['list']>[0]): GroupListing[] {
    return this.#coordinators.flatMap(({ coordinator }) => coordinator.list(filter));
  }

  async onTopicDeleted(topicId: string): Promise<void> {
    await Promise.all(this.#coordinators.map(({ coordinator }) => coordinator.onTopicDeleted(topicId)));
  }

  async close(): Promise<void> {
    for (const { coordinator } of this.#coordinators) coordinator.close();
    await Promise.all(this.#coordinators.map(({ log }) => log.close()));
  }
}

/** Java's String.hashCode without its sign: what Kafka finds a group's partition of __consumer_offsets by. */
function hash(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 31) + text.charCodeAt(i)) | 0;
  return value & 0x7fff_ffff;
}
