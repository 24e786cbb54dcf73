import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int8, int16, int32, int64, records, string, struct, uuid } from '../schema.ts';
import { ZERO_UUID } from '../uuid.ts';

/**
 * v4: isolation levels; v5: log start offset; v7: fetch sessions (KIP-227); v9: leader epoch (KIP-320); v10:
 * Zstandard; v11: rack, preferred replica (KIP-392); v12: flexible, diverging epoch; v13: topic ids (KIP-516);
 * v15: replica state (KIP-903); v16: leaders' endpoints (KIP-951). The high watermark of v18 is what followers
 * tell; the default stands for Kafka's 2⁶³ − 1, which is never on the wire.
 */
export const fetch = api({
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexible: 12,
  request: {
    clusterId: string({ since: 12, nullable: true, tag: 0, default: null }),
    replicaId: int32({ until: 14, default: -1 }),
    replicaState: struct(
      { replicaId: int32({ default: -1 }), replicaEpoch: int64({ default: -1 }) },
      { since: 15, tag: 1 },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 2147483647 }),
    isolationLevel: int8({ default: 0 }),
    sessionId: int32({ since: 7, default: 0 }),
    sessionEpoch: int32({ since: 7, default: -1 }),
    topics: array({
      topic: string({ until: 12, default: '' }),
      topicId: uuid({ since: 13, default: ZERO_UUID }),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ since: 9, default: -1 }),
        fetchOffset: int64(),
        lastFetchedEpoch: int32({ since: 12, default: -1 }),
        logStartOffset: int64({ since: 5, default: -1 }),
        partitionMaxBytes: int32(),
        replicaDirectoryId: uuid({ since: 17, tag: 0 }),
        highWatermark: int64({ since: 18, tag: 1, default: Number.MAX_SAFE_INTEGER }),
      }),
    }),
    forgottenTopicsData: array(
      {
        topic: string({ until: 12, default: '' }),
        topicId: uuid({ since: 13, default: ZERO_UUID }),
        partitions: array(int32()),
      },
      { since: 7, default: [] },
    ),
    rackId: string({ since: 11, default: '' }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ since: 7, default: 0 }),
    sessionId: int32({ since: 7, default: 0 }),
    responses: array({
      topic: string({ until: 12 }),
      topicId: uuid({ since: 13 }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64({ default: -1 }),
        logStartOffset: int64({ since: 5, default: -1 }),
        divergingEpoch: struct(
          { epoch: int32({ default: -1 }), endOffset: int64({ default: -1 }) },
          { since: 12, tag: 0 },
        ),
        currentLeader: struct(
          { leaderId: int32({ default: -1 }), leaderEpoch: int32({ default: -1 }) },
          { since: 12, tag: 1 },
        ),
        snapshotId: struct({ endOffset: int64({ default: -1 }), epoch: int32({ default: -1 }) }, { since: 12, tag: 2 }),
        abortedTransactions: array({ producerId: int64(), firstOffset: int64() }, { nullable: true, default: null }),
        preferredReadReplica: int32({ since: 11, default: -1 }),
        records: records({ nullable: true }),
      }),
    }),
    nodeEndpoints: array(
      {
        nodeId: int32(),
        host: string(),
        port: int32(),
        rack: string({ nullable: true, default: null }),
      },
      { since: 16, tag: 0 },
    ),
  },
});

export type FetchRequest = RequestOf<typeof fetch>;
export type FetchResponse = ResponseInput<typeof fetch>;
