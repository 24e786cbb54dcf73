import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, bool, int8, int16, int32, string } from '../schema.ts';

/** v1: kinds of upgrade, and to try only (KIP-778); v2: no results of single features. */
export const updateFeatures = api({
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexible: 0,
  request: {
    timeoutMs: int32({ default: 60000 }),
    featureUpdates: array({
      feature: string(),
      maxVersionLevel: int16(),
      allowDowngrade: bool({ until: 0, default: false }),
      upgradeType: int8({ since: 1, default: 1 }),
    }),
    validateOnly: bool({ since: 1, default: false }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    results: array(
      { feature: string(), errorCode: int16(), errorMessage: string({ nullable: true, default: null }) },
      { until: 1, default: [] },
    ),
  },
});

export type UpdateFeaturesRequest = RequestOf<typeof updateFeatures>;
export type UpdateFeaturesResponse = ResponseInput<typeof updateFeatures>;
