import type { Clock, Random } from '../../environment/environment.ts';
import type { BrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import type { LogPlace } from '../catalog/state.ts';
import type { GroupConfigReader } from '../configs/index.ts';
import { ShardEventLog, type StagedEvents } from '../event-log.ts';
import type { Topics } from './consumer/topics.ts';
import { GroupCoordinator, type GroupCoordinatorOptions } from './coordinator.ts';
import { groupEventCodec } from './event-codec.ts';
import type { GroupListing } from './membership.ts';
import type { GroupSettings } from './settings.ts';
import {
  type GroupEvent,
  type GroupsState,
  groupsStateMachine,
  type StoredTopic,
  type TransactionEnded,
} from './state.ts';

export interface GroupsOptions {
  readonly shards: readonly Shard[];
  /** Where groups keep what they know. Their number decides where a group is found: it never changes. */
  readonly logs: readonly LogPlace[];
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: Partial<GroupSettings>;
  readonly configs?: GroupConfigReader;
  readonly embedded: GroupCoordinatorOptions['embedded'];
  readonly topics: Topics;
  readonly forgetDeliveries?: GroupCoordinatorOptions['forgetDeliveries'];
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** An offset of one partition that is committed as part of something else. */
export interface StagedOffset {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch; so is until when it is kept. */
  readonly now: number;
  readonly expires: number;
}

type Log = ShardEventLog<GroupsState, GroupEvent>;

/** All consumer groups of the broker: each belongs to one of several coordinators, by the hash of its id. */
export class Groups {
  readonly #coordinators: readonly { readonly coordinator: GroupCoordinator; readonly log: Log }[];
  /** What members of classic groups that are consumers say to each other. */
  readonly embedded: GroupsOptions['embedded'];

  private constructor(
    coordinators: readonly { coordinator: GroupCoordinator; log: Log }[],
    embedded: GroupsOptions['embedded'],
  ) {
    this.#coordinators = coordinators;
    this.embedded = embedded;
  }

  static async open(options: GroupsOptions): Promise<Groups> {
    const { clock, random, settings, configs, embedded, topics, forgetDeliveries, onTrouble, shards } = options;
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
      const coordinator = new GroupCoordinator({
        clock,
        random,
        log,
        settings,
        configs,
        embedded,
        topics,
        forgetDeliveries,
        onWarn,
      });
      return { log, coordinator };
    });
    return new Groups(await Promise.all(coordinators), embedded);
  }

  coordinatorOf(groupId: string): GroupCoordinator {
    return this.#of(groupId).coordinator;
  }

  /** The number of a group's coordinator: Kafka's partition of __consumer_offsets. */
  partitionOf(groupId: string): number {
    return hash(groupId) % this.#coordinators.length;
  }

  /** In which shard a group's offsets are. */
  shardOf(groupId: string): Shard {
    return this.#of(groupId).log.shard;
  }

  /** The end of a transaction for the groups that it commits offsets of: events to be appended with its markers, for each log. */
  stageTransactionEnd(
    producerId: number,
    groupIds: readonly string[],
    outcome: TransactionEnded['outcome'],
  ): StagedEvents[] {
    const byLog = new Map<Log, string[]>();
    for (const groupId of groupIds) {
      const { log } = this.#of(groupId);
      const ids = byLog.get(log);
      if (ids === undefined) byLog.set(log, [groupId]);
      else ids.push(groupId);
    }
    return Array.from(byLog, ([log, ids]) =>
      log.stage([{ type: 'transaction-ended', producerId, groupIds: ids, outcome }]),
    );
  }

  /** A committed offset, to be appended with what it says is done. Nobody is asked whether the group has members. */
  stageOffset(groupId: string, { topic, topicId, partition, offset, now, expires }: StagedOffset): StagedEvents {
    const { log } = this.#of(groupId);
    const partitions = [{ partition, offset, leaderEpoch: -1, metadata: null }];
    const topics = [{ topic, topicId, partitions }];
    return log.stage([{ type: 'offsets-committed', groupId, timestamp: now, expires, topics }]);
  }

  /** What groups have committed, topic by topic: the maps are the groups' own. */
  *committedTopics(
    groupId?: string,
  ): Iterable<{ readonly groupId: string; readonly topicId: string; readonly partitions: StoredTopic['partitions'] }> {
    const logs = groupId === undefined ? this.#coordinators.map(({ log }) => log) : [this.#of(groupId).log];
    for (const { state } of logs) {
      for (const [id, { offsets }] of state.groups) {
        if (groupId !== undefined && id !== groupId) continue;
        for (const [topicId, { partitions }] of offsets) yield { groupId: id, topicId, partitions };
      }
    }
  }

  /** The groups that producers have offsets pending for, by the producers' ids. */
  pendingTransactions(): Map<number, string[]> {
    const found = new Map<number, string[]>();
    for (const { log } of this.#coordinators) {
      for (const [groupId, { pending }] of log.state.groups) {
        for (const producerId of pending.keys()) found.set(producerId, [...(found.get(producerId) ?? []), groupId]);
      }
    }
    return found;
  }

  #of(groupId: string) {
    const found = this.#coordinators[this.partitionOf(groupId)];
    if (found === undefined) throw new Error('a broker has at least one coordinator');
    return found;
  }

  /** What a group has committed, by topic id; undefined when there is no such group. */
  committed(groupId: string): ReadonlyMap<string, StoredTopic> | undefined {
    return this.#of(groupId).log.state.groups.get(groupId)?.offsets;
  }

  get(groupId: string): GroupListing | undefined {
    return this.coordinatorOf(groupId).get(groupId);
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
export function hash(text: string): number {
  let value = 0;
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 31) + text.charCodeAt(i)) | 0;
  return value & 0x7fff_ffff;
}
