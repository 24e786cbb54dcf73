import type { Stream } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { CLUSTER_OPERATIONS, TOPIC_OPERATIONS } from '../authorized-operations.ts';
import { isAskedById, type MetadataRequest, type MetadataResponse, metadata } from '../codec/apis/metadata.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import { handler, type RequestContext } from '../handler.ts';

type TopicMetadata = MetadataResponse['topics'][number];

/** Brokers, and topics with who leads their partitions. Makes topics that are asked for, where that is allowed. */
export const metadataHandler = handler(
  metadata,
  async (request, context) => {
    const { broker, endpoint, version } = context;
    const refused: BrokerError[] = [];
    const all = request.topics === null || (version === 0 && request.topics.length === 0);
    const topics = all
      ? Array.from(broker.streams.all(), (stream) => describe(stream, context))
      : await Promise.all(
          distinct(request.topics ?? [], version).map((topic) => find(topic, request, context, refused)),
        );
    const [error] = refused;
    // A request may ask for any number of them.
    if (error !== undefined)
      context.logger.warn({ topics: refused.length, code: error.code, err: error.message }, 'topics were not created');
    return {
      brokers: [{ nodeId: broker.settings.nodeId, host: endpoint.host, port: endpoint.port }],
      clusterId: broker.clusterId,
      controllerId: broker.settings.nodeId,
      topics: request.includeTopicAuthorizedOperations ? topics.map(withOperations) : topics,
      ...(request.includeClusterAuthorizedOperations && { clusterAuthorizedOperations: CLUSTER_OPERATIONS }),
    };
  },
  { answersMuch: true },
);

/** What is asked for more than once is answered once, as Kafka does. */
function distinct(topics: NonNullable<MetadataRequest['topics']>, version: number) {
  const keyOf = (topic: (typeof topics)[number]) => (isAskedById(topic, version) ? topic.topicId : topic.name);
  return [...new Map(topics.map((topic) => [keyOf(topic), topic])).values()];
}

async function find(
  wanted: NonNullable<MetadataRequest['topics']>[number],
  request: MetadataRequest,
  context: RequestContext,
  refused: BrokerError[],
): Promise<TopicMetadata> {
  const { broker, version } = context;
  const { topicId } = wanted;
  const name = isAskedById(wanted, version) ? null : wanted.name;
  // Versions 10 and 11 have ids, and no way to answer a topic without its name: as in Kafka, asking by id begins after them.
  if (name === null && version < 12) return missing(KafkaError.INVALID_REQUEST, '', topicId);
  if (name === null) {
    const stream = broker.streams.getById(topicId);
    return stream === undefined ? missing(KafkaError.UNKNOWN_TOPIC_ID, null, topicId) : describe(stream, context);
  }
  const stream = broker.streams.get(name);
  if (stream !== undefined) return describe(stream, context);
  if (!broker.settings.autoCreateStreams || !request.allowAutoTopicCreation)
    return missing(KafkaError.UNKNOWN_TOPIC_OR_PARTITION, name);
  try {
    return describe(await broker.streams.create({ name, partitions: broker.settings.defaultPartitions }), context);
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    switch (error.code) {
      case 'invalid-argument':
        return missing(KafkaError.INVALID_TOPIC_EXCEPTION, name);
      case 'already-exists':
        // Somebody else is making it at this moment: the client will ask again.
        return missing(KafkaError.LEADER_NOT_AVAILABLE, name);
      default:
        refused.push(error);
        return missing(KafkaError.UNKNOWN_TOPIC_OR_PARTITION, name);
    }
  }
}

function describe(stream: Stream, { broker }: RequestContext): TopicMetadata {
  const leaderId = broker.settings.nodeId;
  return {
    errorCode: 0,
    name: stream.name,
    topicId: stream.id,
    partitions: stream.partitions.map(({ index, leaderEpoch }) => ({
      errorCode: 0,
      partitionIndex: index,
      leaderId,
      leaderEpoch,
      replicaNodes: [leaderId],
      isrNodes: [leaderId],
    })),
  };
}

function withOperations(topic: TopicMetadata): TopicMetadata {
  return topic.errorCode === 0 ? { ...topic, topicAuthorizedOperations: TOPIC_OPERATIONS } : topic;
}

function missing(errorCode: number, name: string | null, topicId: string = ZERO_UUID): TopicMetadata {
  return { errorCode, name, topicId, partitions: [] };
}
