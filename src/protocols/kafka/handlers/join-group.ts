import { type JoinGroupRequest, type JoinGroupResponse, joinGroup } from '../codec/apis/join-group.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { groupErrorNumber } from '../errors.ts';
import { handler, type RequestContext } from '../handler.ts';
import { whileConnected } from '../waiting.ts';

/** A member joins its group: answered when all members have, or as many as came in time. */
export const joinGroupHandler = handler(joinGroup, (request, context) =>
  whileConnected(join(request, context), refused(KafkaError.COORDINATOR_NOT_AVAILABLE, request.memberId), context),
);

async function join(
  request: JoinGroupRequest,
  { broker, logger, clientId, clientHost, version }: RequestContext,
): Promise<JoinGroupResponse> {
  try {
    const result = await broker.groups.coordinatorOf(request.groupId).join({
      ...request,
      clientId: clientId ?? '',
      clientHost: `/${clientHost}`,
      // Version 0 has one time-out for both.
      rebalanceTimeoutMs: version === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
      requireKnownMemberId: version >= 4,
      canSkipAssignment: version >= 9,
    });
    if (!result.joined) return refused(KafkaError.MEMBER_ID_REQUIRED, result.memberId);
    const { generation, protocolType, protocolName, leader, skipAssignment, memberId, members } = result;
    return {
      errorCode: 0,
      generationId: generation,
      protocolType,
      protocolName: protocolName ?? '',
      leader,
      skipAssignment,
      memberId,
      members,
    };
  } catch (error) {
    return refused(groupErrorNumber(error, logger), request.memberId);
  }
}

function refused(errorCode: number, memberId: string): JoinGroupResponse {
  return { errorCode, protocolName: '', leader: '', memberId, members: [] };
}
