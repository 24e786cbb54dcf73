import type { MetricPoint, PushOutcome } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { decompress } from '../../../records/index.ts';
import { type PushTelemetryRequest, pushTelemetry } from '../codec/apis/push-telemetry.ts';
import { CodecError } from '../codec/codec-error.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import { handler, type RequestContext } from '../handler.ts';
import {
  COMPRESSIONS,
  metricsClient,
  TELEMETRY_MAX_BYTES,
  TELEMETRY_MAX_DECOMPRESSED_BYTES,
} from '../telemetry/client.ts';
import { otlpPoints } from '../telemetry/otlp-metrics.ts';

const REFUSALS: Readonly<Record<Exclude<PushOutcome, 'accepted'>, number>> = {
  throttled: KafkaError.THROTTLING_QUOTA_EXCEEDED,
  'unknown-subscription': KafkaError.UNKNOWN_SUBSCRIPTION_ID,
  terminated: KafkaError.INVALID_REQUEST,
};

/** Takes what a client says of itself (KIP-714). */
export const pushTelemetryHandler = handler(pushTelemetry, (request, context) => ({
  errorCode: push(request, context),
}));

function push(request: PushTelemetryRequest, context: RequestContext): number {
  const { clientInstanceId, subscriptionId, terminating, compressionType, metrics } = request;
  const { broker, clientId, logger } = context;
  const { clientMetrics } = broker;
  if (clientInstanceId === ZERO_UUID) return KafkaError.INVALID_REQUEST;
  const outcome = clientMetrics.push(clientInstanceId, metricsClient(context), subscriptionId, terminating);
  if (outcome !== 'accepted') return REFUSALS[outcome];
  const compression = COMPRESSIONS[compressionType];
  if (compression === undefined) return KafkaError.UNSUPPORTED_COMPRESSION_TYPE;
  if (metrics.length > TELEMETRY_MAX_BYTES) return KafkaError.TELEMETRY_TOO_LARGE;
  let points: readonly MetricPoint[] = [];
  try {
    if (metrics.length > 0) points = otlpPoints(decompress(compression, metrics, TELEMETRY_MAX_DECOMPRESSED_BYTES));
  } catch (error) {
    if (error instanceof CodecError || error instanceof BrokerError) return KafkaError.INVALID_RECORD;
    throw error;
  }
  clientMetrics.record(clientInstanceId, points, metrics.length);
  logger.debug(
    { clientId, clientInstanceId, values: points.length, terminating },
    'a client has said what it measures',
  );
  return KafkaError.NONE;
}
