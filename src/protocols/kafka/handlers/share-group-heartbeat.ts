import { JOINS, LEAVES } from '../../../broker/index.ts';
import { toBrokerError } from '../../../errors.ts';
import {
  type ShareGroupHeartbeatRequest,
  type ShareGroupHeartbeatResponse,
  shareGroupHeartbeat,
} from '../codec/apis/share-group-heartbeat.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorText, groupErrorNumber } from '../errors.ts';
import { handler } from '../handler.ts';
import { wrongMemberId } from '../share-requests.ts';

/** Characters of a rack id. */
const MAX_ID_LENGTH = 1_024;

/** A member of a share group (KIP-932) joins, stays, or leaves, and is told what to fetch. */
export const shareGroupHeartbeatHandler = handler(shareGroupHeartbeat, async (request, context) => {
  const wrong = whatIsWrong(request);
  if (wrong !== undefined) return refused(KafkaError.INVALID_REQUEST, wrong);
  const { broker, logger, clientId, clientHost } = context;
  const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames: topicNames } = request;
  try {
    const { assignment, ...answer } = await broker.groups.coordinatorOf(groupId).share.heartbeat({
      ...{ groupId, memberId, memberEpoch, rackId, topicNames },
      clientId: clientId ?? '',
      clientHost: `/${clientHost}`,
    });
    return { ...answer, errorCode: 0, assignment: assignment && { topicPartitions: assignment } };
  } catch (error) {
    return refused(groupErrorNumber(error, logger), toBrokerError(error).message);
  }
});

function whatIsWrong(request: ShareGroupHeartbeatRequest): string | undefined {
  const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames } = request;
  if (groupId === '') return "GroupId can't be empty.";
  if (rackId === '') return "RackId can't be empty.";
  if ((rackId?.length ?? 0) > MAX_ID_LENGTH) return `RackId has up to ${MAX_ID_LENGTH} characters.`;
  const wrong = wrongMemberId(memberId);
  if (wrong !== undefined) return wrong;
  if (memberEpoch === JOINS && (subscribedTopicNames?.length ?? 0) === 0)
    return 'SubscribedTopicNames must be set in first request.';
  return memberEpoch < LEAVES ? 'MemberEpoch is invalid.' : undefined;
}

function refused(errorCode: number, message: string): ShareGroupHeartbeatResponse {
  return { errorCode, errorMessage: errorText(message), memberEpoch: 0, heartbeatIntervalMs: 0 };
}
