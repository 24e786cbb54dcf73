import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, bool, int16, int32, int64, string } from '../schema.ts';

/**
 * The first thing that clients send. A version that the broker lacks is answered in v0, with UNSUPPORTED_VERSION
 * and the list, and the response header is v0 in every version, so that any client can read it. v3: flexible, the
 * client's name (KIP-511), features (KIP-584); v4: a feature's lowest version may be 0.
 */
export const apiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexible: 3,
  request: {
    clientSoftwareName: string({ since: 3, default: '' }),
    clientSoftwareVersion: string({ since: 3, default: '' }),
  },
  response: {
    errorCode: int16(),
    apiKeys: array({ apiKey: int16(), minVersion: int16(), maxVersion: int16() }),
    throttleTimeMs: int32({ since: 1, default: 0 }),
    supportedFeatures: array({ name: string(), minVersion: int16(), maxVersion: int16() }, { since: 3, tag: 0 }),
    finalizedFeaturesEpoch: int64({ since: 3, tag: 1, default: -1 }),
    finalizedFeatures: array(
      { name: string(), maxVersionLevel: int16(), minVersionLevel: int16() },
      { since: 3, tag: 2 },
    ),
    zkMigrationReady: bool({ since: 3, tag: 3, default: false }),
  },
});

export type ApiVersionsRequest = RequestOf<typeof apiVersions>;
export type ApiVersionsResponse = ResponseInput<typeof apiVersions>;
