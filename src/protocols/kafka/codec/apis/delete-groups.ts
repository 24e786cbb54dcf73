import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int16, int32, string } from '../schema.ts';

/** v2: flexible. Only empty groups can be deleted. */
export const deleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexible: 2,
  request: { groupsNames: array(string()) },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({ groupId: string(), errorCode: int16() }),
  },
});

export type DeleteGroupsRequest = RequestOf<typeof deleteGroups>;
export type DeleteGroupsResponse = ResponseInput<typeof deleteGroups>;
