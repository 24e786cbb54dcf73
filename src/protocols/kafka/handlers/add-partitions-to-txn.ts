import type { Broker } from '../../../broker/index.ts';
import { type AddPartitionsToTxnRequest, addPartitionsToTxn } from '../codec/apis/add-partitions-to-txn.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler, type RequestContext } from '../handler.ts';
import { transactionErrorNumber } from '../transaction-errors.ts';

type Asked = AddPartitionsToTxnRequest['transactions'][number];

/** From this version on a fenced producer is told so. */
const SAYS_FENCED = 2;
const BATCHED = 4;

/** Makes partitions part of transactions, or (v4, as between Kafka's brokers) asks whether they are. */
export const addPartitionsToTxnHandler = handler(addPartitionsToTxn, async (request, context) => {
  if (context.version >= BATCHED) {
    const resultsByTransaction = await Promise.all(
      request.transactions.map(async (asked) => ({
        transactionalId: asked.transactionalId,
        topicResults: await answer(asked, context),
      })),
    );
    return { errorCode: KafkaError.NONE, resultsByTransaction };
  }
  const only = {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: request.v3AndBelowTopics,
  };
  return { resultsByTopicV3AndBelow: await answer(only, context) };
});

async function answer(asked: Asked, context: RequestContext) {
  const { broker } = context;
  // All of them or none: what is wrong with some is said of these, and of the others that nothing was done.
  const missing = asked.topics.some(({ name, partitions }) =>
    partitions.some((index) => broker.streams.get(name)?.partitions[index] === undefined),
  );
  if (missing) {
    return results(asked, (name, index) =>
      broker.streams.get(name)?.partitions[index] === undefined
        ? KafkaError.UNKNOWN_TOPIC_OR_PARTITION
        : KafkaError.OPERATION_NOT_ATTEMPTED,
    );
  }
  if (asked.verifyOnly) return results(asked, (name, index) => verify(asked, name, index, context));
  try {
    await broker.transactions.coordinatorOf(asked.transactionalId).add({ ...asked, partitions: byId(asked, broker) });
    return results(asked, () => KafkaError.NONE);
  } catch (error) {
    const errorCode = numberOf(error, context);
    return results(asked, () => errorCode);
  }
}

function verify(asked: Asked, name: string, index: number, context: RequestContext): number {
  const { broker } = context;
  try {
    broker.transactions.coordinatorOf(asked.transactionalId).verify(asked, broker.streams.get(name)?.id ?? '', index);
    return KafkaError.NONE;
  } catch (error) {
    return numberOf(error, context);
  }
}

function byId({ topics }: Asked, broker: Broker) {
  return topics.flatMap(({ name, partitions }) => {
    const stream = broker.streams.get(name);
    return stream === undefined ? [] : [{ streamId: stream.id, partitions }];
  });
}

function numberOf(error: unknown, { version, logger }: RequestContext): number {
  return transactionErrorNumber(error, { saysFenced: version >= SAYS_FENCED }, logger);
}

function results({ topics }: Asked, errorOf: (name: string, partition: number) => number) {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: errorOf(name, partitionIndex),
    })),
  }));
}
