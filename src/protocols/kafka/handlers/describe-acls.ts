import { type DescribeAclsResponse, describeAcls } from '../codec/apis/describe-acls.ts';
import { handler } from '../handler.ts';
import { type AclFields, aclToFields, filterFromFields, SECURITY_DISABLED } from './admin/acl-codes.ts';
import { DONE, refused } from './admin/refusal.ts';

/** The access-control entries that match a filter, by resource pattern. */
export const describeAclsHandler = handler(
  describeAcls,
  (request, context) => {
    const { authorizer } = context.broker;
    if (!authorizer.enabled) return { ...SECURITY_DISABLED, resources: [] };
    try {
      const acls = authorizer.list(filterFromFields(request)).map(aclToFields);
      return { ...DONE, resources: byResource(acls) };
    } catch (error) {
      return { ...refused(error, context), resources: [] };
    }
  },
  { answersMuch: true },
);

function byResource(acls: readonly AclFields[]): DescribeAclsResponse['resources'] {
  const patterns = Map.groupBy(acls, (acl) => `${acl.resourceType} ${acl.patternType} ${acl.resourceName}`);
  return Array.from(patterns.values(), (same) => {
    // A group has at least what made it one.
    const { resourceType, resourceName, patternType } = same[0]!;
    return { resourceType, resourceName, patternType, acls: same };
  });
}
