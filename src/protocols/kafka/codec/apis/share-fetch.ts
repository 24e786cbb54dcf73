import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, bool, int8, int16, int32, int64, records, string, struct, uuid } from '../schema.ts';

/**
 * KIP-932. Acknowledges and fetches at once. Acknowledge types: 0 gap, 1 accept, 2 release, 3 reject, 4 renew (from v2 on,
 * KIP-1222); one for the whole batch or one per offset of it. Acquire modes (KIP-1206): 0 batch-optimized, 1 record-limit. v0 was an
 * early-access version that differs.
 */
export const shareFetch = api({
  key: 78,
  name: 'ShareFetch',
  versions: [1, 2],
  flexible: 0,
  request: {
    groupId: string({ nullable: true, default: null }),
    memberId: string({ nullable: true }),
    shareSessionEpoch: int32(),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 2147483647 }),
    maxRecords: int32(),
    batchSize: int32(),
    shareAcquireMode: int8({ since: 2, default: 0 }),
    isRenewAck: bool({ since: 2, default: false }),
    topics: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        acknowledgementBatches: array({ firstOffset: int64(), lastOffset: int64(), acknowledgeTypes: array(int8()) }),
      }),
    }),
    forgottenTopicsData: array({ topicId: uuid(), partitions: array(int32()) }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    acquisitionLockTimeoutMs: int32(),
    responses: array({
      topicId: uuid(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: true, default: null }),
        acknowledgeErrorCode: int16(),
        acknowledgeErrorMessage: string({ nullable: true, default: null }),
        currentLeader: struct({ leaderId: int32(), leaderEpoch: int32() }),
        records: records(),
        acquiredRecords: array({ firstOffset: int64(), lastOffset: int64(), deliveryCount: int16() }),
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: true, default: null }),
    }),
  },
});

export type ShareFetchRequest = RequestOf<typeof shareFetch>;
export type ShareFetchResponse = ResponseInput<typeof shareFetch>;
