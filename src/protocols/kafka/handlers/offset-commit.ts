import { BrokerError, type ErrorCode } from '../../../errors.ts';
import { type OffsetCommitRequest, type OffsetCommitResponse, offsetCommit } from '../codec/apis/offset-commit.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import { groupCodeNumber, groupErrorNumber } from '../errors.ts';
import { handler } from '../handler.ts';
import { traceCommitted } from '../traces.ts';

type Topic = OffsetCommitRequest['topics'][number];
type TopicResponse = OffsetCommitResponse['topics'][number];

/** From this version on the generation may be a member's epoch (KIP-848), and a group that is not there is said to be so. */
const EPOCHS_VERSION = 9;

/** Stores how far a group has come. */
export const offsetCommitHandler = handler(offsetCommit, async (request, { broker, logger, version, participant }) => {
  const { groupId, generationIdOrMemberEpoch, memberId, groupInstanceId, retentionTimeMs, topics } = request;
  const answer = (topic: Topic, errorOf: (partition: number) => number): TopicResponse => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: errorOf(partitionIndex) })),
  });
  const known = (topic: Topic, partition: number) =>
    broker.streams.get(topic.name)?.partitions[partition] !== undefined;
  const committing = topics
    .map((topic) => ({
      topic: topic.name,
      topicId: broker.streams.get(topic.name)?.id ?? ZERO_UUID,
      partitions: topic.partitions
        .filter(({ partitionIndex }) => known(topic, partitionIndex))
        .map((p) => ({
          partition: p.partitionIndex,
          offset: p.committedOffset,
          leaderEpoch: p.committedLeaderEpoch,
          metadata: p.committedMetadata,
        })),
    }))
    .filter(({ partitions }) => partitions.length > 0);
  try {
    const results = await broker.groups.coordinatorOf(groupId).commitOffsets({
      groupId,
      generation: generationIdOrMemberEpoch,
      memberId,
      groupInstanceId,
      knowsEpochs: version >= EPOCHS_VERSION,
      retentionMs: retentionTimeMs >= 0 ? retentionTimeMs : null,
      topics: committing,
    });
    if (broker.turns.tracing.on) traceCommitted(groupId, committing, { broker, participant });
    const errors = new Map(
      results.flatMap(({ topic, partitions }) =>
        partitions.map((p) => [`${p.partition}/${topic}`, offsetError(p.error)]),
      ),
    );
    return {
      topics: topics.map((topic) =>
        answer(topic, (partition) => errors.get(`${partition}/${topic.name}`) ?? KafkaError.UNKNOWN_TOPIC_OR_PARTITION),
      ),
    };
  } catch (error) {
    const missing = version < EPOCHS_VERSION && error instanceof BrokerError && error.code === 'not-found';
    // Older clients are told that it is a generation of a group that there is not (any more).
    const errorCode = missing ? KafkaError.ILLEGAL_GENERATION : groupErrorNumber(error, logger);
    return { topics: topics.map((topic) => answer(topic, () => errorCode)) };
  }
});

function offsetError(code: ErrorCode | null): number {
  return code === 'limit-exceeded' ? KafkaError.OFFSET_METADATA_TOO_LARGE : groupCodeNumber(code);
}
