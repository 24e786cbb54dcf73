import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { bool, bytes, int8, int16, int32, uuid } from '../schema.ts';

/** Metrics of a client, as OpenTelemetry's MetricsData (KIP-714). */
export const pushTelemetry = api({
  key: 72,
  name: 'PushTelemetry',
  versions: [0, 0],
  flexible: 0,
  request: {
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    terminating: bool(),
    compressionType: int8(),
    metrics: bytes(),
  },
  response: { throttleTimeMs: int32({ default: 0 }), errorCode: int16() },
});

export type PushTelemetryRequest = RequestOf<typeof pushTelemetry>;
export type PushTelemetryResponse = ResponseInput<typeof pushTelemetry>;
