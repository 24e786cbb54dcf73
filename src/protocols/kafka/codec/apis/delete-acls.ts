import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int8, int16, int32, string } from '../schema.ts';

/**
 * v1: pattern types as in DescribeAcls; v2: flexible; v3: resources of type user. Each filter deletes all that it
 * matches.
 */
export const deleteAcls = api({
  key: 31,
  name: 'DeleteAcls',
  versions: [1, 3],
  flexible: 2,
  request: {
    filters: array({
      resourceTypeFilter: int8(),
      resourceNameFilter: string({ nullable: true }),
      patternTypeFilter: int8({ default: 3 }),
      principalFilter: string({ nullable: true }),
      hostFilter: string({ nullable: true }),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    filterResults: array({
      errorCode: int16(),
      errorMessage: string({ nullable: true, default: null }),
      matchingAcls: array({
        errorCode: int16(),
        errorMessage: string({ nullable: true, default: null }),
        resourceType: int8(),
        resourceName: string(),
        patternType: int8({ default: 3 }),
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
});

export type DeleteAclsRequest = RequestOf<typeof deleteAcls>;
export type DeleteAclsResponse = ResponseInput<typeof deleteAcls>;
