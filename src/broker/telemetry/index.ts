export { ClientMetrics, type ClientMetricsReport, type ClientMetricsTotals } from './client-metrics.ts';
export { LATENCY_BOUNDS_MS, Latency, quantile } from './latency.ts';
export {
  CHURN_COUNTS,
  Churn,
  ExchangeCounts,
  MESSAGE_COUNTS,
  MessageCounts,
  StreamCounts,
} from './message-counts.ts';
export { Meters, ProtocolMeter, type QueueMeter } from './meters.ts';
export type { GrantedSubscription, MetricPoint, PushOutcome } from './metrics-instance.ts';
export { type MetricsClient, SUBSCRIPTION_CONFIG_DEFINITIONS } from './subscription.ts';
