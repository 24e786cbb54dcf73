import { describeQuorum } from '../codec/apis/describe-quorum.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler, type RequestContext } from '../handler.ts';

/** Where Kafka keeps what exists. Here it is the catalog, a log that clients cannot read. */
const METADATA_TOPIC = '__cluster_metadata';

/** Who keeps what exists: this broker, alone. */
export const describeQuorumHandler = handler(describeQuorum, ({ topics }, context) => {
  const { nodeId } = context.broker.settings;
  return {
    errorCode: KafkaError.NONE,
    topics: topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) =>
        topicName === METADATA_TOPIC && partitionIndex === 0
          ? metadataPartition(context)
          : { partitionIndex, errorCode: KafkaError.UNKNOWN_TOPIC_OR_PARTITION },
      ),
    })),
    nodes: [{ nodeId, listeners: [{ name: 'CONTROLLER', ...context.endpoint }] }],
  };
});

function metadataPartition({ broker }: RequestContext) {
  const { nodeId } = broker.settings;
  const { epoch, endOffset } = broker.catalogEnd;
  const now = broker.environment.clock.now();
  return {
    ...{ partitionIndex: 0, errorCode: KafkaError.NONE },
    ...{ leaderId: nodeId, leaderEpoch: epoch, highWatermark: endOffset },
    currentVoters: [{ replicaId: nodeId, logEndOffset: endOffset, lastCaughtUpTimestamp: now }],
  };
}
