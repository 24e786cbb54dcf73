import type { Partition, Stream } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { TOPIC_OPERATIONS } from '../authorized-operations.ts';
import {
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
  describeTopicPartitions,
} from '../codec/apis/describe-topic-partitions.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import { handler, type RequestContext } from '../handler.ts';

type Cursor = NonNullable<DescribeTopicPartitionsRequest['cursor']>;
type Topic = DescribeTopicPartitionsResponse['topics'][number];

/** Kafka's max.request.partition.size.limit. */
export const MAX_PARTITIONS_PER_ANSWER = 2000;

/** Topics in the order of their names, from the cursor on, with as many partitions as the client takes at a time. */
export const describeTopicPartitionsHandler = handler(describeTopicPartitions, (request, context) => {
  const { topics, cursor, responsePartitionLimit } = request;
  const all = topics.length === 0;
  if (cursor !== null && !isValid(cursor, topics)) {
    // The answer has no place for an error of its own: as in Kafka, each topic that was asked for bears it.
    return { topics: topics.map(({ name }) => failed(name, KafkaError.INVALID_REQUEST)), nextCursor: null };
  }
  const known = all ? Array.from(context.broker.streams.all(), ({ name }) => name) : topics.map(({ name }) => name);
  const names = [...new Set(known)].filter((name) => cursor === null || name >= cursor.topicName).sort();
  const limit = Math.max(Math.min(responsePartitionLimit, MAX_PARTITIONS_PER_ANSWER), 1);
  return page(names, cursor, limit, context);
});

function isValid({ topicName, partitionIndex }: Cursor, topics: DescribeTopicPartitionsRequest['topics']): boolean {
  return partitionIndex >= 0 && (topics.length === 0 || topics.some(({ name }) => name === topicName));
}

function page(
  names: readonly string[],
  cursor: Cursor | null,
  limit: number,
  context: RequestContext,
): DescribeTopicPartitionsResponse {
  const topics: Topic[] = [];
  let remaining = limit;
  for (const topicName of names) {
    if (remaining === 0) return { topics, nextCursor: { topicName, partitionIndex: 0 } };
    const stream = context.broker.streams.get(topicName);
    if (stream === undefined) {
      topics.push(failed(topicName, missing(topicName, context)));
      continue;
    }
    const first = cursor?.topicName === topicName ? cursor.partitionIndex : 0;
    const partitions = stream.partitions.slice(first, first + remaining);
    topics.push(describe(stream, partitions, context));
    const end = first + partitions.length;
    if (end < stream.partitions.length) return { topics, nextCursor: { topicName, partitionIndex: end } };
    remaining -= partitions.length;
  }
  return { topics, nextCursor: null };
}

function describe({ name, id }: Stream, partitions: readonly Partition[], { broker }: RequestContext): Topic {
  const leaderId = broker.settings.nodeId;
  return {
    errorCode: KafkaError.NONE,
    name,
    topicId: id,
    partitions: partitions.map(({ index, leaderEpoch }) => ({
      errorCode: KafkaError.NONE,
      partitionIndex: index,
      leaderId,
      leaderEpoch,
      replicaNodes: [leaderId],
      isrNodes: [leaderId],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    })),
    topicAuthorizedOperations: TOPIC_OPERATIONS,
  };
}

/** Why there is no topic of that name. */
function missing(name: string, { broker }: RequestContext): number {
  try {
    broker.streams.checkName(name);
    return KafkaError.UNKNOWN_TOPIC_OR_PARTITION;
  } catch (error) {
    if (error instanceof BrokerError) return KafkaError.INVALID_TOPIC_EXCEPTION;
    throw error;
  }
}

function failed(name: string, errorCode: number): Topic {
  return { errorCode, name, topicId: ZERO_UUID, partitions: [], topicAuthorizedOperations: TOPIC_OPERATIONS };
}
