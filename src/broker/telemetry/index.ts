export { ClientMetrics, type ClientMetricsReport, type ClientMetricsTotals } from './client-metrics.ts';
export {
  CHANNEL_COLUMNS,
  CHURN_COLUMNS,
  CONNECTION_COLUMNS,
  deliveredOrGot,
  EXCHANGE_COLUMNS,
  GROUP_COLUMNS,
  HOST_COLUMNS,
  MESSAGE_COUNT_NAMES,
  OVERVIEW_COLUMNS,
  QUEUE_COLUMNS,
  STREAM_COLUMNS,
} from './columns.ts';
export type { GroupTopic } from './group-topics.ts';
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
export { Pace } from './pace.ts';
export { type Counted, SampleBook } from './sample-book.ts';
export { type Column, type SampleRange, Samples, timesOf } from './samples.ts';
export { type MetricsClient, SUBSCRIPTION_CONFIG_DEFINITIONS } from './subscription.ts';
export { DEFAULT_TELEMETRY_SETTINGS, Telemetry, type TelemetrySettings } from './telemetry.ts';
