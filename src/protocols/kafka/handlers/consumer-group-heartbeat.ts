import { ASSIGNORS, JOINS, LEAVES, LEAVES_FOR_NOW } from '../../../broker/index.ts';
import { toBrokerError } from '../../../errors.ts';
import {
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
  consumerGroupHeartbeat,
} from '../codec/apis/consumer-group-heartbeat.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorText, groupErrorNumber } from '../errors.ts';
import { handler, type RequestContext } from '../handler.ts';

/** From this version on members make up their ids themselves (KIP-1082). */
const OWN_IDS_VERSION = 1;
/** Characters of a rack id and an instance id. */
const MAX_ID_LENGTH = 1_024;

/** A member of a consumer group (KIP-848) joins, stays, or leaves, and is told what to consume. */
export const consumerGroupHeartbeatHandler = handler(consumerGroupHeartbeat, async (request, context) => {
  const wrong = whatIsWrong(request, context.version);
  if (wrong !== undefined) return refused(KafkaError.INVALID_REQUEST, wrong);
  const { serverAssignor } = request;
  if (serverAssignor !== null && !ASSIGNORS.has(serverAssignor)) {
    const supported = [...ASSIGNORS.keys()].join(', ');
    const text = `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${supported}.`;
    return refused(KafkaError.UNSUPPORTED_ASSIGNOR, text);
  }
  return await heartbeat(request, context);
});

async function heartbeat(
  request: ConsumerGroupHeartbeatRequest,
  { broker, logger, clientId, clientHost }: RequestContext,
): Promise<ConsumerGroupHeartbeatResponse> {
  const { groupId, memberId, memberEpoch, instanceId, rackId, rebalanceTimeoutMs, topicPartitions } = request;
  try {
    const result = await broker.groups.coordinatorOf(groupId).consumerHeartbeat({
      ...{ groupId, memberId, memberEpoch, instanceId, rackId, rebalanceTimeoutMs },
      clientId: clientId ?? '',
      clientHost: `/${clientHost}`,
      topicNames: request.subscribedTopicNames,
      topicRegex: request.subscribedTopicRegex,
      assignor: request.serverAssignor,
      owned: topicPartitions,
    });
    const { assignment, ...answer } = result;
    return { ...answer, errorCode: 0, assignment: assignment && { topicPartitions: assignment } };
  } catch (error) {
    return refused(groupErrorNumber(error, logger), toBrokerError(error).message);
  }
}

function whatIsWrong(request: ConsumerGroupHeartbeatRequest, version: number): string | undefined {
  const { memberId, memberEpoch, instanceId, rackId, topicPartitions, subscribedTopicNames } = request;
  if (request.groupId === '') return "GroupId can't be empty.";
  if (instanceId === '') return "InstanceId can't be empty.";
  if (rackId === '') return "RackId can't be empty.";
  if (Math.max(memberId.length, instanceId?.length ?? 0, rackId?.length ?? 0) > MAX_ID_LENGTH) {
    return `MemberId, InstanceId and RackId have up to ${MAX_ID_LENGTH} characters.`;
  }
  if (memberId === '' && (version >= OWN_IDS_VERSION || memberEpoch !== JOINS)) return "MemberId can't be empty.";
  if (memberEpoch === JOINS) {
    if (request.rebalanceTimeoutMs === -1) return 'RebalanceTimeoutMs must be provided in first request.';
    if (topicPartitions === null || topicPartitions.length > 0)
      return 'TopicPartitions must be empty when (re-)joining.';
    if (subscribedTopicNames === null && request.subscribedTopicRegex === null) {
      return 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.';
    }
    return undefined;
  }
  if (memberEpoch === LEAVES_FOR_NOW) return instanceId === null ? "InstanceId can't be null." : undefined;
  return memberEpoch > 0 || memberEpoch === LEAVES ? undefined : 'MemberEpoch is invalid.';
}

function refused(errorCode: number, message: string): ConsumerGroupHeartbeatResponse {
  return { errorCode, errorMessage: errorText(message), memberEpoch: 0, heartbeatIntervalMs: 0 };
}
