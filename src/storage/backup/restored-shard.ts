import { dirname, join } from 'node:path';
import type { Environment, FileSystem } from '../../environment/environment.ts';
import type { BrokerError } from '../../errors.ts';
import { DiskCommitLog } from '../commit-log/disk.ts';
import { SALT_BYTES } from '../commit-log/file-header.ts';
import { FRAME_HEADER_BYTES } from '../commit-log/group-frame.ts';
import { LogFile } from '../commit-log/log-file.ts';
import { WriteBatch } from '../commit-log/write-batch.ts';
import type { Position } from '../commit-log.ts';
import { withoutSnapshotTrims } from '../entry-group.ts';
import { saveManifest } from '../manifest.ts';
import { UNINDEXED_BYTES } from '../segment.ts';
import { DirectorySegmentStore } from '../segment-store/directory.ts';
import { Shard } from '../shard.ts';
import type { ObjectCopy, SegmentCopy, ShardCopy } from './backup-list.ts';
import { BatchWalk } from './batch-walk.ts';
import { type BackupDamage, PIECE_BYTES, type StoredReader } from './stored.ts';
import { moreExact } from './verify-backup.ts';

export interface RestoredShardOptions {
  readonly environment: Pick<Environment, 'files' | 'clock' | 'random'>;
  /** The data directory that is made. */
  readonly data: string;
  /** The shard's directory in it. */
  readonly shard: string;
  /** Greater than that of any writer that the broker had. */
  readonly epoch: number;
}

/** Groups that are brought to segments at a time. */
const GROUP_BYTES = 32 * 1024 * 1024;
const WRITE_BYTES = 1024 * 1024;
/** What else is written to the disk waits for so much at most. */
const SYNC_BYTES = 8 * PIECE_BYTES;

/** A shard's storage in the making: segments and snapshots as a backup has them, then the groups that came after that, a few at a time. */
export class RestoredShard {
  readonly #options: RestoredShardOptions;
  readonly #files: FileSystem;
  readonly #segments: string;
  readonly #commitLog: string;
  /** The commit log's identity. */
  readonly #log: string;
  /** Called before a shard is opened for the first time. */
  beforeOpening: (() => Promise<void>) | undefined;
  #epoch: number;
  #end: Position = 0;
  #groups: { readonly payload: Buffer; readonly end: Position }[] = [];
  #bytes = 0;
  /** Bytes of all groups. */
  appliedBytes = 0;

  constructor(options: RestoredShardOptions) {
    this.#options = options;
    this.#files = options.environment.files;
    this.#segments = join(options.data, options.shard, 'segments');
    this.#commitLog = join(options.data, options.shard, 'commit-log');
    this.#log = options.environment.random.uuid();
    this.#epoch = options.epoch;
  }

  /** Writes segments, with their indexes, then the small objects, then the manifest. `onDamage` throws, or lets it be. */
  async base(copy: ShardCopy, reader: StoredReader, onDamage: (damage: BackupDamage) => void): Promise<void> {
    await this.#files.makeDirectory(this.#segments);
    const directories = new Set([this.#segments]);
    for (const { segments } of copy.logs)
      for (const segment of segments) {
        const damage = await this.#segment(segment, reader, directories);
        if (damage !== undefined) onDamage(damage);
      }
    for (const object of copy.objects) {
      const damage = await this.#object(object, reader, directories);
      if (damage !== undefined) onDamage(damage);
    }
    for (const directory of directories) await this.#files.syncDirectory(directory);
    const store = await this.#store();
    const logs = copy.logs.map(({ state }) => state);
    await saveManifest(store, { shardId: this.#options.environment.random.uuid(), replayFrom: 0, logs, garbage: [] });
    await store.close();
  }

  /** Takes the next group of the commit log. */
  async add(group: Buffer): Promise<void> {
    // The snapshots may be older than what these trims say.
    const payload = withoutSnapshotTrims(group);
    this.appliedBytes += group.length;
    if (payload.length === 0) return;
    this.#bytes += payload.length;
    const end = (this.#groups.at(-1)?.end ?? this.#end) + FRAME_HEADER_BYTES + payload.length;
    this.#groups.push({ payload, end });
    if (this.#bytes >= GROUP_BYTES) await this.#apply();
  }

  /** Brings the last groups to segments: then the shard is one that a broker can start with. */
  async finish(): Promise<void> {
    await this.#apply();
  }

  /** Starts the shard over a commit log with these groups, as after a crash, and writes them to segments. */
  async #apply(): Promise<void> {
    const { environment } = this.#options;
    const groups = this.#groups;
    const end = groups.at(-1)?.end ?? this.#end;
    const header = { start: this.#end, epoch: this.#epoch, log: this.#log, carriedUpTo: end };
    await this.#files.makeDirectory(this.#commitLog);
    const file = await LogFile.create(this.#files, this.#commitLog, header, environment.random.bytes(SALT_BYTES), {
      fill: async (target) => {
        const batch = new WriteBatch(WRITE_BYTES, WRITE_BYTES);
        const write = async () => {
          batch.finish();
          await target.write(batch);
          batch.clear();
        };
        for (const { payload, end } of groups) {
          const group = { chunks: [payload], byteLength: payload.length, end };
          if (batch.add(group, target, this.#end)) continue;
          await write();
          batch.add(group, target, this.#end);
        }
        await write();
      },
    });
    await file.close();
    this.#groups = [];
    this.#bytes = 0;
    await this.beforeOpening?.();
    this.beforeOpening = undefined;
    let trouble: BrokerError | undefined;
    const shard = await Shard.open({
      commitLog: new DiskCommitLog({ environment, directory: this.#commitLog, id: this.#log }),
      store: await this.#store(),
      clock: environment.clock,
      random: environment.random,
      settings: { minFreeBytes: 0, tailCacheBytes: 0, flushBytes: Number.MAX_SAFE_INTEGER },
      onTrouble: (error) => {
        trouble ??= error;
      },
    });
    this.#epoch = shard.epoch;
    this.#end = shard.durable;
    try {
      if (trouble === undefined) await shard.flush();
    } finally {
      await shard.close();
    }
    if (trouble !== undefined) throw trouble;
  }

  async #segment(
    { segment, stored }: SegmentCopy,
    reader: StoredReader,
    directories: Set<string>,
  ): Promise<BackupDamage | undefined> {
    const walk = new BatchWalk(segment);
    const path = join(this.#segments, segment.name);
    const object = `segment ${segment.name}`;
    let damage: BackupDamage | undefined;
    await this.#write(`${path}.log`, directories, async (write) => {
      damage = await reader.read(stored, object, async (piece) => {
        walk.add(piece);
        await write(piece);
      });
    });
    damage = moreExact(damage, walk.finish(), stored, object);
    if (damage !== undefined || segment.size <= UNINDEXED_BYTES) return damage;
    const { offsets, times } = walk.indexer.finish();
    await this.#write(`${path}.index`, directories, (write) => write(offsets));
    await this.#write(`${path}.timeindex`, directories, (write) => write(times));
    return undefined;
  }

  async #object({ name, stored }: ObjectCopy, reader: StoredReader, directories: Set<string>) {
    const pieces: Buffer[] = [];
    const damage = await reader.read(stored, name, (piece) => {
      pieces.push(piece);
    });
    if (damage !== undefined) return damage;
    const write = async (put: (piece: Buffer) => Promise<void>) => {
      for (const piece of pieces) await put(piece);
    };
    await this.#write(join(this.#segments, name), directories, write);
    return undefined;
  }

  /** Writes a file, not atomically: nobody takes the directory for whole before the restore has ended. */
  async #write(
    path: string,
    directories: Set<string>,
    fill: (write: (piece: Buffer) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const directory = dirname(path);
    if (!directories.has(directory)) {
      await this.#files.makeDirectory(directory);
      directories.add(directory);
    }
    const file = await this.#files.open(path, 'create');
    try {
      let at = 0;
      let unsynced = 0;
      await file.truncate(0);
      await fill(async (piece) => {
        await file.write([piece], at);
        at += piece.length;
        unsynced += piece.length;
        if (unsynced < SYNC_BYTES) return;
        await file.sync();
        unsynced = 0;
      });
      await file.sync();
    } finally {
      await file.close();
    }
  }

  #store(): Promise<DirectorySegmentStore> {
    return DirectorySegmentStore.open({ environment: { files: this.#files }, directory: this.#segments });
  }
}
