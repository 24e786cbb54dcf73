import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int16, int32, int64, records, string, struct, uuid } from '../schema.ts';
import { ZERO_UUID } from '../uuid.ts';

/**
 * v3: record batches v2 and transactions; v7: Zstandard (KIP-110); v8: errors of single records (KIP-467); v9:
 * flexible; v10: the new leader comes with its error (KIP-951); v12: a transactional produce adds its partition to
 * the transaction (KIP-890); v13: topic ids.
 */
export const produce = api({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  flexible: 9,
  request: {
    transactionalId: string({ nullable: true, default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: array({
      name: string({ until: 12, default: '' }),
      topicId: uuid({ since: 13, default: ZERO_UUID }),
      partitionData: array({ index: int32(), records: records({ nullable: true }) }),
    }),
  },
  response: {
    responses: array({
      name: string({ until: 12 }),
      topicId: uuid({ since: 13 }),
      partitionResponses: array({
        index: int32(),
        errorCode: int16(),
        baseOffset: int64(),
        logAppendTimeMs: int64({ default: -1 }),
        logStartOffset: int64({ since: 5, default: -1 }),
        recordErrors: array(
          {
            batchIndex: int32(),
            batchIndexErrorMessage: string({ nullable: true, default: null }),
          },
          { since: 8, default: [] },
        ),
        errorMessage: string({ since: 8, nullable: true, default: null }),
        currentLeader: struct(
          { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) },
          { since: 10, tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32({ default: 0 }),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: true, default: null }),
      },
      { since: 10, tag: 0 },
    ),
  },
});

export type ProduceRequest = RequestOf<typeof produce>;
export type ProduceResponse = ResponseInput<typeof produce>;
