import type { Stream } from '../../../broker/index.ts';
import type { Logger } from '../../../environment/logger.ts';
import { type DeleteRecordsRequest, type DeleteRecordsResponse, deleteRecords } from '../codec/apis/delete-records.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorNumber } from '../errors.ts';
import { handler } from '../handler.ts';

type WantedPartition = DeleteRecordsRequest['topics'][number]['partitions'][number];
type PartitionResult = DeleteRecordsResponse['topics'][number]['partitions'][number];

const NO_WATERMARK = -1;

/** Removes the records before an offset; answers where the partition begins from now on. */
export const deleteRecordsHandler = handler(deleteRecords, async ({ topics }, { broker, logger }) => ({
  topics: await Promise.all(
    topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(partitions.map((wanted) => deleteBefore(wanted, broker.streams.get(name), logger))),
    })),
  ),
}));

async function deleteBefore(
  { partitionIndex, offset }: WantedPartition,
  stream: Stream | undefined,
  logger: Logger,
): Promise<PartitionResult> {
  const failed = (errorCode: number) => ({ partitionIndex, lowWatermark: NO_WATERMARK, errorCode });
  const partition = stream?.partitions[partitionIndex];
  if (stream === undefined || partition === undefined) return failed(KafkaError.UNKNOWN_TOPIC_OR_PARTITION);
  // A topic that keeps the last record of each key loses none because of its age, place or somebody's wish.
  if (!stream.config.cleanupPolicy.includes('delete')) return failed(KafkaError.POLICY_VIOLATION);
  try {
    return { partitionIndex, lowWatermark: await partition.deleteRecords(offset), errorCode: KafkaError.NONE };
  } catch (error) {
    return failed(errorNumber(error, logger));
  }
}
