import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int8, int16, int32, string } from '../schema.ts';

/** v0: client metrics only, as ListClientMetricsResources (KIP-1000); v1: any type, all when none is named (KIP-1142). */
export const listConfigResources = api({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexible: 0,
  request: { resourceTypes: array(int8(), { since: 1, default: [] }) },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    configResources: array({ resourceName: string(), resourceType: int8({ since: 1, default: 16 }) }),
  },
});

export type ListConfigResourcesRequest = RequestOf<typeof listConfigResources>;
export type ListConfigResourcesResponse = ResponseInput<typeof listConfigResources>;
