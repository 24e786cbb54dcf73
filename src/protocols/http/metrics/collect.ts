import {
  type Broker,
  LATENCY_BOUNDS_MS,
  type Latency,
  MESSAGE_COUNT_NAMES,
  Pace,
  type ProtocolMeter,
} from '../../../broker/index.ts';
import { troubles } from '../health.ts';
import { nodeName, type ServerFacts } from '../server-facts.ts';
import { collectDestinations } from './destinations.ts';
import type { Distribution, Format } from './exposition.ts';
import { Page } from './page.ts';

const SECOND = 1000;
const BOUNDS = LATENCY_BOUNDS_MS.map((ms) => ms / SECOND);

/** Everything that there is to say, from the counts that the broker has: nothing is counted for this page alone. */
export async function collect(broker: Broker, server: ServerFacts, format: Format): Promise<Buffer> {
  const { clock } = broker.environment;
  const begun = clock.monotonic();
  const page = new Page(format);
  const pace = new Pace();
  page.add('sluice_info', 1, { version: server.version, node: nodeName(broker.settings.nodeId) });
  page.add('sluice_uptime_seconds', (begun - server.startedAt) / SECOND);
  const found = troubles(broker);
  for (const alarm of ['memory', 'disk', 'storage'] as const)
    page.add('sluice_alarm', found.includes(alarm) ? 1 : 0, { alarm });
  collectChurn(page, broker);
  collectProtocols(page, broker);
  await collectDestinations(page, broker, server.metrics.destinations, pace);
  await collectStorage(page, broker, server);
  await collectProcess(page, broker);
  collectClientMetrics(page, broker);
  page.add('sluice_scrape_seconds', (clock.monotonic() - begun) / SECOND);
  return page.bytes();
}

function collectChurn(page: Page, { meters: { churn } }: Broker): void {
  page.add('sluice_channels', churn.channelsOpened - churn.channelsClosed);
  page.add('sluice_channels_opened', churn.channelsOpened);
  page.add('sluice_channels_closed', churn.channelsClosed);
  page.add('sluice_queues_declared', churn.queuesDeclared);
  page.add('sluice_queues_created', churn.queuesCreated);
  page.add('sluice_queues_deleted', churn.queuesDeleted);
}

const WAYS = ['delivered', 'deliveredNoAck', 'got', 'gotNoAck'] as const;

function collectProtocols(page: Page, { meters, clients }: Broker): void {
  const open = new Map<string, { received: number; sent: number }>();
  for (const { protocol, bytesReceived, bytesSent } of clients.all()) {
    const sums = open.get(protocol) ?? { received: 0, sent: 0 };
    sums.received += bytesReceived;
    sums.sent += bytesSent;
    open.set(protocol, sums);
  }
  for (const [protocol, meter] of meters.protocols()) {
    const { received, sent } = open.get(protocol) ?? { received: 0, sent: 0 };
    page.add('sluice_connections', meter.connectionsOpened - meter.connectionsClosed, { protocol });
    page.add('sluice_connections_opened', meter.connectionsOpened, { protocol });
    page.add('sluice_connections_closed', meter.connectionsClosed, { protocol });
    page.add('sluice_failed_logins', meter.failedLogins, { protocol });
    page.add('sluice_network_received_bytes', meter.bytesReceived + received, { protocol });
    page.add('sluice_network_sent_bytes', meter.bytesSent + sent, { protocol });
    collectMessages(page, protocol, meter);
  }
  page.addDistribution('sluice_queue_wait_seconds', distributionOf(meters.waitTime));
}

function collectMessages(page: Page, protocol: string, { messages, confirmTime }: ProtocolMeter): void {
  const labels = { protocol };
  page.add('sluice_messages_published', messages.published, labels);
  page.add('sluice_messages_confirmed', messages.confirmed, labels);
  page.add('sluice_messages_returned', messages.returned, labels);
  page.add('sluice_messages_dropped', messages.unroutable, labels);
  for (const way of WAYS)
    page.add('sluice_messages_delivered', messages[way], { protocol, how: MESSAGE_COUNT_NAMES[way] });
  page.add('sluice_messages_redelivered', messages.redelivered, labels);
  page.add('sluice_messages_acknowledged', messages.acknowledged, labels);
  page.add('sluice_messages_rejected', messages.rejected, labels);
  page.add('sluice_messages_requeued', messages.requeued, labels);
  page.addDistribution('sluice_publish_confirm_seconds', distributionOf(confirmTime), labels);
}

function distributionOf({ buckets, sumMs }: Latency): Distribution {
  return { bounds: BOUNDS, counts: buckets, sum: sumMs / SECOND };
}

async function collectStorage(page: Page, broker: Broker, { disk }: ServerFacts): Promise<void> {
  const { commitLog, segmentBytes, unflushedBytes } = broker.telemetry.storage();
  if (disk !== undefined) {
    const free = await broker.environment.files.freeBytes(disk.directory).catch(() => undefined);
    if (free !== undefined) page.add('sluice_disk_free_bytes', free);
    page.add('sluice_disk_free_limit_bytes', disk.minFreeBytes);
  }
  page.add('sluice_storage_writes', commitLog.writes);
  page.add('sluice_storage_written_bytes', commitLog.writtenBytes);
  page.add('sluice_storage_flushes', commitLog.flushes);
  page.add('sluice_storage_flush_seconds', commitLog.flushMs / SECOND);
  page.add('sluice_storage_segment_bytes', segmentBytes);
  page.add('sluice_storage_unflushed_bytes', unflushedBytes);
}

async function collectProcess(page: Page, { environment, memoryAlarm, telemetry }: Broker): Promise<void> {
  const { memory, vitals } = environment;
  page.add('sluice_memory_used_bytes', memory.used());
  page.add('sluice_memory_limit_bytes', memoryAlarm.limitBytes);
  const lately = (column: string) => telemetry.overview.latest(column) ?? 0;
  page.add('sluice_event_loop_utilization_ratio', lately('event_loop_utilization'));
  page.add('sluice_event_loop_delay_mean_seconds', lately('event_loop_delay_ms') / SECOND);
  page.add('sluice_event_loop_delay_p99_seconds', lately('event_loop_delay_p99_ms') / SECOND);
  page.add('sluice_event_loop_delay_max_seconds', lately('event_loop_delay_max_ms') / SECOND);
  if (vitals === undefined) return;
  const { user, system } = vitals.cpuSeconds();
  const { resident, heapUsed, heapTotal, external } = vitals.memory();
  const files = await vitals.openFiles();
  page.add('process_cpu_seconds', user + system);
  page.add('process_resident_memory_bytes', resident);
  if (files !== undefined) page.add('process_open_fds', files);
  page.add('nodejs_heap_size_used_bytes', heapUsed);
  page.add('nodejs_heap_size_total_bytes', heapTotal);
  page.add('nodejs_external_memory_bytes', external);
}

function collectClientMetrics(page: Page, { clientMetrics }: Broker): void {
  const { pushes, bytes, refused, dropped } = clientMetrics.totals;
  page.add('sluice_client_metrics_clients', Array.from(clientMetrics.reports()).length);
  page.add('sluice_client_metrics_pushes', pushes);
  page.add('sluice_client_metrics_received_bytes', bytes);
  page.add('sluice_client_metrics_refused', refused);
  page.add('sluice_client_metrics_dropped', dropped);
}
