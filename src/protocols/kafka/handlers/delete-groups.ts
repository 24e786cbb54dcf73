import { deleteGroups } from '../codec/apis/delete-groups.ts';
import { groupCodeNumber } from '../errors.ts';
import { handler } from '../handler.ts';

/** Deletes groups that have no members. */
export const deleteGroupsHandler = handler(deleteGroups, async ({ groupsNames }, { broker }) => {
  const results = await Promise.all(
    groupsNames.map((groupId) => broker.groups.coordinatorOf(groupId).deleteGroups([groupId])),
  );
  return { results: results.flat().map(({ groupId, error }) => ({ groupId, errorCode: groupCodeNumber(error) })) };
});
