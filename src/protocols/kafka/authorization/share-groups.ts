import { alterShareGroupOffsets } from '../codec/apis/alter-share-group-offsets.ts';
import { deleteShareGroupOffsets } from '../codec/apis/delete-share-group-offsets.ts';
import { describeShareGroupOffsets } from '../codec/apis/describe-share-group-offsets.ts';
import { shareAcknowledge } from '../codec/apis/share-acknowledge.ts';
import { shareFetch } from '../codec/apis/share-fetch.ts';
import { shareGroupDescribe } from '../codec/apis/share-group-describe.ts';
import { shareGroupHeartbeat } from '../codec/apis/share-group-heartbeat.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import { authorizedOperations } from './operations.ts';
import { divide, mayGroup, mayTopic, type Rule, rule } from './rule.ts';

const errorCode = KafkaError.GROUP_AUTHORIZATION_FAILED;
const topicErrorCode = KafkaError.TOPIC_AUTHORIZATION_FAILED;
const NO_DETAILS = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] };

/** Share groups (KIP-932), their members, and where they stand. */
export const SHARE_GROUP_RULES: readonly Rule[] = [
  rule(shareGroupHeartbeat, (request, context, next) => {
    const refused = (code: number) => ({ errorCode: code, memberEpoch: 0, heartbeatIntervalMs: 0 });
    if (!mayGroup(context, 'read', request.groupId)) return refused(errorCode);
    const hidden = request.subscribedTopicNames?.some((name) => !mayTopic(context, 'describe', name));
    return hidden ? refused(topicErrorCode) : next(request);
  }),
  rule(shareGroupDescribe, async (request, context, next) => {
    const [allowed, refused] = divide(request.groupIds, (groupId) => mayGroup(context, 'describe', groupId));
    const answer = await next({ ...request, groupIds: allowed });
    const groups = (answer?.groups ?? []).map((group) => {
      const assigned = group.members.flatMap(({ assignment }) =>
        assignment.topicPartitions.map(({ topicName }) => topicName),
      );
      const { groupId } = group;
      if (!assigned.every((name) => mayTopic(context, 'describe', name))) {
        const errorMessage = 'The group has described topic(s) that the client is not authorized to describe.';
        return { ...NO_DETAILS, errorCode: topicErrorCode, errorMessage, groupId };
      }
      if (group.authorizedOperations === undefined) return group;
      return { ...group, authorizedOperations: authorizedOperations(context, 'group', groupId) };
    });
    return { ...answer, groups: [...groups, ...refused.map((groupId) => ({ ...NO_DETAILS, errorCode, groupId }))] };
  }),
  // Their handlers ask for each topic themselves: those of a session are not in the request.
  rule(shareFetch, (request, context, next) => {
    if (mayGroup(context, 'read', request.groupId ?? '')) return next(request);
    return { errorCode, acquisitionLockTimeoutMs: 0, responses: [], nodeEndpoints: [] };
  }),
  rule(shareAcknowledge, (request, context, next) => {
    if (mayGroup(context, 'read', request.groupId ?? '')) return next(request);
    return { errorCode, acquisitionLockTimeoutMs: 0, responses: [], nodeEndpoints: [] };
  }),
  rule(describeShareGroupOffsets, async (request, context, next) => {
    const [allowed, refused] = divide(request.groups, ({ groupId }) => mayGroup(context, 'describe', groupId));
    const hidden = new Map<string, readonly { readonly topicName: string; readonly partitions: readonly number[] }[]>();
    const asked = allowed.map((group) => {
      const [visible, others] = divide(group.topics ?? [], ({ topicName }) => mayTopic(context, 'describe', topicName));
      hidden.set(group.groupId, others);
      return { ...group, topics: group.topics === null ? null : visible };
    });
    const answer = await next({ ...request, groups: asked });
    const groups = (answer?.groups ?? []).map((group) => ({
      ...group,
      topics: [
        ...group.topics.filter(({ topicName }) => mayTopic(context, 'describe', topicName)),
        ...(hidden.get(group.groupId) ?? []).map(({ topicName, partitions }) => ({
          ...{ topicName, topicId: ZERO_UUID },
          partitions: partitions.map((partitionIndex) => ({
            ...{ partitionIndex, startOffset: -1, leaderEpoch: 0, errorCode: topicErrorCode },
          })),
        })),
      ],
    }));
    return { ...answer, groups: [...groups, ...refused.map(({ groupId }) => ({ groupId, errorCode, topics: [] }))] };
  }),
  rule(alterShareGroupOffsets, async (request, context, next) => {
    if (!mayGroup(context, 'read', request.groupId)) return { errorCode, responses: [] };
    const [allowed, refused] = divide(request.topics, ({ topicName }) => mayTopic(context, 'read', topicName));
    const answer = (await next({ ...request, topics: allowed })) ?? { errorCode: 0, responses: [] };
    if (answer.errorCode !== 0) return answer;
    const responses = refused.map(({ topicName, partitions }) => ({
      ...{ topicName, topicId: ZERO_UUID },
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: topicErrorCode })),
    }));
    return { ...answer, responses: [...answer.responses, ...responses] };
  }),
  rule(deleteShareGroupOffsets, async (request, context, next) => {
    if (!mayGroup(context, 'delete', request.groupId)) return { errorCode, responses: [] };
    const [allowed, refused] = divide(request.topics, ({ topicName }) => mayTopic(context, 'read', topicName));
    const answer = (await next({ ...request, topics: allowed })) ?? { errorCode: 0, responses: [] };
    if (answer.errorCode !== 0) return answer;
    const responses = refused.map(({ topicName }) => ({ topicName, topicId: ZERO_UUID, errorCode: topicErrorCode }));
    return { ...answer, responses: [...answer.responses, ...responses] };
  }),
];
