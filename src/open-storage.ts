import type { Settings } from './config/index.ts';
import type { Environment } from './environment/environment.ts';
import type { BrokerError } from './errors.ts';
import { type RestoreMark, readRestoreMark, removeRestoreMark } from './storage/backup/restore-mark.ts';
import { MemoryCommitLog } from './storage/commit-log/memory.ts';
import { type CommitLog, type SegmentStore, Shard } from './storage/index.ts';
import { MemorySegmentStore } from './storage/segment-store/memory.ts';

type OnTrouble = (error: BrokerError, what: string) => void;

export interface Storage {
  readonly openShard: (index: number, onTrouble: OnTrouble) => Promise<Shard>;
  /** A shard for what is not to outlive this start. */
  readonly openTransientShard: (onTrouble: OnTrouble) => Promise<Shard>;
  /** The data was restored from a backup, and no broker has started on it since. */
  readonly restored: RestoreMark | undefined;
  /** Says that one has. */
  notedRestore(): Promise<void>;
  /** After all shards are closed. */
  close(): Promise<void>;
}

/** The storage that the settings ask for; `keepBytes` of each commit log are kept until an archive goes on with it. Rejects with `already-exists` when another broker has the directory. */
export async function openStorage(
  settings: Settings['storage'],
  environment: Environment,
  keepBytes = 0,
): Promise<Storage> {
  const open = async (parts: { commitLog: CommitLog; store: SegmentStore }, onTrouble: OnTrouble) =>
    Shard.open({
      ...parts,
      clock: environment.clock,
      random: environment.random,
      threads: environment.threads,
      settings: {
        flushBytes: settings.commitLogFileBytes,
        memoryTableBytes: settings.memoryTableBytes,
        tailCacheBytes: settings.tailCacheBytes,
        minFreeBytes: settings.kind === 'memory' ? 0 : settings.minFreeBytes,
      },
      onTrouble,
    });
  if (settings.kind === 'memory') {
    const openInMemory = (onTrouble: OnTrouble) =>
      open({ commitLog: new MemoryCommitLog(), store: new MemorySegmentStore() }, onTrouble);
    return {
      openShard: (_index, onTrouble) => openInMemory(onTrouble),
      openTransientShard: openInMemory,
      restored: undefined,
      notedRestore: async () => {},
      close: async () => {},
    };
  }
  const { DiskCommitLog } = await import('./storage/commit-log/disk.ts');
  const { DirectorySegmentStore } = await import('./storage/segment-store/directory.ts');
  const { files } = environment;
  const { directory, commitLogFileBytes, flush, flushIntervalMs } = settings;
  await files.makeDirectory(directory);
  const lock = await files.lock(directory);
  const restored = await readRestoreMark(files, directory).catch(async (error: unknown) => {
    await lock.release();
    throw error;
  });
  return {
    restored,
    notedRestore: () => removeRestoreMark(files, directory),
    async openShard(index, onTrouble) {
      const home = `${directory}/shard-${index}`;
      const store = await DirectorySegmentStore.open({ environment, directory: `${home}/segments` });
      const commitLog = new DiskCommitLog({
        environment,
        directory: `${home}/commit-log`,
        fileBytes: commitLogFileBytes,
        keepBytes,
        flush: flush === 'interval' ? { intervalMs: flushIntervalMs } : flush,
      });
      return open({ commitLog, store }, onTrouble);
    },
    async openTransientShard(onTrouble) {
      // Its backlog is paged out like any other, and means nothing to the next start.
      const store = await DirectorySegmentStore.open({ environment, directory: `${directory}/transient` });
      for (const name of await store.list('')) await store.delete(name);
      return open({ commitLog: new MemoryCommitLog(), store }, onTrouble);
    },
    close: () => lock.release(),
  };
}
