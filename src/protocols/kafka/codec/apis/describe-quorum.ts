import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int16, int32, int64, string, uint16, uuid } from '../schema.ts';

const replica = {
  replicaId: int32(),
  replicaDirectoryId: uuid({ since: 2, default: '00000000-0000-0000-0000-000000000000' }),
  logEndOffset: int64(),
  lastFetchTimestamp: int64({ since: 1, default: -1 }),
  lastCaughtUpTimestamp: int64({ since: 1, default: -1 }),
};

/** v1: when replicas fetched (KIP-836); v2: directories, nodes and messages (KIP-853). */
export const describeQuorum = api({
  key: 55,
  name: 'DescribeQuorum',
  versions: [0, 2],
  flexible: 0,
  request: { topics: array({ topicName: string(), partitions: array({ partitionIndex: int32() }) }) },
  response: {
    errorCode: int16(),
    errorMessage: string({ since: 2, nullable: true, default: null }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        errorMessage: string({ since: 2, nullable: true, default: null }),
        leaderId: int32({ default: -1 }),
        leaderEpoch: int32({ default: -1 }),
        highWatermark: int64({ default: -1 }),
        currentVoters: array(replica, { default: [] }),
        observers: array(replica, { default: [] }),
      }),
    }),
    nodes: array(
      { nodeId: int32(), listeners: array({ name: string(), host: string(), port: uint16() }) },
      { since: 2, default: [] },
    ),
  },
});

export type DescribeQuorumRequest = RequestOf<typeof describeQuorum>;
export type DescribeQuorumResponse = ResponseInput<typeof describeQuorum>;
