import { deleteAcls } from '../codec/apis/delete-acls.ts';
import { handler } from '../handler.ts';
import { aclToFields, filterFromFields, SECURITY_DISABLED } from './admin/acl-codes.ts';
import { DONE, refused } from './admin/refusal.ts';

/** Deletes the access-control entries that match the filters; answers which these were. */
export const deleteAclsHandler = handler(
  deleteAcls,
  async ({ filters }, context) => {
    const { authorizer } = context.broker;
    if (!authorizer.enabled) return { filterResults: filters.map(() => ({ ...SECURITY_DISABLED, matchingAcls: [] })) };
    const filterResults = filters.map(async (fields) => {
      try {
        const [deleted = []] = await authorizer.delete([filterFromFields(fields)]);
        return { ...DONE, matchingAcls: deleted.map((acl) => ({ ...DONE, ...aclToFields(acl) })) };
      } catch (error) {
        return { ...refused(error, context), matchingAcls: [] };
      }
    });
    return { filterResults: await Promise.all(filterResults) };
  },
  { answersMuch: true },
);
