import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int8, int16, int32, string } from '../schema.ts';

/** v1: pattern types, 3 literal and 4 prefixed (KIP-290); v2: flexible; v3: resources of type user. */
export const createAcls = api({
  key: 30,
  name: 'CreateAcls',
  versions: [1, 3],
  flexible: 2,
  request: {
    creations: array({
      resourceType: int8(),
      resourceName: string(),
      resourcePatternType: int8({ default: 3 }),
      principal: string(),
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({ errorCode: int16(), errorMessage: string({ nullable: true, default: null }) }),
  },
});

export type CreateAclsRequest = RequestOf<typeof createAcls>;
export type CreateAclsResponse = ResponseInput<typeof createAcls>;
