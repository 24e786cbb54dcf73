import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int16, int32, string } from '../schema.ts';

/** v3: several members at once (KIP-345); v4: flexible; v5: a reason (KIP-800). */
export const leaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string(),
    memberId: string({ until: 2, default: '' }),
    members: array(
      {
        memberId: string(),
        groupInstanceId: string({ nullable: true, default: null }),
        reason: string({ since: 5, nullable: true, default: null }),
      },
      { since: 3, default: [] },
    ),
  },
  response: {
    throttleTimeMs: int32({ since: 1, default: 0 }),
    errorCode: int16(),
    members: array(
      { memberId: string(), groupInstanceId: string({ nullable: true }), errorCode: int16() },
      { since: 3, default: [] },
    ),
  },
});

export type LeaveGroupRequest = RequestOf<typeof leaveGroup>;
export type LeaveGroupResponse = ResponseInput<typeof leaveGroup>;
