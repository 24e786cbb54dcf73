import { GROUP_OPERATIONS } from '../authorized-operations.ts';
import { type ShareGroupDescribeResponse, shareGroupDescribe } from '../codec/apis/share-group-describe.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorText } from '../errors.ts';
import { handler, type RequestContext } from '../handler.ts';
import { namedAssignment } from '../named-assignment.ts';

/** State and members of share groups (KIP-932), of each once. */
export const shareGroupDescribeHandler = handler(
  shareGroupDescribe,
  ({ groupIds, includeAuthorizedOperations }, context) => ({
    groups: Array.from(new Set(groupIds), (groupId) => describe(groupId, includeAuthorizedOperations, context)),
  }),
  { answersMuch: true },
);

function describe(
  groupId: string,
  operations: boolean,
  { broker }: RequestContext,
): ShareGroupDescribeResponse['groups'][number] {
  const coordinator = broker.groups.coordinatorOf(groupId);
  const group = coordinator.share.describe(groupId);
  if (group === undefined) {
    const isOther = coordinator.describe(groupId) ?? coordinator.describeConsumers(groupId);
    return {
      errorCode: KafkaError.GROUP_ID_NOT_FOUND,
      errorMessage: errorText(isOther ? `Group ${groupId} is not a share group.` : `Share group ${groupId} not found.`),
      ...{ groupId, groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] },
    };
  }
  return {
    ...{ errorCode: 0, groupId, groupState: group.state, groupEpoch: group.epoch },
    ...{ assignmentEpoch: group.assignmentEpoch, assignorName: group.assignor },
    members: group.members.map(({ topicNames, assignment, ...member }) => ({
      ...member,
      subscribedTopicNames: topicNames,
      assignment: namedAssignment(assignment, broker),
    })),
    ...(operations && { authorizedOperations: GROUP_OPERATIONS }),
  };
}
