import { DEFAULT_GROUP_CONFIG, type GroupConfig } from '../../src/broker/configs/group-config.ts';
import { ShareGroups } from '../../src/broker/share-groups/share-groups.ts';
import { Partition } from '../../src/broker/streams/partition.ts';
import { Stream } from '../../src/broker/streams/stream.ts';
import type { SimulatedDisk } from '../../src/environment/simulated-files.ts';
import type { VirtualClock } from '../../src/environment/virtual-clock.ts';
import type { Shard } from '../../src/storage/index.ts';
import { openSimulatedShard } from '../simulated-shard.ts';

export const TOPIC = '00000000-0000-4000-8000-0000000000b1';
const LETTERS = '00000000-0000-4000-8000-0000000000b2';
export const LETTERS_NAME = 'dlq.letters';

export interface SimulatedShares {
  readonly shards: readonly Shard[];
  readonly partitions: readonly Partition[];
  readonly letters: Partition;
  readonly groups: ShareGroups;
}

export interface SimulatedSharesOptions {
  readonly disk: SimulatedDisk;
  readonly clock: VirtualClock;
  readonly shards: number;
  readonly partitions: number;
  readonly config: Partial<GroupConfig>;
}

/** What of a broker has to do with share groups, over a simulated disk: a topic, one for dead letters, delivery state. */
export async function openSimulatedShares(options: SimulatedSharesOptions): Promise<SimulatedShares> {
  const { disk, clock } = options;
  const { random } = disk;
  const shards = await Promise.all(
    Array.from({ length: options.shards }, (_, i) =>
      openSimulatedShard({
        ...{ disk, clock, home: `/data/shard-${i}`, fileBytes: 500 + random.below(20_000) },
        flushBytes: 300 + random.below(3000),
        tailCacheBytes: random.below(2) * 2000,
      }),
    ),
  );
  const open = async (id: string, name: string, count: number, firstShard: number, config: Record<string, string>) => {
    const places = Array.from({ length: count }, (_, i) => ({
      logId: `${id.slice(0, -3)}${name.length % 10}${i}0`,
      shard: (firstShard + i) % shards.length,
    }));
    const stream = new Stream({ id, name, partitions: places, config }, [], {});
    const partitions = places.map(({ logId, shard }, index) =>
      Partition.open({ index, shard: shards[shard] as Shard, logId, config: stream.config, now: () => clock.now() }),
    );
    stream.addPartitions(await Promise.all(partitions));
    return stream;
  };
  const topic = await open(TOPIC, 'topic', options.partitions, 0, {});
  const letters = await open(LETTERS, LETTERS_NAME, 1, 0, { 'errors.deadletterqueue.group.enable': 'true' });
  const config = { ...DEFAULT_GROUP_CONFIG, ...options.config };
  const groups = await ShareGroups.open({
    shards,
    clock,
    streams: {
      get: (name) => (name === LETTERS_NAME ? letters : undefined),
      getById: (id) => (id === TOPIC ? topic : undefined),
      onDeleted: () => {},
    },
    configs: { of: () => config },
    onTrouble: () => {},
  });
  return { shards, partitions: topic.partitions, letters: letters.partitions[0] as Partition, groups };
}
