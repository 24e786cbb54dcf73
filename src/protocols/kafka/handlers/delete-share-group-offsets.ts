import { toBrokerError } from '../../../errors.ts';
import { deleteShareGroupOffsets } from '../codec/apis/delete-share-group-offsets.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import { errorText, groupErrorNumber } from '../errors.ts';
import { handler } from '../handler.ts';

/** A share group without members forgets topics. */
export const deleteShareGroupOffsetsHandler = handler(deleteShareGroupOffsets, async ({ groupId, topics }, context) => {
  const { broker, logger } = context;
  try {
    const responses = await broker.groups.coordinatorOf(groupId).share.whileEmpty(groupId, async () => {
      const known = new Set(broker.shareGroups.offsets(groupId).map(({ streamId }) => streamId));
      const asked = topics.map(({ topicName }) => ({ topicName, topicId: broker.streams.get(topicName)?.id }));
      const found = asked.flatMap(({ topicId }) => (topicId !== undefined && known.has(topicId) ? [topicId] : []));
      await broker.shareGroups.deleteOffsets(groupId, [...new Set(found)]);
      return asked.map(({ topicName, topicId }) => {
        const hadOffsets = topicId !== undefined && known.has(topicId);
        return {
          ...{ topicName, topicId: topicId ?? ZERO_UUID },
          errorCode: hadOffsets ? KafkaError.NONE : KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
          errorMessage: hadOffsets ? null : 'There is no offset information to delete.',
        };
      });
    });
    return { errorCode: 0, responses };
  } catch (error) {
    const errorMessage = errorText(toBrokerError(error).message);
    return { errorCode: groupErrorNumber(error, logger), errorMessage, responses: [] };
  }
});
