import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int16, int32, string, struct, uuid } from '../schema.ts';

const topicPartitions = { topicId: uuid(), partitions: array(int32()) };

/**
 * The new group protocol (KIP-848): joining, leaving, subscribing and assignment are all this one request. Member
 * epochs: 0 joins, -1 leaves, -2 is a static member that will be back. Null and -1 mean 'as before'. v1: regular
 * expressions, and the client makes up its own member id.
 */
export const consumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  flexible: 0,
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: string({ nullable: true, default: null }),
    rackId: string({ nullable: true, default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    subscribedTopicNames: array(string(), { nullable: true, default: null }),
    subscribedTopicRegex: string({ since: 1, nullable: true, default: null }),
    serverAssignor: string({ nullable: true, default: null }),
    topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }, { nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    memberId: string({ nullable: true, default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: struct({ topicPartitions: array(topicPartitions) }, { nullable: true, default: null }),
  },
});

export type ConsumerGroupHeartbeatRequest = RequestOf<typeof consumerGroupHeartbeat>;
export type ConsumerGroupHeartbeatResponse = ResponseInput<typeof consumerGroupHeartbeat>;
