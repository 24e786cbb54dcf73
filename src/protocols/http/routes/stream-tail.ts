import { ForwardScan, nextPage, type SeenRecord, type Stream, visibleEnd, Work } from '../../../broker/index.ts';
import type { Clock } from '../../../environment/environment.ts';
import { toBrokerError } from '../../../errors.ts';
import { type BrowseQuery, browseQuery, numberIn } from '../browse-query.ts';
import type { EventStream } from '../event-stream.ts';
import { checkQuota, useQuota } from '../quotas.ts';
import { shownBytes, showRecord } from '../record-shape.ts';
import { type Call, getEvents, type Route } from '../route.ts';
import type { Skipped } from '../shapes/streams.ts';
import { streamOf } from '../stream-access.ts';

/** Between two looks at a stream that grows. */
const TICK_MS = 100;
/** What is looked at for each of them: of what is more, the reader is told how much it was. */
const TICK_WORK = { maxRecords: 5000, maxBytes: 1024 * 1024 };
const MAX_PER_SECOND = 1000;
const DEFAULT_PER_SECOND = 100;

export const streamTailRoutes: readonly Route[] = [
  getEvents('/streams/:stream/tail', { access: 'user', summary: 'Records of a stream as they come' }, (call) => {
    const stream = streamOf(call, 'read');
    checkQuota(call, 'consumer_byte_rate');
    const query = browseQuery(call, stream);
    const rate = numberIn(call, 'max_rate', { default: DEFAULT_PER_SECOND, min: 1, max: MAX_PER_SECOND });
    return {
      status: 200,
      events: (events) => {
        new Tail(call, stream, events, { ...query, rate }).start();
      },
    };
  }),
];

interface TailOptions extends BrowseQuery {
  /** Records shown in a second, at most; in a burst as many at once. */
  readonly rate: number;
}

/** The end of a stream, for one reader. What the reader or the broker cannot keep up with is passed over, and the reader told how much that was. */
class Tail {
  readonly #call: Call;
  readonly #stream: Stream;
  readonly #events: EventStream;
  readonly #options: TailOptions;
  readonly #clock: Clock;
  readonly #scans: readonly ForwardScan[];
  #skipped = 0;
  /** Records that may be shown now. */
  #allowed: number;
  #lastLook: number;
  #waiting = false;

  constructor(call: Call, stream: Stream, events: EventStream, options: TailOptions) {
    this.#call = call;
    this.#stream = stream;
    this.#events = events;
    this.#options = options;
    this.#clock = call.broker.environment.clock;
    this.#allowed = options.rate;
    this.#lastLook = this.#clock.monotonic();
    this.#scans = options.partitions.map((partition) => {
      const end = () => visibleEnd(partition, options.committed);
      return new ForwardScan(partition, end(), end, options);
    });
  }

  start(): void {
    const stops = this.#options.partitions.map(({ log }) => log.onGrowth(() => this.#wake()));
    this.#events.onClose(() => {
      for (const stop of stops) stop();
    });
    this.#events.send({ event: 'ready', data: { partitions: this.#scans.length } });
  }

  /** There is something: a tick later, so that what comes at once is shown at once. */
  #wake(): void {
    if (this.#waiting || this.#events.ended) return;
    this.#waiting = true;
    this.#clock.setTimer(TICK_MS, () => {
      this.#look()
        .catch((error: unknown) => {
          this.#events.send({ event: 'error', data: { reason: toBrokerError(error).message } });
          this.#events.end();
        })
        .finally(() => {
          this.#waiting = false;
          if (this.#scans.some((scan) => !scan.ended)) this.#wake();
        });
    });
  }

  async #look(): Promise<void> {
    if (this.#events.ended) return;
    if (this.#isOver) {
      this.#events.send({ event: 'error', data: { reason: 'the stream is gone, or may not be read any more' } });
      this.#events.end();
      return;
    }
    if (!this.#events.congested) await this.#show();
    for (const scan of this.#scans) this.#skipped += scan.skipTo(visibleEnd(scan.partition, this.#options.committed));
    if (this.#skipped === 0) return;
    if (this.#events.congested) {
      // It is told when it reads again, also when nothing comes any more.
      void this.#events.drained().then(() => this.#wake());
      return;
    }
    this.#events.send({ event: 'skipped', data: { records: this.#skipped } satisfies Skipped });
    this.#skipped = 0;
  }

  async #show(): Promise<void> {
    const { truncate, rate, maxBytes } = this.#options;
    const now = this.#clock.monotonic();
    this.#allowed = Math.min(rate, this.#allowed + ((now - this.#lastLook) * rate) / 1000);
    this.#lastLook = now;
    const count = Math.floor(this.#allowed);
    const work = new Work(TICK_WORK);
    const size = (seen: SeenRecord) => shownBytes(seen, truncate);
    const page = await nextPage(this.#scans, false, { count, maxBytes, shownBytes: size }, work);
    this.#allowed -= page.length;
    for (const scan of this.#scans) scan.rest();
    useQuota(this.#call, 'consumer_byte_rate', work.bytes);
    for (const seen of page) this.#events.send({ data: showRecord(seen, truncate) });
  }

  /** What somebody may see can change while they look on. */
  get #isOver(): boolean {
    const { user, access } = this.#call;
    const gone = this.#scans.some(({ partition }) => partition.log.deleted || partition.log.deleting);
    return gone || user.record === undefined || !access.may('read', 'topic', this.#stream.name);
  }
}
