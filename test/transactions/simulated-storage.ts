import { Groups } from '../../src/broker/groups/groups.ts';
import { Partition } from '../../src/broker/streams/partition.ts';
import { streamConfig } from '../../src/broker/streams/stream-config.ts';
import { Transactions } from '../../src/broker/transactions/transactions.ts';
import type { SimulatedDisk } from '../../src/environment/simulated-files.ts';
import type { VirtualClock } from '../../src/environment/virtual-clock.ts';
import { embeddedProtocol } from '../../src/protocols/kafka/index.ts';
import type { Shard } from '../../src/storage/index.ts';
import { openSimulatedShard } from '../simulated-shard.ts';

export const STREAM = '00000000-0000-4000-8000-0000000000aa';
const logId = (kind: number, index: number) =>
  `00000000-0000-4000-8000-0000000${kind}${String(index).padStart(4, '0')}`;

export interface SimulatedBroker {
  readonly shards: readonly Shard[];
  readonly partitions: readonly Partition[];
  readonly groups: Groups;
  readonly transactions: Transactions;
}

export interface SimulatedBrokerOptions {
  readonly disk: SimulatedDisk;
  readonly clock: VirtualClock;
  readonly shards: number;
  readonly partitions: number;
  /** Ids that no producer has had, whatever was lost. */
  readonly newProducerId: () => number;
}

/** What of a broker has to do with transactions, over a simulated disk: one stream, groups, coordinators. */
export async function openSimulatedBroker(options: SimulatedBrokerOptions): Promise<SimulatedBroker> {
  const { disk, clock, newProducerId } = options;
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
  const shardOf = (index: number) => shards[index % shards.length] as Shard;
  const now = () => clock.now();
  const partitions = await Promise.all(
    Array.from({ length: options.partitions }, (_, index) =>
      Partition.open({ index, shard: shardOf(index), logId: logId(1, index), config: streamConfig({}, {}), now }),
    ),
  );
  const stream = { id: STREAM, name: 'accounts', partitions };
  const logs = (kind: number) => shards.map((_, shard) => ({ logId: logId(kind, shard), shard }));
  const onTrouble = () => {};
  const groups = await Groups.open({
    shards,
    logs: logs(2),
    clock,
    random,
    settings: {},
    embedded: embeddedProtocol,
    topics: { version: 0, byName: () => undefined, byId: () => undefined, names: () => [] },
    onTrouble,
  });
  const transactions = await Transactions.open({
    shards,
    logs: logs(3),
    clock,
    settings: {},
    // All that is asked of streams here.
    streams: { getById: (id: string) => (id === STREAM ? stream : undefined), all: () => [stream] } as never,
    groups,
    newProducerId: async () => newProducerId(),
    onTrouble,
  });
  return { shards, partitions, groups, transactions };
}

/** Lets everything go; what fails on the way failed before. */
export async function closeSimulatedBroker({ shards, groups, transactions }: SimulatedBroker): Promise<void> {
  await transactions.close();
  await groups.close();
  await Promise.all(shards.map((shard) => shard.close()));
}
