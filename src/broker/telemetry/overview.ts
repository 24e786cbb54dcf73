import type { Environment, EventLoopWatch } from '../../environment/environment.ts';
import type { ShardUsage } from '../../storage/index.ts';
import type { VirtualHost } from '../virtual-hosts/virtual-host.ts';
import { OVERVIEW_COLUMNS, writeLengths, writeMessageCounts } from './columns.ts';
import { LATENCY_BOUNDS_MS, type Latency, quantile } from './latency.ts';
import { CHURN_COUNTS, MessageCounts } from './message-counts.ts';
import type { Meters } from './meters.ts';
import { type Retention, Samples } from './samples.ts';

/** What is summed up while everything is looked at. */
export interface Totals {
  ready: number;
  unacknowledged: number;
  consumers: number;
  queues: number;
  exchanges: number;
  streams: number;
  connections: number;
  channels: number;
  /** Bytes of the connections that are open. */
  received: number;
  sent: number;
  /** Records and bytes in, records and bytes out. */
  readonly records: number[];
}

export interface OverviewOptions {
  readonly environment: Environment;
  readonly meters: Meters;
  readonly eventLoop: EventLoopWatch | undefined;
  readonly directory: string | undefined;
  readonly retention: readonly [Retention, ...Retention[]];
}

const SECOND = 1000;
const NO_LOOP = { utilization: 0, delayMeanMs: 0, delayP99Ms: 0, delayMaxMs: 0 };
const NO_MEMORY = { resident: 0, heapUsed: 0, external: 0 };

/** Samples of the broker as a whole, and of the process that it runs in. */
export class Overview {
  readonly samples: Samples;
  readonly #options: OverviewOptions;
  readonly #row = new Float64Array(OVERVIEW_COLUMNS.length);
  readonly #confirms = new Recent();
  readonly #waits = new Recent();
  #cpu: { readonly seconds: number; readonly at: number } | undefined;

  constructor(options: OverviewOptions) {
    this.#options = options;
    this.samples = new Samples(OVERVIEW_COLUMNS, options.retention);
  }

  messageCounts(hosts: Iterable<VirtualHost>): MessageCounts {
    const all = new MessageCounts();
    all.add(this.#options.meters.gone);
    for (const { messageCounts } of hosts) all.add(messageCounts);
    return all;
  }

  /** In the order of `OVERVIEW_COLUMNS`. */
  async sample(time: number, totals: Totals, hosts: Iterable<VirtualHost>, storage: ShardUsage): Promise<void> {
    const row = this.#row;
    const { meters } = this.#options;
    const messages = writeMessageCounts(row, this.messageCounts(hosts));
    let at = writeLengths(row, messages, totals.ready, totals.unacknowledged);
    const write = (...values: number[]) => {
      row.set(values, at);
      at += values.length;
    };
    const traffic = { received: totals.received, sent: totals.sent };
    for (const [, { bytesReceived, bytesSent }] of meters.protocols()) {
      traffic.received += bytesReceived;
      traffic.sent += bytesSent;
    }
    const diskFree = await this.#diskFree();
    write(...CHURN_COUNTS.map((name) => meters.churn[name]));
    write(...totals.records);
    write(traffic.received, traffic.sent);
    write(totals.connections, totals.channels, totals.consumers, totals.queues, totals.exchanges, totals.streams);
    write(...this.#process(), diskFree);
    const { writes, writtenBytes, flushes, flushMs } = storage.commitLog;
    write(writes, writtenBytes, flushes, flushMs, storage.segmentBytes, storage.unflushedBytes);
    write(...this.#confirms.quantiles(Array.from(meters.protocols(), ([, { confirmTime }]) => confirmTime)));
    write(...this.#waits.quantiles([meters.waitTime]));
    this.samples.push(time, row);
  }

  #process(): number[] {
    const { environment, eventLoop } = this.#options;
    const { resident, heapUsed, external } = environment.vitals?.memory() ?? NO_MEMORY;
    const { utilization, delayMeanMs, delayP99Ms, delayMaxMs } = eventLoop?.take() ?? NO_LOOP;
    const memory = [environment.memory.used(), resident, heapUsed, external];
    return [...memory, this.#cpuShare(), utilization, delayMeanMs, delayP99Ms, delayMaxMs];
  }

  /** Of one core, since it was asked last. */
  #cpuShare(): number {
    const { vitals, clock } = this.#options.environment;
    const { user, system } = vitals?.cpuSeconds() ?? { user: 0, system: 0 };
    const now = { seconds: user + system, at: clock.monotonic() };
    const before = this.#cpu;
    this.#cpu = now;
    if (before === undefined || now.at <= before.at) return 0;
    return (now.seconds - before.seconds) / ((now.at - before.at) / SECOND);
  }

  /** 0 where messages are kept in memory, or the disk does not say. */
  async #diskFree(): Promise<number> {
    const { environment, directory } = this.#options;
    return directory === undefined ? 0 : environment.files.freeBytes(directory).catch(() => 0);
  }
}

/** Quantiles of what came since they were asked for last. */
class Recent {
  #before: readonly number[] = [];

  /** The median and the 99th percentile, in milliseconds; 0 where there was nothing. */
  quantiles(latencies: readonly Latency[]): number[] {
    const now = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, (_, i) =>
      latencies.reduce((sum, { buckets }) => sum + (buckets[i] ?? 0), 0),
    );
    const found = [0.5, 0.99].map((share) => quantile(now, this.#before, share) ?? 0);
    this.#before = now;
    return found;
  }
}
