import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int8, int16, int32, int64, string } from '../schema.ts';

/**
 * Timestamps are milliseconds since 1970, or: -1 latest, -2 earliest, -3 largest timestamp (v7), -4 earliest local
 * (v8), -5 last tiered (v9). v2: isolation level; v4: leader epoch; v6: flexible; v10: timeout (KIP-1075).
 */
export const listOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 10],
  flexible: 6,
  request: {
    replicaId: int32(),
    isolationLevel: int8({ since: 2, default: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ since: 4, default: -1 }),
        timestamp: int64(),
      }),
    }),
    timeoutMs: int32({ since: 10, default: 0 }),
  },
  response: {
    throttleTimeMs: int32({ since: 2, default: 0 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        timestamp: int64({ default: -1 }),
        offset: int64({ default: -1 }),
        leaderEpoch: int32({ since: 4, default: -1 }),
      }),
    }),
  },
});

export type ListOffsetsRequest = RequestOf<typeof listOffsets>;
export type ListOffsetsResponse = ResponseInput<typeof listOffsets>;
