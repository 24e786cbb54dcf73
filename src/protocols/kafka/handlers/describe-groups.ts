import { GROUP_OPERATIONS } from '../authorized-operations.ts';
import { describeGroups } from '../codec/apis/describe-groups.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorText } from '../errors.ts';
import { handler, type RequestContext } from '../handler.ts';

/** State and members of groups, of each once. What is not there is Dead, and from version 6 on an error as well. */
export const describeGroupsHandler = handler(
  describeGroups,
  ({ groups, includeAuthorizedOperations }, { broker, version }) => ({
    groups: Array.from(new Set(groups), (groupId) => {
      const group = broker.groups.coordinatorOf(groupId).describe(groupId);
      const missing = group === undefined && version >= 6;
      return {
        errorCode: missing ? KafkaError.GROUP_ID_NOT_FOUND : KafkaError.NONE,
        errorMessage: missing ? errorText(`Group ${groupId} ${notThere(groupId, broker)}.`) : null,
        groupId,
        groupState: group?.state ?? 'Dead',
        protocolType: group?.protocolType ?? '',
        protocolData: group?.protocolName ?? '',
        members: (group?.members ?? []).map(({ metadata, assignment, ...member }) => ({
          ...member,
          memberMetadata: metadata,
          memberAssignment: assignment,
        })),
        ...(includeAuthorizedOperations && !missing && { authorizedOperations: GROUP_OPERATIONS }),
      };
    }),
  }),
  { answersMuch: true },
);

function notThere(groupId: string, broker: RequestContext['broker']): string {
  const coordinator = broker.groups.coordinatorOf(groupId);
  const isOther = coordinator.share.has(groupId) || coordinator.describeConsumers(groupId) !== undefined;
  return isOther ? 'is not a classic group' : 'not found';
}
