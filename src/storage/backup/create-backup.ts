import type { Clock, FileSystem } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { crc32c } from '../../records/index.ts';
import type { Position } from '../commit-log.ts';
import type { Log } from '../log.ts';
import type { Segment } from '../segment.ts';
import type { Shard } from '../shard.ts';
import type { CopySource, ShardSnapshot } from '../shard-snapshot.ts';
import type { ObjectCopy, SegmentCopy, ShardCopy } from './backup-list.ts';
import { type BackupSummary, isReadable, listBackups, newId, readBackupList, saveBackup } from './backup-set.ts';
import { BatchWalk } from './batch-walk.ts';
import { groupFrame } from './group-frame.ts';
import { KnownSegments, TAIL_BYTES } from './known-segments.ts';
import { PackWriter } from './pack-writer.ts';
import type { Progress } from './progress.ts';
import { type BackupDamage, PIECE_BYTES, type Stored } from './stored.ts';

export interface CreateBackupOptions {
  readonly files: FileSystem;
  readonly clock: Clock;
  /** The set's directory, whose lock the caller holds. */
  readonly directory: string;
  /** All that outlive a restart, by their numbers. */
  readonly shards: readonly Shard[];
  /** Copies everything, also what former backups have. */
  readonly full: boolean;
  readonly clusterId: string;
  readonly version: string;
  /** How much may be kept from being freed for the backup's sake; with more, it is given up. */
  readonly maxKeptBytes: number;
  readonly progress: Progress;
}

/** Segments are copied without holding them until so few are left, or so many rounds were made. */
const CHASE_BYTES = 64 * 1024 * 1024;
const CHASE_ROUNDS = 4;
const SEGMENT_OBJECT = /\/\d{20}(-\d+)?\.(log|index|timeindex)$/;
const MANIFEST = 'manifest';

/**
 * Copies shards that go on working. First the segments there are, some of which may go meanwhile; then a snapshot of each shard, and
 * what has come since; then the small objects (snapshots of state machines); last, from one moment for all shards, the commit log up to there. Everything that was
 * acknowledged before that moment is in the backup, and nothing after it. Rejects with what keeps it from being whole; then there is
 * no new backup.
 */
export async function createBackup(options: CreateBackupOptions): Promise<BackupSummary> {
  return new BackupRun(options).run();
}

class BackupRun {
  readonly #options: CreateBackupOptions;
  readonly #damages: BackupDamage[] = [];
  readonly #snapshots: ShardSnapshot[] = [];
  #pack: PackWriter | undefined;
  #known = new KnownSegments();

  constructor(options: CreateBackupOptions) {
    this.#options = options;
  }

  async run(): Promise<BackupSummary> {
    const { files, clock, directory, progress, full, clusterId, version } = this.#options;
    const startedAt = clock.now();
    await files.makeDirectory(directory);
    const id = await newId(files, directory, startedAt);
    const pack = new PackWriter({ files, directory, id, progress });
    this.#pack = pack;
    progress.check = () => this.#checkKept();
    try {
      if (!full) await this.#learn();
      const { time, shards } = await this.#copy();
      await pack.finish();
      const segments = shards.flatMap(({ logs }) => logs.flatMap((log) => log.segments));
      const others = shards.flatMap(({ objects, groups }) => [...objects.map(({ stored }) => stored), groups]);
      const bytes = sizeOf(segments.map(({ stored }) => stored)) + sizeOf(others);
      const summary: BackupSummary = {
        ...{ format: 1, id, time, startedAt, completedAt: clock.now(), clusterId, version },
        full: full || pack.bytes === bytes,
        shards: shards.map(({ shardId, end }) => ({ shardId, end })),
        logs: shards.reduce((sum, { logs }) => sum + logs.length, 0),
        segments: segments.length,
        bytes,
        newBytes: pack.bytes,
        damages: this.#damages,
      };
      await saveBackup(files, directory, summary, shards);
      return summary;
    } finally {
      progress.check = () => {};
      for (const snapshot of this.#snapshots) snapshot.close();
      await pack.abandon();
    }
  }

  /** Takes note of the segments that former backups have. */
  async #learn(): Promise<void> {
    const { files, directory } = this.#options;
    for (const entry of (await listBackups(files, directory)).filter(isReadable).slice(-1))
      this.#known.add(await readBackupList(files, directory, entry.id));
    await this.#known.check(files, directory);
  }

  async #copy(): Promise<{ readonly time: number; readonly shards: ShardCopy[] }> {
    const { shards, clock } = this.#options;
    const copies = shards.map((shard) => new SegmentCopies(shard));
    for (let round = 0; round < CHASE_ROUNDS; round++) {
      let bytes = 0;
      for (const each of copies) bytes += await this.#chase(each);
      if (bytes < CHASE_BYTES) break;
    }
    for (const shard of shards) this.#snapshots.push(shard.snapshot());
    for (const [i, each] of copies.entries()) await this.#copyHeld(each, this.#snapshots[i] as ShardSnapshot); // One for each.
    const objects: ObjectCopy[][] = [];
    for (const shard of shards) objects.push(await this.#copyObjects(shard.copySource));
    // One moment for all shards: as a power loss at this moment would have left them.
    const ends = shards.map((shard) => shard.durable);
    const time = clock.now();
    const groups: Stored[] = [];
    for (const [i, shard] of shards.entries())
      groups.push(await this.#copyGroups(shard, this.#snapshots[i] as ShardSnapshot, ends[i] ?? 0));
    return {
      time,
      shards: shards.map((shard, i) => {
        const { shardId, replayFrom, logs } = this.#snapshots[i] as ShardSnapshot;
        return {
          ...{ shard: i, shardId, replayFrom, epoch: shard.epoch, end: ends[i] ?? 0 },
          logs: logs.map((state) => ({ state, segments: copies[i]?.of(state.segments) ?? [] })),
          objects: objects[i] ?? [],
          groups: groups[i] as Stored,
        };
      }),
    };
  }

  /** Copies what segments there are, but for those that go while it does. Answers the bytes copied. */
  async #chase(copies: SegmentCopies): Promise<number> {
    const { progress } = this.#options;
    const { logs } = copies.source;
    const due = [...logs.values()].flatMap((log) =>
      log.segments.filter((segment) => !copies.has(segment)).map((segment) => ({ log, segment })),
    );
    progress.bytesTotal += sizeOf(due.map(({ segment }) => segment));
    let bytes = 0;
    for (const { log, segment } of due) {
      if (!isPart(log, segment)) progress.bytesTotal -= segment.size;
      else if (await this.#copySegment(copies, segment, () => isPart(log, segment))) bytes += segment.size;
    }
    return bytes;
  }

  async #copyHeld(copies: SegmentCopies, snapshot: ShardSnapshot): Promise<void> {
    const segments = snapshot.logs.flatMap((log) => log.segments);
    for (const segment of segments) if (copies.has(segment)) snapshot.copied(segment);
    const due = segments.filter((segment) => !copies.has(segment));
    this.#options.progress.bytesTotal += sizeOf(due);
    for (const segment of due) {
      await this.#copySegment(copies, segment, () => true);
      snapshot.copied(segment);
    }
  }

  /** Copies a segment, unless a former backup has it. Answers false when it went meanwhile, which `isThere` tells. */
  async #copySegment(copies: SegmentCopies, segment: Segment, isThere: () => boolean): Promise<boolean> {
    const { source, shardId } = copies;
    const { progress } = this.#options;
    const object = `${segment.name}.log`;
    const get = (at: number, length: number) => source.store.get(object, at, length);
    try {
      const tailBytes = Math.min(TAIL_BYTES, segment.size);
      const tailCrc = crc32c(await get(segment.size - tailBytes, tailBytes));
      const known = this.#known.find(shardId, segment, tailCrc);
      if (known !== undefined) {
        copies.add(segment, { segment, stored: known, tailCrc });
        progress.bytesDone += segment.size;
        progress.going();
        return true;
      }
      const walk = new BatchWalk(segment);
      const stored = await this.#store(segment.size, async (write) => {
        for (let at = 0; at < segment.size; ) {
          const piece = await get(at, Math.min(PIECE_BYTES, segment.size - at));
          if (piece.length === 0) break;
          walk.add(piece);
          await write(piece);
          at += piece.length;
        }
      });
      if (!isThere()) return false;
      const flaw = stored.size < segment.size ? { byte: stored.size, what: 'it ends there' } : walk.finish();
      // Damage of the broker's own is no reason to have no backup of the rest.
      if (flaw !== undefined) this.#damages.push({ file: object, ...flaw, object: 'the broker had it so' });
      copies.add(segment, { segment, stored, tailCrc });
      return true;
    } catch (error) {
      if (!isThere() && isGone(error)) return false;
      if (!isGone(error)) throw error;
      this.#damages.push({ file: object, byte: 0, what: 'it was missing', object: 'the broker had it so' });
      copies.add(segment, { segment, stored: await this.#store(0, async () => {}), tailCrc: 0 });
      return true;
    }
  }

  async #copyObjects({ store }: CopySource): Promise<ObjectCopy[]> {
    const names = (await store.list('')).filter((name) => name !== MANIFEST && !SEGMENT_OBJECT.test(name));
    const copies: ObjectCopy[] = [];
    for (const name of names) {
      const bytes = await store.get(name, 0, Number.MAX_SAFE_INTEGER).catch((error: unknown) => {
        // Its log was deleted, and the commit log says so.
        if (isGone(error)) return undefined;
        throw error;
      });
      if (bytes === undefined) continue;
      this.#options.progress.bytesTotal += bytes.length;
      copies.push({ name, stored: await this.#store(bytes.length, (write) => write(bytes)) });
    }
    return copies;
  }

  async #copyGroups(shard: Shard, { tail }: ShardSnapshot, end: Position): Promise<Stored> {
    const { progress } = this.#options;
    // A power loss must not take from the broker what a backup has of it.
    await shard.copySource.commitLog.sync?.();
    progress.bytesTotal += end - tail.position;
    return this.#store(end - tail.position, async (write) => {
      while (tail.position < end) {
        const frames: Buffer[] = [];
        await tail.read(end, PIECE_BYTES, (group) => frames.push(...groupFrame(group)));
        for (const piece of inPieces(frames)) await write(piece);
      }
    });
  }

  #store(size: number, fill: (write: (piece: Buffer) => Promise<void>) => Promise<void>): Promise<Stored> {
    if (this.#pack === undefined) throw new BrokerError('internal', 'a backup stores nothing before it has begun');
    return this.#pack.store(size, fill);
  }

  /** Throws when the broker suffers from what is kept for the backup. */
  #checkKept(): void {
    const { shards, maxKeptBytes } = this.#options;
    let kept = 0;
    for (const [i, snapshot] of this.#snapshots.entries()) {
      const shard = shards[i];
      if (shard?.full === true)
        throw new BrokerError(
          'storage-full',
          "the broker's own disk runs full: the backup lets go of what it keeps there",
        );
      kept += snapshot.keptBytes + Math.max(0, (shard?.durable ?? 0) - snapshot.tail.keptFrom);
    }
    if (kept > maxKeptBytes)
      throw new BrokerError(
        'limit-exceeded',
        `while it was copied, ${kept} bytes came or were deleted that had to be kept for the backup: more than backup.maxKeptBytes (${maxKeptBytes}); try when less is written, or to a faster disk`,
      );
  }
}

/** The segments of one shard that the backup has. */
class SegmentCopies {
  readonly source: CopySource;
  readonly shardId: string;
  readonly #copies = new Map<string, SegmentCopy>();

  constructor(shard: Shard) {
    this.source = shard.copySource;
    this.shardId = this.source.flusher.shardId;
  }

  has(segment: Segment): boolean {
    return this.#copies.has(keyOf(segment));
  }

  add(segment: Segment, copy: SegmentCopy): void {
    this.#copies.set(keyOf(segment), copy);
  }

  of(segments: readonly Segment[]): SegmentCopy[] {
    return segments.flatMap((segment) => this.#copies.get(keyOf(segment)) ?? []);
  }
}

/** A merge writes a longer segment under the same name. */
function keyOf({ name, size }: Segment): string {
  return `${name} ${size}`;
}

function isPart(log: Log, segment: Segment): boolean {
  return !log.deleted && log.segments.includes(segment);
}

/** Joins what is small, and takes large ones apart: others have their turn between two pieces. */
function* inPieces(chunks: readonly Buffer[]): Generator<Buffer, void> {
  let small: Buffer[] = [];
  for (const chunk of chunks) {
    if (chunk.length <= PIECE_BYTES) {
      small.push(chunk);
      continue;
    }
    if (small.length > 0) yield Buffer.concat(small);
    small = [];
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) yield chunk.subarray(at, at + PIECE_BYTES);
  }
  if (small.length > 0) yield Buffer.concat(small);
}

function isGone(error: unknown): boolean {
  return error instanceof BrokerError && error.code === 'not-found';
}

function sizeOf(things: readonly { readonly size: number }[]): number {
  return things.reduce((sum, { size }) => sum + size, 0);
}
