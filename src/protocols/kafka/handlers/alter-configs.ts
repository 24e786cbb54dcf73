import { alterConfigs } from '../codec/apis/alter-configs.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';
import { alterResources, checkNoNulls } from './admin/config-resource.ts';
import { Refusal } from './admin/refusal.ts';
import { ResourceType } from './admin/resource-type.ts';

/** Replaces all that is set for a resource: what the request does not name is as nobody set it. */
export const alterConfigsHandler = handler(alterConfigs, async (request, context) => ({
  responses: await alterResources(request, context, ({ resourceType, configs }) => {
    if (resourceType === ResourceType.BROKER_LOGGER)
      throw new Refusal(KafkaError.INVALID_REQUEST, 'Levels of loggers are changed by IncrementalAlterConfigs.');
    checkNoNulls(configs);
    const replaced = Object.fromEntries(configs.map(({ name, value }) => [name, value ?? '']));
    return () => replaced;
  }),
}));
