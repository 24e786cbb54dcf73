import { type CreateAclsRequest, createAcls } from '../codec/apis/create-acls.ts';
import { KafkaError } from '../codec/error-codes.ts';
import type { RequestContext } from '../handler.ts';
import { handler } from '../handler.ts';
import { aclFromFields, SECURITY_DISABLED } from './admin/acl-codes.ts';
import { DONE, type Outcome, refused } from './admin/refusal.ts';

/** Makes access-control entries, each on its own. */
export const createAclsHandler = handler(createAcls, async ({ creations }, context) => {
  if (!context.broker.authorizer.enabled) return { results: creations.map(() => SECURITY_DISABLED) };
  return { results: await Promise.all(creations.map((creation) => create(creation, context))) };
});

async function create(fields: CreateAclsRequest['creations'][number], context: RequestContext): Promise<Outcome> {
  try {
    await context.broker.authorizer.create([aclFromFields(fields)]);
    return DONE;
  } catch (error) {
    return refused(error, context, { 'invalid-argument': KafkaError.INVALID_REQUEST });
  }
}
