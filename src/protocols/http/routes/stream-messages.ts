import {
  BackwardScan,
  ForwardScan,
  nextPage,
  type Partition,
  type PartitionScan,
  type SeenRecord,
  type Stream,
  visibleEnd,
  Work,
} from '../../../broker/index.ts';
import { type BrowseQuery, browseQuery, numberIn, oneOf, timeIn } from '../browse-query.ts';
import { decodeCursor, encodeCursor, type Position } from '../cursor.ts';
import { badRequest, notFound } from '../errors.ts';
import { checkQuota, useQuota } from '../quotas.ts';
import { shownBytes, showRecord } from '../record-shape.ts';
import { type Answer, type Call, get, type Route } from '../route.ts';
import type { RecordPage } from '../shapes/streams.ts';
import { streamOf } from '../stream-access.ts';

/** What is looked at for one page. */
const WORK = { maxRecords: 100_000, maxBytes: 32 * 1024 * 1024 };
const MAX_OFFSET = Number.MAX_SAFE_INTEGER;
/** Bytes of a record that are shown where it is asked for by itself. The rest can be downloaded. */
const MAX_SHOWN = 16 * 1024 * 1024;

export const streamMessageRoutes: readonly Route[] = [
  get(
    '/streams/:stream/messages',
    { access: 'user', summary: 'Records of a stream by offset, by time, by key, or the newest' },
    (call) => browse(call, streamOf(call, 'read')),
  ),
  get('/streams/:stream/messages/:partition/:offset', { access: 'user', summary: 'One record, whole' }, async (call) =>
    showRecord(await recordOf(call), MAX_SHOWN),
  ),
  download('value', 'The value of one record, as bytes'),
  download('key', 'The key of one record, as bytes'),
];

function download(part: 'key' | 'value', summary: string): Route {
  const path = `/streams/:stream/messages/:partition/:offset/${part}`;
  const route = get(path, { access: 'user', summary }, () => undefined);
  return { ...route, answer: async (call) => bytesOf(call, part) };
}

async function bytesOf(call: Call, part: 'key' | 'value'): Promise<Answer> {
  const bytes = (await recordOf(call)).record[part];
  if (bytes === null) throw notFound();
  const name = `${call.param('stream')}-${call.param('partition')}-${call.param('offset')}.${part}`;
  return {
    status: 200,
    bytes,
    headers: {
      // Whatever the record says that it is: it is nothing that a browser should open as a page of this site.
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${name.replaceAll(/[^\w.-]/g, '_')}"`,
    },
  };
}

async function recordOf(call: Call): Promise<SeenRecord> {
  const { partitions } = streamOf(call, 'read');
  checkQuota(call, 'consumer_byte_rate');
  const [index, offset] = [call.param('partition'), call.param('offset')];
  const partition = /^\d{1,9}$/.test(index) ? partitions[Number(index)] : undefined;
  if (partition === undefined || !/^\d{1,16}$/.test(offset) || Number(offset) > MAX_OFFSET) throw notFound();
  const at = Number(offset);
  const scan = new ForwardScan(partition, at, () => Math.min(at + 1, partition.log.highWatermark), {
    ...{ committed: false, control: true, accepts: ({ record }) => record.offset === at },
  });
  const [found] = await nextPage([scan], false, { count: 1, maxBytes: 1 }, new Work(WORK));
  if (found === undefined) throw notFound();
  useQuota(call, 'consumer_byte_rate', shownBytes(found, MAX_OFFSET));
  return found;
}

async function browse(call: Call, stream: Stream): Promise<RecordPage> {
  checkQuota(call, 'consumer_byte_rate');
  const query = browseQuery(call, stream);
  const newestFirst = oneOf(call, 'order', ['oldest', 'newest']) === 'newest';
  const scans = await scansFor(call, query, newestFirst, positionsIn(call, stream));
  const work = new Work(WORK);
  const { count, maxBytes, truncate } = query;
  const page = await nextPage(
    scans,
    newestFirst,
    { count, maxBytes, shownBytes: (seen) => shownBytes(seen, truncate) },
    work,
  );
  useQuota(call, 'consumer_byte_rate', work.bytes);
  return {
    items: page.map((seen) => showRecord(seen, truncate)),
    cursor: encodeCursor(scans.map(({ partition, position }) => ({ partition: partition.index, offset: position }))),
    more: scans.some(({ ended }) => !ended),
    scanned: { records: work.records, bytes: work.bytes },
  };
}

/** Where the page before ended; undefined for the first one. */
function positionsIn(call: Call, { partitions }: Stream): readonly Position[] | undefined {
  const cursor = call.query('cursor');
  if (cursor === undefined || cursor === '') return undefined;
  const positions = decodeCursor(cursor);
  const known = new Set(positions.map(({ partition }) => partition));
  if (known.size !== positions.length || positions.some(({ partition }) => partitions[partition] === undefined))
    throw badRequest('this is a cursor of another stream');
  return positions;
}

async function scansFor(
  call: Call,
  query: BrowseQuery,
  newestFirst: boolean,
  positions: readonly Position[] | undefined,
): Promise<PartitionScan[]> {
  const wanted = new Map(positions?.map(({ partition, offset }) => [partition, offset]));
  const starts = await Promise.all(
    query.partitions.map(
      async (partition) => wanted.get(partition.index) ?? (await startOf(call, partition, query, newestFirst)),
    ),
  );
  return query.partitions.map((partition, i) => {
    const end = visibleEnd(partition, query.committed);
    const start = Math.max(starts[i] ?? 0, partition.log.startOffset);
    if (newestFirst) return new BackwardScan(partition, Math.min(start, end), query);
    return new ForwardScan(partition, start, () => end, query);
  });
}

/** Where somebody begins who says an offset, a time, or nothing. */
async function startOf(
  call: Call,
  partition: Partition,
  { committed }: Pick<BrowseQuery, 'committed'>,
  newestFirst: boolean,
): Promise<number> {
  const time = timeIn(call, 'timestamp');
  const offset = numberIn(call, 'offset', { default: -1, min: 0, max: MAX_OFFSET });
  if (time !== undefined && offset >= 0) throw badRequest('offset and timestamp are not given together');
  // Backwards, what is asked for is the last of what is shown.
  if (offset >= 0) return newestFirst ? offset + 1 : offset;
  const end = visibleEnd(partition, committed);
  if (time !== undefined) return (await partition.offsetForTimestamp(time + (newestFirst ? 1 : 0)))?.offset ?? end;
  return newestFirst ? end : partition.log.startOffset;
}
