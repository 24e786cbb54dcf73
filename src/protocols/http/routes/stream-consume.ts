import { z } from 'zod';
import {
  ForwardScan,
  nextPage,
  type Partition,
  type SeenRecord,
  type Stream,
  sizeOf,
  visibleEnd,
  Work,
} from '../../../broker/index.ts';
import { toBrokerError } from '../../../errors.ts';
import { wholeNumber } from '../body-types.ts';
import { numberIn, oneOf, partitionsIn, timeIn } from '../browse-query.ts';
import { decodeCursor, encodeCursor, type Position } from '../cursor.ts';
import { badRequest } from '../errors.ts';
import type { EventStream } from '../event-stream.ts';
import { participantOf } from '../participant.ts';
import { checkQuota, useQuota } from '../quotas.ts';
import { shownBytes, showRecord } from '../record-shape.ts';
import { type Call, getEvents, ok, post, type Route } from '../route.ts';
import type { ConsumedRecords } from '../shapes/consumption.ts';
import { demand, streamOf } from '../stream-access.ts';
import { commit } from './groups.ts';

const MAX_COUNT = 1000;
const DEFAULT_COUNT = 100;
/** Of events that are sent together. */
const FOLLOWED_COUNT = 500;
const MAX_WAIT_MS = 60_000;
const MAX_BYTES = 16 * 1024 * 1024;
const DEFAULT_BYTES = 1024 * 1024;
/** What is looked at for one answer, or between two events. */
const WORK = { maxRecords: 100_000, maxBytes: 32 * 1024 * 1024 };
/** Values are never cut. */
const WHOLE = Number.POSITIVE_INFINITY;
/** With no more partitions, each event says where to go on; with more, the last of those that are sent together. */
const FEW = 8;

const within = (least: number, most: number) => wholeNumber().pipe(z.int().min(least).max(most));
const offset = within(0, Number.MAX_SAFE_INTEGER);
const start = z.union([z.enum(['earliest', 'latest']), z.object({ offset }), z.object({ timestamp: offset })]);
type Start = z.output<typeof start>;

const request = z.object({
  /** Whose committed offsets say where to begin. */
  group: z.string().min(1).optional(),
  /** `auto`: what is answered counts as dealt with. `manual`: what comes before a cursor does, once that is sent. */
  commit: z.enum(['auto', 'manual']).default('auto'),
  cursor: z.string().optional(),
  /** Where to begin in partitions of which neither a cursor nor a group says it. */
  from: start.default('earliest'),
  partitions: z.array(z.int().min(0)).max(256).optional(),
  count: within(1, MAX_COUNT).default(DEFAULT_COUNT),
  max_bytes: within(1, MAX_BYTES).default(DEFAULT_BYTES),
  wait_ms: within(0, MAX_WAIT_MS).default(0),
  isolation: z.enum(['read_committed', 'read_uncommitted']).default('read_committed'),
});

export const streamConsumeRoutes: readonly Route[] = [
  post(
    '/streams/:stream/consume',
    {
      access: 'user',
      summary: 'Records of a stream from where a cursor, a group or the request says; waits for them where asked',
    },
    request,
    async (call, given) => {
      const reader = await Reader.open(call, streamOf(call, 'read'), {
        ...given,
        partitions: given.partitions?.join(','),
        committed: given.isolation === 'read_committed',
      });
      if (given.group !== undefined && given.cursor !== undefined) await reader.commit();
      const items = await reader.read(given);
      if (given.commit === 'auto' && items.length > 0) await reader.commit();
      return ok(reader.answer(items));
    },
  ),
  getEvents(
    '/streams/:stream/consume',
    {
      access: 'user',
      summary: 'Records of a stream as events, all of them, from where a group or the request says',
      changes: true,
    },
    async (call) => {
      const group = call.query('group');
      const reader = await Reader.open(call, streamOf(call, 'read'), {
        group: group === '' ? undefined : group,
        cursor: call.header('last-event-id') ?? call.query('cursor'),
        from: startIn(call),
        partitions: call.query('partition'),
        committed: oneOf(call, 'isolation', ['read_committed', 'read_uncommitted']) === 'read_committed',
      });
      const auto = oneOf(call, 'commit', ['auto', 'manual']) === 'auto';
      return { status: 200, events: (events) => void reader.follow(events, auto) };
    },
  ),
];

/** Of a query: the end unless it says something else. */
function startIn(call: Call): Start {
  const timestamp = timeIn(call, 'timestamp');
  if (timestamp !== undefined) return { timestamp };
  const given = numberIn(call, 'offset', { default: -1, min: 0, max: Number.MAX_SAFE_INTEGER });
  return given >= 0 ? { offset: given } : oneOf<'latest' | 'earliest'>(call, 'from', ['latest', 'earliest']);
}

interface ReaderOptions {
  readonly group?: string | undefined;
  readonly cursor?: string | undefined;
  readonly from: Start;
  readonly partitions?: string | undefined;
  readonly committed: boolean;
}

/** Reads a stream for one consumer, who gets every record. In a group it is no member: it reads and commits offsets, as a consumer that assigns partitions itself. */
class Reader {
  readonly #call: Call;
  readonly #stream: Stream;
  readonly #group: string | undefined;
  readonly #scans: readonly ForwardScan[];

  private constructor(call: Call, stream: Stream, group: string | undefined, scans: readonly ForwardScan[]) {
    this.#call = call;
    this.#stream = stream;
    this.#group = group;
    this.#scans = scans;
  }

  static async open(call: Call, stream: Stream, options: ReaderOptions): Promise<Reader> {
    const { group, cursor, from, committed } = options;
    checkQuota(call, 'consumer_byte_rate');
    if (group !== undefined) demand(call, 'read', 'group', group);
    const partitions = partitionsIn(options.partitions, stream);
    const known = new Map<number, number>();
    if (group !== undefined)
      for (const [index, { offset: at }] of call.broker.groups.committed(group)?.get(stream.id)?.partitions ?? [])
        known.set(index, at);
    for (const position of cursorPositions(cursor, stream)) known.set(position.partition, position.offset);
    const starts = await Promise.all(partitions.map((each) => known.get(each.index) ?? startOf(each, from, committed)));
    const scans = partitions.map((partition, i) => {
      const position = Math.max(starts[i] ?? 0, partition.log.startOffset);
      const end = () => visibleEnd(partition, committed);
      return new ForwardScan(partition, position, end, { committed, control: false, accepts: () => true });
    });
    return new Reader(call, stream, group, scans);
  }

  /** What there is; waits for it where there is nothing. */
  async read(limits: {
    readonly count: number;
    readonly max_bytes: number;
    readonly wait_ms: number;
  }): Promise<SeenRecord[]> {
    const { clock } = this.#call.broker.environment;
    const deadline = clock.monotonic() + limits.wait_ms;
    const work = new Work(WORK);
    for (;;) {
      const page = await this.#page(limits.count, limits.max_bytes, work);
      const left = deadline - clock.monotonic();
      if (page.length > 0 || left <= 0 || work.spent || this.#call.gone) {
        useQuota(this.#call, 'consumer_byte_rate', work.bytes);
        return page;
      }
      await this.#call.wait(left, (wake) => this.#onGrowth(wake));
    }
  }

  answer(items: readonly SeenRecord[]): ConsumedRecords {
    return {
      items: items.map((seen) => showRecord(seen, WHOLE)),
      cursor: encodeCursor(this.#positions),
      more: this.#scans.some(({ ended }) => !ended),
    };
  }

  /** What was read is dealt with. Rejects with `unknown-member` while the group has members. */
  async commit(): Promise<void> {
    if (this.#group === undefined) return;
    const stream = this.#stream.name;
    await commit(
      this.#call,
      this.#group,
      this.#positions.map((position) => ({ stream, ...position })),
    );
    const { tracing } = this.#call.broker.turns;
    if (!tracing.on) return;
    for (const { partition, position } of this.#scans)
      tracing.committed(stream, partition, position, participantOf(this.#call), this.#group);
  }

  /** Sends everything, no faster than it is read, until the listener is gone. */
  async follow(events: EventStream, auto: boolean): Promise<void> {
    let resume = () => {};
    events.onClose(() => resume());
    try {
      while (!events.ended && this.#call.user.record !== undefined) {
        const work = new Work(WORK);
        const page = await this.#page(FOLLOWED_COUNT, DEFAULT_BYTES, work);
        if (page.length === 0 && this.#scans.every(({ ended }) => ended)) {
          if (events.ended || this.#scans.some(({ partition: { log } }) => log.deleted || log.deleting)) break;
          const more = Promise.withResolvers<void>();
          resume = more.resolve;
          const stop = this.#onGrowth(resume);
          await more.promise;
          stop();
          continue;
        }
        this.#send(page, events);
        const waitMs = useQuota(this.#call, 'consumer_byte_rate', work.bytes);
        if (waitMs > 0) await this.#call.wait(waitMs, () => () => {});
        await events.drained();
        if (auto && page.length > 0 && !events.ended) await this.commit();
      }
      if (!events.ended) events.send({ event: 'error', data: { reason: 'the stream, or the user, is gone' } });
    } catch (error) {
      events.send({ event: 'error', data: { reason: toBrokerError(error).message } });
    }
    events.end();
  }

  #send(page: readonly SeenRecord[], events: EventStream): void {
    const last = encodeCursor(this.#positions);
    const few = this.#scans.length <= FEW;
    // Where each event would have a reader go on: from behind, as that is known of the last one.
    const ids: (string | undefined)[] = [last];
    if (few) {
      const at = new Map(this.#positions.map(({ partition, offset: next }) => [partition, next]));
      for (const { partition, record } of page.slice(1).toReversed()) {
        at.set(partition, record.offset);
        ids.unshift(encodeCursor(Array.from(at, ([index, next]) => ({ partition: index, offset: next }))));
      }
    }
    for (const [i, seen] of page.entries()) {
      const id = few ? ids[i] : i === page.length - 1 ? last : undefined;
      events.send({ ...(id !== undefined && { id }), data: showRecord(seen, WHOLE) });
    }
  }

  get #positions(): Position[] {
    return this.#scans.map(({ partition: { index }, position }) => ({ partition: index, offset: position }));
  }

  async #page(count: number, maxBytes: number, work: Work): Promise<SeenRecord[]> {
    const page = await nextPage(
      this.#scans,
      false,
      { count, maxBytes, shownBytes: (seen) => shownBytes(seen, WHOLE) },
      work,
    );
    // What is held between two pages is as little as can be: there may be many readers.
    for (const scan of this.#scans) scan.rest();
    for (const { partition, record } of page) {
      const counts = this.#stream.partitions[partition]?.counts;
      if (counts === undefined) continue;
      counts.recordsOut++;
      counts.bytesOut += sizeOf(record);
    }
    const { tracing } = this.#call.broker.turns;
    if (tracing.on && page.length > 0) this.#trace(page);
    return page;
  }

  #trace(page: readonly SeenRecord[]): void {
    const { tracing } = this.#call.broker.turns;
    for (const { partition } of this.#scans) {
      const offsets = page.filter((seen) => seen.partition === partition.index).map(({ record }) => record.offset);
      const [first] = offsets;
      const last = offsets.at(-1);
      if (first !== undefined && last !== undefined)
        tracing.fetched(this.#stream.name, partition, first, last + 1, participantOf(this.#call));
    }
  }

  /** Calls back when there is more; at once when there is already. */
  #onGrowth(callback: () => void): () => void {
    const stops = this.#scans.map(({ partition: { log } }) => log.onGrowth(callback));
    if (this.#scans.some(({ ended }) => !ended)) callback();
    return () => {
      for (const stop of stops) stop();
    };
  }
}

function cursorPositions(cursor: string | undefined, { partitions }: Stream): Position[] {
  if (cursor === undefined || cursor === '') return [];
  const positions = decodeCursor(cursor);
  if (positions.some(({ partition }) => partitions[partition] === undefined))
    throw badRequest('this is a cursor of another stream');
  return positions;
}

async function startOf(partition: Partition, from: Start, committed: boolean): Promise<number> {
  if (from === 'earliest') return partition.log.startOffset;
  const end = visibleEnd(partition, committed);
  if (from === 'latest') return end;
  if ('offset' in from) return Math.min(from.offset, end);
  return (await partition.offsetForTimestamp(from.timestamp))?.offset ?? end;
}
