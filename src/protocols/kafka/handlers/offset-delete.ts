import { offsetDelete } from '../codec/apis/offset-delete.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import { groupCodeNumber, groupErrorNumber } from '../errors.ts';
import { handler } from '../handler.ts';

/** Forgets how far a group has come in topics that it no longer consumes. */
export const offsetDeleteHandler = handler(offsetDelete, async ({ groupId, topics }, { broker, logger }) => {
  const deleting = topics.map(({ name, partitions }) => ({
    topic: name,
    topicId: broker.streams.get(name)?.id ?? ZERO_UUID,
    partitions: partitions.map(({ partitionIndex }) => partitionIndex),
  }));
  try {
    const results = await broker.groups.coordinatorOf(groupId).deleteOffsets({ groupId, topics: deleting });
    return {
      errorCode: 0,
      topics: results.map(({ topic, partitions }) => ({
        name: topic,
        partitions: partitions.map(({ partition, error }) => ({
          partitionIndex: partition,
          errorCode:
            broker.streams.get(topic)?.partitions[partition] === undefined
              ? KafkaError.UNKNOWN_TOPIC_OR_PARTITION
              : groupCodeNumber(error),
        })),
      })),
    };
  } catch (error) {
    return { errorCode: groupErrorNumber(error, logger), topics: [] };
  }
});
