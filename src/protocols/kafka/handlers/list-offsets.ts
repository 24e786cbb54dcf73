import type { Partition } from '../../../broker/index.ts';
import type { Logger } from '../../../environment/logger.ts';
import { type ListOffsetsRequest, type ListOffsetsResponse, listOffsets } from '../codec/apis/list-offsets.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorNumber } from '../errors.ts';
import { handler } from '../handler.ts';
import { checkLeaderEpoch } from '../leader-epoch.ts';

type PartitionResponse = ListOffsetsResponse['topics'][number]['partitions'][number];

/** The isolation level of readers who see nothing of open transactions. */
const READ_COMMITTED = 1;

/** What stands for a place in the log instead of a time. */
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;

/** Offsets by time, or by place. One after the other: a time may have to be looked for on the disk. */
export const listOffsetsHandler = handler(listOffsets, async (request, { broker, logger }) => {
  const topics: ListOffsetsResponse['topics'][number][] = [];
  const committed = request.isolationLevel === READ_COMMITTED;
  for (const { name, partitions: asked } of request.topics) {
    const partitions: PartitionResponse[] = [];
    for (const wanted of asked)
      partitions.push(
        await answer(broker.streams.get(name)?.partitions[wanted.partitionIndex], wanted, committed, logger),
      );
    topics.push({ name, partitions });
  }
  return { topics };
});

async function answer(
  partition: Partition | undefined,
  { partitionIndex, timestamp, currentLeaderEpoch }: ListOffsetsRequest['topics'][number]['partitions'][number],
  committed: boolean,
  logger: Logger,
): Promise<PartitionResponse> {
  if (partition === undefined) return { partitionIndex, errorCode: KafkaError.UNKNOWN_TOPIC_OR_PARTITION };
  const errorCode = checkLeaderEpoch(partition, currentLeaderEpoch);
  if (errorCode !== 0) return { partitionIndex, errorCode };
  try {
    return { partitionIndex, errorCode: 0, ...(await find(partition, timestamp, committed)) };
  } catch (error) {
    return { partitionIndex, errorCode: errorNumber(error, logger) };
  }
}

async function find(
  partition: Partition,
  timestamp: number,
  committed: boolean,
): Promise<{ offset: number; timestamp?: number; leaderEpoch?: number }> {
  const { log } = partition;
  const end = () => (committed ? partition.lastStableOffset : log.highWatermark);
  const before = <Found extends { readonly offset: number }>(found: Found | undefined) =>
    found !== undefined && found.offset < end() ? found : { offset: -1 };
  switch (timestamp) {
    case LATEST:
      return { offset: end(), leaderEpoch: partition.leaderEpoch };
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { offset: log.startOffset, leaderEpoch: log.epochOf(log.startOffset) };
    case LATEST_TIERED:
      return { offset: -1 };
    case MAX_TIMESTAMP:
      return before(await partition.offsetOfMaxTimestamp());
    default:
      return before(await partition.offsetForTimestamp(timestamp));
  }
}
