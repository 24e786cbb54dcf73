import { crc32c } from '@node-rs/crc32';
import { BrokerError } from '../errors.ts';
import type { Position } from './commit-log.ts';
import type { EpochStart, LogState } from './log.ts';
import type { Segment } from './segment.ts';
import { segmentName } from './segment.ts';
import type { SegmentStore } from './segment-store.ts';

/**
 * What a shard consists of, apart from what its commit log holds from `replayFrom` on. Written whole and atomically
 * whenever segments have come or gone, before the part of the commit log that it stands for is let go.
 */
export interface Manifest {
  /** The shard's identity: a UUID. */
  readonly shardId: string;
  readonly replayFrom: Position;
  readonly logs: readonly LogState[];
  /** Objects that no log refers to any more, and that may still be there. A name that ends in `/` is a prefix. */
  readonly garbage: readonly string[];
}

const NAME = 'manifest';
/** 2 where a log was compacted, of which format 1 knew nothing. */
const FORMATS = [1, 2];

/** base offset, next offset, size, largest timestamp, indexed (1) or not (0), generation unless it is 0 */
type SegmentRow = [number, number, number, number, number, number?];

interface ManifestFile {
  readonly format: number;
  readonly shardId: string;
  readonly replayFrom: number;
  readonly garbage: readonly string[];
  readonly logs: readonly {
    readonly id: string;
    readonly start: number;
    readonly flushed: number;
    readonly epochs: readonly [epoch: number, startOffset: number][];
    readonly segments: readonly SegmentRow[];
    readonly cleaned?: [offset: number, generation: number];
  }[];
}

export async function saveManifest(store: SegmentStore, manifest: Manifest): Promise<void> {
  const file: ManifestFile = {
    format: manifest.logs.some(({ cleaned }) => cleaned !== undefined) ? 2 : 1,
    shardId: manifest.shardId,
    replayFrom: manifest.replayFrom,
    garbage: manifest.garbage,
    logs: manifest.logs.map((log) => ({
      id: log.id,
      start: log.startOffset,
      flushed: log.flushedOffset,
      epochs: log.epochs.map(({ epoch, startOffset }) => [epoch, startOffset]),
      segments: log.segments.map(rowOf),
      ...(log.cleaned && { cleaned: [log.cleaned.offset, log.cleaned.generation] }),
    })),
  };
  const json = Buffer.from(JSON.stringify(file));
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32c(json));
  await store.put(NAME, [crc, json]);
}

function rowOf({ baseOffset, nextOffset, size, maxTimestamp, indexed, generation = 0 }: Segment): SegmentRow {
  const flag = indexed ? 1 : 0;
  return generation === 0
    ? [baseOffset, nextOffset, size, maxTimestamp, flag]
    : [baseOffset, nextOffset, size, maxTimestamp, flag, generation];
}

/** Undefined when the store has none: the shard is new. `storage-damaged` when it is there and cannot be believed. */
export async function loadManifest(store: Pick<SegmentStore, 'get'>): Promise<Manifest | undefined> {
  let bytes: Buffer;
  try {
    bytes = await store.get(NAME, 0, Number.MAX_SAFE_INTEGER);
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'not-found') return undefined;
    throw error;
  }
  if (bytes.length < 4 || bytes.readUInt32BE(0) !== crc32c(bytes.subarray(4)))
    throw damaged(`${bytes.length} bytes, wrong CRC`);
  try {
    return decode(JSON.parse(bytes.toString('utf8', 4)) as ManifestFile);
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    throw damaged(String(error), error);
  }
}

function damaged(what: string, cause?: unknown): BrokerError {
  return new BrokerError('storage-damaged', `object '${NAME}' is damaged (${what}); restore it from a backup`, {
    cause,
  });
}

function decode(file: ManifestFile): Manifest {
  if (!FORMATS.includes(file.format)) {
    throw new BrokerError(
      'unsupported',
      `the data is of format ${file.format}, this version knows ${FORMATS.join(' and ')}; use the version that wrote it`,
    );
  }
  return {
    shardId: file.shardId,
    replayFrom: file.replayFrom,
    garbage: file.garbage,
    logs: file.logs.map(
      (log): LogState => ({
        id: log.id,
        startOffset: log.start,
        flushedOffset: log.flushed,
        epochs: log.epochs.map(([epoch, startOffset]): EpochStart => ({ epoch, startOffset })),
        segments: log.segments.map(
          ([baseOffset, nextOffset, size, maxTimestamp, indexed, generation = 0]): Segment => ({
            name: segmentName(log.id, baseOffset, generation),
            baseOffset,
            nextOffset,
            size,
            maxTimestamp,
            indexed: indexed === 1,
            ...(generation > 0 && { generation }),
          }),
        ),
        ...(log.cleaned && { cleaned: { offset: log.cleaned[0], generation: log.cleaned[1] } }),
      }),
    ),
  };
}
