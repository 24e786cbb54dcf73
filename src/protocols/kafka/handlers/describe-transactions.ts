import { describeTransactions } from '../codec/apis/describe-transactions.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler, type RequestContext } from '../handler.ts';

/** Where Kafka keeps the offsets of groups; not a topic here, but what takes part in a transaction by this name. */
const OFFSETS_TOPIC = '__consumer_offsets';

/** What transactions are about. */
export const describeTransactionsHandler = handler(
  describeTransactions,
  ({ transactionalIds }, context) => ({
    transactionStates: [...new Set(transactionalIds)].map((transactionalId) => describe(transactionalId, context)),
  }),
  { answersMuch: true },
);

function describe(transactionalId: string, { broker }: RequestContext) {
  const found =
    transactionalId === '' ? undefined : broker.transactions.coordinatorOf(transactionalId).get(transactionalId);
  if (found === undefined) {
    return {
      errorCode: transactionalId === '' ? KafkaError.INVALID_REQUEST : KafkaError.TRANSACTIONAL_ID_NOT_FOUND,
      transactionalId,
      transactionState: '',
      transactionTimeoutMs: 0,
      transactionStartTimeMs: 0,
      producerId: 0,
      producerEpoch: 0,
      topics: [],
    };
  }
  const topics = Array.from(found.partitions, ([streamId, partitions]) => ({
    topic: broker.streams.getById(streamId)?.name ?? '',
    partitions: [...partitions],
  })).filter(({ topic }) => topic !== '');
  const offsets = new Set(Array.from(found.groups, (groupId) => broker.groups.partitionOf(groupId)));
  if (offsets.size > 0) topics.push({ topic: OFFSETS_TOPIC, partitions: [...offsets] });
  return {
    errorCode: KafkaError.NONE,
    transactionalId,
    transactionState: found.state,
    transactionTimeoutMs: found.timeoutMs,
    transactionStartTimeMs: found.startTime,
    producerId: found.producerId,
    producerEpoch: found.producerEpoch,
    topics,
  };
}
