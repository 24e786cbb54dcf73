import type { Partition } from '../../../broker/index.ts';
import { describeProducers } from '../codec/apis/describe-producers.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';

/** The producers that partitions know, with the transactions that they have open. */
export const describeProducersHandler = handler(
  describeProducers,
  ({ topics }, { broker }) => ({
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: [...new Set(partitionIndexes)].map((index) =>
        describe(index, broker.streams.get(name)?.partitions[index]),
      ),
    })),
  }),
  { answersMuch: true },
);

function describe(partitionIndex: number, partition: Partition | undefined) {
  if (partition === undefined)
    return { partitionIndex, errorCode: KafkaError.UNKNOWN_TOPIC_OR_PARTITION, activeProducers: [] };
  return {
    partitionIndex,
    errorCode: KafkaError.NONE,
    activeProducers: partition.producers.describe().map((producer) => ({
      producerId: producer.producerId,
      producerEpoch: producer.epoch,
      lastSequence: producer.lastSequence,
      lastTimestamp: producer.lastTimestamp,
      coordinatorEpoch: producer.coordinatorEpoch,
      currentTxnStartOffset: producer.transactionStartOffset,
    })),
  };
}
