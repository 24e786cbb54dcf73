import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, bool, int16, int32, int64, string, uuid } from '../schema.ts';
import { ZERO_UUID } from '../uuid.ts';

/**
 * v2: null topics are all of the group's, and an error of the group; v5: leader epoch; v6: flexible; v7: unstable
 * offsets refused (KIP-447); v8: several groups in one request (KIP-709); v9: KIP-848 groups; v10: topic ids.
 */
export const offsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 10],
  lastStable: 9,
  flexible: 6,
  request: {
    groupId: string({ until: 7, default: '' }),
    topics: array({ name: string(), partitionIndexes: array(int32()) }, { until: 7, nullableSince: 2, default: [] }),
    groups: array(
      {
        groupId: string(),
        memberId: string({ since: 9, nullable: true, default: null }),
        memberEpoch: int32({ since: 9, default: -1 }),
        topics: array(
          {
            name: string({ until: 9, default: '' }),
            topicId: uuid({ since: 10, default: ZERO_UUID }),
            partitionIndexes: array(int32()),
          },
          { nullable: true },
        ),
      },
      { since: 8, default: [] },
    ),
    requireStable: bool({ since: 7, default: false }),
  },
  response: {
    throttleTimeMs: int32({ since: 3, default: 0 }),
    topics: array(
      {
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          committedOffset: int64(),
          committedLeaderEpoch: int32({ since: 5, default: -1 }),
          metadata: string({ nullable: true }),
          errorCode: int16(),
        }),
      },
      { until: 7, default: [] },
    ),
    errorCode: int16({ since: 2, until: 7, default: 0 }),
    groups: array(
      {
        groupId: string(),
        topics: array({
          name: string({ until: 9 }),
          topicId: uuid({ since: 10, default: ZERO_UUID }),
          partitions: array({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32({ default: -1 }),
            metadata: string({ nullable: true }),
            errorCode: int16(),
          }),
        }),
        errorCode: int16({ default: 0 }),
      },
      { since: 8, default: [] },
    ),
  },
});

export type OffsetFetchRequest = RequestOf<typeof offsetFetch>;
export type OffsetFetchResponse = ResponseInput<typeof offsetFetch>;
