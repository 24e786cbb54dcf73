import { leaveGroup } from '../codec/apis/leave-group.ts';
import { groupCodeNumber, groupErrorNumber } from '../errors.ts';
import { handler } from '../handler.ts';

/** Members leave, or are removed by an administrator. */
export const leaveGroupHandler = handler(
  leaveGroup,
  async ({ groupId, memberId, members }, { broker, logger, version }) => {
    const leaving = version >= 3 ? members : [{ memberId, groupInstanceId: null }];
    try {
      const results = await broker.groups.coordinatorOf(groupId).leave({ groupId, members: leaving });
      const answers = results.map(({ error, ...member }) => ({ ...member, errorCode: groupCodeNumber(error) }));
      return version >= 3 ? { errorCode: 0, members: answers } : { errorCode: answers[0]?.errorCode ?? 0 };
    } catch (error) {
      return { errorCode: groupErrorNumber(error, logger) };
    }
  },
);
