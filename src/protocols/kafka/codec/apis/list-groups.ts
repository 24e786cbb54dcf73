import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int16, int32, string } from '../schema.ts';

/** v3: flexible; v4: states (KIP-518); v5: types, classic or consumer (KIP-848). */
export const listGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexible: 3,
  request: {
    statesFilter: array(string(), { since: 4, default: [] }),
    typesFilter: array(string(), { since: 5, default: [] }),
  },
  response: {
    throttleTimeMs: int32({ since: 1, default: 0 }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ since: 4 }),
      groupType: string({ since: 5 }),
    }),
  },
});

export type ListGroupsRequest = RequestOf<typeof listGroups>;
export type ListGroupsResponse = ResponseInput<typeof listGroups>;
