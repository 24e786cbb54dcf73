import { isUtf8 } from 'node:buffer';
import {
  BackwardScan,
  ForwardScan,
  nextPage,
  type Partition,
  type SeenRecord,
  type Stream,
  visibleEnd,
  Work,
} from '../../broker/index.ts';
import { MAX_PARTITIONS } from './browse-query.ts';
import type { Position } from './cursor.ts';
import type { Trace, TraceSummary } from './shapes/traces.ts';
import { placedId } from './trace-id.ts';

/** What is looked at for one answer. */
const WORK = { maxRecords: 100_000, maxBytes: 32 * 1024 * 1024 };
const MESSAGE_ID = 'message-id';
const EXCHANGE = 'exchange';
const ROUTING_KEY = 'routing-key';
const TRACEPARENT = 'traceparent';

export interface StreamQuery {
  readonly messageId?: string | undefined;
  readonly key?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly count: number;
  /** The header that names records without a message-id. */
  readonly idHeader: string;
  /** Where a former search ended. */
  readonly positions: readonly Position[] | undefined;
}

export interface StreamTraces {
  readonly traces: readonly TraceSummary[];
  /** Undefined when there is nothing more. */
  readonly positions: readonly Position[] | undefined;
}

/** Looks through a stream itself for records, the latest first: they are found whether they were traced or not. */
export async function searchStream(stream: Stream, query: StreamQuery): Promise<StreamTraces> {
  const { from, to, count, positions } = query;
  const known = new Map(positions?.map(({ partition, offset }) => [partition, offset]));
  const accepts = ({ record }: SeenRecord) => isWanted(record, query);
  const partitions = stream.partitions.slice(0, MAX_PARTITIONS);
  const scans = await Promise.all(
    partitions.map(async (partition) => {
      const { highWatermark } = partition.log;
      const after = to === undefined ? undefined : await partition.offsetForTimestamp(to + 1);
      const end = Math.min(known.get(partition.index) ?? Number.POSITIVE_INFINITY, after?.offset ?? highWatermark);
      const start = from === undefined ? undefined : await partition.offsetForTimestamp(from);
      const least = from === undefined ? 0 : (start?.offset ?? highWatermark);
      return {
        least,
        scan: new BackwardScan(partition, Math.min(end, visibleEnd(partition, false)), {
          ...{ committed: false, control: false, accepts },
        }),
      };
    }),
  );
  const due = scans.filter(({ scan, least }) => scan.position > least);
  const page = await nextPage(
    due.map(({ scan }) => scan),
    true,
    { count, maxBytes: WORK.maxBytes },
    new Work(WORK),
  );
  const left = due.filter(({ scan, least }) => !scan.ended && scan.position > least);
  return {
    traces: page.map((seen) => summaryOf(stream, seen)),
    // All of them, so that those that are done stay so.
    positions:
      left.length === 0
        ? undefined
        : scans.map(({ scan: { partition, position, ended } }) => ({
            ...{ partition: partition.index, offset: ended ? 0 : position },
          })),
  };
}

/** What a record says of itself; undefined when it is not there. */
export async function describeRecord(
  stream: Stream,
  partition: Partition,
  offset: number,
): Promise<Pick<Trace, 'message_id' | 'key' | 'traceparent' | 'bytes'> | undefined> {
  const scan = new ForwardScan(partition, offset, () => Math.min(offset + 1, partition.log.highWatermark), {
    ...{ committed: false, control: false, accepts: ({ record }) => record.offset === offset },
  });
  const [seen] = await nextPage([scan], false, { count: 1, maxBytes: 1 }, new Work(WORK));
  if (seen === undefined) return undefined;
  const { message_id: messageId, key, bytes } = summaryOf(stream, seen);
  const traceparent = header(seen.record.headers, TRACEPARENT);
  return {
    ...(messageId && { message_id: messageId }),
    ...(key && { key }),
    ...(traceparent && { traceparent }),
    ...(bytes !== undefined && { bytes }),
  };
}

function isWanted({ key, headers, timestamp }: SeenRecord['record'], query: StreamQuery): boolean {
  const { messageId, key: wanted, from, to, idHeader } = query;
  if ((from !== undefined && timestamp < from) || (to !== undefined && timestamp > to)) return false;
  if (wanted !== undefined && textOf(key) !== wanted && header(headers, ROUTING_KEY) !== wanted) return false;
  return (
    messageId === undefined || header(headers, MESSAGE_ID) === messageId || header(headers, idHeader) === messageId
  );
}

function summaryOf(stream: Stream, { partition, record }: SeenRecord): TraceSummary {
  const { offset, timestamp, key, headers, value } = record;
  const id = stream.partitions[partition]?.log.id ?? '';
  const [messageId, exchange, routingKey] = [MESSAGE_ID, EXCHANGE, ROUTING_KEY].map((name) => header(headers, name));
  const shownKey = textOf(key) ?? routingKey;
  return {
    trace: placedId(id, 0, offset),
    time: timestamp,
    ...(messageId && { message_id: messageId }),
    ...(shownKey && { key: shownKey }),
    vhost: '/',
    ...(exchange !== undefined && { exchange }),
    ...(routingKey !== undefined && { routing_key: routingKey }),
    bytes: value?.length ?? 0,
    places: [{ kind: 'stream', vhost: '/', name: stream.name, partition, offset }],
  };
}

function header(headers: SeenRecord['record']['headers'], wanted: string): string | undefined {
  for (const [name, value] of headers) if (name === wanted) return textOf(value);
  return undefined;
}

function textOf(bytes: Buffer | null): string | undefined {
  return bytes !== null && isUtf8(bytes) ? bytes.toString() : undefined;
}
