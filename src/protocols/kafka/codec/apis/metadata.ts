import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, bool, int16, int32, string, uuid } from '../schema.ts';
import { ZERO_UUID } from '../uuid.ts';

/**
 * Topics: v0 asks for all with an empty list, later versions with null; from v1 on the empty list is none. v1:
 * controller; v2: cluster id; v4: auto-creation is the client's choice; v5: offline replicas; v7: leader epochs;
 * v8–10: authorized operations; v9: flexible; v10: topic ids, answered; v12: asked for, with a null name; v13: an
 * error for the whole answer.
 */
export const metadata = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexible: 9,
  request: {
    topics: array(
      { topicId: uuid({ since: 10, default: ZERO_UUID }), name: string({ nullableSince: 10 }) },
      { nullableSince: 1 },
    ),
    allowAutoTopicCreation: bool({ since: 4, default: true }),
    includeClusterAuthorizedOperations: bool({ since: 8, until: 10, default: false }),
    includeTopicAuthorizedOperations: bool({ since: 8, default: false }),
  },
  response: {
    throttleTimeMs: int32({ since: 3, default: 0 }),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ since: 1, nullable: true, default: null }),
    }),
    clusterId: string({ since: 2, nullable: true, default: null }),
    controllerId: int32({ since: 1, default: -1 }),
    topics: array({
      errorCode: int16(),
      name: string({ nullableSince: 12 }),
      topicId: uuid({ since: 10 }),
      isInternal: bool({ since: 1, default: false }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ since: 7, default: -1 }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        offlineReplicas: array(int32(), { since: 5, default: [] }),
      }),
      topicAuthorizedOperations: int32({ since: 8, default: -2147483648 }),
    }),
    clusterAuthorizedOperations: int32({ since: 8, until: 10, default: -2147483648 }),
    errorCode: int16({ since: 13, default: 0 }),
  },
});

export type MetadataRequest = RequestOf<typeof metadata>;
export type MetadataResponse = ResponseInput<typeof metadata>;

type WantedTopic = NonNullable<MetadataRequest['topics']>[number];

/**
 * Whether a topic is asked for by its id, which counts before its name: Java's Admin sends an empty one with it. There are ids from
 * version 10 on, and answers without a name from 12 on.
 */
export function isAskedById({ name, topicId }: WantedTopic, version: number): boolean {
  return name === null || (version >= 12 && topicId !== ZERO_UUID);
}
