import { batchesIn, encodeBatch } from '../../records/index.ts';
import type { LogState } from '../log.ts';
import { type Segment, SegmentIndexer, segmentName, UNINDEXED_BYTES } from '../segment.ts';
import { type BatchCheck, checkBatches, type Gap } from './batch-check.ts';
import type { Damage } from './damage.ts';
import type { StoredObjects } from './stored-objects.ts';

/** An object to be stored. */
export interface NewObject {
  readonly name: string;
  readonly chunks: readonly Buffer[];
}

/** What became of one segment that was looked at. */
export interface SegmentFinding {
  readonly damages: readonly Damage[];
  /** What takes its place in the log. */
  readonly segments: readonly Segment[];
  readonly objects: readonly NewObject[];
  /** Objects of which something is cut or replaced: to be copied aside before. */
  readonly touched: readonly string[];
}

const MAX_INT32 = 0x7fff_ffff;

/** Looks at a segment that the manifest has: every batch of it, and its indexes. */
export async function examineSegment(
  objects: StoredObjects,
  present: ReadonlySet<string>,
  log: string,
  segment: Segment,
): Promise<SegmentFinding> {
  const object = `${segment.name}.log`;
  const bytes = present.has(object) ? await objects.get(object, 0, segment.size) : Buffer.alloc(0);
  const check = checkBatches(bytes, segment.baseOffset, segment.nextOffset, isCompacted(segment));
  if (check.gaps.length === 0) return examineIndex(objects, present, segment, bytes);
  const { kept, objects: written, segments } = replacement(log, segment, bytes, check);
  const why = present.has(object) ? undefined : 'is missing';
  return {
    damages: check.gaps.map((gap) => gapDamage(log, object, gap, why)),
    segments: kept === undefined ? segments : [kept, ...segments],
    objects: written,
    touched: present.has(object) ? [object] : [],
  };
}

function gapDamage(
  log: string,
  object: string,
  gap: Gap,
  why = `holds no record batch of offset ${gap.fromOffset}`,
): Damage {
  return {
    file: object,
    byte: gap.from,
    what: `${why}${gap.to > gap.from ? ` (${gap.to - gap.from} bytes)` : ''}`,
    remedy: 'the log goes on after them: an empty batch stands for what is lost',
    lost: [{ log, from: gap.fromOffset, to: gap.toOffset }],
  };
}

/**
 * The segment without its gaps. What comes before the first stays where it is, as the first bytes of the object; the rest
 * goes to an object of its own, so that at no time the manifest speaks of what is not there. An empty batch takes each gap's
 * offsets, as compaction leaves them in Kafka: whoever reads the log steps over it, and its offsets stay without a hole.
 */
function replacement(log: string, segment: Segment, bytes: Buffer, { runs, gaps }: BatchCheck) {
  const [first] = runs;
  const keeps = first !== undefined && first.from === 0 && first.baseOffset === segment.baseOffset;
  const kept = keeps
    ? { ...segment, nextOffset: first.nextOffset, size: first.to, maxTimestamp: first.maxTimestamp }
    : undefined;
  const rest = [
    ...gaps.map((gap) => ({ offset: gap.fromOffset, bytes: filler(gap.fromOffset, gap.toOffset) })),
    ...runs.slice(keeps ? 1 : 0).map((run) => ({ offset: run.baseOffset, bytes: bytes.subarray(run.from, run.to) })),
  ].sort((a, b) => a.offset - b.offset);
  const made = makeSegment(
    log,
    kept?.nextOffset ?? segment.baseOffset,
    rest.map((part) => part.bytes),
  );
  // When no batch is left, its age is still known: retention goes by it.
  const maxTimestamp = made.segment.maxTimestamp < 0 ? segment.maxTimestamp : made.segment.maxTimestamp;
  return { kept, objects: made.objects, segments: [{ ...made.segment, maxTimestamp }] };
}

/** Empty batches for the offsets from `from` to before `to`. */
export function filler(from: number, to: number): Buffer {
  const batches: Buffer[] = [];
  for (let offset = from; offset < to; ) {
    const lastOffsetDelta = Math.min(to - offset - 1, MAX_INT32 - 1);
    batches.push(encodeBatch({ records: [], baseOffset: offset, lastOffsetDelta, partitionLeaderEpoch: -1 }));
    offset += lastOffsetDelta + 1;
  }
  return Buffer.concat(batches);
}

/** A segment of these batches, and the objects that it is made of. */
export function makeSegment(
  log: string,
  baseOffset: number,
  chunks: readonly Buffer[],
): { segment: Segment; objects: NewObject[] } {
  const indexer = new SegmentIndexer(baseOffset);
  for (const chunk of chunks) indexBatches(indexer, chunk);
  const name = segmentName(log, baseOffset);
  const objects: NewObject[] = [{ name: `${name}.log`, chunks }];
  const { size, nextOffset, maxTimestamp } = indexer;
  const indexed = size > UNINDEXED_BYTES;
  if (indexed) objects.push(...indexObjects(name, indexer));
  return { segment: { name, baseOffset, nextOffset, size, maxTimestamp, indexed }, objects };
}

function indexBatches(indexer: SegmentIndexer, bytes: Buffer): void {
  for (const { baseOffset, lastOffset, maxTimestamp, size } of batchesIn(bytes))
    indexer.add(baseOffset, lastOffset, maxTimestamp, size);
}

function indexObjects(name: string, indexer: SegmentIndexer): NewObject[] {
  const { offsets, times } = indexer.finish();
  return [
    { name: `${name}.index`, chunks: [offsets] },
    { name: `${name}.timeindex`, chunks: [times] },
  ];
}

/** An index can be longer than its segment, when the object is; but what it says of the segment must hold. */
async function examineIndex(
  objects: StoredObjects,
  present: ReadonlySet<string>,
  segment: Segment,
  bytes: Buffer,
): Promise<SegmentFinding> {
  const damages: Damage[] = [];
  const written: NewObject[] = [];
  const touched: string[] = [];
  if (segment.indexed) {
    const indexer = new SegmentIndexer(segment.baseOffset);
    indexBatches(indexer, bytes);
    const all = indexObjects(segment.name, indexer);
    for (const { name, chunks } of all) {
      const [right] = chunks as [Buffer];
      const stored = present.has(name) ? await objects.get(name, 0, right.length) : Buffer.alloc(0);
      if (stored.equals(right)) continue;
      const what = present.has(name) ? 'is not the index of its segment' : 'is missing';
      damages.push({ file: name, what, remedy: 'it is made again from the segment', lost: [] });
      if (present.has(name)) touched.push(name);
      written.push({ name, chunks });
    }
  }
  return { damages, segments: [segment], objects: written, touched };
}

/** A log as its segments tell it, where no manifest does. Objects that others hold all offsets of are left alone. */
export async function rebuildLog(
  objects: StoredObjects,
  names: readonly string[],
  log: string,
): Promise<{ state: LogState; damages: Damage[] }> {
  const segments: Segment[] = [];
  const damages: Damage[] = [];
  const epochs: { epoch: number; startOffset: number }[] = [];
  const objectsOfLog = segmentObjectsOf(names, log);
  for (const { object, baseOffset, generation } of objectsOfLog) {
    let last = segments.at(-1);
    const bytes = await objects.get(object, 0, Number.MAX_SAFE_INTEGER);
    const { runs } = checkBatches(bytes, baseOffset, undefined, generation > 0);
    const end = runs.at(-1);
    if (end === undefined || end.to < bytes.length) {
      const what = `holds no record batch from there on (${bytes.length - (end?.to ?? 0)} bytes)`;
      damages.push({ file: object, byte: end?.to ?? 0, what, remedy: 'it is left out', lost: [] });
    }
    if (end === undefined || (last !== undefined && end.nextOffset <= last.nextOffset)) continue;
    if (last !== undefined && baseOffset < last.nextOffset) {
      // The one before was written again, longer, when the broker stopped: what it has of this one's offsets is the same.
      const cut = await cutAt(objects, last, baseOffset);
      segments.pop();
      // Compaction may have written it again from its beginning on.
      if (cut.size > 0) segments.push(cut);
      last = cut;
    }
    for (const run of runs)
      for (const start of run.epochs) if (start.epoch > (epochs.at(-1)?.epoch ?? -1)) epochs.push(start);
    const name = segmentName(log, baseOffset, generation);
    const maxTimestamp = Math.max(...runs.map((run) => run.maxTimestamp));
    const size = end.to;
    segments.push({
      name,
      baseOffset,
      nextOffset: end.nextOffset,
      size,
      maxTimestamp,
      indexed: size > UNINDEXED_BYTES,
      ...(generation > 0 && { generation }),
    });
  }
  const startOffset = segments[0]?.baseOffset ?? 0;
  const flushedOffset = segments.at(-1)?.nextOffset ?? 0;
  // How far it was clean is not known; and no name may come again.
  const generation = Math.max(...objectsOfLog.map((object) => object.generation)) + 1;
  const cleaned = generation > 1 && { cleaned: { offset: startOffset, generation } };
  return { state: { id: log, startOffset, flushedOffset, segments, epochs, ...cleaned }, damages };
}

interface SegmentObject {
  readonly object: string;
  readonly baseOffset: number;
  readonly generation: number;
}

function segmentObjectsOf(names: readonly string[], log: string): SegmentObject[] {
  const found: SegmentObject[] = [];
  for (const object of names) {
    const [, digits, generation = '0'] = /^[^/]+\/(\d{20})(?:-(\d+))?\.log$/.exec(object) ?? [];
    if (digits === undefined || !object.startsWith(`${log}/`)) continue;
    found.push({ object, baseOffset: Number(digits), generation: Number(generation) });
  }
  return found.sort((a, b) => a.baseOffset - b.baseOffset || a.generation - b.generation);
}

export function isCompacted({ generation = 0 }: Segment): boolean {
  return generation > 0;
}

/** The segment as far as its batches lie before `offset`. */
async function cutAt(objects: StoredObjects, segment: Segment, offset: number): Promise<Segment> {
  const bytes = await objects.get(`${segment.name}.log`, 0, segment.size);
  let nextOffset = segment.baseOffset;
  let size = 0;
  let maxTimestamp = -1;
  for (const run of checkBatches(bytes, segment.baseOffset, undefined, isCompacted(segment)).runs) {
    for (const batch of batchesIn(bytes.subarray(run.from, run.to))) {
      if (batch.lastOffset >= offset) break;
      size = run.from + batch.at + batch.size;
      nextOffset = batch.lastOffset + 1;
      maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp);
    }
  }
  return { ...segment, nextOffset, size, maxTimestamp };
}
