import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int16, int32, int64, string, uuid } from '../schema.ts';

/** KIP-932. Of a group whose topics are null, all partitions that it has offsets of. */
export const describeShareGroupOffsets = api({
  key: 90,
  name: 'DescribeShareGroupOffsets',
  versions: [0, 1],
  flexible: 0,
  request: {
    groups: array({
      groupId: string(),
      topics: array({ topicName: string(), partitions: array(int32()) }, { nullable: true }),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    groups: array({
      groupId: string(),
      topics: array({
        topicName: string(),
        topicId: uuid(),
        partitions: array({
          partitionIndex: int32(),
          startOffset: int64(),
          leaderEpoch: int32(),
          lag: int64({ since: 1, default: -1 }),
          errorCode: int16(),
          errorMessage: string({ nullable: true, default: null }),
        }),
      }),
      errorCode: int16(),
      errorMessage: string({ nullable: true, default: null }),
    }),
  },
});

export type DescribeShareGroupOffsetsRequest = RequestOf<typeof describeShareGroupOffsets>;
export type DescribeShareGroupOffsetsResponse = ResponseInput<typeof describeShareGroupOffsets>;
