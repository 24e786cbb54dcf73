import type { Assignment, Broker } from '../../broker/index.ts';
import type { AssignedPartitions, GroupDetails, GroupMember } from './shapes/groups.ts';

/** A group's members, and what is known of it beside its offsets. */
export interface GroupView {
  readonly state: string;
  readonly assignor: string;
  readonly epoch: number | null;
  readonly assignmentEpoch: number | null;
  readonly members: readonly GroupMember[];
}

/** Undefined when there is no such group. */
export function viewOf(broker: Broker, group: string): GroupView | undefined {
  const coordinator = broker.groups.coordinatorOf(group);
  const shared = coordinator.share.describe(group);
  if (shared !== undefined) {
    const { state, assignor, epoch, assignmentEpoch } = shared;
    const members = shared.members.map(({ topicNames, assignment, memberEpoch, ...member }) => ({
      ...identityOf({ ...member, instanceId: null }),
      ...{ epoch: memberEpoch, protocol: 'share' as const, subscription: topicNames },
      assignment: namedAssignment(broker, assignment),
    }));
    return { state, assignor, epoch, assignmentEpoch, members };
  }
  const consumers = coordinator.describeConsumers(group);
  if (consumers !== undefined) {
    const { state, assignor, epoch, assignmentEpoch } = consumers;
    const members = consumers.members.map(
      ({ topicNames, topicRegex, assignment, memberEpoch, protocol, ...member }) => ({
        ...identityOf(member),
        ...{ epoch: memberEpoch, protocol },
        subscription: topicRegex === '' ? topicNames : [...topicNames, topicRegex],
        assignment: namedAssignment(broker, assignment),
      }),
    );
    return { state, assignor, epoch, assignmentEpoch, members };
  }
  const classic = coordinator.describe(group);
  if (classic === undefined) return undefined;
  const { embedded } = broker.groups;
  const isConsumer = classic.protocolType === 'consumer';
  const members = classic.members.map(({ metadata, assignment, groupInstanceId, ...member }) => ({
    ...identityOf({ ...member, instanceId: groupInstanceId }),
    ...{ epoch: null, protocol: 'classic' as const },
    subscription: (isConsumer && embedded.subscription(metadata)?.topics) || [],
    assignment: isConsumer
      ? (embedded.assignment(assignment)?.map(({ topic, partitions }) => ({ stream: topic, partitions })) ?? null)
      : null,
  }));
  const { state, protocolName: assignor } = classic;
  return { state, assignor, epoch: null, assignmentEpoch: null, members };
}

/** Which member has each partition: by `stream` and partition with a slash. */
export function ownersIn(view: GroupView | undefined): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const { member_id: memberId, assignment } of view?.members ?? [])
    for (const { stream, partitions } of assignment ?? [])
      for (const partition of partitions) owners.set(`${stream}/${partition}`, memberId);
  return owners;
}

/** What a view adds to a summary. */
export function detailsOf({
  assignor,
  epoch,
  assignmentEpoch,
}: GroupView): Pick<GroupDetails, 'assignor' | 'epoch' | 'assignment_epoch'> {
  return { assignor, epoch, assignment_epoch: assignmentEpoch };
}

function identityOf(member: {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
}) {
  const { memberId, instanceId, clientId, clientHost } = member;
  return { member_id: memberId, instance_id: instanceId, client_id: clientId, host: clientHost };
}

/** A stream that was deleted has no name any more, and is not shown. */
function namedAssignment({ streams }: Broker, assignment: Assignment): AssignedPartitions[] {
  return assignment.flatMap(({ topicId, partitions }) => {
    const stream = streams.getById(topicId);
    return stream === undefined ? [] : [{ stream: stream.name, partitions }];
  });
}
