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
import { Tasks } from './tasks.ts';
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
const FILES_AT_A_TIME = 16;

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
  readonly #tasks = new Tasks(FILES_AT_A_TIME);
  /** Those that were made, or are being made. */
  readonly #directories = new Map<string, Promise<void>>();
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
    try {
      await this.#copy(copy, reader, onDamage);
    } finally {
      // Nobody is to write to the directory any more that was given up.
      await this.#tasks.end();
    }
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

  async #copy(copy: ShardCopy, reader: StoredReader, onDamage: (damage: BackupDamage) => void): Promise<void> {
    for (const { segments } of copy.logs)
      for (const segment of segments) {
        const damage = await this.#segment(segment, reader);
        if (damage !== undefined) onDamage(damage);
      }
    for (const object of copy.objects) {
      const damage = await this.#object(object, reader);
      if (damage !== undefined) onDamage(damage);
    }
    await this.#files.makeDirectory(this.#segments);
    await this.#tasks.settle();
    for (const directory of this.#directories.keys()) await this.#tasks.add(() => this.#files.syncDirectory(directory));
    await this.#tasks.settle();
  }

  async #segment({ segment, stored }: SegmentCopy, reader: StoredReader): Promise<BackupDamage | undefined> {
    const walk = new BatchWalk(segment);
    const path = join(this.#segments, segment.name);
    const object = `segment ${segment.name}`;
    let damage: BackupDamage | undefined;
    const read = (take: (piece: Buffer) => void | Promise<void>) =>
      reader.read(stored, object, (piece) => {
        walk.add(piece);
        return take(piece);
      });
    if (stored.size > PIECE_BYTES)
      await this.#write(`${path}.log`, async (write) => {
        damage = await read(write);
      });
    else {
      const pieces: Buffer[] = [];
      damage = await read((piece) => void pieces.push(piece));
      await this.#writeAside(`${path}.log`, pieces);
    }
    damage = moreExact(damage, walk.finish(), stored, object);
    if (damage !== undefined || segment.size <= UNINDEXED_BYTES) return damage;
    const { offsets, times } = walk.indexer.finish();
    await this.#writeAside(`${path}.index`, [offsets]);
    await this.#writeAside(`${path}.timeindex`, [times]);
    return undefined;
  }

  async #object({ name, stored }: ObjectCopy, reader: StoredReader): Promise<BackupDamage | undefined> {
    const pieces: Buffer[] = [];
    const damage = await reader.read(stored, name, (piece) => void pieces.push(piece));
    if (damage === undefined) await this.#writeAside(join(this.#segments, name), pieces);
    return damage;
  }

  /** Writes a small file while others are read and written: what takes long is that each is synced. */
  #writeAside(path: string, pieces: readonly Buffer[]): Promise<void> {
    return this.#tasks.add(() =>
      this.#write(path, async (write) => {
        for (const piece of pieces) await write(piece);
      }),
    );
  }

  /** Writes a file, not atomically: nobody takes the directory for whole before the restore has ended. */
  async #write(path: string, fill: (write: (piece: Buffer) => Promise<void>) => Promise<void>): Promise<void> {
    const directory = dirname(path);
    const made = this.#directories.get(directory) ?? this.#files.makeDirectory(directory);
    this.#directories.set(directory, made);
    await made;
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
