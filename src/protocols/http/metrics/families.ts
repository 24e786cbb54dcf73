/** One metric, with all its series. */
export interface Family {
  /** That of a counter's series has `_total` at its end. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

type Shape = readonly [type: Family['type'], labels: string, help: string];

/*
 * Everything that `/metrics` has. Times are in seconds, sizes in bytes, and so in the names; what has neither is a number of things.
 */
const SHAPES = {
  // The broker
  sluice_info: ['gauge', 'version node', '1, with what the broker is'],
  sluice_uptime_seconds: ['gauge', '', 'Time since the broker started'],
  sluice_alarm: ['gauge', 'alarm', '1 while publishers wait for memory or for the disk, or storage has failed'],
  sluice_virtual_hosts: ['gauge', '', 'Virtual hosts'],
  sluice_queues: ['gauge', '', 'Queues, with streams that stand under a queue’s name'],
  sluice_exchanges: ['gauge', '', 'Exchanges'],
  sluice_streams: ['gauge', '', 'Streams: topics of Kafka, queues of type stream'],
  sluice_channels: ['gauge', '', 'Channels that are open'],
  sluice_consumers: ['gauge', '', 'Consumers of queues'],
  sluice_channels_opened: ['counter', '', 'Channels that were opened'],
  sluice_channels_closed: ['counter', '', 'Channels that were closed'],
  sluice_queues_declared: ['counter', '', 'Declarations of queues, whether there were such queues or not'],
  sluice_queues_created: ['counter', '', 'Queues that were made'],
  sluice_queues_deleted: ['counter', '', 'Queues that were deleted'],

  // By protocol
  sluice_connections: ['gauge', 'protocol', 'Connections that are open'],
  sluice_connections_opened: ['counter', 'protocol', 'Connections that logged in, or need not'],
  sluice_connections_closed: ['counter', 'protocol', 'Those of them that were closed'],
  sluice_failed_logins: ['counter', 'protocol', 'Logins that were refused'],
  sluice_network_received_bytes: ['counter', 'protocol', 'Bytes from clients'],
  sluice_network_sent_bytes: ['counter', 'protocol', 'Bytes to clients'],
  sluice_messages_published: ['counter', 'protocol', 'Messages and records that clients published'],
  sluice_messages_confirmed: ['counter', 'protocol', 'Those whose publishers were told that they are safe'],
  sluice_messages_returned: ['counter', 'protocol', 'Messages that went to no queue, and back to their publishers'],
  sluice_messages_dropped: ['counter', 'protocol', 'Messages that went to no queue, and are gone'],
  sluice_messages_delivered: [
    'counter',
    'protocol how',
    'Messages and records given to clients: pushed (deliver, deliver_no_ack) or asked for (get, get_no_ack)',
  ],
  sluice_messages_redelivered: ['counter', 'protocol', 'Of all that were given to clients: not for the first time'],
  sluice_messages_acknowledged: ['counter', 'protocol', 'Messages that clients acknowledged'],
  sluice_messages_rejected: ['counter', 'protocol', 'Messages that clients refused for good'],
  sluice_messages_requeued: ['counter', 'protocol', 'Messages that clients gave back'],
  sluice_publish_confirm_seconds: [
    'histogram',
    'protocol',
    'From when a message was taken up until its publisher was told that it is safe',
  ],
  sluice_queue_wait_seconds: [
    'histogram',
    '',
    'From when a message was published until it was delivered for the first time, of all queues',
  ],

  // By virtual host
  sluice_vhost_messages_published: ['counter', 'vhost', 'Messages published in a virtual host'],
  sluice_vhost_messages_delivered: ['counter', 'vhost', 'Messages of its queues given to clients'],
  sluice_vhost_messages_acknowledged: ['counter', 'vhost', 'Messages of its queues that were acknowledged'],
  sluice_vhost_messages_returned: ['counter', 'vhost', 'Messages that went to no queue, and back to their publishers'],
  sluice_vhost_messages_dropped: ['counter', 'vhost', 'Messages that went to no queue, and are gone'],
  sluice_vhost_messages_dead_lettered: [
    'counter',
    'vhost',
    'Messages that left their queues for dead-letter exchanges',
  ],
  sluice_vhost_messages_expired: ['counter', 'vhost', 'Messages that expired'],
  sluice_vhost_messages_overflowed: ['counter', 'vhost', 'Messages dropped by queues that were over their limits'],
  sluice_vhost_messages_ready: ['gauge', 'vhost', 'Messages that wait in its queues; of streams all that are there'],
  sluice_vhost_messages_unacknowledged: ['gauge', 'vhost', 'Messages of its queues that are out'],

  // By queue
  sluice_queue_messages_ready: ['gauge', 'vhost queue', 'Messages that wait for a consumer'],
  sluice_queue_messages_unacknowledged: ['gauge', 'vhost queue', 'Messages that are out'],
  sluice_queue_ready_bytes: ['gauge', 'vhost queue', 'Bytes of the bodies that wait'],
  sluice_queue_consumers: ['gauge', 'vhost queue', 'Consumers'],
  sluice_queue_messages_published: ['counter', 'vhost queue', 'Messages that came to the queue'],
  sluice_queue_messages_delivered: ['counter', 'vhost queue', 'Messages given to clients'],
  sluice_queue_messages_redelivered: ['counter', 'vhost queue', 'Of these: not for the first time'],
  sluice_queue_messages_acknowledged: ['counter', 'vhost queue', 'Messages that were acknowledged'],
  sluice_queue_messages_dead_lettered: ['counter', 'vhost queue', 'Messages that left for the dead-letter exchange'],
  sluice_queue_messages_expired: ['counter', 'vhost queue', 'Messages that expired'],
  sluice_queues_untold: ['gauge', '', 'Queues without series of their own (metrics.destinations)'],

  // By exchange
  sluice_exchange_messages_in: ['counter', 'vhost exchange', 'Messages published to the exchange'],
  sluice_exchange_messages_out: ['counter', 'vhost exchange', 'Copies that went on, to queues and streams'],

  // By stream, and by group
  sluice_stream_records: [
    'gauge',
    'stream',
    'Records between the start and the end of the stream, over all partitions',
  ],
  sluice_stream_bytes: ['gauge', 'stream', 'Bytes of these'],
  sluice_stream_partitions: ['gauge', 'stream', 'Partitions'],
  sluice_stream_records_in: ['counter', 'stream', 'Records that were appended'],
  sluice_stream_records_out: ['counter', 'stream', 'Records that were read'],
  sluice_stream_in_bytes: ['counter', 'stream', 'Bytes that were appended'],
  sluice_stream_out_bytes: ['counter', 'stream', 'Bytes that were read'],
  sluice_group_lag_records: [
    'gauge',
    'group stream',
    'Records that a group has not come to, in the partitions that it committed offsets of',
  ],
  sluice_group_committed_offsets: [
    'gauge',
    'group stream',
    'Sum of the offsets that a group has committed: grows as it consumes',
  ],

  // Storage
  sluice_disk_free_bytes: ['gauge', '', 'Bytes free where messages are kept'],
  sluice_disk_free_limit_bytes: ['gauge', '', 'With less than that free, writers are refused'],
  sluice_storage_writes: ['counter', '', 'Writes to commit logs'],
  sluice_storage_written_bytes: ['counter', '', 'Bytes written to commit logs'],
  sluice_storage_flushes: ['counter', '', 'Flushes of commit logs to their devices'],
  sluice_storage_flush_seconds: ['counter', '', 'Time that these flushes took'],
  sluice_storage_segment_bytes: ['counter', '', 'Bytes that went from commit logs to segments'],
  sluice_storage_unflushed_bytes: ['gauge', '', 'Bytes in memory that are in no segment yet'],

  // The process
  sluice_memory_used_bytes: ['gauge', '', 'Memory in use as the memory alarm counts it'],
  sluice_memory_limit_bytes: ['gauge', '', 'From so much in use on publishers wait'],
  sluice_event_loop_utilization_ratio: [
    'gauge',
    '',
    'Share of the time in which the event loop was busy, over the last sample',
  ],
  sluice_event_loop_delay_mean_seconds: [
    'gauge',
    '',
    'How much later than due the event loop came to timers, over the last sample: the mean',
  ],
  sluice_event_loop_delay_p99_seconds: ['gauge', '', 'The same: the 99th percentile'],
  sluice_event_loop_delay_max_seconds: ['gauge', '', 'The same: the longest'],
  process_cpu_seconds: ['counter', '', 'Processor time of the process, user and system'],
  process_resident_memory_bytes: ['gauge', '', 'Resident memory of the process'],
  process_open_fds: ['gauge', '', 'Files and sockets that the process has open'],
  nodejs_heap_size_used_bytes: ['gauge', '', 'Bytes of the heap in use'],
  nodejs_heap_size_total_bytes: ['gauge', '', 'Bytes of the heap'],
  nodejs_external_memory_bytes: ['gauge', '', 'Bytes outside of the heap: mostly buffers'],

  // What Kafka's clients say of themselves (KIP-714), and this page
  sluice_client_metrics_clients: ['gauge', '', 'Clients that have asked or pushed lately (KIP-714)'],
  sluice_client_metrics_pushes: ['counter', '', 'Pushes that were taken (KIP-714)'],
  sluice_client_metrics_received_bytes: ['counter', '', 'Bytes of these'],
  sluice_client_metrics_refused: [
    'counter',
    '',
    'Requests that came too early, or for a subscription that is no more (KIP-714)',
  ],
  sluice_client_metrics_dropped: ['counter', '', 'Values that there was no room for (KIP-714)'],
  sluice_scrape_seconds: ['gauge', '', 'Time that it took to put this page together, with others served in between'],
} as const satisfies Record<string, Shape>;

export type FamilyName = keyof typeof SHAPES;

/** In the order of the page. */
export const FAMILIES: ReadonlyMap<FamilyName, Family> = new Map(
  Object.entries(SHAPES as Record<string, Shape>).map(([name, [type, labels, help]]) => [
    name as FamilyName,
    { name, type, labels: labels === '' ? [] : labels.split(' '), help },
  ]),
);
