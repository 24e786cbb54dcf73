import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int16, int32, string, uuid } from '../schema.ts';

/** KIP-932. */
export const deleteShareGroupOffsets = api({
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: [0, 0],
  flexible: 0,
  request: { groupId: string(), topics: array({ topicName: string() }) },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    responses: array({
      topicName: string(),
      topicId: uuid(),
      errorCode: int16(),
      errorMessage: string({ nullable: true, default: null }),
    }),
  },
});

export type DeleteShareGroupOffsetsRequest = RequestOf<typeof deleteShareGroupOffsets>;
export type DeleteShareGroupOffsetsResponse = ResponseInput<typeof deleteShareGroupOffsets>;
