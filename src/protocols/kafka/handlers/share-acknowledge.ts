import { type ShareAcknowledgeResponse, shareAcknowledge } from '../codec/apis/share-acknowledge.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';
import { acknowledge, FINAL_EPOCH, INITIAL_EPOCH, NO_LEADER, requester } from '../share-requests.ts';

/** A member says of records that it was given what became of them. */
export const shareAcknowledgeHandler = handler(shareAcknowledge, async (request, context) => {
  const { broker, shareSessions } = context;
  const who = requester(request);
  if (typeof who === 'string') return refused(KafkaError.INVALID_REQUEST, who);
  const { shareSessionEpoch: epoch } = request;
  if (epoch === INITIAL_EPOCH) return refused(KafkaError.INVALID_SHARE_SESSION_EPOCH);
  const session = shareSessions.get(who.groupId, who.memberId);
  if (session === undefined) return refused(KafkaError.SHARE_SESSION_NOT_FOUND);
  if (epoch !== FINAL_EPOCH) {
    if (epoch !== session.epoch) return refused(KafkaError.INVALID_SHARE_SESSION_EPOCH);
    shareSessions.advance(session);
  }
  const answers = await Promise.all(acknowledge(session, request, context));
  if (epoch === FINAL_EPOCH) await shareSessions.close(session);
  return {
    errorCode: 0,
    acquisitionLockTimeoutMs: broker.groupConfigs.of(who.groupId).shareRecordLockDurationMs,
    responses: Array.from(
      Map.groupBy(answers, ({ topicId }) => topicId),
      ([topicId, partitions]) => ({
        topicId,
        partitions: partitions.map(({ partitionIndex, errorCode }) => ({
          ...{ partitionIndex, errorCode, currentLeader: NO_LEADER },
        })),
      }),
    ),
    nodeEndpoints: [],
  };
});

function refused(errorCode: number, errorMessage: string | null = null): ShareAcknowledgeResponse {
  return { errorCode, errorMessage, acquisitionLockTimeoutMs: 0, responses: [], nodeEndpoints: [] };
}
