import { BrokerError } from '../../../errors.ts';
import { type Assignment, isSubset } from './assignment.ts';
import { type ConsumerHeartbeat, JOINS, LEAVES_FOR_NOW } from './heartbeat.ts';
import type { ConsumerMember, ConsumerMembership } from './membership.ts';

/** Who it is that says something: a member, one that is yet to be, or one that takes the place of a static member. */
export interface Identity {
  /** Not empty. */
  readonly memberId: string;
  readonly known?: ConsumerMember;
  readonly replaced?: ConsumerMember;
}

/**
 * Who a heartbeat is of. Throws `unknown-member`, `fenced-member-epoch`, `unreleased-instance`, `fenced-instance`.
 */
export function identify(
  group: ConsumerMembership,
  { memberEpoch, instanceId, owned }: ConsumerHeartbeat,
  memberId: string,
): Identity {
  const joins = memberEpoch === JOINS;
  const holder = instanceId === null ? undefined : group.byInstance(instanceId);
  if (joins && holder !== undefined && holder.memberId !== memberId) {
    // A member of the classic protocol does not say that it leaves for now.
    const released = holder.epoch === LEAVES_FOR_NOW || holder.classic !== undefined;
    if (released && group.get(memberId) === undefined) return { memberId, replaced: holder };
    throw new BrokerError(
      'unreleased-instance',
      `Static member ${memberId} with instance id ${instanceId} cannot join: ${holder.memberId} has that instance id.`,
    );
  }
  // The same member, with the same id, is back from where it had gone for now.
  if (joins && holder?.epoch === LEAVES_FOR_NOW) return { memberId, replaced: holder };
  const known = joins || instanceId === null ? group.get(memberId) : staticMember(group, instanceId, memberId);
  if (known === undefined) {
    if (joins) return { memberId };
    throw unknownMember(memberId);
  }
  checkEpoch(known, memberEpoch, owned);
  return { memberId, known };
}

/** The member that says that it is this: throws `unknown-member` or `fenced-instance`. */
export function memberOf(group: ConsumerMembership, memberId: string, instanceId: string | null): ConsumerMember {
  if (instanceId !== null) return staticMember(group, instanceId, memberId);
  const member = group.get(memberId);
  if (member === undefined) throw unknownMember(memberId || 'Who asks');
  return member;
}

export function unknownMember(who: string): BrokerError {
  return new BrokerError('unknown-member', `${who} is not a member of the group; join it.`);
}

function staticMember(group: ConsumerMembership, instanceId: string, memberId: string): ConsumerMember {
  const member = group.byInstance(instanceId);
  if (member === undefined) throw unknownMember(`Instance id ${instanceId}`);
  if (member.memberId === memberId) return member;
  throw new BrokerError(
    'fenced-instance',
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.memberId}.`,
  );
}

/** Also the epoch before is good: the answer with the last one may have been lost. */
function checkEpoch({ epoch, previousEpoch, assigned }: ConsumerMember, given: number, owned: Assignment | null): void {
  if (given === epoch) return;
  if (given === previousEpoch && given < epoch && owned !== null && isSubset(owned, assigned)) return;
  throw new BrokerError(
    'fenced-member-epoch',
    `The member's epoch is ${epoch}, not ${given}. It must give up all its partitions and join again.`,
  );
}
