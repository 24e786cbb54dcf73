import type { MetricsClient } from '../../../broker/index.ts';
import type { Compression } from '../../../records/index.ts';
import type { RequestContext } from '../handler.ts';

/** Bytes of one push, as it comes; Kafka's telemetry.max.bytes. */
export const TELEMETRY_MAX_BYTES = 1024 * 1024;
/** And when it is decompressed. */
export const TELEMETRY_MAX_DECOMPRESSED_BYTES = 4 * 1024 * 1024;

/** By Kafka's numbers. */
export const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
/** Those that clients are told of, the best first. */
export const TELEMETRY_COMPRESSIONS: readonly number[] = [4, 3, 1, 2];

/** UTF-16 units that are kept of a client id. */
const MAX_ID_LENGTH = 200;

/** The client of a request, as subscriptions tell clients apart. */
export function metricsClient({ clientId, client }: RequestContext): MetricsClient {
  return {
    clientId: (clientId ?? '').slice(0, MAX_ID_LENGTH),
    ...client,
  };
}
