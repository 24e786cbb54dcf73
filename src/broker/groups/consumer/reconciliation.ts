import { type Assignment, equal, lookup, NO_PARTITIONS, split, union } from './assignment.ts';
import type { ConsumerMember } from './membership.ts';

export interface Aim {
  /** The epoch of the targets. */
  readonly epoch: number;
  readonly target: Assignment;
  /** Who has a partition, or is yet to give it back. */
  readonly owner: (topicId: string, partition: number) => string | undefined;
  /** What the member says that it has; null when it does not say. */
  readonly owned: Assignment | null;
}

/**
 * The member's next step towards its target, or the member as it is. Partitions are first given back, then handed out: the
 * member keeps its epoch until it has given back what it has to, then goes over to the target's, and is given what is free;
 * what others have yet to give back comes later. Follows Kafka's CurrentAssignmentBuilder.
 *
 *     stable ─another target→ revoking ─given back→ waiting ─others gave back→ stable
 */
export function reconciled(member: ConsumerMember, aim: Aim): ConsumerMember {
  switch (member.state) {
    case 'stable':
      return member.epoch === aim.epoch ? member : next(member, member.epoch, aim);
    case 'revoking':
      // The step to the next epoch is worth as much as the revocation was: there may be a later target by now.
      return stillHas(member.revoking, aim.owned) ? member : next(member, member.epoch + 1, aim);
    case 'waiting':
      return next(member, member.epoch, aim);
  }
}

/** Whether there is nothing left to do for it. */
export function isReconciled({ state, epoch }: ConsumerMember, assignmentEpoch: number): boolean {
  return state === 'stable' && epoch === assignmentEpoch;
}

function next(
  member: ConsumerMember,
  epoch: number,
  { epoch: targetEpoch, target, owner, owned }: Aim,
): ConsumerMember {
  const { yes: kept, no: excess } = split(member.assigned, lookup(target));
  if (excess.length > 0 && stillHas(excess, owned)) {
    return moved(member, { epoch, state: 'revoking', assigned: kept, revoking: excess });
  }
  const has = lookup(kept);
  const wanted = split(target, has).no;
  const { yes: free, no: taken } = split(wanted, (topicId, partition) => {
    const other = owner(topicId, partition);
    return other === undefined || other === member.memberId;
  });
  return moved(member, {
    epoch: targetEpoch,
    state: taken.length > 0 ? 'waiting' : 'stable',
    assigned: union(kept, free),
    revoking: NO_PARTITIONS,
  });
}

/** Who does not say what it has may have it still. */
function stillHas(revoking: Assignment, owned: Assignment | null): boolean {
  if (owned === null) return true;
  return split(revoking, lookup(owned)).yes.length > 0;
}

function moved(
  member: ConsumerMember,
  step: Pick<ConsumerMember, 'epoch' | 'state' | 'assigned' | 'revoking'>,
): ConsumerMember {
  // What stays the same stays the same object: that is how it is told from what has changed.
  const assigned = equal(member.assigned, step.assigned) ? member.assigned : step.assigned;
  const revoking = equal(member.revoking, step.revoking) ? member.revoking : step.revoking;
  const sameEpoch = member.epoch === step.epoch;
  if (sameEpoch && member.state === step.state && assigned === member.assigned && revoking === member.revoking)
    return member;
  const previousEpoch = sameEpoch ? member.previousEpoch : member.epoch;
  return { ...member, epoch: step.epoch, previousEpoch, state: step.state, assigned, revoking };
}
