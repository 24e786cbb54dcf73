import { CLUSTER_NAME } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { deleteRecords } from '../codec/apis/delete-records.ts';
import { describeProducers } from '../codec/apis/describe-producers.ts';
import {
  type DescribeTopicPartitionsRequest,
  describeTopicPartitions,
} from '../codec/apis/describe-topic-partitions.ts';
import { fetch } from '../codec/apis/fetch.ts';
import { listOffsets } from '../codec/apis/list-offsets.ts';
import { isAskedById, type MetadataRequest, type MetadataResponse, metadata } from '../codec/apis/metadata.ts';
import { offsetForLeaderEpoch } from '../codec/apis/offset-for-leader-epoch.ts';
import { type ProduceRequest, produce } from '../codec/apis/produce.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import type { RequestContext } from '../handler.ts';
import { authorizedOperations } from './operations.ts';
import { divide, everybody, mayCluster, mayTopic, mayTransaction, nameOfTopic, type Rule, rule } from './rule.ts';

const errorCode = KafkaError.TOPIC_AUTHORIZATION_FAILED;

type WantedTopic = NonNullable<MetadataRequest['topics']>[number];
type TopicMetadata = MetadataResponse['topics'][number];

/** Records and what clients need to know to get at them. */
export const TOPIC_RULES: readonly Rule[] = [
  rule(produce, async (request, context, next) => {
    const { transactionalId, topicData, acks } = request;
    const inTransaction = transactionalId === null || mayTransaction(context, 'write', transactionalId);
    const [allowed, refused] = inTransaction
      ? divide(topicData, (topic) => mayProduce(topic, context))
      : [[], topicData];
    const code = inTransaction ? errorCode : KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    const answer = allowed.length > 0 || refused.length === 0 ? await next({ ...request, topicData: allowed }) : null;
    if (refused.length === 0) return answer ?? undefined;
    // Nobody reads an answer: as in Kafka, losing the connection is how the client learns of it.
    if (acks === 0) throw new BrokerError('not-authorized', 'acks=0 produce refused: the client may not write there');
    const responses = refused.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index }) => ({ index, errorCode: code, baseOffset: -1 })),
    }));
    return { ...answer, responses: [...(answer?.responses ?? []), ...responses] };
  }),
  // Its handler asks for each partition itself: those of a session are not in the request.
  everybody(fetch),
  rule(listOffsets, async (request, context, next) => {
    const [allowed, refused] = divide(request.topics, ({ name }) => mayTopic(context, 'describe', name));
    const answer = await next({ ...request, topics: allowed });
    const topics = refused.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    }));
    return { ...answer, topics: [...(answer?.topics ?? []), ...topics] };
  }),
  rule(metadata, async (request, context, next) => {
    const isAll = request.topics === null || (context.version === 0 && request.topics.length === 0);
    const wanted = isAll ? undefined : wantedTopics(request, context);
    // No topic that may be asked for is not the same as all of them.
    const topics = wanted?.allowed ?? request.topics;
    const none = wanted !== undefined && wanted.allowed.length === 0 && context.version === 0;
    const answer = await next({ ...request, topics: none ? [NO_TOPIC] : topics });
    if (answer === undefined) return undefined;
    const found = none
      ? []
      : answer.topics.filter(
          ({ name }) => wanted !== undefined || name === null || mayTopic(context, 'describe', name),
        );
    const { includeTopicAuthorizedOperations, includeClusterAuthorizedOperations } = request;
    return {
      ...answer,
      topics: [
        ...(includeTopicAuthorizedOperations ? found.map((topic) => withOperations(topic, context)) : found),
        ...(wanted?.refused ?? []),
      ],
      ...(includeClusterAuthorizedOperations && { clusterAuthorizedOperations: clusterOperations(context) }),
    };
  }),
  rule(describeTopicPartitions, async (request, context, next) => {
    const isAll = request.topics.length === 0;
    const asked = isAll ? Array.from(context.broker.streams.all(), ({ name }) => ({ name })) : request.topics;
    const [allowed, refused] = divide(asked, ({ name }) => mayTopic(context, 'describe', name));
    const missing = isAll ? [] : refused.map(({ name }) => ({ errorCode, name, topicId: ZERO_UUID, partitions: [] }));
    const answer =
      allowed.length > 0 ? await next({ ...request, topics: allowed, cursor: cursorIn(allowed, request) }) : undefined;
    const found = (answer?.topics ?? []).map((topic) => ({
      ...topic,
      topicAuthorizedOperations: authorizedOperations(context, 'topic', topic.name ?? ''),
    }));
    return { nextCursor: answer?.nextCursor ?? null, topics: [...found, ...missing] };
  }),
  rule(offsetForLeaderEpoch, async (request, context, next) => {
    const all = mayCluster(context, 'cluster-action');
    const [allowed, refused] = divide(request.topics, ({ topic }) => all || mayTopic(context, 'describe', topic));
    const answer = await next({ ...request, topics: allowed });
    const topics = refused.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode })),
    }));
    return { ...answer, topics: [...(answer?.topics ?? []), ...topics] };
  }),
  rule(deleteRecords, async (request, context, next) => {
    const [allowed, refused] = divide(request.topics, ({ name }) => mayTopic(context, 'delete', name));
    const answer = await next({ ...request, topics: allowed });
    const topics = refused.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
    }));
    return { ...answer, topics: [...(answer?.topics ?? []), ...topics] };
  }),
  rule(describeProducers, async (request, context, next) => {
    const [allowed, refused] = divide(request.topics, ({ name }) => mayTopic(context, 'read', name));
    const answer = await next({ ...request, topics: allowed });
    const topics = refused.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode, activeProducers: [] })),
    }));
    return { ...answer, topics: [...(answer?.topics ?? []), ...topics] };
  }),
];

function mayProduce({ name, topicId }: ProduceRequest['topicData'][number], context: RequestContext): boolean {
  const topic = context.version >= 13 ? nameOfTopic(context, topicId) : name;
  return topic === undefined || mayTopic(context, 'write', topic);
}

/** Where to go on among the topics that the client may see: that of the cursor may be gone since, or not be its business any more. */
function cursorIn(topics: readonly { readonly name: string }[], { cursor }: DescribeTopicPartitionsRequest) {
  if (cursor === null || topics.some(({ name }) => name === cursor.topicName)) return cursor;
  const next = topics.map(({ name }) => name).filter((name) => name > cursor.topicName);
  const [topicName] = next.sort();
  return topicName === undefined ? cursor : { topicName, partitionIndex: 0 };
}

/** What can be no topic: asked for where asking for none would mean all. */
const NO_TOPIC: WantedTopic = { name: '', topicId: ZERO_UUID };

/** Which of the topics may be described, or made by asking for them; and what is answered of the others, whether they are there or not. */
function wantedTopics(request: MetadataRequest, context: RequestContext) {
  const refused: TopicMetadata[] = [];
  const allowed = (request.topics ?? []).filter((wanted) => {
    const { topicId } = wanted;
    const name = isAskedById(wanted, context.version) ? null : wanted.name;
    // Before version 12 asking by id is refused, whatever the topic.
    const topic = name ?? (context.version < 12 ? undefined : nameOfTopic(context, topicId));
    if (topic === undefined) return true;
    if (mayTopic(context, 'describe', topic) && !isRefusedCreation(topic, request, context)) return true;
    refused.push({ errorCode, name, topicId: name === null ? topicId : ZERO_UUID, partitions: [] });
    return false;
  });
  return { allowed, refused };
}

function isRefusedCreation(
  name: string,
  { allowAutoTopicCreation }: MetadataRequest,
  context: RequestContext,
): boolean {
  const { streams, settings } = context.broker;
  if (!allowAutoTopicCreation || !settings.autoCreateStreams || streams.get(name) !== undefined) return false;
  return !mayCluster(context, 'create') && !mayTopic(context, 'create', name);
}

function withOperations(topic: TopicMetadata, context: RequestContext): TopicMetadata {
  if (topic.errorCode !== 0 || topic.name === null) return topic;
  return { ...topic, topicAuthorizedOperations: authorizedOperations(context, 'topic', topic.name) };
}

/** None for who may not even look at the cluster. */
export function clusterOperations(context: RequestContext): number {
  return mayCluster(context, 'describe') ? authorizedOperations(context, 'cluster', CLUSTER_NAME) : 0;
}
