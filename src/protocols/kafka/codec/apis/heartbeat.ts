import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { int16, int32, string } from '../schema.ts';

/** v3: static members (KIP-345); v4: flexible. */
export const heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexible: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ since: 3, nullable: true, default: null }),
  },
  response: { throttleTimeMs: int32({ since: 1, default: 0 }), errorCode: int16() },
});

export type HeartbeatRequest = RequestOf<typeof heartbeat>;
export type HeartbeatResponse = ResponseInput<typeof heartbeat>;
