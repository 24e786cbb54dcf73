import { consumerGroupDescribe } from '../codec/apis/consumer-group-describe.ts';
import { consumerGroupHeartbeat } from '../codec/apis/consumer-group-heartbeat.ts';
import { deleteGroups } from '../codec/apis/delete-groups.ts';
import { describeGroups } from '../codec/apis/describe-groups.ts';
import { heartbeat } from '../codec/apis/heartbeat.ts';
import { joinGroup } from '../codec/apis/join-group.ts';
import { leaveGroup } from '../codec/apis/leave-group.ts';
import { listGroups } from '../codec/apis/list-groups.ts';
import { offsetCommit } from '../codec/apis/offset-commit.ts';
import { offsetDelete } from '../codec/apis/offset-delete.ts';
import { type OffsetFetchResponse, offsetFetch } from '../codec/apis/offset-fetch.ts';
import { syncGroup } from '../codec/apis/sync-group.ts';
import { KafkaError } from '../codec/error-codes.ts';
import type { RequestContext } from '../handler.ts';
import { authorizedOperations } from './operations.ts';
import { divide, mayCluster, mayGroup, mayTopic, type Rule, rule } from './rule.ts';

const errorCode = KafkaError.GROUP_AUTHORIZATION_FAILED;
const topicErrorCode = KafkaError.TOPIC_AUTHORIZATION_FAILED;
const NO_BYTES = Buffer.alloc(0);
const NO_DETAILS = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] };

type FetchedTopic = OffsetFetchResponse extends { readonly topics?: readonly (infer Topic)[] | undefined }
  ? Topic
  : never;

/** Groups, their members and how far they have come. */
export const GROUP_RULES: readonly Rule[] = [
  rule(joinGroup, (request, context, next) =>
    mayGroup(context, 'read', request.groupId)
      ? next(request)
      : { errorCode, protocolName: '', leader: '', memberId: request.memberId, members: [] },
  ),
  rule(syncGroup, (request, context, next) =>
    mayGroup(context, 'read', request.groupId) ? next(request) : { errorCode, assignment: NO_BYTES },
  ),
  rule(heartbeat, (request, context, next) =>
    mayGroup(context, 'read', request.groupId) ? next(request) : { errorCode },
  ),
  rule(leaveGroup, (request, context, next) =>
    mayGroup(context, 'read', request.groupId) ? next(request) : { errorCode },
  ),
  rule(offsetCommit, async (request, context, next) => {
    const mayCommit = mayGroup(context, 'read', request.groupId);
    const [allowed, refused] = divide(request.topics, ({ name }) => mayCommit && mayTopic(context, 'read', name));
    const answer = allowed.length > 0 || refused.length === 0 ? await next({ ...request, topics: allowed }) : undefined;
    const topics = refused.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: mayCommit ? topicErrorCode : errorCode,
      })),
    }));
    return { ...answer, topics: [...(answer?.topics ?? []), ...topics] };
  }),
  rule(offsetFetch, async (request, context, next) => {
    if (context.version < 8) {
      const { groupId, topics } = request;
      if (!mayGroup(context, 'describe', groupId)) {
        // Version 1 has no place for an error of the group.
        const refused = context.version >= 2 ? [] : (topics ?? []).map((topic) => unfetched(topic, errorCode));
        return { errorCode, topics: refused };
      }
      const [allowed, refused] = divide(topics ?? [], ({ name }) => mayTopic(context, 'describe', name));
      const answer = await next({ ...request, topics: topics === null ? null : allowed });
      const found = (answer?.topics ?? []).filter(({ name }) => mayTopic(context, 'describe', name));
      return { ...answer, topics: [...found, ...refused.map((topic) => unfetched(topic, topicErrorCode))] };
    }
    const [allowed, refused] = divide(request.groups, ({ groupId }) => mayGroup(context, 'describe', groupId));
    const hidden = new Map<string, readonly FetchedTopic[]>();
    const asked = allowed.map((group) => {
      const [visible, others] = divide(group.topics ?? [], ({ name }) => mayTopic(context, 'describe', name));
      hidden.set(
        group.groupId,
        others.map((topic) => unfetched(topic, topicErrorCode)),
      );
      return { ...group, topics: group.topics === null ? null : visible };
    });
    const answer = await next({ ...request, groups: asked });
    const groups = (answer?.groups ?? []).map((group) => ({
      ...group,
      topics: [
        ...group.topics.filter(({ name }) => mayTopic(context, 'describe', name)),
        ...(hidden.get(group.groupId) ?? []),
      ],
    }));
    return { ...answer, groups: [...groups, ...refused.map(({ groupId }) => ({ groupId, errorCode, topics: [] }))] };
  }),
  rule(offsetDelete, async (request, context, next) => {
    if (!mayGroup(context, 'delete', request.groupId)) return { errorCode, topics: [] };
    const [allowed, refused] = divide(request.topics, ({ name }) => mayTopic(context, 'read', name));
    const answer = (await next({ ...request, topics: allowed })) ?? { errorCode: 0, topics: [] };
    const topics = refused.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: topicErrorCode })),
    }));
    return answer.errorCode === 0 ? { ...answer, topics: [...answer.topics, ...topics] } : answer;
  }),
  rule(describeGroups, async (request, context, next) => {
    const [allowed, refused] = divide(request.groups, (groupId) => mayGroup(context, 'describe', groupId));
    const answer = await next({ ...request, groups: allowed });
    const groups = (answer?.groups ?? []).map((group) => withOperations(group, context));
    const others = refused.map((groupId) => ({
      ...{ errorCode, groupId, groupState: '', protocolType: '', protocolData: '', members: [] },
    }));
    return { ...answer, groups: [...groups, ...others] };
  }),
  rule(listGroups, async (request, context, next) => {
    const answer = await next(request);
    if (answer === undefined || mayCluster(context, 'describe')) return answer;
    return { ...answer, groups: answer.groups.filter(({ groupId }) => mayGroup(context, 'describe', groupId)) };
  }),
  rule(deleteGroups, async (request, context, next) => {
    const [allowed, refused] = divide(request.groupsNames, (groupId) => mayGroup(context, 'delete', groupId));
    const answer = await next({ ...request, groupsNames: allowed });
    return { ...answer, results: [...(answer?.results ?? []), ...refused.map((groupId) => ({ groupId, errorCode }))] };
  }),
  rule(consumerGroupHeartbeat, (request, context, next) => {
    const refused = (code: number) => ({ errorCode: code, memberEpoch: 0, heartbeatIntervalMs: 0 });
    if (!mayGroup(context, 'read', request.groupId)) return refused(errorCode);
    const hidden = request.subscribedTopicNames?.some((name) => !mayTopic(context, 'describe', name));
    return hidden ? refused(topicErrorCode) : next(request);
  }),
  rule(consumerGroupDescribe, async (request, context, next) => {
    const [allowed, refused] = divide(request.groupIds, (groupId) => mayGroup(context, 'describe', groupId));
    const answer = await next({ ...request, groupIds: allowed });
    const groups = (answer?.groups ?? []).map((group) => {
      const assigned = group.members.flatMap(({ assignment, targetAssignment }) =>
        [assignment, targetAssignment].flatMap(({ topicPartitions }) =>
          topicPartitions.map(({ topicName }) => topicName),
        ),
      );
      if (assigned.every((name) => mayTopic(context, 'describe', name))) return withOperations(group, context);
      const errorMessage = 'The group has described topic(s) that the client is not authorized to describe.';
      return { ...NO_DETAILS, errorCode: topicErrorCode, errorMessage, groupId: group.groupId };
    });
    return { ...answer, groups: [...groups, ...refused.map((groupId) => ({ ...NO_DETAILS, errorCode, groupId }))] };
  }),
];

/** What stands for offsets that are not told. */
function unfetched(
  { name, partitionIndexes }: { readonly name: string; readonly partitionIndexes: readonly number[] },
  code: number,
): FetchedTopic {
  return {
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      metadata: '',
      errorCode: code,
    })),
  };
}

/** What may be done with a group, where the client has asked for it. */
function withOperations<Group extends { readonly groupId: string; readonly authorizedOperations?: number | undefined }>(
  group: Group,
  context: RequestContext,
): Group {
  if (group.authorizedOperations === undefined) return group;
  return { ...group, authorizedOperations: authorizedOperations(context, 'group', group.groupId) };
}
