import { type SyncGroupRequest, type SyncGroupResponse, syncGroup } from '../codec/apis/sync-group.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { groupErrorNumber } from '../errors.ts';
import { handler, type RequestContext } from '../handler.ts';
import { whileConnected } from '../waiting.ts';

const NO_ASSIGNMENT = Buffer.alloc(0);

/** A member asks for its assignment: answered when the leader has given one. */
export const syncGroupHandler = handler(syncGroup, (request, context) =>
  whileConnected(sync(request, context), refused(KafkaError.COORDINATOR_NOT_AVAILABLE), context),
);

async function sync(
  { generationId, ...request }: SyncGroupRequest,
  { broker, logger }: RequestContext,
): Promise<SyncGroupResponse> {
  try {
    const result = await broker.groups.coordinatorOf(request.groupId).sync({ ...request, generation: generationId });
    return { errorCode: 0, ...result };
  } catch (error) {
    return refused(groupErrorNumber(error, logger));
  }
}

function refused(errorCode: number): SyncGroupResponse {
  return { errorCode, assignment: NO_ASSIGNMENT };
}
