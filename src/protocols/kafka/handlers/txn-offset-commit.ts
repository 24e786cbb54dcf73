import { BrokerError, type ErrorCode } from '../../../errors.ts';
import { type TxnOffsetCommitRequest, txnOffsetCommit } from '../codec/apis/txn-offset-commit.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { groupCodeNumber, groupErrorNumber } from '../errors.ts';
import { handler } from '../handler.ts';
import { traceCommitted } from '../traces.ts';
import { participantErrorNumber } from '../transaction-errors.ts';

type Topic = TxnOffsetCommitRequest['topics'][number];

/** From this version on a client can be told to abort (KIP-890), and from the next on its group becomes part of the transaction by this. */
const SAYS_ABORTABLE = 4;
const ADDS_GROUP = 5;

/** Stores how far a group has come when the transaction is committed. */
export const txnOffsetCommitHandler = handler(txnOffsetCommit, async (request, context) => {
  const { broker, logger, version } = context;
  const { transactionalId, groupId, generationId: generation, memberId, groupInstanceId, topics } = request;
  const { producerId, producerEpoch } = request;
  const answer = (errorOf: (topic: string, partition: number) => number) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: errorOf(name, partitionIndex),
      })),
    })),
  });
  const committing = topics.flatMap((topic) => {
    const stream = broker.streams.get(topic.name);
    const partitions = topic.partitions.filter(
      ({ partitionIndex }) => stream?.partitions[partitionIndex] !== undefined,
    );
    if (stream === undefined || partitions.length === 0) return [];
    return [{ topic: topic.name, topicId: stream.id, partitions: partitions.map(toCommit) }];
  });
  const producer = { transactionalId, producerId, producerEpoch };
  try {
    const results = await broker.transactions
      .coordinatorOf(transactionalId)
      .commitOffsets({ ...producer, groupId, addsGroup: version >= ADDS_GROUP }, () =>
        broker.groups.coordinatorOf(groupId).commitTransactionalOffsets({
          groupId,
          generation,
          memberId,
          groupInstanceId,
          producerId,
          topics: committing,
        }),
      );
    if (broker.turns.tracing.on) traceCommitted(groupId, committing, context);
    const errors = new Map(
      results.flatMap(({ topic, partitions }) =>
        partitions.map((p) => [`${p.partition}/${topic}`, offsetError(p.error)]),
      ),
    );
    return answer((topic, partition) => errors.get(`${partition}/${topic}`) ?? KafkaError.UNKNOWN_TOPIC_OR_PARTITION);
  } catch (error) {
    const missing = error instanceof BrokerError && error.code === 'not-found';
    const errorCode = missing
      ? KafkaError.ILLEGAL_GENERATION
      : participantErrorNumber(error, { saysAbortable: version >= SAYS_ABORTABLE }, (other) =>
          groupErrorNumber(other, logger),
        );
    return answer(() => errorCode);
  }
});

function toCommit(partition: Topic['partitions'][number]) {
  return {
    partition: partition.partitionIndex,
    offset: partition.committedOffset,
    leaderEpoch: partition.committedLeaderEpoch,
    metadata: partition.committedMetadata,
  };
}

function offsetError(code: ErrorCode | null): number {
  return code === 'limit-exceeded' ? KafkaError.OFFSET_METADATA_TOO_LARGE : groupCodeNumber(code);
}
