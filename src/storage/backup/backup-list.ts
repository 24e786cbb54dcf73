import type { FileSystem } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import type { Position } from '../commit-log.ts';
import type { LogState } from '../log.ts';
import { type Segment, segmentName } from '../segment.ts';
import { readLines, writeLines } from './checked-lines.ts';
import type { Stored } from './stored.ts';

/** A segment, and where the backup has it. */
export interface SegmentCopy {
  readonly segment: Segment;
  readonly stored: Stored;
  /** CRC-32C of its last bytes: by them the same segment is known again. */
  readonly tailCrc: number;
}

export interface ObjectCopy {
  /** As in the segment store. */
  readonly name: string;
  readonly stored: Stored;
}

/** Everything of a shard that a backup has. */
export interface ShardCopy {
  readonly shard: number;
  readonly shardId: string;
  /** The writer's at that time. */
  readonly epoch: number;
  /** Logs are as they were when the commit log was in segments up to here, */
  readonly replayFrom: Position;
  /** and with its groups up to here as they were at the backup's time. */
  readonly end: Position;
  readonly logs: readonly { readonly state: LogState; readonly segments: readonly SegmentCopy[] }[];
  readonly objects: readonly ObjectCopy[];
  /** The groups from `replayFrom` to `end`. */
  readonly groups: Stored;
}

type StoredRow = [file: string, at: number, size: number, crc: number];
type SegmentRow = [
  base: number,
  next: number,
  maxTimestamp: number,
  indexed: 0 | 1,
  generation: number,
  tailCrc: number,
  stored: StoredRow,
];

type Line =
  | {
      readonly shard: number;
      readonly id: string;
      readonly epoch: number;
      readonly replayFrom: number;
      readonly end: number;
      readonly groups: StoredRow;
    }
  | {
      readonly log: string;
      readonly start: number;
      readonly flushed: number;
      readonly epochs: readonly (readonly [epoch: number, startOffset: number])[];
      readonly cleaned?: readonly [offset: number, generation: number];
      readonly segments: readonly SegmentRow[];
    }
  | { readonly object: string; readonly stored: StoredRow };

/** Writes what a backup consists of: for each shard a line, then one for each of its logs and objects. */
export function writeList(files: FileSystem, path: string, shards: readonly ShardCopy[]): Promise<void> {
  return writeLines(files, path, linesOf(shards));
}

function* linesOf(shards: readonly ShardCopy[]): Generator<Line> {
  for (const { shard, shardId: id, epoch, replayFrom, end, groups, logs, objects } of shards) {
    yield { shard, id, epoch, replayFrom, end, groups: rowOf(groups) };
    for (const { state, segments } of logs) {
      const { cleaned } = state;
      yield {
        log: state.id,
        start: state.startOffset,
        flushed: state.flushedOffset,
        epochs: state.epochs.map((start) => [start.epoch, start.startOffset]),
        ...(cleaned && { cleaned: [cleaned.offset, cleaned.generation] }),
        segments: segments.map(({ segment: s, tailCrc, stored }) => [
          ...([s.baseOffset, s.nextOffset, s.maxTimestamp, s.indexed ? 1 : 0, s.generation ?? 0] as const),
          tailCrc,
          rowOf(stored),
        ]),
      };
    }
    for (const { name, stored } of objects) yield { object: name, stored: rowOf(stored) };
  }
}

/** Rejects with `storage-damaged` or `not-found`. */
export async function readList(files: FileSystem, path: string): Promise<ShardCopy[]> {
  const shards: (ShardCopy & { logs: ShardCopy['logs'][number][]; objects: ObjectCopy[] })[] = [];
  await readLines(files, path, (value) => {
    const line = value as Line;
    if ('shard' in line) {
      const { shard, id: shardId, epoch, replayFrom, end, groups } = line;
      shards.push({ shard, shardId, epoch, replayFrom, end, groups: storedOf(groups), logs: [], objects: [] });
      return;
    }
    const shard = shards.at(-1);
    if (shard === undefined) throw new BrokerError('storage-damaged', `${path} does not begin with a shard`);
    if ('object' in line) {
      shard.objects.push({ name: line.object, stored: storedOf(line.stored) });
      return;
    }
    const segments = line.segments.map((row) => segmentOf(line.log, row));
    shard.logs.push({
      segments,
      state: {
        id: line.log,
        startOffset: line.start,
        flushedOffset: line.flushed,
        segments: segments.map(({ segment }) => segment),
        epochs: line.epochs.map(([epoch, startOffset]) => ({ epoch, startOffset })),
        ...(line.cleaned && { cleaned: { offset: line.cleaned[0], generation: line.cleaned[1] } }),
      },
    });
  });
  return shards;
}

/** Every place that a backup refers to. */
export function* storedIn(shards: readonly ShardCopy[]): Generator<Stored> {
  for (const { logs, objects, groups } of shards) {
    for (const { segments } of logs) for (const { stored } of segments) yield stored;
    for (const { stored } of objects) yield stored;
    yield groups;
  }
}

function segmentOf(log: string, row: SegmentRow): SegmentCopy {
  const [baseOffset, nextOffset, maxTimestamp, indexed, generation, tailCrc, place] = row;
  const stored = storedOf(place);
  const name = segmentName(log, baseOffset, generation);
  const whole = { name, baseOffset, nextOffset, size: stored.size, maxTimestamp, indexed: indexed === 1 };
  return { segment: generation > 0 ? { ...whole, generation } : whole, stored, tailCrc };
}

function rowOf({ file, at, size, crc }: Stored): StoredRow {
  return [file, at, size, crc];
}

function storedOf([file, at, size, crc]: StoredRow): Stored {
  return { file, at, size, crc };
}
