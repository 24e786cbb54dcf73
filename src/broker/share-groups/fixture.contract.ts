import { SeededRandom } from '../../environment/seeded-random.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import type { BrokerError } from '../../errors.ts';
import { type BatchContent, decodeRecords, encodeBatch, encodeMarkerBatch } from '../../records/index.ts';
import { CommitLogMemory, MemoryCommitLog } from '../../storage/commit-log/memory.ts';
import { Shard } from '../../storage/index.ts';
import { MemorySegmentStore } from '../../storage/segment-store/memory.ts';
import { DEFAULT_GROUP_CONFIG, type GroupConfig } from '../configs/group-config.ts';
import { Partition } from '../streams/partition.ts';
import { Stream } from '../streams/stream.ts';
import type { Acquired, AcquireOptions } from './acquisition.ts';
import type { ShareGroupSettings } from './settings.ts';
import { ShareGroups } from './share-groups.ts';
import type { SharePartition } from './share-partition.ts';

// What the tests of this folder share.

export const TOPIC = '00000000-0000-4000-8000-0000000000a1';
const LETTERS = '00000000-0000-4000-8000-0000000000a2';
const TAKES_LETTERS = { 'errors.deadletterqueue.group.enable': 'true' };
/** How long a lock lasts, unless a test says otherwise. */
export const LOCK_MS = DEFAULT_GROUP_CONFIG.shareRecordLockDurationMs;

export interface WorldOptions {
  readonly partitions?: number;
  /** The dead letters' topic is in a shard of its own. */
  readonly shards?: 1 | 2;
  readonly settings?: Partial<ShareGroupSettings>;
  readonly config?: Partial<GroupConfig>;
  /** Of the topic for dead letters. */
  readonly lettersConfig?: Record<string, string>;
}

/** A topic, a topic for dead letters, and share groups, over storage that outlives restarts. */
export class World {
  readonly clock = new VirtualClock();
  readonly troubles: string[] = [];
  config: GroupConfig;
  groups!: ShareGroups;
  readonly #options: WorldOptions;
  readonly #random = new SeededRandom(1);
  readonly #disks = [0, 1].map(() => ({ memory: new CommitLogMemory(), store: new MemorySegmentStore() }));
  readonly #deletionListeners: ((stream: Stream) => void)[] = [];
  #streams: Stream[] = [];
  #shards: Shard[] = [];

  private constructor(options: WorldOptions) {
    this.#options = options;
    this.config = { ...DEFAULT_GROUP_CONFIG, shareAutoOffsetReset: { at: 'earliest' }, ...options.config };
  }

  static async open(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    await world.#start();
    return world;
  }

  async restart({ withoutTopic = false } = {}): Promise<void> {
    await this.groups.close();
    await Promise.all(this.#shards.map((shard) => shard.close()));
    await this.#start(withoutTopic);
  }

  partition(index = 0): Partition {
    return this.#partition(TOPIC, index);
  }

  share(group = 'g', index = 0): Promise<SharePartition> {
    return this.groups.partition(group, TOPIC, index);
  }

  /** Appends records with these values, in one batch. */
  async produce(values: readonly string[], content: Partial<BatchContent> = {}, index = 0): Promise<void> {
    const timestamp = this.clock.now();
    const records = values.map((value) => ({ timestamp, key: Buffer.from(`k${value}`), value: Buffer.from(value) }));
    const options = { transactional: content.transactional === true };
    await this.partition(index).append(encodeBatch({ records, ...content }), 'durable', options).settled;
  }

  /** Ends a producer's transaction. */
  async end(producerId: number, outcome: 'commit' | 'abort'): Promise<void> {
    const partition = this.partition();
    const batch = encodeMarkerBatch({
      ...{ producerId, producerEpoch: 0, outcome, coordinatorEpoch: 0, timestamp: this.clock.now() },
    });
    const { baseOffsets, settled } = partition.shard.append([{ log: partition.log, batch }]);
    partition.markerAppended(batch, baseOffsets[0] ?? -1);
    await settled;
  }

  /** All dead letters: value and headers. */
  async letters(maxBytes = 1e6): Promise<{ value: string | undefined; headers: Record<string, string> }[]> {
    const { chunks } = await this.#partition(LETTERS, 0).read(0, maxBytes);
    return chunks
      .flatMap((chunk) => decodeRecords(chunk))
      .map(({ value, headers }) => ({
        value: value?.toString(),
        headers: Object.fromEntries(headers.map(([key, content]) => [key, String(content)])),
      }));
  }

  async deleteTopic(): Promise<void> {
    const stream = this.#streams.find(({ id }) => id === TOPIC);
    this.#streams = this.#streams.filter((each) => each !== stream);
    if (stream !== undefined) for (const listener of this.#deletionListeners) listener(stream);
    await this.clock.advance(0);
  }

  async #start(withoutTopic = false): Promise<void> {
    const { partitions = 1, shards = 1, settings = {}, lettersConfig = TAKES_LETTERS } = this.#options;
    this.#shards = await Promise.all(
      this.#disks.slice(0, shards).map(({ memory, store }) => {
        const commitLog = new MemoryCommitLog(memory);
        return Shard.open({ commitLog, store, clock: this.clock, random: this.#random });
      }),
    );
    this.#deletionListeners.length = 0;
    this.#streams = await Promise.all([
      ...(withoutTopic ? [] : [this.#open(TOPIC, 't', partitions, 0, {})]),
      this.#open(LETTERS, 'dlq.t', 1, shards - 1, lettersConfig),
    ]);
    this.groups = await ShareGroups.open({
      shards: this.#shards,
      clock: this.clock,
      streams: {
        get: (name) => this.#streams.find((stream) => stream.name === name),
        getById: (id) => this.#streams.find((stream) => stream.id === id),
        onDeleted: (listener) => void this.#deletionListeners.push(listener),
      },
      configs: { of: () => this.config },
      settings,
      onTrouble: (error: BrokerError, what) => this.troubles.push(`${error.code}: ${what}`),
    });
  }

  async #open(id: string, name: string, count: number, shard: number, own: Record<string, string>): Promise<Stream> {
    const places = Array.from({ length: count }, (_, i) => ({
      logId: `${id.slice(0, -4)}${name.length}00${i}`,
      shard,
    }));
    const stream = new Stream({ id, name, partitions: places, config: own }, [], {});
    const partitions = places.map(({ logId }, index) => {
      const home = this.#shards[shard];
      if (home === undefined) throw new Error('no such shard');
      return Partition.open({ index, shard: home, logId, config: stream.config, now: () => this.clock.now() });
    });
    stream.addPartitions(await Promise.all(partitions));
    return stream;
  }

  #partition(id: string, index: number): Partition {
    const partition = this.#streams.find((stream) => stream.id === id)?.partitions[index];
    if (partition === undefined) throw new Error('no such partition');
    return partition;
  }
}

/** What a member gets, as `first-last×count`, and the values of the records that it got. */
export async function acquire(share: SharePartition, memberId: string, options: Partial<AcquireOptions> = {}) {
  const wanted = { maxRecords: 500, maxBytes: 1e6, batchSize: 500, mode: 'batch-optimized', ...options } as const;
  const acquired = await share.acquire(memberId, wanted);
  const ranges = acquired.ranges.map(
    ({ firstOffset, lastOffset, deliveryCount }) => `${firstOffset}-${lastOffset}×${deliveryCount}`,
  );
  return { ranges, values: valuesOf(acquired) };
}

export function valuesOf({ read, ranges }: Acquired): string[] {
  return read.chunks
    .flatMap((chunk) => decodeRecords(chunk))
    .filter(({ offset }) => ranges.some(({ firstOffset, lastOffset }) => offset >= firstOffset && offset <= lastOffset))
    .map(({ value }) => String(value));
}

/** The code of what it rejects with; undefined when it does not. */
export async function refusal(promise: Promise<unknown>): Promise<string | undefined> {
  return await promise.then(
    () => undefined,
    (error: BrokerError) => error.code,
  );
}
