import { CHURN_COUNTS, MESSAGE_COUNTS, type MessageCounts } from './message-counts.ts';
import type { Column } from './samples.ts';

/*
 * What samples have, by RabbitMQ's names where it has the thing.
 */

type MessageCount = (typeof MESSAGE_COUNTS)[number];

/** The names of counts of messages, as people see them. */
export const MESSAGE_COUNT_NAMES: Readonly<Record<MessageCount, string>> = {
  published: 'publish',
  confirmed: 'confirm',
  returned: 'return_unroutable',
  unroutable: 'drop_unroutable',
  delivered: 'deliver',
  deliveredNoAck: 'deliver_no_ack',
  redelivered: 'redeliver',
  got: 'get',
  gotNoAck: 'get_no_ack',
  gotEmpty: 'get_empty',
  acknowledged: 'ack',
  rejected: 'reject',
  requeued: 'requeue',
  deadLettered: 'dead_letter',
  expired: 'expire',
  overflowed: 'overflow',
  bytesIn: 'bytes_in',
  bytesOut: 'bytes_out',
};

const CHURN_NAMES: Readonly<Record<(typeof CHURN_COUNTS)[number], string>> = {
  connectionsOpened: 'connection_created',
  connectionsClosed: 'connection_closed',
  channelsOpened: 'channel_created',
  channelsClosed: 'channel_closed',
  queuesDeclared: 'queue_declared',
  queuesCreated: 'queue_created',
  queuesDeleted: 'queue_deleted',
};

/** What samples call the counts of `Churn`. */
export const CHURN_COLUMNS = CHURN_COUNTS.map((name) => [name, CHURN_NAMES[name]] as const);

const counters = (...names: string[]): Column[] => names.map((name) => ({ name, kind: 'counter' }));
const gauges = (...names: string[]): Column[] => names.map((name) => ({ name, kind: 'gauge' }));

/** All that consumers got is counted together besides. */
const MESSAGE_COLUMNS = [
  ...counters(...MESSAGE_COUNTS.map((name) => MESSAGE_COUNT_NAMES[name])),
  ...counters('deliver_get'),
];
const LENGTH_COLUMNS = gauges('messages', 'messages_ready', 'messages_unacknowledged');
const RECORD_COLUMNS = counters('records_in', 'record_bytes_in', 'records_out', 'record_bytes_out');
const TRAFFIC_COLUMNS = counters('recv_oct', 'send_oct');

export const CHANNEL_COLUMNS: readonly Column[] = MESSAGE_COLUMNS;
export const HOST_COLUMNS: readonly Column[] = [...MESSAGE_COLUMNS, ...LENGTH_COLUMNS];
export const QUEUE_COLUMNS: readonly Column[] = [...HOST_COLUMNS, ...gauges('consumers')];
export const CONNECTION_COLUMNS: readonly Column[] = TRAFFIC_COLUMNS;
export const EXCHANGE_COLUMNS: readonly Column[] = counters('publish_in', 'publish_out');
export const STREAM_COLUMNS: readonly Column[] = [...RECORD_COLUMNS, ...gauges('messages', 'bytes')];
export const GROUP_COLUMNS: readonly Column[] = [...gauges('lag'), ...counters('committed')];
export const PROCESS_COLUMNS: readonly Column[] = gauges(
  'mem_used',
  'mem_resident',
  'mem_heap',
  'mem_external',
  'cpu_utilization',
  'event_loop_utilization',
  'event_loop_delay_ms',
  'event_loop_delay_p99_ms',
  'event_loop_delay_max_ms',
  'disk_free',
);
export const STORAGE_COLUMNS: readonly Column[] = [
  ...counters('io_write_count', 'io_write_bytes', 'io_sync_count', 'io_sync_ms', 'io_segment_bytes'),
  ...gauges('io_unflushed_bytes'),
];
export const LATENCY_COLUMNS: readonly Column[] = gauges(
  'confirm_p50_ms',
  'confirm_p99_ms',
  'queue_wait_p50_ms',
  'queue_wait_p99_ms',
);
export const OBJECT_COLUMNS: readonly Column[] = gauges(
  'connections',
  'channels',
  'consumers',
  'queues',
  'exchanges',
  'streams',
);

export const OVERVIEW_COLUMNS: readonly Column[] = [
  ...HOST_COLUMNS,
  ...counters(...CHURN_COLUMNS.map(([, name]) => name)),
  ...RECORD_COLUMNS,
  ...TRAFFIC_COLUMNS,
  ...OBJECT_COLUMNS,
  ...PROCESS_COLUMNS,
  ...STORAGE_COLUMNS,
  ...LATENCY_COLUMNS,
];

/** Writes the columns of `CHANNEL_COLUMNS`; answers where the next one goes. */
export function writeMessageCounts(row: Float64Array, counts: MessageCounts): number {
  let at = 0;
  for (const name of MESSAGE_COUNTS) row[at++] = counts[name];
  row[at++] = deliveredOrGot(counts);
  return at;
}

export function deliveredOrGot({ delivered, deliveredNoAck, got, gotNoAck }: MessageCounts): number {
  return delivered + deliveredNoAck + got + gotNoAck;
}

/** Writes the columns of `LENGTH_COLUMNS`; answers where the next one goes. */
export function writeLengths(row: Float64Array, at: number, ready: number, unacknowledged: number): number {
  row[at] = ready + unacknowledged;
  row[at + 1] = ready;
  row[at + 2] = unacknowledged;
  return at + 3;
}
