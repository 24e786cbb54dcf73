import { alterConfigs } from '../codec/apis/alter-configs.ts';
import { handler } from '../handler.ts';
import { alterResources, checkNoNulls } from './admin/config-resource.ts';

/** Replaces all that is set for a resource: what the request does not name is as nobody set it. */
export const alterConfigsHandler = handler(alterConfigs, async (request, context) => ({
  responses: await alterResources(request, context, ({ configs }) => {
    checkNoNulls(configs);
    const replaced = Object.fromEntries(configs.map(({ name, value }) => [name, value ?? '']));
    return () => replaced;
  }),
}));
