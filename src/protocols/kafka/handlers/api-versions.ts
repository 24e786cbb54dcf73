import { apiVersions } from '../codec/apis/api-versions.ts';
import { produce } from '../codec/apis/produce.ts';
import { MAX_SOFTWARE_LENGTH, UNKNOWN_SOFTWARE } from '../connected-client.ts';
import { FEATURES } from '../features.ts';
import { type Handler, handler } from '../handler.ts';

export interface SupportedApi {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** What clients are told of the given handlers. */
export function supportedApis(handlers: Iterable<Handler>): SupportedApi[] {
  return Array.from(handlers, ({ api }) => ({
    apiKey: api.key,
    // librdkafka before 2.11 takes a broker without Produce v0 for one that cannot produce (KAFKA-18659): as Kafka 4 does,
    // it is offered, and not understood.
    minVersion: api.key === produce.key ? 0 : api.versions[0],
    maxVersion: api.lastStable,
  })).sort((a, b) => a.apiKey - b.apiKey);
}

/** Which APIs there are, in which versions. */
export function apiVersionsHandler(supported: () => readonly SupportedApi[]) {
  return handler(apiVersions, ({ clientSoftwareName, clientSoftwareVersion }, { client }) => {
    client.softwareName = clientSoftwareName.slice(0, MAX_SOFTWARE_LENGTH) || UNKNOWN_SOFTWARE;
    client.softwareVersion = clientSoftwareVersion.slice(0, MAX_SOFTWARE_LENGTH) || UNKNOWN_SOFTWARE;
    return {
      errorCode: 0,
      apiKeys: supported(),
      supportedFeatures: FEATURES.map(({ name, min, level }) => ({ name, minVersion: min, maxVersion: level })),
      finalizedFeaturesEpoch: 0,
      finalizedFeatures: FEATURES.map(({ name, level }) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
    };
  });
}
