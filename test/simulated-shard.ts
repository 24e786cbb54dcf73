import type { SimulatedDisk } from '../src/environment/simulated-files.ts';
import type { VirtualClock } from '../src/environment/virtual-clock.ts';
import { DiskCommitLog } from '../src/storage/commit-log/disk.ts';
import { Shard, type ShardOptions } from '../src/storage/index.ts';
import { DirectorySegmentStore } from '../src/storage/segment-store/directory.ts';

export interface SimulatedShardOptions {
  readonly disk: SimulatedDisk;
  readonly clock: VirtualClock;
  /** Where on the disk it is. */
  readonly home: string;
  /** Of a file of the commit log. */
  readonly fileBytes: number;
  readonly flushBytes: number;
  readonly tailCacheBytes: number;
  /** Of the commit log, for an archive that is to be opened. */
  readonly keepBytes?: number;
  readonly onTrouble?: ShardOptions['onTrouble'];
}

/** A real shard with a disk commit log and segments, over a simulated disk. Rejects with what opening a shard rejects with. */
export async function openSimulatedShard({
  disk,
  clock,
  home,
  fileBytes,
  flushBytes,
  tailCacheBytes,
  keepBytes = 0,
  onTrouble,
}: SimulatedShardOptions): Promise<Shard> {
  const { random } = disk;
  const environment = { files: disk.files(), clock, random };
  return await Shard.open({
    commitLog: new DiskCommitLog({
      environment,
      directory: `${home}/commit-log`,
      fileBytes,
      flush: 'always',
      keepBytes,
    }),
    store: await DirectorySegmentStore.open({ environment, directory: `${home}/segments` }),
    clock,
    random,
    settings: { flushBytes, tailCacheBytes, minFreeBytes: 0 },
    ...(onTrouble && { onTrouble }),
  });
}
