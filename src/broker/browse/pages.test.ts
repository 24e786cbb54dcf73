import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../environment/seeded-random.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { encodeBatch, encodeMarkerBatch } from '../../records/index.ts';
import { MemoryCommitLog } from '../../storage/commit-log/memory.ts';
import { Shard } from '../../storage/index.ts';
import { MemorySegmentStore } from '../../storage/segment-store/memory.ts';
import { Partition } from '../streams/partition.ts';
import { streamConfig } from '../streams/stream-config.ts';
import { nextPage } from './pages.ts';
import { BackwardScan, ForwardScan, type PartitionScan, type ScanOptions, visibleEnd } from './partition-scan.ts';
import { markerOf, type SeenRecord } from './seen-record.ts';
import { Work } from './work.ts';

const ALL: ScanOptions = { committed: false, control: false, accepts: () => true };
const MUCH = { maxRecords: 1e6, maxBytes: 1e9 };

async function openPartitions(count: number): Promise<Partition[]> {
  const clock = new VirtualClock(1_000_000);
  const random = new SeededRandom(1);
  const shard = await Shard.open({ commitLog: new MemoryCommitLog(), store: new MemorySegmentStore(), clock, random });
  const config = streamConfig({}, {});
  return Array.from({ length: count }, (_, index) =>
    Partition.create({ index, shard, logId: random.uuid(), config, now: () => clock.now() }),
  );
}

/** Where it goes, how many records, when, whether it is compressed or in a transaction that is aborted. */
interface NewBatch {
  readonly partition: number;
  readonly records: number;
  readonly timestamp: number;
  readonly kind: 'plain' | 'gzip' | 'committed' | 'aborted';
}

const batches: fc.Arbitrary<NewBatch[]> = fc.array(
  fc.record({
    partition: fc.nat({ max: 2 }),
    records: fc.integer({ min: 1, max: 90 }),
    timestamp: fc.integer({ min: 900_000, max: 1_000_000 }),
    kind: fc.constantFrom<NewBatch['kind']>('plain', 'gzip', 'committed', 'aborted'),
  }),
  { maxLength: 25 },
);

type Place = readonly [partition: number, offset: number];
const placeOf = ({ partition, record }: SeenRecord): Place => [partition, record.offset];

/** Appends them; answers where each record that counts is, and where those are that do not. */
async function fill(partitions: readonly Partition[], list: readonly NewBatch[]) {
  const there: { place: Place; aborted: boolean; even: boolean }[] = [];
  let producerId = 1;
  for (const { partition: index, records, timestamp, kind } of list) {
    // Within bounds.
    const partition = partitions[index]!;
    const inTransaction = kind === 'committed' || kind === 'aborted';
    producerId++;
    const batch = encodeBatch({
      records: Array.from({ length: records }, (_, i) => ({ timestamp: timestamp + i, value: Buffer.from(`${i}`) })),
      compression: kind === 'gzip' ? 'gzip' : 'none',
      ...(inTransaction && { transactional: true, producerId, producerEpoch: 0, baseSequence: 0 }),
    });
    const { baseOffset, settled } = partition.append(batch, 'durable', { transactional: inTransaction });
    await settled;
    for (let i = 0; i < records; i++)
      there.push({ place: [index, baseOffset + i], aborted: kind === 'aborted', even: i % 2 === 0 });
    if (!inTransaction) continue;
    const outcome = kind === 'committed' ? 'commit' : 'abort';
    const marker = encodeMarkerBatch({ producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp, outcome });
    const appended = partition.shard.append([{ log: partition.log, batch: marker }], 'durable');
    partition.markerAppended(marker, appended.baseOffsets[0] ?? -1);
    await appended.settled;
  }
  return there;
}

/** All pages, one after the other, each begun where the one before says. */
async function allPages(
  scans: (positions: readonly number[] | undefined) => PartitionScan[],
  newestFirst: boolean,
  limits: { readonly count: number; readonly maxBytes: number; readonly maxRecords: number },
): Promise<Place[]> {
  const found: Place[] = [];
  let positions: readonly number[] | undefined;
  for (let pages = 0; ; pages++) {
    if (pages > 5000) throw new Error('the pages have no end');
    const page = scans(positions);
    found.push(...(await nextPage(page, newestFirst, limits, new Work({ ...MUCH, ...limits }))).map(placeOf));
    positions = page.map(({ position }) => position);
    if (page.every(({ ended }) => ended)) return found;
  }
}

const byPlace = (one: Place, other: Place) => one[0] - other[0] || one[1] - other[1];

it('pages together have each record once, in the order of its partition, however small they are and however little may be looked at', async () => {
  await fc.assert(
    fc.asyncProperty(
      batches,
      fc.record({
        count: fc.integer({ min: 1, max: 200 }),
        maxBytes: fc.integer({ min: 1, max: 200 }),
        maxRecords: fc.integer({ min: 1, max: 500 }),
      }),
      fc.record({ newestFirst: fc.boolean(), committed: fc.boolean(), filtered: fc.boolean() }),
      async (list, limits, { newestFirst, committed, filtered }) => {
        const partitions = await openPartitions(3);
        const there = await fill(partitions, list);
        const options: ScanOptions = {
          ...ALL,
          committed,
          accepts: ({ record }) => !filtered || Number(record.value) % 2 === 0,
        };
        const found = await allPages(
          (positions) =>
            partitions.map((partition, i) => {
              const end = visibleEnd(partition, committed);
              if (newestFirst) return new BackwardScan(partition, positions?.[i] ?? end, options);
              return new ForwardScan(partition, positions?.[i] ?? 0, () => end, options);
            }),
          newestFirst,
          limits,
        );
        const expected = there
          .filter(({ aborted, even }) => !(committed && aborted) && (!filtered || even))
          .map(({ place }) => place);
        expect(found.toSorted(byPlace)).toEqual(expected.toSorted(byPlace));
        for (const { index } of partitions) {
          const offsets = found.filter(([partition]) => partition === index).map(([, offset]) => offset);
          expect(offsets).toEqual(offsets.toSorted((a, b) => (newestFirst ? b - a : a - b)));
        }
      },
    ),
    { numRuns: 60 },
  );
});

it('tells what became of transactions, and shows their markers to those who ask', async () => {
  const [partition] = await openPartitions(1);
  if (partition === undefined) throw new Error('there is one');
  const batch = { partition: 0, records: 1, timestamp: 950_000 };
  await fill(
    [partition],
    [
      { ...batch, kind: 'aborted' },
      { ...batch, kind: 'committed' },
      { ...batch, kind: 'plain' },
    ],
  );
  const open = encodeBatch({
    records: [{ timestamp: 1, value: Buffer.from('x') }],
    ...{ transactional: true, producerId: 99, producerEpoch: 0, baseSequence: 0 },
  });
  await partition.append(open, 'durable', { transactional: true }).settled;
  const see = async (options: Partial<ScanOptions>) => {
    const end = visibleEnd(partition, options.committed ?? false);
    const scan = new ForwardScan(partition, 0, () => end, { ...ALL, ...options });
    return nextPage([scan], false, { count: 10, maxBytes: 1e6 }, new Work(MUCH));
  };
  const fates = async (options: Partial<ScanOptions>) => (await see(options)).map(({ batch: { fate } }) => fate);
  expect(await fates({})).toEqual(['aborted', 'committed', 'none', 'open']);
  expect(await fates({ committed: true })).toEqual(['committed', 'none']);
  const markers = (await see({ control: true })).map(markerOf).filter((marker) => marker !== undefined);
  expect(markers).toEqual([
    { outcome: 'abort', coordinatorEpoch: 0 },
    { outcome: 'commit', coordinatorEpoch: 0 },
  ]);
});

it('goes on from what is left when the log is trimmed in between', async () => {
  const [partition] = await openPartitions(1);
  if (partition === undefined) throw new Error('there is one');
  await fill([partition], [{ partition: 0, records: 50, timestamp: 950_000, kind: 'plain' }]);
  const forward = new ForwardScan(partition, 0, () => partition.log.highWatermark, ALL);
  const backward = new BackwardScan(partition, 50, ALL);
  const limits = { count: 10, maxBytes: 1e6 };
  expect((await nextPage([forward], false, limits, new Work(MUCH))).map(placeOf)).toHaveLength(10);
  await partition.deleteRecords(40);
  const rest = { ...limits, count: 100 };
  const again = new ForwardScan(partition, forward.position, () => partition.log.highWatermark, ALL);
  expect((await nextPage([again], false, rest, new Work(MUCH))).map(placeOf)[0]).toEqual([0, 40]);
  expect((await nextPage([backward], true, rest, new Work(MUCH))).map(placeOf).at(-1)).toEqual([0, 40]);
});

it('goes on where the end was, once that has moved, in the middle of a batch too', async () => {
  const [partition] = await openPartitions(1);
  if (partition === undefined) throw new Error('there is one');
  await fill([partition], [{ partition: 0, records: 10, timestamp: 950_000, kind: 'gzip' }]);
  let end = 0;
  const scan = new ForwardScan(partition, 0, () => end, ALL);
  const found: number[] = [];
  for (end of [0, 4, 4, 5, 10]) {
    const page = await nextPage([scan], false, { count: 100, maxBytes: 1e6 }, new Work(MUCH));
    found.push(...page.map(({ record }) => record.offset));
    expect(scan.position).toBe(end);
    expect(scan.ended).toBe(true);
  }
  expect(found).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
