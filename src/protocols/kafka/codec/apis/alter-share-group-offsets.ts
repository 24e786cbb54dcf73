import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int16, int32, int64, string, uuid } from '../schema.ts';

/** KIP-932. */
export const alterShareGroupOffsets = api({
  key: 91,
  name: 'AlterShareGroupOffsets',
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string(),
    topics: array({ topicName: string(), partitions: array({ partitionIndex: int32(), startOffset: int64() }) }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    responses: array({
      topicName: string(),
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: true, default: null }),
      }),
    }),
  },
});

export type AlterShareGroupOffsetsRequest = RequestOf<typeof alterShareGroupOffsets>;
export type AlterShareGroupOffsetsResponse = ResponseInput<typeof alterShareGroupOffsets>;
