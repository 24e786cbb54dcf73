import type { Clock } from '../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import type { GroupConfigReader } from '../configs/group-config.ts';
import { ShardEventLog } from '../event-log.ts';
import type { Partition } from '../streams/partition.ts';
import type { Stream } from '../streams/stream.ts';
import type { Streams } from '../streams/streams.ts';
import { DeadLetters } from './dead-letters.ts';
import { DEFAULT_SHARE_GROUP_SETTINGS, type ShareGroupSettings } from './settings.ts';
import { lagOf, SharePartition } from './share-partition.ts';
import {
  type DeliveryState,
  placeKey,
  type ShareEvent,
  type ShareState,
  shareEventCodec,
  shareMachine,
} from './state.ts';

/** In each shard, of its partitions. */
const SHARE_GROUPS_LOG_ID = '00000000-0000-4000-8000-000000000005';

export interface ShareGroupsOptions {
  readonly shards: readonly Shard[];
  readonly clock: Clock;
  readonly streams: Pick<Streams, 'get' | 'getById' | 'onDeleted'>;
  readonly configs: Pick<GroupConfigReader, 'of'>;
  readonly settings?: Partial<ShareGroupSettings>;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** Where a group stands in a partition. */
export interface ShareGroupOffset {
  readonly streamId: string;
  readonly partition: number;
  /** What comes before is done with. */
  readonly startOffset: number;
  /** Under which the record at the start offset was appended; -1 when unknown. */
  readonly leaderEpoch: number;
  /** Records that are not done with. */
  readonly lag: number;
  /** Records that members have. */
  readonly acquired: number;
  /** Records that came back, and wait to be had again. */
  readonly returned: number;
}

export interface NewStartOffset {
  readonly streamId: string;
  readonly partition: number;
  readonly startOffset: number;
}

type EventLog = ShardEventLog<ShareState, ShareEvent>;

/** The delivery state of all share groups: kept in the shard of each partition. Who is in a group is not known here. */
export class ShareGroups {
  readonly #options: ShareGroupsOptions;
  readonly #settings: ShareGroupSettings;
  readonly #logs: ReadonlyMap<Shard, EventLog>;
  readonly #deadLetters: DeadLetters;
  /** Those that somebody has asked for, by group and `placeKey`. */
  readonly #live = new Map<string, Map<string, SharePartition>>();
  /** What is being done about a group's state, one thing after the other. */
  readonly #turns = new Map<string, Promise<void>>();

  private constructor(options: ShareGroupsOptions, logs: ReadonlyMap<Shard, EventLog>) {
    const { streams, configs, clock, onTrouble } = options;
    this.#options = options;
    this.#settings = { ...DEFAULT_SHARE_GROUP_SETTINGS, ...options.settings };
    this.#logs = logs;
    const topicPrefix = this.#settings.deadLetterTopicPrefix;
    this.#deadLetters = new DeadLetters({ streams, configs, topicPrefix, now: () => clock.now(), onTrouble });
    streams.onDeleted((stream) => {
      this.#onStreamDeleted(stream).catch((error: unknown) =>
        onTrouble(toBrokerError(error), `what share groups have of ${stream.name} stays until the next start`),
      );
    });
  }

  static async open(options: ShareGroupsOptions): Promise<ShareGroups> {
    const { shards, clock, onTrouble } = options;
    const logs = await Promise.all(
      shards.map(async (shard): Promise<readonly [Shard, EventLog]> => {
        const log = await ShardEventLog.open({
          shard,
          logId: SHARE_GROUPS_LOG_ID,
          machine: shareMachine,
          codec: shareEventCodec,
          now: () => clock.now(),
          onTrouble,
        });
        return [shard, log];
      }),
    );
    const groups = new ShareGroups(options, new Map(logs));
    await groups.#recover();
    return groups;
  }

  /**
   * Loads the state of a partition; makes it, where the group's `share.auto.offset.reset` says, when there is none. The same object for as long as
   * the state is there. Rejects with `not-found` for a stream or partition that does not exist, `limit-exceeded`.
   */
  async partition(groupId: string, streamId: string, partition: number): Promise<SharePartition> {
    const live = this.#live.get(groupId)?.get(placeKey(streamId, partition));
    return live ?? (await this.#inTurn(groupId, () => this.#open(groupId, streamId, partition)));
  }

  /** Groups that have state of any partition. */
  groupIds(): ReadonlySet<string> {
    const ids = new Set<string>();
    for (const { state } of this.#logs.values()) for (const groupId of state.groups.keys()) ids.add(groupId);
    return ids;
  }

  /** Of all partitions that the group has state of. */
  offsets(groupId: string): readonly ShareGroupOffset[] {
    const offsets: ShareGroupOffset[] = [];
    for (const { state } of this.#logs.values()) {
      for (const [key, { streamId, partition, done, counts }] of state.groups.get(groupId) ?? []) {
        const log = this.#options.streams.getById(streamId)?.partitions[partition]?.log;
        if (log === undefined) continue;
        const live = this.#live.get(groupId)?.get(key);
        const startOffset = live?.startOffset ?? Math.max(done.floor, log.startOffset);
        const lag = live?.lag ?? lagOf(done, log);
        const { acquired, returned } = live?.inFlight ?? { acquired: 0, returned: counts.size };
        const leaderEpoch = log.epochOf(startOffset);
        offsets.push({ streamId, partition, startOffset, leaderEpoch, lag, acquired, returned });
      }
    }
    return offsets;
  }

  /**
   * Forgets all that was delivered of these partitions: the group starts at these offsets. Of empty groups only, which the caller sees to. Resolves when
   * durable. Rejects with `not-found`, `invalid-argument`, `offset-out-of-range`, `limit-exceeded`; with the storage's error, and then some may have been changed.
   */
  async alterOffsets(groupId: string, offsets: readonly NewStartOffset[]): Promise<void> {
    await this.#inTurn(groupId, async () => {
      const places = offsets.map(({ streamId, partition, startOffset: offset }) => {
        if (!Number.isSafeInteger(offset) || offset < 0)
          throw new BrokerError('invalid-argument', `a group cannot start at offset ${offset}`);
        const { partition: found } = this.#find(streamId, partition);
        if (offset > found.log.highWatermark)
          throw new BrokerError(
            'offset-out-of-range',
            `the partition ends at ${found.log.highWatermark}, not ${offset}`,
          );
        const log = this.#logOf(found);
        const event: ShareEvent = { type: 'started', groupId, streamId, partition, offset };
        const key = placeKey(streamId, partition);
        return { log, event, key, live: this.#live.get(groupId)?.get(key) };
      });
      this.#checkRoom(places.filter(({ log, key }) => log.state.groups.get(groupId)?.has(key) !== true).length);
      for (const { live } of places) live?.close();
      try {
        await this.#appendAll(places.map(({ log, event }) => [log, event]));
      } finally {
        for (const { log, key, live } of places) {
          const state = log.state.groups.get(groupId)?.get(key);
          if (state !== undefined) live?.reset(state);
        }
      }
    });
  }

  /** Forgets what the group has of these streams; the caller sees to it that the group is empty. */
  async deleteOffsets(groupId: string, streamIds: readonly string[]): Promise<void> {
    await this.#forget(groupId, streamIds);
  }

  /** All that the group has goes. */
  async deleteGroup(groupId: string): Promise<void> {
    await this.#forget(groupId, null);
  }

  async close(): Promise<void> {
    for (const partitions of this.#live.values()) for (const live of partitions.values()) live.close();
    this.#live.clear();
    await Promise.all([...this.#logs.values()].map((log) => log.close()));
  }

  async #open(groupId: string, streamId: string, index: number): Promise<SharePartition> {
    const key = placeKey(streamId, index);
    const live = this.#live.get(groupId)?.get(key);
    if (live !== undefined) return live;
    const { stream, partition } = this.#find(streamId, index);
    const log = this.#logOf(partition);
    if (log.state.groups.get(groupId)?.has(key) !== true) {
      this.#checkRoom(1);
      const offset = await this.#firstOffset(groupId, partition);
      await log.append([{ type: 'started', groupId, streamId, partition: index, offset }]);
    }
    const state = log.state.groups.get(groupId)?.get(key);
    // It may have been deleted meanwhile: its state with it, unless that was made after.
    if (state === undefined || this.#options.streams.getById(streamId) === undefined) {
      await log.append([{ type: 'stream-deleted', streamId }]);
      throw noStream(streamId);
    }
    const { clock, configs, onTrouble } = this.#options;
    const deadLetters = this.#deadLetters;
    const options = { groupId, stream, partition, clock, log, configs, deadLetters, onTrouble };
    const opened = new SharePartition(options, state);
    const partitions = this.#live.get(groupId) ?? new Map<string, SharePartition>();
    this.#live.set(groupId, partitions.set(key, opened));
    return opened;
  }

  async #firstOffset(groupId: string, partition: Partition): Promise<number> {
    const reset = this.#options.configs.of(groupId).shareAutoOffsetReset;
    const { startOffset, highWatermark } = partition.log;
    if (reset.at !== 'age') return reset.at === 'earliest' ? startOffset : highWatermark;
    const found = await partition.offsetForTimestamp(this.#options.clock.now() - reset.milliseconds);
    return found?.offset ?? highWatermark;
  }

  async #forget(groupId: string, streamIds: readonly string[] | null): Promise<void> {
    await this.#inTurn(groupId, async () => {
      const logs = [...this.#logs.values()].filter(({ state }) => state.groups.has(groupId));
      for (const { state } of logs)
        for (const [key, { streamId }] of state.groups.get(groupId) ?? [])
          if (streamIds?.includes(streamId) !== false) this.#closeLive(groupId, key);
      await this.#appendAll(logs.map((log) => [log, { type: 'forgotten', groupId, streamIds }]));
    });
  }

  async #onStreamDeleted({ id: streamId }: Stream): Promise<void> {
    const logs: EventLog[] = [];
    for (const log of this.#logs.values()) {
      let has = false;
      for (const [groupId, partitions] of log.state.groups) {
        for (const [key, delivery] of partitions) {
          if (delivery.streamId !== streamId) continue;
          has = true;
          this.#closeLive(groupId, key);
        }
      }
      if (has) logs.push(log);
    }
    await this.#appendAll(logs.map((log) => [log, { type: 'stream-deleted', streamId }]));
  }

  /** Forgets what a stop in the middle has left of streams that are gone, and what is said of records that their log has lost. */
  async #recover(): Promise<void> {
    const events: (readonly [EventLog, ShareEvent])[] = [];
    for (const log of this.#logs.values()) {
      const deleted = new Set<string>();
      for (const [groupId, partitions] of log.state.groups) {
        for (const delivery of partitions.values()) {
          const { streamId, partition } = delivery;
          const found = this.#options.streams.getById(streamId)?.partitions[partition];
          if (found === undefined) deleted.add(streamId);
          else if (endOf(delivery) > found.log.nextOffset)
            events.push([log, { type: 'rolled-back', groupId, streamId, partition, offset: found.log.nextOffset }]);
        }
      }
      for (const streamId of deleted) events.push([log, { type: 'stream-deleted', streamId }]);
    }
    await this.#appendAll(events);
  }

  #closeLive(groupId: string, key: string): void {
    const partitions = this.#live.get(groupId);
    partitions?.get(key)?.close();
    partitions?.delete(key);
    if (partitions?.size === 0) this.#live.delete(groupId);
  }

  #find(streamId: string, index: number): { readonly stream: Stream; readonly partition: Partition } {
    const stream = this.#options.streams.getById(streamId);
    const partition = stream?.partitions[index];
    if (stream === undefined || partition === undefined) throw noStream(streamId);
    return { stream, partition };
  }

  #logOf({ shard }: Partition): EventLog {
    const log = this.#logs.get(shard);
    if (log === undefined) throw new Error('every shard has a log of its share groups');
    return log;
  }

  /** So many more must not be too many. */
  #checkRoom(more: number): void {
    const { maxPartitions } = this.#settings;
    let size = more;
    for (const { state } of this.#logs.values()) size += state.size;
    if (more === 0 || size <= maxPartitions) return;
    const message = `share groups together can have ${maxPartitions} partitions; delete a group, or raise the limit`;
    throw new BrokerError('limit-exceeded', message);
  }

  async #appendAll(events: readonly (readonly [EventLog, ShareEvent])[]): Promise<void> {
    const byLog = new Map<EventLog, ShareEvent[]>();
    for (const [log, event] of events) {
      const own = byLog.get(log);
      if (own === undefined) byLog.set(log, [event]);
      else own.push(event);
    }
    await Promise.all(Array.from(byLog, ([log, own]) => log.append(own)));
  }

  #inTurn<T>(groupId: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#turns.get(groupId) ?? Promise.resolve()).then(work);
    const settled: Promise<void> = result
      .then(
        () => {},
        () => {},
      )
      .finally(() => {
        if (this.#turns.get(groupId) === settled) this.#turns.delete(groupId);
      });
    this.#turns.set(groupId, settled);
    return result;
  }
}

/** The offset after the last that anything is said of. */
function endOf({ done, counts }: DeliveryState): number {
  let end = done.floor;
  for (const [, to] of done.ranges()) end = to;
  for (const offset of counts.keys()) end = Math.max(end, offset + 1);
  return end;
}

function noStream(streamId: string): BrokerError {
  return new BrokerError('not-found', `there is no stream ${streamId}, or it does not have so many partitions`);
}
