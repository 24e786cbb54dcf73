import { join } from 'node:path';
import type { Environment } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { lastOffsetDelta } from '../../records/index.ts';
import { ENTRY_APPEND, ENTRY_DELETE, readEntryGroup } from '../entry-group.ts';
import type { LogState } from '../log.ts';
import { loadManifest, type Manifest, saveManifest } from '../manifest.ts';
import { segmentObjects } from '../segment.ts';
import { DirectorySegmentStore } from '../segment-store/directory.ts';
import type { Aside } from './aside.ts';
import { type CommitLogFinding, examineCommitLog } from './commit-log-repair.ts';
import { type Damage, joinRanges, type OffsetRange } from './damage.ts';
import { examineSegment, filler, isCompacted, makeSegment, type NewObject, rebuildLog } from './segment-repair.ts';
import { StoredObjects } from './stored-objects.ts';

export interface ExamineOptions {
  readonly environment: Pick<Environment, 'files' | 'random'>;
  /** The data directory; whoever examines it holds its lock. */
  readonly data: string;
  /** The shard's directory, from the data directory on. */
  readonly shard: string;
}

/** What was found in one shard's storage. Nothing is changed before `mend`. */
export interface Examination {
  readonly damages: readonly Damage[];
  /** Does what the damages' remedies say, with copies of what is cut, replaced or removed put aside first. */
  mend(aside: Aside): Promise<void>;
}

const MANIFEST = 'manifest';
const LOG_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Looks at all of a shard on disk: manifest, commit log, and every batch of every segment. */
export async function examineShard({ environment, data, shard }: ExamineOptions): Promise<Examination> {
  const { files, random } = environment;
  const segments = join(shard, 'segments');
  const commitLog = join(shard, 'commit-log');
  const objects = new StoredObjects(files, join(data, segments));
  const present = new Set(await objects.list());
  const damages: Damage[] = [];

  const { manifest: stored, damage: unreadable } = await readManifest(objects);
  const finding = await examineCommitLog({
    files,
    random,
    directory: join(data, commitLog),
    from: stored?.replayFrom,
    epoch: Math.max(0, ...(stored?.logs ?? []).flatMap(({ epochs }) => epochs.map(({ epoch }) => epoch))),
  });
  // A shard that was never flushed has no manifest, and nothing of its commit log is gone.
  const isNew = unreadable === undefined && present.size === 0 && finding.from === 0;
  const damage = stored === undefined && !isNew ? (unreadable ?? manifestDamage('is missing')) : undefined;
  const draft = new Draft(stored ?? { shardId: random.uuid(), replayFrom: finding.from, logs: [], garbage: [] });
  if (damage !== undefined) {
    damages.push(within(segments, damage));
    damages.push(...(await rebuild(draft, objects, present)).map((each) => within(segments, each)));
  }
  for (const state of [...draft.logs.values()])
    damages.push(...(await examineLog(draft, objects, present, state)).map((each) => within(segments, each)));
  damages.push(...commitLogDamage(finding).map((each) => within(commitLog, each)));
  damages.push(...fillMissing(draft, finding.groups, damage !== undefined).map((each) => within(segments, each)));

  return {
    damages,
    async mend(aside) {
      const { broken } = finding;
      if (damage !== undefined && present.has(MANIFEST)) draft.touched.add(MANIFEST);
      for (const { name } of draft.objects) if (present.has(name)) draft.touched.add(name);
      for (const name of draft.touched) await aside.copy(join(segments, name));
      for (const name of broken?.touched ?? []) await aside.copy(join(commitLog, name));
      // Also a commit log that is cut is another one from there on: what knows the shard by its identity must not take it for the former one.
      const isOther = broken !== undefined && stored !== undefined;
      if (draft.isChanged || damage !== undefined || isOther)
        await storeDraft(environment, join(data, segments), draft);
      await broken?.mend();
    },
  };
}

/** A manifest in the making, and what has to be stored before it. */
class Draft {
  readonly manifest: Manifest;
  readonly logs: Map<string, LogState>;
  readonly objects: NewObject[] = [];
  readonly touched = new Set<string>();
  isChanged = false;

  constructor(manifest: Manifest) {
    this.manifest = manifest;
    this.logs = new Map(manifest.logs.map((log) => [log.id, log]));
  }

  put(log: LogState): void {
    this.logs.set(log.id, log);
    this.isChanged = true;
  }

  /** Lets empty batches stand for the offsets from the log's last segment to `offset`. */
  fill(log: LogState, offset: number): void {
    const from = log.flushedOffset;
    const { segment, objects } = makeSegment(log.id, from, [filler(from, offset)]);
    this.objects.push(...objects);
    const maxTimestamp = log.segments.at(-1)?.maxTimestamp ?? -1;
    this.put({ ...log, flushedOffset: offset, segments: [...log.segments, { ...segment, maxTimestamp }] });
  }
}

/** The manifest as it is stored, or what is wrong with it. */
async function readManifest(objects: StoredObjects): Promise<{ manifest?: Manifest | undefined; damage?: Damage }> {
  try {
    return { manifest: await loadManifest(objects) };
  } catch (error) {
    if (!(error instanceof BrokerError) || error.code !== 'storage-damaged') throw error;
    return { damage: manifestDamage('cannot be read: wrong CRC') };
  }
}

function manifestDamage(what: string): Damage {
  const remedy =
    'it is made again from the segments and the commit log; records that were deleted from the beginning of a log may come back';
  return { file: MANIFEST, what, remedy, lost: [] };
}

/** Finds the logs again by their segments. */
async function rebuild(draft: Draft, objects: StoredObjects, present: ReadonlySet<string>): Promise<Damage[]> {
  const names = [...present];
  const damages: Damage[] = [];
  for (const log of new Set(names.map((name) => name.split('/', 1)[0] ?? ''))) {
    if (!LOG_ID.test(log)) continue;
    const { state, damages: found } = await rebuildLog(objects, names, log);
    damages.push(...found);
    draft.put({ ...state, segments: [], flushedOffset: state.startOffset });
    for (const segment of state.segments) {
      const before = draft.logs.get(log) ?? state;
      const last = before.segments.at(-1);
      // Where compaction was, offsets may be missing.
      const mayLack = isCompacted(segment) || (last !== undefined && isCompacted(last));
      if (segment.baseOffset > before.flushedOffset && !mayLack) {
        draft.fill(before, segment.baseOffset);
        damages.push(missingDamage(log, before.flushedOffset, segment.baseOffset));
      }
      const filled = draft.logs.get(log) ?? state;
      draft.put({ ...filled, segments: [...filled.segments, segment], flushedOffset: segment.nextOffset });
    }
  }
  return damages;
}

/** Looks at a log's segments. */
async function examineLog(
  draft: Draft,
  objects: StoredObjects,
  present: ReadonlySet<string>,
  state: LogState,
): Promise<Damage[]> {
  const damages: Damage[] = [];
  const segments = [];
  const written = new Set(draft.objects.map(({ name }) => name));
  for (const segment of state.segments) {
    if (written.has(`${segment.name}.log`)) {
      segments.push(segment);
      continue;
    }
    const finding = await examineSegment(objects, present, state.id, segment);
    segments.push(...finding.segments);
    if (finding.damages.length === 0) continue;
    damages.push(...finding.damages);
    draft.objects.push(...finding.objects);
    for (const name of finding.touched) draft.touched.add(name);
  }
  if (damages.length > 0) draft.put({ ...state, segments });
  return damages;
}

function commitLogDamage({ broken, from }: CommitLogFinding): Damage[] {
  if (broken === undefined) return [];
  const { file, byte, what, harmless, lost } = broken;
  const remedy = harmless
    ? `the log goes on at position ${from}: what lies before it is in segments`
    : 'the log is cut there: the damaged bytes are lost, and all that was appended after them, which may build upon them';
  return [{ file, ...(byte !== undefined && { byte }), what, remedy, lost: joinRanges(lost.flatMap(appendsIn)) }];
}

/** The offsets that a group appends to logs. */
function appendsIn(group: Buffer): OffsetRange[] {
  const ranges: OffsetRange[] = [];
  readEntryGroup(group, (kind, log, offset, batch) => {
    if (kind === ENTRY_APPEND) ranges.push({ log, from: offset, to: offset + lastOffsetDelta(batch, 0) + 1 });
  });
  return ranges;
}

/**
 * Goes through the commit log as a start would, for offsets that are neither in segments nor there. Such a gap before a log's
 * first batch in the commit log can be filled. Of a log that is not known otherwise the records before were deleted, or lost.
 */
function fillMissing(draft: Draft, groups: readonly Buffer[], rebuilt: boolean): Damage[] {
  const damages = new Map<string, Damage>();
  const ends = new Map<string, number>();
  const fills = new Map<string, number>();
  for (const group of groups) {
    readEntryGroup(group, (kind, log, offset, batch) => {
      if (kind === ENTRY_DELETE) {
        for (const each of [damages, ends, fills]) each.delete(log);
        return;
      }
      if (kind !== ENTRY_APPEND) return;
      const seen = ends.get(log);
      const end = seen ?? draft.logs.get(log)?.flushedOffset ?? 0;
      if (offset > end) {
        const damage = missingDamage(log, end, offset);
        if (seen === undefined) fills.set(log, offset);
        const unknown = rebuilt && seen === undefined && !(draft.logs.get(log)?.segments.length ?? 0);
        if (unknown) damages.set(log, { ...damage, remedy: `the log begins at offset ${offset}` });
        else if (seen === undefined) damages.set(log, damage);
        else damages.set(log, { file: damage.file, what: damage.what, lost: [] });
      }
      ends.set(log, Math.max(end, offset + lastOffsetDelta(batch, 0) + 1));
    });
  }
  for (const [log, offset] of fills) {
    const state = draft.logs.get(log) ?? { id: log, startOffset: 0, flushedOffset: 0, segments: [], epochs: [] };
    if (rebuilt && state.segments.length === 0) draft.put({ ...state, startOffset: offset, flushedOffset: offset });
    else draft.fill(state, offset);
  }
  return [...damages.values()];
}

function missingDamage(log: string, from: number, to: number): Damage {
  return {
    file: log,
    what: `offsets ${from} to ${to - 1} of this log are nowhere`,
    remedy: 'an empty batch stands for them',
    lost: [{ log, from, to }],
  };
}

/** Stores the objects, then the manifest that names them. */
async function storeDraft(environment: ExamineOptions['environment'], directory: string, draft: Draft): Promise<void> {
  const store = await DirectorySegmentStore.open({ environment, directory });
  try {
    for (const { name, chunks } of draft.objects) await store.put(name, chunks);
    const logs = [...draft.logs.values()];
    const before = new Set(draft.manifest.logs.flatMap((log) => log.segments).flatMap(segmentObjects));
    const live = new Set(logs.flatMap((log) => log.segments).flatMap(segmentObjects));
    // A name can have been given up once, and be that of an object that was stored just now.
    const garbage = [...draft.manifest.garbage, ...before].filter((name) => !live.has(name));
    const shardId = environment.random.uuid();
    await saveManifest(store, { ...draft.manifest, shardId, logs, garbage: [...new Set(garbage)] });
  } finally {
    await store.close();
  }
}

function within(folder: string, damage: Damage): Damage {
  return { ...damage, file: join(folder, damage.file) };
}
