import { electLeaders } from '../codec/apis/elect-leaders.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorText } from '../errors.ts';
import { handler, type RequestContext } from '../handler.ts';
import type { Outcome } from './admin/refusal.ts';

const PREFERRED = 0;
const UNCLEAN = 1;

/** Each partition has one replica, which leads it: there is nothing to elect. As Kafka does, whoever asks for all partitions is told of none. */
export const electLeadersHandler = handler(electLeaders, ({ electionType, topicPartitions }, context) => {
  if (electionType !== PREFERRED && electionType !== UNCLEAN)
    return { errorCode: KafkaError.INVALID_REQUEST, replicaElectionResults: [] };
  return {
    errorCode: KafkaError.NONE,
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, ...elect(topic, partitionId, context) })),
    })),
  };
});

function elect(topic: string, partition: number, { broker }: RequestContext): Outcome {
  if (broker.streams.get(topic)?.partitions[partition] === undefined)
    return {
      errorCode: KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: errorText(`No such partition as ${topic}-${partition}`),
    };
  return { errorCode: KafkaError.ELECTION_NOT_NEEDED, errorMessage: 'The partition already has its leader.' };
}
