import { getTelemetrySubscriptions } from '../codec/apis/get-telemetry-subscriptions.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import { handler } from '../handler.ts';
import { metricsClient, TELEMETRY_COMPRESSIONS, TELEMETRY_MAX_BYTES } from '../telemetry/client.ts';

/** What a client is to say of itself, and how often (KIP-714). */
export const getTelemetrySubscriptionsHandler = handler(getTelemetrySubscriptions, (request, context) => {
  const { broker } = context;
  const clientInstanceId =
    request.clientInstanceId === ZERO_UUID ? broker.environment.random.uuid() : request.clientInstanceId;
  const granted = broker.clientMetrics.ask(clientInstanceId, metricsClient(context));
  return {
    errorCode: granted === undefined ? KafkaError.THROTTLING_QUOTA_EXCEEDED : KafkaError.NONE,
    clientInstanceId,
    subscriptionId: granted?.id ?? 0,
    acceptedCompressionTypes: TELEMETRY_COMPRESSIONS,
    pushIntervalMs: granted?.intervalMs ?? 0,
    telemetryMaxBytes: TELEMETRY_MAX_BYTES,
    deltaTemporality: true,
    requestedMetrics: granted?.metrics ?? [],
  };
});
