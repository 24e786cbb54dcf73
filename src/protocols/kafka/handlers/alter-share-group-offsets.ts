import { toBrokerError } from '../../../errors.ts';
import {
  type AlterShareGroupOffsetsResponse,
  alterShareGroupOffsets,
} from '../codec/apis/alter-share-group-offsets.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import { errorText, groupErrorNumber } from '../errors.ts';
import { handler } from '../handler.ts';

/** A share group without members is to start from these offsets; it is made if need be. */
export const alterShareGroupOffsetsHandler = handler(alterShareGroupOffsets, async ({ groupId, topics }, context) => {
  const { broker, logger } = context;
  const responses: AlterShareGroupOffsetsResponse['responses'][number][] = [];
  const offsets: { streamId: string; partition: number; startOffset: number }[] = [];
  for (const { topicName, partitions } of topics) {
    const stream = broker.streams.get(topicName);
    const results = partitions.map(({ partitionIndex, startOffset }) => {
      let errorCode: number = KafkaError.NONE;
      if (stream?.partitions[partitionIndex] === undefined) errorCode = KafkaError.UNKNOWN_TOPIC_OR_PARTITION;
      else if (startOffset < 0) errorCode = KafkaError.INVALID_REQUEST;
      else offsets.push({ streamId: stream.id, partition: partitionIndex, startOffset });
      return { partitionIndex, errorCode };
    });
    responses.push({ topicName, topicId: stream?.id ?? ZERO_UUID, partitions: results });
  }
  try {
    const alter = () => broker.shareGroups.alterOffsets(groupId, offsets);
    await broker.groups.coordinatorOf(groupId).share.whileEmpty(groupId, alter, { create: true });
    return { errorCode: 0, responses };
  } catch (error) {
    const errorMessage = errorText(toBrokerError(error).message);
    return { errorCode: groupErrorNumber(error, logger), errorMessage, responses: [] };
  }
});
