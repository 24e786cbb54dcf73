import { type Broker, deliveredOrGot, type Pace, type VirtualHost } from '../../../broker/index.ts';
import { labelsOf } from './exposition.ts';
import type { FamilyName } from './families.ts';
import type { Page } from './page.ts';

/** Label values of all that have no series of their own, together: there are no such names. */
const OTHERS = { vhost: '', queue: '' };

type QueueOf = Extract<ReturnType<VirtualHost['queue']>, { readonly kind: 'queue' }>['queue'];

const QUEUE_VALUES: readonly (readonly [FamilyName, (queue: QueueOf) => number])[] = [
  ['sluice_queue_messages_ready', ({ readyCount }) => readyCount],
  ['sluice_queue_messages_unacknowledged', ({ unacknowledgedCount }) => unacknowledgedCount],
  ['sluice_queue_ready_bytes', ({ readyBytes }) => readyBytes],
  ['sluice_queue_consumers', ({ consumerCount }) => consumerCount],
];
const QUEUE_COUNTS: readonly (readonly [FamilyName, (queue: QueueOf) => number])[] = [
  ['sluice_queue_messages_published', ({ counts }) => counts.published],
  ['sluice_queue_messages_delivered', ({ counts }) => deliveredOrGot(counts)],
  ['sluice_queue_messages_redelivered', ({ counts }) => counts.redelivered],
  ['sluice_queue_messages_acknowledged', ({ counts }) => counts.acknowledged],
  ['sluice_queue_messages_dead_lettered', ({ counts }) => counts.deadLettered],
  ['sluice_queue_messages_expired', ({ counts }) => counts.expired],
];

/** Of virtual hosts, queues, exchanges, streams and groups: of the first `most` of each kind, and of the rest together. */
export async function collectDestinations(page: Page, broker: Broker, most: number, pace: Pace): Promise<void> {
  const hosts = [...broker.virtualHosts.all()];
  const queues = new QueueSeries(page, most);
  let [exchanges, consumers] = [0, 0];
  for (const host of hosts) {
    let [ready, out] = [0, 0];
    for (const entry of host.queues()) {
      if (entry.kind === 'stream') {
        ready += entry.stream.messageCount;
        consumers += entry.stream.consumerCount;
        queues.count++;
      } else {
        const { queue } = entry;
        ready += queue.readyCount;
        out += queue.unacknowledgedCount;
        consumers += queue.consumerCount;
        queues.add(host.name, queue);
      }
      if (pace.due()) await pace.rest();
    }
    collectHost(page, host, ready, out);
    exchanges += await collectExchanges(page, host, most, exchanges, pace);
  }
  queues.end();
  page.add('sluice_virtual_hosts', hosts.length);
  page.add('sluice_queues', queues.count);
  page.add('sluice_exchanges', exchanges);
  page.add('sluice_consumers', consumers);
  await collectStreams(page, broker, most, pace);
  await collectGroups(page, broker, most, pace);
}

type Told = readonly [ReturnType<Page['family']>, (queue: QueueOf) => number];

/** Counters of single queues come with what they count first: most of thousands would be 0. */
class QueueSeries {
  count = 0;
  readonly #most: number;
  readonly #page: Page;
  readonly #values: readonly Told[];
  readonly #counts: readonly Told[];
  readonly #others: number[] = QUEUE_VALUES.map(() => 0);
  #told = 0;
  #untold = 0;

  constructor(page: Page, most: number) {
    this.#page = page;
    this.#most = most;
    const told = (each: typeof QUEUE_VALUES) => each.map(([name, value]) => [page.family(name), value] as const);
    this.#values = told(QUEUE_VALUES);
    this.#counts = told(QUEUE_COUNTS);
  }

  add(vhost: string, queue: QueueOf): void {
    this.count++;
    if (this.#told < this.#most) {
      this.#told++;
      const labels = labelsOf({ vhost, queue: queue.name });
      for (const [family, value] of this.#values) family.add(labels, value(queue));
      if (queue.counts.activity === 0) return;
      for (const [family, value] of this.#counts) {
        const count = value(queue);
        if (count > 0) family.add(labels, count);
      }
      return;
    }
    this.#untold++;
    for (const [i, [, value]] of QUEUE_VALUES.entries()) this.#others[i] = (this.#others[i] ?? 0) + value(queue);
  }

  /** Counters of those that are not told of are in those of their virtual host: a sum of queues that come and go would go back. */
  end(): void {
    this.#page.add('sluice_queues_untold', this.#untold);
    if (this.#untold === 0) return;
    for (const [i, [name]] of QUEUE_VALUES.entries()) this.#page.add(name, this.#others[i] ?? 0, OTHERS);
  }
}

function collectHost(page: Page, { name, messageCounts }: VirtualHost, ready: number, out: number): void {
  const labels = { vhost: name };
  page.add('sluice_vhost_messages_published', messageCounts.published, labels);
  page.add('sluice_vhost_messages_delivered', deliveredOrGot(messageCounts), labels);
  page.add('sluice_vhost_messages_acknowledged', messageCounts.acknowledged, labels);
  page.add('sluice_vhost_messages_returned', messageCounts.returned, labels);
  page.add('sluice_vhost_messages_dropped', messageCounts.unroutable, labels);
  page.add('sluice_vhost_messages_dead_lettered', messageCounts.deadLettered, labels);
  page.add('sluice_vhost_messages_expired', messageCounts.expired, labels);
  page.add('sluice_vhost_messages_overflowed', messageCounts.overflowed, labels);
  page.add('sluice_vhost_messages_ready', ready, labels);
  page.add('sluice_vhost_messages_unacknowledged', out, labels);
}

/** Those that anything was published to; answers how many there are. */
async function collectExchanges(
  page: Page,
  host: VirtualHost,
  most: number,
  before: number,
  pace: Pace,
): Promise<number> {
  const [ins, outs] = [page.family('sluice_exchange_messages_in'), page.family('sluice_exchange_messages_out')];
  let count = 0;
  for (const { name, counts } of [{ name: '', counts: host.defaultExchangeCounts }, ...host.exchanges()]) {
    count++;
    if (counts.in > 0 && before + count <= most) {
      const labels = labelsOf({ vhost: host.name, exchange: name });
      ins.add(labels, counts.in);
      outs.add(labels, counts.out);
    }
    if (pace.due()) await pace.rest();
  }
  return count;
}

async function collectStreams(page: Page, { streams }: Broker, most: number, pace: Pace): Promise<void> {
  const records = page.family('sluice_stream_records');
  const bytes = page.family('sluice_stream_bytes');
  let count = 0;
  for (const { name, counts, partitions } of streams.all()) {
    count++;
    if (pace.due(partitions.length)) await pace.rest();
    if (count > most) continue;
    const labels = labelsOf({ stream: name });
    records.add(
      labels,
      partitions.reduce((sum, { log }) => sum + log.highWatermark - log.startOffset, 0),
    );
    bytes.add(
      labels,
      partitions.reduce((sum, { log }) => sum + log.sizeBytes, 0),
    );
    page.family('sluice_stream_partitions').add(labels, partitions.length);
    page.family('sluice_stream_records_in').add(labels, counts.recordsIn);
    page.family('sluice_stream_records_out').add(labels, counts.recordsOut);
    page.family('sluice_stream_in_bytes').add(labels, counts.bytesIn);
    page.family('sluice_stream_out_bytes').add(labels, counts.bytesOut);
  }
  page.add('sluice_streams', count);
}

async function collectGroups(page: Page, { telemetry }: Broker, most: number, pace: Pace): Promise<void> {
  const lag = page.family('sluice_group_lag_records');
  const committed = page.family('sluice_group_committed_offsets');
  let count = 0;
  for (const topic of telemetry.groupTopics()) {
    if (++count > most) break;
    const labels = labelsOf({ group: topic.groupId, stream: topic.topic });
    lag.add(labels, topic.lag);
    committed.add(labels, topic.committed);
    if (pace.due(topic.partitions)) await pace.rest();
  }
}
