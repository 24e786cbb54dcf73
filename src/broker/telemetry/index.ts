export { ClientMetrics, type ClientMetricsReport, type ClientMetricsTotals } from './client-metrics.ts';
export type { GrantedSubscription, MetricPoint, PushOutcome } from './metrics-instance.ts';
export { type MetricsClient, SUBSCRIPTION_CONFIG_DEFINITIONS } from './subscription.ts';
