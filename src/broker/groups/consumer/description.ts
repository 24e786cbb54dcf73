import type { GroupListing } from '../membership.ts';
import { elect } from './assignors.ts';
import type { ConsumerGroupDescription, ConsumerGroupState } from './heartbeat.ts';
import type { ConsumerMembership } from './membership.ts';
import { isReconciled } from './reconciliation.ts';

/** What anybody may know of a group, by what is durable of it. */
export function describeConsumerGroup(groupId: string, group: ConsumerMembership): ConsumerGroupDescription {
  return {
    groupId,
    state: stateOf(group),
    epoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignor: elect([...group.members.values()].map(({ assignor }) => assignor)),
    members: Array.from(group.members.values(), ({ epoch, assigned, classic, ...member }) => ({
      ...member,
      memberEpoch: epoch,
      assignment: assigned,
      target: group.target(member.memberId),
      protocol: classic === undefined ? 'consumer' : 'classic',
    })),
  };
}

export function listConsumerGroup(groupId: string, group: ConsumerMembership): GroupListing {
  return { groupId, protocolType: 'consumer', state: stateOf(group), type: 'consumer' };
}

function stateOf(group: ConsumerMembership): ConsumerGroupState {
  if (group.members.size === 0) return 'Empty';
  if (group.epoch > group.assignmentEpoch) return 'Assigning';
  for (const member of group.members.values()) if (!isReconciled(member, group.assignmentEpoch)) return 'Reconciling';
  return 'Stable';
}
