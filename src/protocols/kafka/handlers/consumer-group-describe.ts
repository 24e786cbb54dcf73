import { GROUP_OPERATIONS } from '../authorized-operations.ts';
import { type ConsumerGroupDescribeResponse, consumerGroupDescribe } from '../codec/apis/consumer-group-describe.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorText } from '../errors.ts';
import { handler, type RequestContext } from '../handler.ts';
import { namedAssignment } from '../named-assignment.ts';

/** What version 1 says of members that use one protocol or the other. */
const MEMBER_TYPES = { classic: 0, consumer: 1 } as const;

/** State and members of consumer groups (KIP-848), of each once. */
export const consumerGroupDescribeHandler = handler(
  consumerGroupDescribe,
  ({ groupIds, includeAuthorizedOperations }, context) => ({
    groups: Array.from(new Set(groupIds), (groupId) => describe(groupId, includeAuthorizedOperations, context)),
  }),
  { answersMuch: true },
);

function describe(
  groupId: string,
  operations: boolean,
  { broker }: RequestContext,
): ConsumerGroupDescribeResponse['groups'][number] {
  const coordinator = broker.groups.coordinatorOf(groupId);
  const group = coordinator.describeConsumers(groupId);
  if (group === undefined) {
    const isOther = coordinator.share.has(groupId) || coordinator.describe(groupId) !== undefined;
    const why = isOther ? 'is not a consumer group' : 'not found';
    return {
      errorCode: KafkaError.GROUP_ID_NOT_FOUND,
      errorMessage: errorText(`Group ${groupId} ${why}.`),
      ...{ groupId, groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] },
    };
  }
  return {
    errorCode: 0,
    groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: group.assignor,
    members: group.members.map(({ topicNames, topicRegex, assignment, target, protocol, ...member }) => ({
      ...member,
      subscribedTopicNames: topicNames,
      subscribedTopicRegex: topicRegex === '' ? null : topicRegex,
      assignment: namedAssignment(assignment, broker),
      targetAssignment: namedAssignment(target, broker),
      memberType: MEMBER_TYPES[protocol],
    })),
    ...(operations && { authorizedOperations: GROUP_OPERATIONS }),
  };
}
