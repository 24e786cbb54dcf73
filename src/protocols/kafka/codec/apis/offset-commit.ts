import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int16, int32, int64, string, uuid } from '../schema.ts';
import { ZERO_UUID } from '../uuid.ts';

/**
 * v5 drops the retention time; v6: leader epoch; v7: static members (KIP-345); v8: flexible; v9: KIP-848 groups,
 * where the generation is the member epoch; v10: topic ids.
 */
export const offsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 10],
  lastStable: 9,
  flexible: 8,
  request: {
    groupId: string(),
    generationIdOrMemberEpoch: int32({ default: -1 }),
    memberId: string(),
    groupInstanceId: string({ since: 7, nullable: true, default: null }),
    retentionTimeMs: int64({ until: 4, default: -1 }),
    topics: array({
      name: string({ until: 9, default: '' }),
      topicId: uuid({ since: 10, default: ZERO_UUID }),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ since: 6, default: -1 }),
        committedMetadata: string({ nullable: true }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ since: 3, default: 0 }),
    topics: array({
      name: string({ until: 9 }),
      topicId: uuid({ since: 10, default: ZERO_UUID }),
      partitions: array({ partitionIndex: int32(), errorCode: int16() }),
    }),
  },
});

export type OffsetCommitRequest = RequestOf<typeof offsetCommit>;
export type OffsetCommitResponse = ResponseInput<typeof offsetCommit>;
