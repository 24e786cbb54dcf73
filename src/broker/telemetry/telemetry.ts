import type { Environment, EventLoopWatch, Timer } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';
import type { Shard, ShardUsage } from '../../storage/index.ts';
import type { ClientConnection, Clients } from '../clients/index.ts';
import type { Groups } from '../groups/groups.ts';
import type { Streams } from '../streams/streams.ts';
import type { VirtualHost } from '../virtual-hosts/virtual-host.ts';
import type { VirtualHosts } from '../virtual-hosts/virtual-hosts.ts';
import {
  CHANNEL_COLUMNS,
  CONNECTION_COLUMNS,
  EXCHANGE_COLUMNS,
  GROUP_COLUMNS,
  HOST_COLUMNS,
  QUEUE_COLUMNS,
  STREAM_COLUMNS,
  writeLengths,
  writeMessageCounts,
} from './columns.ts';
import { type GroupTopic, groupTopics } from './group-topics.ts';
import type { MessageCounts } from './message-counts.ts';
import type { Meters } from './meters.ts';
import { Overview, type Totals } from './overview.ts';
import { Pace } from './pace.ts';
import { SampleBook } from './sample-book.ts';
import type { Retention, Samples } from './samples.ts';
import { Traffic } from './traffic.ts';

export interface TelemetrySettings {
  /** Milliseconds between two samples. */
  readonly sampleMs: number;
  /** Single queues, exchanges, channels… of each kind that are sampled. */
  readonly maxObjects: number;
}

export const DEFAULT_TELEMETRY_SETTINGS: TelemetrySettings = { sampleMs: 5_000, maxObjects: 1_000 };

export interface TelemetryOptions {
  readonly environment: Environment;
  readonly settings: TelemetrySettings;
  readonly meters: Meters;
  readonly virtualHosts: VirtualHosts;
  readonly streams: Streams;
  readonly groups: Groups;
  readonly clients: Clients;
  readonly shards: readonly Shard[];
  /** Where messages are kept, when that is a disk. */
  readonly directory: string | undefined;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Samples of what was counted, at regular times: of the broker as a whole, and of what is in it as far as something happens there. */
export class Telemetry {
  readonly hosts: SampleBook;
  readonly queues: SampleBook;
  readonly exchanges: SampleBook;
  readonly streams: SampleBook;
  readonly groups: SampleBook;
  readonly connections: SampleBook;
  readonly channels: SampleBook;
  readonly settings: TelemetrySettings;
  readonly #options: TelemetryOptions;
  readonly #overview: Overview;
  readonly #traffic = new WeakMap<ClientConnection, Traffic>();
  readonly #groupTopics = new WeakMap<object, GroupTopic>();
  readonly #loop: EventLoopWatch | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: TelemetryOptions) {
    const { settings, environment } = options;
    this.#options = options;
    this.settings = settings;
    const retention = retentionsOf(settings.sampleMs);
    const book = (columns: SampleBook['columns']) =>
      new SampleBook(columns, [retention.minutes, retention.hour], settings.maxObjects);
    this.hosts = book(HOST_COLUMNS);
    this.queues = book(QUEUE_COLUMNS);
    this.exchanges = book(EXCHANGE_COLUMNS);
    this.streams = book(STREAM_COLUMNS);
    this.groups = book(GROUP_COLUMNS);
    this.connections = book(CONNECTION_COLUMNS);
    this.channels = book(CHANNEL_COLUMNS);
    this.#loop = environment.vitals?.watchEventLoop();
    this.#overview = new Overview({
      ...{ environment, meters: options.meters, eventLoop: this.#loop, directory: options.directory },
      retention: [retention.minutes, retention.hour, retention.hours, retention.day],
    });
  }

  /** Of the broker as a whole. */
  get overview(): Samples {
    return this.#overview.samples;
  }

  /** What the samples of a connection go by. */
  trafficOf(connection: ClientConnection): Traffic {
    let traffic = this.#traffic.get(connection);
    if (traffic === undefined) {
      traffic = new Traffic(connection);
      this.#traffic.set(connection, traffic);
    }
    return traffic;
  }

  /** The topics that a group has committed offsets of, and how far behind it is in each. */
  *groupTopics(groupId?: string): Iterable<GroupTopic> {
    const { groups, streams } = this.#options;
    yield* groupTopics(groups, streams, this.#groupTopics, groupId);
  }

  /** Everything that was done with messages, also in virtual hosts that are gone. */
  messageCounts(): MessageCounts {
    return this.#overview.messageCounts(this.#options.virtualHosts.all());
  }

  /** What all shards have done to their devices. */
  storage(): ShardUsage {
    return storageOf(this.#options.shards);
  }

  start(): void {
    this.#sampleAt(this.#options.environment.clock.monotonic() + this.settings.sampleMs);
  }

  /** By the clock's `monotonic`. However late one is, the next is due as it was. */
  #sampleAt(due: number): void {
    const { clock } = this.#options.environment;
    this.#timer = clock.setTimer(Math.max(due - clock.monotonic(), 0), () => {
      void this.#sampleSafely().then(() => {
        const { sampleMs } = this.settings;
        if (!this.#stopped) this.#sampleAt(Math.max(due + sampleMs, clock.monotonic() + sampleMs / 2));
      });
    });
  }

  async #sampleSafely(): Promise<void> {
    try {
      await this.sample();
    } catch (error) {
      this.#options.onTrouble(toBrokerError(error), 'a sample of what is counted is left out');
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#loop?.close();
  }

  /** Takes a sample of everything. In pieces, when there is much of it. */
  async sample(): Promise<void> {
    const { clock } = this.#options.environment;
    const time = clock.now();
    const pace = new Pace();
    const books = [this.hosts, this.queues, this.exchanges, this.streams, this.groups, this.connections, this.channels];
    for (const book of books) book.begin(time);
    const totals: Totals = {
      ...{ ready: 0, unacknowledged: 0, consumers: 0, queues: 0, exchanges: 0, streams: 0 },
      ...{ connections: 0, channels: 0, received: 0, sent: 0, records: [0, 0, 0, 0] },
    };
    for (const host of [...this.#options.virtualHosts.all()]) await this.#seeHost(host, totals, pace);
    await this.#seeStreams(totals, pace);
    await this.#seeConnections(totals, pace);
    for (const topic of this.groupTopics()) {
      this.groups.see(topic, (row) => row.set([topic.lag, topic.committed]));
      if (pace.due(topic.partitions)) await pace.rest();
    }
    for (const book of books) book.end();
    await this.#overview.sample(time, totals, this.#options.virtualHosts.all(), this.storage());
  }

  async #seeHost(host: VirtualHost, totals: Totals, pace: Pace): Promise<void> {
    let [hostReady, hostOut] = [0, 0];
    for (const entry of host.queues()) {
      totals.queues++;
      if (pace.due()) await pace.rest();
      if (entry.kind === 'stream') {
        totals.consumers += entry.stream.consumerCount;
        hostReady += entry.stream.messageCount;
        continue;
      }
      const { counts, readyCount, unacknowledgedCount, consumerCount } = entry.queue;
      hostReady += readyCount;
      hostOut += unacknowledgedCount;
      totals.consumers += consumerCount;
      this.queues.see(counts, (row) => {
        const at = writeLengths(row, writeMessageCounts(row, counts), readyCount, unacknowledgedCount);
        row[at] = consumerCount;
      });
    }
    totals.ready += hostReady;
    totals.unacknowledged += hostOut;
    this.hosts.see(host.messageCounts, (row) => {
      writeLengths(row, writeMessageCounts(row, host.messageCounts), hostReady, hostOut);
    });
    const exchanges = [{ counts: host.defaultExchangeCounts }, ...host.exchanges()];
    totals.exchanges += exchanges.length;
    for (const { counts } of exchanges) {
      this.exchanges.see(counts, (row) => row.set([counts.in, counts.out]));
      if (pace.due()) await pace.rest();
    }
  }

  async #seeStreams(totals: Totals, pace: Pace): Promise<void> {
    for (const stream of this.#options.streams.all()) {
      const { counts, partitions } = stream;
      const records = [counts.recordsIn, counts.bytesIn, counts.recordsOut, counts.bytesOut];
      totals.streams++;
      for (const [i, count] of records.entries()) totals.records[i] = (totals.records[i] ?? 0) + count;
      this.streams.see(counts, (row) => {
        let [messages, bytes] = [0, 0];
        for (const { log } of partitions) {
          messages += log.highWatermark - log.startOffset;
          bytes += log.sizeBytes;
        }
        row.set([...records, messages, bytes]);
      });
      if (pace.due()) await pace.rest();
    }
  }

  async #seeConnections(totals: Totals, pace: Pace): Promise<void> {
    for (const connection of this.#options.clients.all()) {
      const { bytesReceived, bytesSent } = connection;
      totals.connections++;
      totals.received += bytesReceived;
      totals.sent += bytesSent;
      this.connections.see(this.trafficOf(connection), (row) => row.set([bytesReceived, bytesSent]));
      for (const counts of connection.channelCounts) {
        totals.channels++;
        this.channels.see(counts, (row) => void writeMessageCounts(row, counts));
      }
      if (pace.due()) await pace.rest();
    }
  }
}

/** As RabbitMQ keeps them: ten minutes, an hour, eight hours and a day, each with fewer samples than the one before. */
function retentionsOf(sampleMs: number) {
  const over = (spanMs: number, everyMs: number): Retention => {
    const step = Math.max(everyMs, sampleMs);
    return { everyMs: step, keep: Math.ceil(spanMs / step) + 2 };
  };
  return {
    minutes: over(10 * MINUTE, sampleMs),
    hour: over(HOUR, MINUTE),
    hours: over(8 * HOUR, 10 * MINUTE),
    day: over(24 * HOUR, 30 * MINUTE),
  };
}

function storageOf(shards: readonly Shard[]): ShardUsage {
  const sum = (of: (usage: ShardUsage) => number) => shards.reduce((total, { usage }) => total + of(usage), 0);
  return {
    commitLog: {
      writes: sum(({ commitLog }) => commitLog.writes),
      writtenBytes: sum(({ commitLog }) => commitLog.writtenBytes),
      flushes: sum(({ commitLog }) => commitLog.flushes),
      flushMs: sum(({ commitLog }) => commitLog.flushMs),
    },
    segmentBytes: sum(({ segmentBytes }) => segmentBytes),
    unflushedBytes: sum(({ unflushedBytes }) => unflushedBytes),
  };
}
