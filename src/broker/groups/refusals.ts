import { BrokerError } from '../../errors.ts';

// What a coordinator refuses for reasons that are not of a group.

export function noGroup(groupId: string): BrokerError {
  return new BrokerError('not-found', `there is no group ${groupId}`);
}

export function notInGroup(groupId: string): BrokerError {
  return new BrokerError('unknown-member', `group ${groupId} has no members; join it`);
}

export function closed(): BrokerError {
  return new BrokerError('closed', 'the coordinator of this group has closed; look for it again');
}

/** Throws `limit-exceeded`: one more group must not be one too many. */
export function checkRoom(groupId: string, groups: ReadonlyMap<string, unknown>, maxGroups: number): void {
  if (groups.size < maxGroups || groups.has(groupId)) return;
  throw new BrokerError('limit-exceeded', `there are ${maxGroups} groups already; delete some, or raise the limit`);
}
