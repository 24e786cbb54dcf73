import { heartbeat } from '../codec/apis/heartbeat.ts';
import { groupErrorNumber } from '../errors.ts';
import { handler } from '../handler.ts';

/** A member says that it is there. */
export const heartbeatHandler = handler(heartbeat, async ({ generationId, ...request }, { broker, logger }) => {
  try {
    await broker.groups.coordinatorOf(request.groupId).heartbeat({ ...request, generation: generationId });
    return { errorCode: 0 };
  } catch (error) {
    return { errorCode: groupErrorNumber(error, logger) };
  }
});
